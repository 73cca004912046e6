#include "desk/filter/render_sql.h"

#include <charconv>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace potok::desk {
namespace {

using TextOr = absl::StatusOr<std::string>;

absl::string_view DefaultCast(const FilterValue& value) {
  if (std::holds_alternative<bool>(value)) return "boolean";
  if (std::holds_alternative<int64_t>(value)) return "bigint";
  if (std::holds_alternative<double>(value)) return "double precision";
  if (std::holds_alternative<absl::Time>(value)) return "timestamptz";
  if (std::holds_alternative<absl::Duration>(value)) return "interval";
  return "text";
}

TextOr ParamText(const FilterValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  if (const auto* number = std::get_if<double>(&value)) {
    char buffer[32];
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, *number).ptr);
  }
  if (const auto* time = std::get_if<absl::Time>(&value)) {
    return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E6S+00", *time, absl::UTCTimeZone());
  }
  if (const auto* duration = std::get_if<absl::Duration>(&value)) {
    return absl::StrCat(absl::ToInt64Microseconds(*duration), " microseconds");
  }
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return absl::InternalError("filter: `me` was not bound before rendering");
}

std::string LikePattern(absl::string_view text, TextMatch match) {
  std::string out;
  if (match != TextMatch::kPrefix) out += '%';
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  if (match != TextMatch::kSuffix) out += '%';
  return out;
}

absl::string_view Sign(CompareOp op) {
  switch (op) {
    case CompareOp::kEq: return " = ";
    case CompareOp::kNe: return " IS DISTINCT FROM ";
    case CompareOp::kLt: return " < ";
    case CompareOp::kLe: return " <= ";
    case CompareOp::kGt: return " > ";
    case CompareOp::kGe: return " >= ";
  }
  return " = ";
}

class Renderer {
 public:
  Renderer(const SqlMap& map, int first) : map_(map), first_(first) {}

  TextOr Render(const FilterNode& node) {
    switch (node.kind) {
      case FilterNode::Kind::kAnd: return Joined(node, " AND ");
      case FilterNode::Kind::kOr: return Joined(node, " OR ");
      case FilterNode::Kind::kNot: {
        // Not NOT: where a NULL makes the condition unknown, NOT would leave it unknown and the row
        // would match neither the filter nor its opposite.
        POTOK_ASSIGN_OR_RETURN(const std::string inner, Render(node.children[0]));
        return absl::StrCat("(", inner, " IS NOT TRUE)");
      }
      case FilterNode::Kind::kCompare: return Compare(node);
      case FilterNode::Kind::kHas: {
        POTOK_ASSIGN_OR_RETURN(const SqlColumn* column, Column(node.name));
        POTOK_ASSIGN_OR_RETURN(const std::string value, Param(*column, node.values[0]));
        return absl::StrCat("(", value, " = ANY(", column->expression, "))");
      }
      case FilterNode::Kind::kPresent: return Present(node);
      case FilterNode::Kind::kSearch: return Search(node);
      case FilterNode::Kind::kCall: return Call(node);
    }
    return absl::InternalError("filter: unknown node");
  }

  std::vector<std::string> TakeParams() && { return std::move(params_); }

 private:
  absl::StatusOr<const SqlColumn*> Column(const std::string& field) const {
    const auto found = map_.columns.find(field);
    if (found == map_.columns.end()) {
      return absl::InternalError(absl::StrCat("filter: no column for field ", field));
    }
    return &found->second;
  }

  std::string Placeholder(std::string value, absl::string_view cast) {
    params_.push_back(std::move(value));
    return absl::StrCat("$", first_ + static_cast<int>(params_.size()) - 1, "::", cast);
  }

  TextOr Param(const SqlColumn& column, const FilterValue& value) {
    POTOK_ASSIGN_OR_RETURN(std::string text, ParamText(value));
    const auto stored = column.stored.find(text);
    if (stored != column.stored.end()) text = stored->second;
    return Placeholder(std::move(text), column.cast.empty() ? DefaultCast(value) : column.cast);
  }

  TextOr Joined(const FilterNode& node, absl::string_view word) {
    std::string out = "(";
    for (const FilterNode& child : node.children) {
      POTOK_ASSIGN_OR_RETURN(const std::string part, Render(child));
      absl::StrAppend(&out, out.size() == 1 ? "" : word, part);
    }
    return out + ")";
  }

  TextOr Compare(const FilterNode& node) {
    POTOK_ASSIGN_OR_RETURN(const SqlColumn* column, Column(node.name));
    const bool by_order = node.op != CompareOp::kEq && node.op != CompareOp::kNe;
    if (node.type == FilterType::kEnum && by_order) {
      // The parser knows the order of an enum, the database does not: name the values instead.
      if (node.among.empty()) return "(FALSE)";
      std::string list;
      for (const std::string& value : node.among) {
        POTOK_ASSIGN_OR_RETURN(const std::string param, Param(*column, value));
        absl::StrAppend(&list, list.empty() ? "" : ", ", param);
      }
      return absl::StrCat("(", column->expression, " IN (", list, "))");
    }
    if (node.match == TextMatch::kExact) {
      POTOK_ASSIGN_OR_RETURN(const std::string value, Param(*column, node.values[0]));
      return absl::StrCat("(", column->expression, Sign(node.op), value, ")");
    }
    POTOK_ASSIGN_OR_RETURN(const std::string text, ParamText(node.values[0]));
    const bool any_case = node.match == TextMatch::kContainsAnyCase;
    const std::string condition =
        absl::StrCat("(", column->expression, any_case ? " ILIKE " : " LIKE ",
                     Placeholder(LikePattern(text, node.match), "text"), ")");
    return node.op == CompareOp::kNe ? absl::StrCat("(", condition, " IS NOT TRUE)") : condition;
  }

  TextOr Present(const FilterNode& node) {
    POTOK_ASSIGN_OR_RETURN(const SqlColumn* column, Column(node.name));
    switch (node.type) {
      case FilterType::kString:
      case FilterType::kResource: return absl::StrCat("(", column->expression, " <> '')");
      case FilterType::kStringList:
        return absl::StrCat("(cardinality(", column->expression, ") > 0)");
      default: return absl::StrCat("(", column->expression, " IS NOT NULL)");
    }
  }

  TextOr Search(const FilterNode& node) {
    POTOK_ASSIGN_OR_RETURN(const std::string text, ParamText(node.values[0]));
    const std::string pattern = Placeholder(LikePattern(text, TextMatch::kContainsAnyCase), "text");
    std::string out = "(";
    for (const std::string& field : node.among) {
      POTOK_ASSIGN_OR_RETURN(const SqlColumn* column, Column(field));
      absl::StrAppend(&out, out.size() == 1 ? "" : " OR ", column->expression, " ILIKE ", pattern);
    }
    return out + ")";
  }

  TextOr Call(const FilterNode& node) {
    const auto found = map_.functions.find(node.name);
    if (found == map_.functions.end()) {
      return absl::InternalError(absl::StrCat("filter: no condition for function ", node.name));
    }
    absl::string_view rest = found->second;
    std::string out = "(";
    while (!rest.empty()) {
      const size_t open = rest.find('{');
      const size_t close = rest.find('}');
      if (open == absl::string_view::npos) break;
      if (close == absl::string_view::npos || close < open) return BadTemplate(node);
      absl::StrAppend(&out, rest.substr(0, open));
      const absl::string_view slot = rest.substr(open + 1, close - open - 1);
      rest.remove_prefix(close + 1);
      size_t index = 0;
      const auto named = map_.named.find(std::string(slot));
      if (named != map_.named.end()) {
        out += Placeholder(named->second.value, named->second.cast);
      } else if (absl::SimpleAtoi(slot, &index) && index < node.values.size()) {
        POTOK_ASSIGN_OR_RETURN(std::string text, ParamText(node.values[index]));
        out += Placeholder(std::move(text), DefaultCast(node.values[index]));
      } else {
        return BadTemplate(node);
      }
    }
    absl::StrAppend(&out, rest, ")");
    return out;
  }

  static absl::Status BadTemplate(const FilterNode& node) {
    return absl::InternalError(
        absl::StrCat("filter: the condition of function ", node.name, " names an unknown slot"));
  }

  const SqlMap& map_;
  const int first_;
  std::vector<std::string> params_;
};

}  // namespace

absl::StatusOr<SqlCondition> RenderSql(const Filter& filter, const SqlMap& map, int first) {
  if (filter.root.empty()) return SqlCondition{"TRUE", {}};
  Renderer renderer(map, first);
  POTOK_ASSIGN_OR_RETURN(std::string text, renderer.Render(filter.root[0]));
  return SqlCondition{std::move(text), std::move(renderer).TakeParams()};
}

}  // namespace potok::desk
