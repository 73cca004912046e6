#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "desk/filter/filter.h"
#include "desk/filter/lexer.h"
#include "desk/filter/literal.h"

namespace potok::desk {
namespace {

using Kind = FilterToken::Kind;
using NodeOr = absl::StatusOr<FilterNode>;

template <typename Named>
std::string Names(const std::vector<Named>& list) {
  return absl::StrJoin(
      list, ", ", [](std::string* out, const Named& item) { absl::StrAppend(out, item.name); });
}

// One child is itself; children of the same kind are taken in, so that a chain is one flat list.
FilterNode Join(FilterNode::Kind kind, std::vector<FilterNode> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  FilterNode node;
  node.kind = kind;
  for (FilterNode& part : parts) {
    if (part.kind == kind) {
      std::move(part.children.begin(), part.children.end(), std::back_inserter(node.children));
    } else {
      node.children.push_back(std::move(part));
    }
  }
  return node;
}

class Parser {
 public:
  Parser(absl::string_view text, const FieldCatalog& catalog, const FilterLimits& limits,
         std::vector<FilterToken> tokens)
      : text_(text), catalog_(catalog), limits_(limits), tokens_(std::move(tokens)) {}

  absl::StatusOr<Filter> Run() && {
    Filter filter;
    if (Peek().kind == Kind::kEnd) return filter;
    POTOK_ASSIGN_OR_RETURN(FilterNode root, Expression(0));
    if (Peek().kind != Kind::kEnd) {
      return Error(Peek(), "this parenthesis closes nothing", "эта скобка ничего не закрывает");
    }
    filter.root.push_back(std::move(root));
    return filter;
  }

 private:
  const FilterToken& Peek() const { return tokens_[next_]; }
  FilterToken Take() { return tokens_[tokens_[next_].kind == Kind::kEnd ? next_ : next_++]; }
  bool IsWord(absl::string_view word) const {
    return Peek().kind == Kind::kWord && Peek().text == word && !Peek().star_front &&
           !Peek().star_back;
  }

  absl::Status Error(const FilterToken& token, absl::string_view en, absl::string_view ru) const {
    return FilterError(text_, token.at, en, ru);
  }

  absl::Status CheckDepth(int depth) const {
    if (depth <= limits_.depth) return absl::OkStatus();
    return Error(Peek(),
                 absl::StrCat("more than ", limits_.depth,
                              " parentheses and NOTs inside each other; write it flatter"),
                 absl::StrCat("больше ", limits_.depth, " вложенных скобок и NOT; упростите"));
  }

  absl::Status CountTerm() {
    if (++terms_ <= limits_.terms) return absl::OkStatus();
    return Error(Peek(),
                 absl::StrCat("more than ", limits_.terms, " conditions; split the request"),
                 absl::StrCat("больше ", limits_.terms, " условий; разделите запрос"));
  }

  // expression = sequence {"AND" sequence}; sequence = factor {factor}. Both are conjunctions.
  NodeOr Expression(int depth) {
    std::vector<FilterNode> parts;
    while (true) {
      POTOK_ASSIGN_OR_RETURN(FilterNode part, Factor(depth));
      parts.push_back(std::move(part));
      if (IsWord("AND")) {
        Take();
      } else if (Peek().kind == Kind::kEnd || Peek().kind == Kind::kClose) {
        return Join(FilterNode::Kind::kAnd, std::move(parts));
      }
    }
  }

  NodeOr Factor(int depth) {
    std::vector<FilterNode> parts;
    while (true) {
      POTOK_ASSIGN_OR_RETURN(FilterNode part, Term(depth));
      parts.push_back(std::move(part));
      if (!IsWord("OR")) return Join(FilterNode::Kind::kOr, std::move(parts));
      Take();
    }
  }

  NodeOr Term(int depth) {
    if (Peek().kind != Kind::kMinus && !IsWord("NOT")) return Simple(depth);
    POTOK_RETURN_IF_ERROR(CheckDepth(depth + 1));
    Take();
    POTOK_ASSIGN_OR_RETURN(FilterNode inner, Simple(depth + 1));
    FilterNode node;
    node.kind = FilterNode::Kind::kNot;
    node.children.push_back(std::move(inner));
    return node;
  }

  NodeOr Simple(int depth) {
    if (Peek().kind == Kind::kOpen) {
      POTOK_RETURN_IF_ERROR(CheckDepth(depth + 1));
      const FilterToken open = Take();
      POTOK_ASSIGN_OR_RETURN(FilterNode inner, Expression(depth + 1));
      POTOK_RETURN_IF_ERROR(Close(open));
      return inner;
    }
    if (Peek().kind == Kind::kWord && !IsWord("AND") && !IsWord("OR") && !IsWord("NOT")) {
      return Peek().opens_call ? Call(depth) : Restriction(depth);
    }
    if (Peek().kind == Kind::kString) return Search(Take());
    return Error(Peek(), "a condition is expected here, such as field = value",
                 "здесь ожидается условие, например поле = значение");
  }

  absl::Status Close(const FilterToken& open) {
    if (Peek().kind == Kind::kClose) {
      Take();
      return absl::OkStatus();
    }
    if (Peek().kind == Kind::kEnd) {
      return Error(open, "this parenthesis is never closed", "эта скобка не закрыта");
    }
    return Error(Peek(), "a closing parenthesis is expected here",
                 "здесь ожидается закрывающая скобка");
  }

  NodeOr Search(const FilterToken& token) {
    if (Peek().kind == Kind::kOperator) {
      return Error(token, "a field name is not put in quotes", "имя поля пишется без кавычек");
    }
    const std::string lower = absl::AsciiStrToLower(token.text);
    if (token.kind == Kind::kWord && (lower == "and" || lower == "or" || lower == "not")) {
      return Error(token, "AND, OR and NOT are written in capitals",
                   "AND, OR и NOT пишутся заглавными буквами");
    }
    if (token.kind == Kind::kWord && catalog_.FindField(token.text) != nullptr) {
      return Error(token,
                   absl::StrCat("the field ", token.text, " needs a comparison, such as ",
                                token.text, " = value or ", token.text, ":*"),
                   absl::StrCat("полю ", token.text, " нужно сравнение, например ", token.text,
                                " = значение или ", token.text, ":*"));
    }
    if (catalog_.search_fields.empty()) {
      return Error(
          token,
          absl::StrCat("a comparison such as field = value is expected; fields: ",
                       Names(catalog_.fields)),
          absl::StrCat("ожидается сравнение вида поле = значение; поля: ", Names(catalog_.fields)));
    }
    if (token.text.empty()) {
      return Error(token, "the text to look for is empty", "пустой текст для поиска");
    }
    POTOK_RETURN_IF_ERROR(CountTerm());
    FilterNode node;
    node.kind = FilterNode::Kind::kSearch;
    node.match = TextMatch::kContainsAnyCase;
    node.values.push_back(token.text);
    node.among = catalog_.search_fields;
    return node;
  }

  NodeOr Restriction(int depth) {
    const FilterToken name = Take();
    if (Peek().kind != Kind::kOperator) return Search(name);
    const FilterField* field = catalog_.FindField(name.text);
    if (field == nullptr || name.star_front || name.star_back) {
      return Error(name,
                   absl::StrCat("there is no field \"", Shortened(name.text),
                                "\" here; fields: ", Names(catalog_.fields)),
                   absl::StrCat("поля «", Shortened(name.text),
                                "» здесь нет; поля: ", Names(catalog_.fields)));
    }
    const FilterToken op = Take();
    if (Peek().kind != Kind::kOpen) return Comparison(*field, op);

    // field = (a OR b): the comparison is repeated for each value.
    POTOK_RETURN_IF_ERROR(CheckDepth(depth + 1));
    const FilterToken open = Take();
    std::vector<FilterNode> parts;
    std::string joint;
    while (true) {
      POTOK_ASSIGN_OR_RETURN(FilterNode part, Comparison(*field, op));
      parts.push_back(std::move(part));
      if (!IsWord("OR") && !IsWord("AND")) break;
      const FilterToken word = Take();
      if (!joint.empty() && joint != word.text) {
        return Error(word, "a list of values is joined by OR or by AND, not by both",
                     "список значений соединяется через OR или через AND, но не вперемешку");
      }
      joint = word.text;
    }
    POTOK_RETURN_IF_ERROR(Close(open));
    return Join(joint == "AND" ? FilterNode::Kind::kAnd : FilterNode::Kind::kOr, std::move(parts));
  }

  NodeOr Comparison(const FilterField& field, const FilterToken& op) {
    POTOK_RETURN_IF_ERROR(CountTerm());
    const bool keyword = IsWord("AND") || IsWord("OR") || IsWord("NOT");
    const FilterToken token = Take();
    if (keyword || (token.kind != Kind::kWord && token.kind != Kind::kString)) {
      return Error(token, absl::StrCat("a value for ", field.name, " is expected here"),
                   absl::StrCat("здесь ожидается значение для ", field.name));
    }
    FilterNode node;
    node.name = field.name;
    node.type = field.type;
    if (op.text == ":" && token.text.empty() && token.star_front) {
      node.kind = FilterNode::Kind::kPresent;
      return node;
    }
    POTOK_RETURN_IF_ERROR(CheckOperator(field, op));
    Literal literal = ReadLiteral(field, token);
    if (!literal.ok()) {
      return Error(token, absl::StrCat(field.name, " takes ", literal.expected_en),
                   absl::StrCat("для ", field.name, " укажите ", literal.expected_ru));
    }
    node.kind =
        field.type == FilterType::kStringList ? FilterNode::Kind::kHas : FilterNode::Kind::kCompare;
    node.match = literal.match;
    node.values.push_back(std::move(literal.value));
    if (op.text == ":") {
      if (field.type == FilterType::kString) {
        if (token.text.empty()) {
          return Error(token, "the text to look for is empty", "пустой текст для поиска");
        }
        node.match = TextMatch::kContainsAnyCase;
      }
    } else {
      node.op = op.text == "="    ? CompareOp::kEq
                : op.text == "!=" ? CompareOp::kNe
                : op.text == "<"  ? CompareOp::kLt
                : op.text == "<=" ? CompareOp::kLe
                : op.text == ">"  ? CompareOp::kGt
                                  : CompareOp::kGe;
    }
    if (field.type == FilterType::kEnum) node.among = EnumValuesBeyond(field, node);
    return node;
  }

  absl::Status CheckOperator(const FilterField& field, const FilterToken& op) const {
    const bool by_order = op.text[0] == '<' || op.text[0] == '>';
    absl::string_view allowed;
    switch (field.type) {
      case FilterType::kString:
      case FilterType::kBool:
      case FilterType::kResource:
        if (by_order) allowed = "= != :";
        break;
      case FilterType::kEnum:
        if (by_order && !field.ordered) allowed = "= != :";
        break;
      case FilterType::kStringList:
        if (op.text != ":") allowed = ":";
        break;
      default: break;
    }
    if (allowed.empty()) return absl::OkStatus();
    return Error(
        op, absl::StrCat(field.name, " cannot be compared by ", op.text, "; use ", allowed),
        absl::StrCat(field.name, " нельзя сравнить через ", op.text, "; используйте ", allowed));
  }

  static std::vector<std::string> EnumValuesBeyond(const FilterField& field,
                                                   const FilterNode& node) {
    if (node.op == CompareOp::kEq || node.op == CompareOp::kNe) return {};
    const auto& known = field.enum_values;
    const auto pivot = std::find(known.begin(), known.end(), std::get<std::string>(node.values[0]));
    std::vector<std::string> out;
    for (auto value = known.begin(); value != known.end(); ++value) {
      const bool in = (node.op == CompareOp::kLt && value < pivot) ||
                      (node.op == CompareOp::kLe && value <= pivot) ||
                      (node.op == CompareOp::kGt && value > pivot) ||
                      (node.op == CompareOp::kGe && value >= pivot);
      if (in) out.push_back(*value);
    }
    return out;
  }

  NodeOr Call(int depth) {
    POTOK_RETURN_IF_ERROR(CountTerm());
    const FilterToken name = Take();
    const FilterFunction* function = catalog_.FindFunction(name.text);
    if (function == nullptr || name.star_front || name.star_back) {
      return Error(name,
                   absl::StrCat("there is no function \"", Shortened(name.text),
                                "\" here; functions: ", Names(catalog_.functions)),
                   absl::StrCat("функции «", Shortened(name.text),
                                "» здесь нет; функции: ", Names(catalog_.functions)));
    }
    POTOK_RETURN_IF_ERROR(CheckDepth(depth));
    const FilterToken open = Take();
    FilterNode node;
    node.kind = FilterNode::Kind::kCall;
    node.name = name.text;
    for (size_t i = 0; i < function->params.size(); ++i) {
      if (i > 0 && Peek().kind == Kind::kComma) Take();
      const FilterToken token = Peek();
      const bool value = token.kind == Kind::kWord || token.kind == Kind::kString;
      Literal literal = value ? ReadLiteral(function->params[i], token) : Literal{};
      if (!value || !literal.ok() || literal.match != TextMatch::kExact) {
        return Error(token,
                     absl::StrCat(name.text, " takes ", function->params.size(), " argument(s)",
                                  literal.ok() ? "" : "; here ", literal.expected_en),
                     absl::StrCat("у функции ", name.text, " аргументов: ", function->params.size(),
                                  literal.ok() ? "" : "; здесь ", literal.expected_ru));
      }
      Take();
      node.values.push_back(std::move(literal.value));
    }
    if (Peek().kind == Kind::kComma || Peek().kind == Kind::kWord || Peek().kind == Kind::kString) {
      return Error(Peek(),
                   absl::StrCat(name.text, " takes ", function->params.size(), " argument(s)"),
                   absl::StrCat("у функции ", name.text, " аргументов: ", function->params.size()));
    }
    POTOK_RETURN_IF_ERROR(Close(open));
    return node;
  }

  absl::string_view text_;
  const FieldCatalog& catalog_;
  const FilterLimits& limits_;
  std::vector<FilterToken> tokens_;
  size_t next_ = 0;
  int terms_ = 0;
};

}  // namespace

const FilterField* FieldCatalog::FindField(absl::string_view name) const {
  for (const FilterField& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

const FilterFunction* FieldCatalog::FindFunction(absl::string_view name) const {
  for (const FilterFunction& function : functions) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

absl::StatusOr<Filter> ParseFilter(absl::string_view text, const FieldCatalog& catalog,
                                   const FilterLimits& limits) {
  if (text.size() > limits.bytes) {
    return FilterError(
        text, 0,
        absl::StrCat("the filter has ", text.size(), " bytes, at most ", limits.bytes,
                     " are allowed"),
        absl::StrCat("в фильтре ", text.size(), " байт, допустимо не больше ", limits.bytes));
  }
  POTOK_ASSIGN_OR_RETURN(std::vector<FilterToken> tokens, SplitFilter(text));
  return Parser(text, catalog, limits, std::move(tokens)).Run();
}

}  // namespace potok::desk
