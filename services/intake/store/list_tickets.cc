#include "intake/store/list_tickets.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "desk/filter/sql_conditions.h"
#include "intake/sql.h"
#include "intake/store/seen_row.h"
#include "ledger/history.h"
#include "platform/pg/transaction.h"

namespace potok::intake {
namespace {

// $1 is always the business time of the first page.
constexpr char kOverdue[] =
    "(t.breached_at IS NOT NULL OR"
    " coalesce(t.due_at < coalesce(t.resolved_at, t.closed_at, $1::timestamptz), FALSE))";

const desk::SqlMap& TicketColumns() {
  static const auto* const map = [] {
    auto* made = new desk::SqlMap;
    made->columns = {
        {"state", {.expression = "t.state"}},
        {"flow", {.expression = "t.flow_id"}},
        {"requester", {.expression = "t.requester"}},
        {"assignee", {.expression = "t.assignee"}},
        {"line", {.expression = "t.line"}},
        {"priority", {.expression = "t.priority"}},
        {"number", {.expression = "t.number"}},
        {"title", {.expression = "t.title"}},
        {"overdue", {.expression = kOverdue}},
        {"needed_today", {.expression = "t.needed_today"}},
        {"rating", {.expression = "CASE WHEN t.rated_closure = t.closure_no THEN t.rating END"}},
        {"create_time", {.expression = "t.created_at"}},
        {"update_time", {.expression = "t.updated_at"}},
        {"due_time", {.expression = "t.due_at"}},
        {"close_time", {.expression = "t.closed_at"}}};
    made->columns["channel"] = {.expression = "t.channel",
                                .cast = "",
                                .stored = {{"PORTAL", "portal"},
                                           {"EMAIL", "email"},
                                           {"CHAT", "chat"},
                                           {"PHONE", "phone"},
                                           {"MESSENGER", "messenger"},
                                           {"WALK_IN", "walk_in"},
                                           {"MONITORING", "monitoring"}}};
    made->functions = {{"overdue", kOverdue}, {"assignedTo", "(t.assignee = {0})"}};
    return made;
  }();
  return *map;
}

// What a list is sorted by. Never NULL, so that rows compare the same way everywhere.
struct SortColumn {
  absl::string_view expression;
  absl::string_view cast;
};

SortColumn SortColumnOf(const std::string& field) {
  if (field == "create_time") return {"t.created_at", "timestamptz"};
  if (field == "update_time") return {"t.updated_at", "timestamptz"};
  if (field == "priority") return {"t.priority", "smallint"};
  return {"coalesce(t.due_at, 'infinity'::timestamptz)", "timestamptz"};
}

std::string KeyText(const std::string& field, int64_t key) {
  if (field == "priority") return absl::StrCat(key);
  return key == TicketCursor::kNever ? "infinity" : pg::ToTimestamp(absl::FromUnixMicros(key));
}

// Rows behind the cursor: (a beyond a0) or (a = a0 and (b beyond b0 or ...)), ending with the id.
// The first column is bounded once more outside of the alternatives, so that an index on it is
// walked from the cursor on and not from its beginning.
std::string Behind(const std::vector<desk::OrderTerm>& order, const TicketCursor& cursor,
                   desk::SqlConditions& conditions) {
  std::string inner = absl::StrCat("t.id > ", conditions.Add(cursor.id, "uuid"));
  std::string bound;
  for (size_t i = order.size(); i-- > 0;) {
    const SortColumn column = SortColumnOf(order[i].field);
    const std::string key = conditions.Add(KeyText(order[i].field, cursor.keys[i]), column.cast);
    const absl::string_view beyond = order[i].descending ? " < " : " > ";
    inner = absl::StrCat("(", column.expression, beyond, key, " OR (", column.expression, " = ",
                         key, " AND ", inner, "))");
    if (i == 0) {
      bound = absl::StrCat(column.expression, order[i].descending ? " <= " : " >= ", key);
    }
  }
  return absl::StrCat("(", bound, " AND ", inner, ")");
}

std::string OrderBy(const std::vector<desk::OrderTerm>& order) {
  std::string text = " ORDER BY ";
  for (const desk::OrderTerm& term : order) {
    absl::StrAppend(&text, SortColumnOf(term.field).expression, term.descending ? " DESC, " : ", ");
  }
  return absl::StrCat(text, "t.id");
}

}  // namespace

desk::SqlCondition VisibleTo(const desk::Viewer& viewer, int first) {
  if (viewer.system || viewer.sees_all || viewer.admin) return {"TRUE", {}};
  desk::SqlCondition condition;
  std::vector<std::string> ways;
  const auto add = [&](absl::string_view before, std::string value, absl::string_view after) {
    ways.push_back(absl::StrCat(before, first + static_cast<int>(condition.params.size()), after));
    condition.params.push_back(std::move(value));
  };
  if (!viewer.employee.empty()) {
    add("t.requester = $", viewer.employee, "::text");
    add("t.assignee = $", viewer.employee, "::text");
  }
  std::vector<std::string> flows = viewer.flows_served;
  flows.insert(flows.end(), viewer.flows_administered.begin(), viewer.flows_administered.end());
  if (!flows.empty()) add("t.flow_id = ANY($", pg::TextArray(flows), "::text[])");
  if (!viewer.departments_headed.empty()) {
    add("(t.department <> '' AND t.department = ANY($", pg::TextArray(viewer.departments_headed),
        "::text[]))");
  }
  condition.text = ways.empty() ? "FALSE" : absl::StrCat("(", absl::StrJoin(ways, " OR "), ")");
  return condition;
}

absl::StatusOr<TicketListPage> TicketLists::List(
    const desk::Viewer& viewer, const TicketListQuery& query,
    std::chrono::steady_clock::time_point deadline) const {
  desk::SqlConditions matching;
  // Named even when nothing asks for it: Postgres refuses a parameter that no expression gives a
  // type.
  matching.And(
      absl::StrCat(matching.Add(pg::ToTimestamp(query.now), "timestamptz"), " IS NOT NULL"));
  matching.And(VisibleTo(viewer, matching.next()));
  POTOK_ASSIGN_OR_RETURN(desk::SqlCondition filter,
                         desk::RenderSql(query.filter, TicketColumns(), matching.next()));
  matching.And(std::move(filter));

  desk::SqlConditions page = matching;
  if (query.after) page.And(Behind(query.order, *query.after, page));
  // One more than asked for tells whether there is a next page.
  const std::string limit = page.Add(absl::StrCat(query.page_size + 1), "int");
  const std::string list_sql =
      absl::StrCat(sql::kListTickets.text, page.Where(), OrderBy(query.order), " LIMIT ", limit);
  const std::string total_sql = absl::StrCat(sql::kListTotal.text, matching.Where());

  // One snapshot, so that a total never contradicts the page it comes with.
  return pg::InTransaction(
      pool_, {.read_only = true, .snapshot = query.with_total, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<TicketListPage> {
        TicketListPage result;
        const pqxx::result rows = tx.RunText(list_sql, page.params());
        for (const auto& row : rows) {
          if (static_cast<int>(result.tickets.size()) == query.page_size) {
            result.next = CursorAt(result.tickets.back().ticket, query.order, query.now);
            break;
          }
          result.tickets.push_back(ReadTicketSeen(row));
        }
        if (query.with_total) {
          result.total = tx.RunText(total_sql, matching.params())[0][0].as<int64_t>();
        }
        return result;
      });
}

}  // namespace potok::intake
