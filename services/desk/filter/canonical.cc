#include <utility>

#include "absl/strings/str_cat.h"

#include "desk/filter/filter.h"
#include "desk/filter/literal.h"

namespace potok::desk {
namespace {

absl::string_view Sign(CompareOp op) {
  switch (op) {
    case CompareOp::kEq: return " = ";
    case CompareOp::kNe: return " != ";
    case CompareOp::kLt: return " < ";
    case CompareOp::kLe: return " <= ";
    case CompareOp::kGt: return " > ";
    case CompareOp::kGe: return " >= ";
  }
  return " = ";
}

std::string Write(const FilterNode& node);

// AND inside OR or NOT, and anything joined inside NOT, needs parentheses; OR inside AND does not,
// because it binds tighter. Never more than the source had, so the depth limit holds again.
std::string WriteInside(const FilterNode& node, FilterNode::Kind outer) {
  const bool joined = node.kind == FilterNode::Kind::kAnd || node.kind == FilterNode::Kind::kOr;
  const bool parentheses =
      outer == FilterNode::Kind::kNot
          ? joined || node.kind == FilterNode::Kind::kNot
          : outer == FilterNode::Kind::kOr && node.kind == FilterNode::Kind::kAnd;
  return parentheses ? absl::StrCat("(", Write(node), ")") : Write(node);
}

std::string WriteJoined(const FilterNode& node, absl::string_view word) {
  std::string out;
  for (const FilterNode& child : node.children) {
    absl::StrAppend(&out, out.empty() ? "" : word, WriteInside(child, node.kind));
  }
  return out;
}

std::string Write(const FilterNode& node) {
  switch (node.kind) {
    case FilterNode::Kind::kAnd: return WriteJoined(node, " AND ");
    case FilterNode::Kind::kOr: return WriteJoined(node, " OR ");
    case FilterNode::Kind::kNot:
      return absl::StrCat("NOT ", WriteInside(node.children[0], node.kind));
    case FilterNode::Kind::kCompare:
      return absl::StrCat(
          node.name,
          node.match == TextMatch::kContainsAnyCase ? absl::string_view(":") : Sign(node.op),
          WriteLiteral(node.type, node.match, node.values[0]));
    case FilterNode::Kind::kHas:
      return absl::StrCat(node.name, ":", WriteLiteral(node.type, node.match, node.values[0]));
    case FilterNode::Kind::kPresent: return absl::StrCat(node.name, ":*");
    case FilterNode::Kind::kSearch:
      return WriteLiteral(FilterType::kString, TextMatch::kExact, node.values[0]);
    case FilterNode::Kind::kCall: {
      std::string out = absl::StrCat(node.name, "(");
      for (size_t i = 0; i < node.values.size(); ++i) {
        absl::StrAppend(&out, i == 0 ? "" : ", ",
                        WriteLiteral(FilterType::kString, TextMatch::kExact, node.values[i]));
      }
      return out + ")";
    }
  }
  return "";
}

void Bind(FilterNode& node, absl::string_view employee) {
  for (FilterValue& value : node.values) {
    if (std::holds_alternative<Me>(value)) value = std::string(employee);
  }
  for (FilterNode& child : node.children) Bind(child, employee);
}

}  // namespace

std::string CanonicalText(const Filter& filter) {
  return filter.root.empty() ? "" : Write(filter.root[0]);
}

Filter BindMe(Filter filter, absl::string_view employee) {
  for (FilterNode& node : filter.root) Bind(node, employee);
  return filter;
}

}  // namespace potok::desk
