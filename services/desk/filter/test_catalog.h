// The ticket-like catalog and rows that the filter tests share.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "desk/filter/evaluate.h"
#include "desk/filter/filter.h"

namespace potok::desk {

inline FieldCatalog TestCatalog() {
  FieldCatalog catalog;
  const auto add = [&](std::string name, FilterType type) -> FilterField& {
    catalog.fields.push_back({});
    catalog.fields.back().name = std::move(name);
    catalog.fields.back().type = type;
    return catalog.fields.back();
  };
  add("state", FilterType::kEnum).enum_values = {"QUEUED", "ASSIGNED", "CLOSED"};
  FilterField& priority = add("priority", FilterType::kEnum);
  priority.enum_values = {"LOW", "NORMAL", "HIGH", "CRITICAL"};
  priority.ordered = true;
  priority.sortable = true;
  FilterField& assignee = add("assignee", FilterType::kResource);
  assignee.prefix = "employees/";
  assignee.accepts_me = true;
  add("title", FilterType::kString);
  add("number", FilterType::kString);
  add("rating", FilterType::kInt).sortable = true;
  add("score", FilterType::kDouble);
  add("needed_today", FilterType::kBool);
  add("due_time", FilterType::kTime).sortable = true;
  add("create_time", FilterType::kTime).sortable = true;
  add("term", FilterType::kDuration);
  add("tags", FilterType::kStringList);
  FilterField& watchers = add("watchers", FilterType::kStringList);
  watchers.prefix = "employees/";
  watchers.accepts_me = true;
  add("fields.period", FilterType::kString);
  catalog.functions.push_back({"overdue", {}});
  catalog.functions.push_back({"assignedTo", {*catalog.FindField("assignee")}});
  catalog.functions.push_back(
      {"within", {*catalog.FindField("due_time"), *catalog.FindField("term")}});
  catalog.search_fields = {"number", "title"};
  return catalog;
}

using TestCells = std::map<std::string, FilterCell, std::less<>>;

inline FilterRow RowOf(const TestCells& cells) {
  return {[&cells](absl::string_view field) {
            const auto found = cells.find(std::string(field));
            return found == cells.end() ? FilterCell{} : found->second;
          },
          [&cells](absl::string_view function, const std::vector<FilterValue>& args) {
            if (function != "assignedTo") return function == "overdue";
            const auto found = cells.find("assignee");
            const auto* holder =
                found == cells.end() ? nullptr : std::get_if<std::string>(&found->second);
            const auto* wanted = std::get_if<std::string>(&args[0]);
            return holder != nullptr && wanted != nullptr && *holder == *wanted;
          }};
}

// A sound random filter text over the catalog: at most `budget` terms, so limits are kept.
class FilterTexts {
 public:
  explicit FilterTexts(unsigned seed) : random_(seed) {}

  std::string Expression(int depth, int& budget) {
    std::string out = Factor(depth, budget);
    while (budget > 0 && Below(3) == 0)
      out += Pick({" AND ", " ", "  AND\n"}) + Factor(depth, budget);
    return out;
  }

  TestCells Row() {
    TestCells cells;
    const auto maybe = [&](const char* field, FilterCell cell) {
      if (Below(4) != 0) cells[field] = std::move(cell);
    };
    maybe("state", Pick({"QUEUED", "ASSIGNED", "CLOSED"}));
    maybe("priority", Pick({"LOW", "NORMAL", "HIGH", "CRITICAL"}));
    maybe("assignee", Pick({"ivanova", "petrov", ""}));
    maybe("title", Pick({"Принтер не печатает", "VPN 100%", "a_b", "", "\\"}));
    maybe("number", Pick({"IT-000001", "HR-000002"}));
    maybe("rating", static_cast<int64_t>(Below(6)));
    maybe("score", Below(6) / 2.0);
    maybe("needed_today", Below(2) == 0);
    maybe("due_time", absl::FromUnixSeconds(1774900000 + Below(3)));
    maybe("term", absl::Hours(Below(3)));
    maybe("tags", Below(3) == 0 ? std::vector<std::string>{}
                                : std::vector<std::string>{"vip", Pick({"it", "hr"})});
    maybe("watchers", std::vector<std::string>{Pick({"ivanova", "petrov"})});
    return cells;
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  std::string Pick(std::vector<std::string> from) {
    return from[static_cast<size_t>(Below(static_cast<int>(from.size())))];
  }

  std::string Factor(int depth, int& budget) {
    std::string out = Term(depth, budget);
    while (budget > 0 && Below(3) == 0) out += " OR " + Term(depth, budget);
    return out;
  }

  std::string Term(int depth, int& budget) {
    if (depth < 7 && Below(4) == 0) {
      const std::string inner =
          Below(2) == 0 ? Leaf(budget) : "(" + Expression(depth + 2, budget) + ")";
      return Pick({"NOT ", "-"}) + inner;
    }
    if (depth < 8 && Below(5) == 0) return "(" + Expression(depth + 1, budget) + ")";
    return Leaf(budget);
  }

  std::string Leaf(int& budget) {
    --budget;
    const std::string by_order = Pick({" = ", " != ", "<", " <= ", ">", ">= ", ":"});
    const std::string equal = Pick({"=", " != ", ":"});
    switch (Below(15)) {
      case 0: return "state" + equal + Pick({"QUEUED", "\"ASSIGNED\"", "CLOSED"});
      case 1: return "priority" + by_order + Pick({"LOW", "NORMAL", "HIGH", "CRITICAL"});
      case 2:
        return "assignee" + equal + Pick({"ivanova", "\"employees/petrov\"", "me", "\"\\\"\""});
      case 3:
        return "title" + equal +
               Pick({"\"Принтер*\"", "'*печатает'", "принтер", "\"*не*\"", "\"100%\"", "a_b",
                     "\"\\\\\"", "\"\\*\"", "\"*\""});
      case 4: return "rating" + by_order + Pick({"3", "-1", "\"4\""});
      case 5: return "score" + by_order + Pick({"1", "1.5", "-2e3"});
      case 6: return "needed_today" + equal + Pick({"true", "false"});
      case 7:
        return "due_time" + by_order +
               Pick({"\"2026-03-30T19:46:41Z\"", "2026-03-30T22:46:41+03:00"});
      case 8: return "term" + by_order + Pick({"3600s", "1.5h", "1h30m", "-5s"});
      case 9: return "tags:" + Pick({"vip", "\"it\""});
      case 10: return Pick({"assignee", "title", "tags", "rating", "due_time", "watchers"}) + ":*";
      case 11: return "overdue()";
      case 12: return "assignedTo(" + Pick({"me", "\"me\"", "\"employees/petrov\""}) + ")";
      case 13: return "watchers:" + Pick({"ivanova", "\"employees/petrov\""});
      default: return Pick({"принтер", "\"VPN 100%\"", "IT-000001"});
    }
  }

  std::mt19937 random_;
};

}  // namespace potok::desk
