#include "desk/filter/evaluate.h"

#include <algorithm>

#include "absl/strings/match.h"

#include "base/utf8.h"

namespace potok::desk {
namespace {

char32_t Fold(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;     // Latin-1.
  if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) return c + 32;  // Greek.
  if (c >= 0x410 && c <= 0x42F) return c + 32;                // Cyrillic.
  if (c >= 0x400 && c <= 0x40F) return c + 80;                // Cyrillic, with Ё.
  return c;
}

void Append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

bool Matches(const std::string& text, TextMatch match, const std::string& wanted) {
  switch (match) {
    case TextMatch::kExact: return text == wanted;
    case TextMatch::kPrefix: return absl::StartsWith(text, wanted);
    case TextMatch::kSuffix: return absl::EndsWith(text, wanted);
    case TextMatch::kContains: return absl::StrContains(text, wanted);
    case TextMatch::kContainsAnyCase: return absl::StrContains(FoldCase(text), FoldCase(wanted));
  }
  return false;
}

template <typename T>
bool ByOrder(CompareOp op, const T& left, const T& right) {
  switch (op) {
    case CompareOp::kEq: return left == right;
    case CompareOp::kNe: return left != right;
    case CompareOp::kLt: return left < right;
    case CompareOp::kLe: return left <= right;
    case CompareOp::kGt: return left > right;
    case CompareOp::kGe: return left >= right;
  }
  return false;
}

template <typename T>
bool CompareAs(const FilterNode& node, const FilterCell& cell) {
  const auto* left = std::get_if<T>(&cell);
  const auto* right = std::get_if<T>(&node.values[0]);
  if (left == nullptr || right == nullptr) return node.op == CompareOp::kNe;
  return ByOrder(node.op, *left, *right);
}

bool Compare(const FilterNode& node, const FilterCell& cell) {
  switch (node.type) {
    case FilterType::kBool: return CompareAs<bool>(node, cell);
    case FilterType::kInt: return CompareAs<int64_t>(node, cell);
    case FilterType::kDouble: return CompareAs<double>(node, cell);
    case FilterType::kTime: return CompareAs<absl::Time>(node, cell);
    case FilterType::kDuration: return CompareAs<absl::Duration>(node, cell);
    default: break;
  }
  const bool negated = node.op == CompareOp::kNe;
  const auto* text = std::get_if<std::string>(&cell);
  const auto* wanted = std::get_if<std::string>(&node.values[0]);
  if (text == nullptr || wanted == nullptr) return negated;
  if (node.op != CompareOp::kEq && !negated) {
    return std::find(node.among.begin(), node.among.end(), *text) != node.among.end();
  }
  return Matches(*text, node.match, *wanted) != negated;
}

bool IsPresent(const FilterCell& cell) {
  if (std::holds_alternative<std::monostate>(cell)) return false;
  if (const auto* text = std::get_if<std::string>(&cell)) return !text->empty();
  if (const auto* list = std::get_if<std::vector<std::string>>(&cell)) return !list->empty();
  return true;
}

bool EvaluateNode(const FilterNode& node, const FilterRow& row) {
  const auto holds = [&](const FilterNode& child) { return EvaluateNode(child, row); };
  switch (node.kind) {
    case FilterNode::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), holds);
    case FilterNode::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), holds);
    case FilterNode::Kind::kNot: return !holds(node.children[0]);
    case FilterNode::Kind::kCompare: return Compare(node, row.cell(node.name));
    case FilterNode::Kind::kHas: {
      const FilterCell cell = row.cell(node.name);
      const auto* list = std::get_if<std::vector<std::string>>(&cell);
      const auto* wanted = std::get_if<std::string>(&node.values[0]);
      return list != nullptr && wanted != nullptr &&
             std::find(list->begin(), list->end(), *wanted) != list->end();
    }
    case FilterNode::Kind::kPresent: return IsPresent(row.cell(node.name));
    case FilterNode::Kind::kSearch:
      return std::any_of(node.among.begin(), node.among.end(), [&](const std::string& field) {
        const FilterCell cell = row.cell(field);
        const auto* text = std::get_if<std::string>(&cell);
        return text != nullptr &&
               Matches(*text, TextMatch::kContainsAnyCase, std::get<std::string>(node.values[0]));
      });
    case FilterNode::Kind::kCall: return row.call(node.name, node.values);
  }
  return false;
}

}  // namespace

bool Evaluate(const Filter& filter, const FilterRow& row) {
  return filter.root.empty() || EvaluateNode(filter.root[0], row);
}

std::string FoldCase(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const auto character = TakeCharacter(text); character.has_value()) {
      Append(out, Fold(*character));
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace potok::desk
