#include "intake/domain/list_fields.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/ticket/ids.h"

namespace potok::intake {
namespace {

using desk::FilterField;
using desk::FilterType;

desk::FieldCatalog MakeFields() {
  FilterField state{.name = "state", .type = FilterType::kEnum};
  for (const desk::State value : desk::kAllStates) {
    state.enum_values.emplace_back(desk::Name(value));
  }
  const FilterField person{.name = "",
                           .type = FilterType::kResource,
                           .enum_values = {},
                           .ordered = false,
                           .sortable = false,
                           .prefix = "employees/",
                           .accepts_me = true};
  const auto named = [](FilterField field, const char* name) {
    field.name = name;
    return field;
  };
  const auto plain = [](const char* name, FilterType type) {
    return FilterField{.name = name, .type = type};
  };
  const auto sortable = [](const char* name, FilterType type) {
    FilterField field{.name = name, .type = type};
    field.sortable = true;
    return field;
  };
  FilterField flow{.name = "flow", .type = FilterType::kResource};
  flow.prefix = "flows/";
  FilterField channel{.name = "channel", .type = FilterType::kEnum};
  channel.enum_values = {"PORTAL", "EMAIL", "CHAT", "PHONE", "MESSENGER", "WALK_IN", "MONITORING"};

  desk::FieldCatalog catalog;
  catalog.fields = {state,
                    flow,
                    named(person, "requester"),
                    named(person, "assignee"),
                    plain("line", FilterType::kInt),
                    sortable("priority", FilterType::kInt),
                    channel,
                    plain("number", FilterType::kString),
                    plain("title", FilterType::kString),
                    plain("overdue", FilterType::kBool),
                    plain("needed_today", FilterType::kBool),
                    plain("rating", FilterType::kInt),
                    sortable("create_time", FilterType::kTime),
                    sortable("update_time", FilterType::kTime),
                    sortable("due_time", FilterType::kTime),
                    plain("close_time", FilterType::kTime)};
  catalog.functions = {{"overdue", {}}, {"assignedTo", {person}}};
  catalog.search_fields = {"number", "title"};
  return catalog;
}

absl::Status BadToken() {
  ErrorDetail detail;
  detail.fields = {{"page_token", "does not belong to this list; start again without one",
                    "не от этого списка; начните без него"}};
  detail.ru = "Токен страницы не от этого списка; начните без него.";
  return MakeError(absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
                   "the page token does not belong to this list; start again without one",
                   std::move(detail));
}

int64_t KeyOf(const desk::Ticket& ticket, const std::string& field) {
  if (field == "create_time") return absl::ToUnixMicros(ticket.created_at);
  if (field == "update_time") return absl::ToUnixMicros(ticket.updated_at);
  if (field == "priority") return ticket.priority;
  return ticket.sla.due_at ? absl::ToUnixMicros(*ticket.sla.due_at) : TicketCursor::kNever;
}

}  // namespace

const desk::FieldCatalog& TicketFields() {
  static const auto* const fields = new desk::FieldCatalog(MakeFields());
  return *fields;
}

absl::StatusOr<desk::Filter> ParseTicketFilter(absl::string_view text,
                                               const std::string& employee) {
  POTOK_ASSIGN_OR_RETURN(desk::Filter filter, desk::ParseFilter(text, TicketFields()));
  return desk::BindMe(std::move(filter), employee);
}

absl::StatusOr<std::vector<desk::OrderTerm>> ParseTicketOrder(absl::string_view order_by) {
  POTOK_ASSIGN_OR_RETURN(std::vector<desk::OrderTerm> order,
                         desk::ParseOrderBy(order_by, TicketFields()));
  if (order.empty()) order.push_back({"create_time", true});
  return order;
}

TicketCursor CursorAt(const desk::Ticket& ticket, const std::vector<desk::OrderTerm>& order,
                      absl::Time now) {
  TicketCursor cursor{.now = now, .keys = {}, .id = ticket.id};
  for (const desk::OrderTerm& term : order) cursor.keys.push_back(KeyOf(ticket, term.field));
  return cursor;
}

std::string FormatTicketCursor(const TicketCursor& cursor) {
  std::string text = absl::StrCat(absl::ToUnixMicros(cursor.now), ";", cursor.id);
  for (const int64_t key : cursor.keys) absl::StrAppend(&text, ";", key);
  return text;
}

absl::StatusOr<TicketCursor> ParseTicketCursor(absl::string_view text, size_t terms) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ';');
  int64_t now = 0;
  if (parts.size() != terms + 2 || !desk::IsUuid(parts[1]) || !absl::SimpleAtoi(parts[0], &now)) {
    return BadToken();
  }
  TicketCursor cursor;
  cursor.now = absl::FromUnixMicros(now);
  cursor.id = std::string(parts[1]);
  for (size_t i = 2; i < parts.size(); ++i) {
    int64_t key = 0;
    if (!absl::SimpleAtoi(parts[i], &key)) return BadToken();
    cursor.keys.push_back(key);
  }
  return cursor;
}

}  // namespace potok::intake
