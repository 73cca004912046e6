#include "ledger/history.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "desk/ticket/decide.h"
#include "desk/ticket/ids.h"
#include "ledger/event_codec.h"
#include "ledger/sql.h"

namespace potok::ledger {
namespace {

std::string TextOf(const pqxx::field& field) {
  return field.is_null() ? "" : field.as<std::string>();
}

// As it lies in the result. UUIDs as text are ordered as the database orders them.
absl::string_view Text(const pqxx::field& field) { return {field.c_str(), field.size()}; }

// Columns version, type, actor, at, state_after, body, text.
desk::Event ReadEvent(const pqxx::row& row) {
  desk::Event event;
  ReadBody(row["body"].as<std::string>(), &event);
  event.version = row["version"].as<int64_t>();
  event.type = desk::ParseEventType(row["type"].as<std::string>()).value();
  event.actor = row["actor"].as<std::string>();
  event.at = pg::FromTimestamp(row["at"]);
  event.state_after = desk::ParseState(row["state_after"].as<std::string>()).value();
  if (!row["text"].is_null()) event.text = row["text"].as<std::string>();
  return event;
}

}  // namespace

desk::Ticket ReadTicket(const pqxx::row& row) {
  // By place and not by name: libpq looks a name up by comparing it with each of the 54, and this
  // is the most read row of all.
  int column = 0;
  const auto next = [&] { return row[column++]; };
  desk::Ticket t;
  t.part = next().as<int>();
  t.id = next().as<std::string>();
  t.version = next().as<int64_t>();
  t.number = next().as<std::string>();
  t.flow_id = next().as<std::string>();
  t.flow_version = next().as<int>();
  t.caller = next().as<std::string>();
  t.request_id = next().as<std::string>();
  t.requester = next().as<std::string>();
  t.department = next().as<std::string>();
  t.channel = next().as<std::string>();
  t.title = next().as<std::string>();
  t.description = next().as<std::string>();
  t.fields_json = next().as<std::string>();
  t.urgency = next().as<int>();
  t.impact = next().as<int>();
  t.needed_today = next().as<bool>();
  t.needed_today_reason = next().as<std::string>();
  t.created_at = pg::FromTimestamp(next());
  t.state = desk::ParseState(next().as<std::string>()).value();
  t.assignee = TextOf(next());
  t.sticky_agent = TextOf(next());
  t.line = next().as<int>();
  t.pending_line = next().as<int>();
  t.priority = next().as<int>();
  t.queued_at = pg::FromNullableTimestamp(next());
  t.queued_seq = next().as<int64_t>();
  t.queue_front = next().as<bool>();
  t.excluded = pg::FromTextArray(next());
  if (const auto term = next(); !term.is_null()) {
    t.sla.term = absl::Microseconds(term.as<int64_t>());
  }
  t.sla.consumed = absl::Microseconds(next().as<int64_t>());
  t.sla.running_since = pg::FromNullableTimestamp(next());
  t.sla.due_at = pg::FromNullableTimestamp(next());
  t.sla.half_at = pg::FromNullableTimestamp(next());
  t.sla.gen = next().as<int>();
  t.half_reminded = next().as<bool>();
  t.breached_at = pg::FromNullableTimestamp(next());
  t.escalation_level = next().as<int>();
  t.first_response_due = pg::FromNullableTimestamp(next());
  t.first_response_at = pg::FromNullableTimestamp(next());
  t.first_response_breached = next().as<bool>();
  t.resolved_at = pg::FromNullableTimestamp(next());
  t.autoclose_at = pg::FromNullableTimestamp(next());
  t.closed_at = pg::FromNullableTimestamp(next());
  t.closure_no = next().as<int>();
  t.rated_closure = next().as<int>();
  if (const auto rating = next(); !rating.is_null()) t.rating = rating.as<int>();
  t.rating_comment = next().as<std::string>();
  t.result = next().as<std::string>();
  t.return_count = next().as<int>();
  t.reopen_count = next().as<int>();
  t.hops = next().as<int>();
  t.comment_count = next().as<int>();
  t.updated_at = pg::FromTimestamp(next());
  return t;
}

std::optional<desk::Ticket> FindTicket(pg::Tx& tx, const std::string& id) {
  const std::optional<int> part = desk::PartOfTicketId(id);
  if (!part) return std::nullopt;
  const pqxx::result rows = tx.Run(sql::kFindTicket, *part, id);
  if (rows.empty()) return std::nullopt;
  return ReadTicket(rows[0]);
}

std::vector<desk::Event> FindEvents(pg::Tx& tx, const std::string& ticket_id, int64_t after,
                                    int64_t up_to, int limit) {
  std::vector<desk::Event> events;
  const std::optional<int> part = desk::PartOfTicketId(ticket_id);
  if (!part) return events;
  for (const auto& row : tx.Run(sql::kFindEvents, *part, ticket_id, after, up_to, limit)) {
    events.push_back(ReadEvent(row));
  }
  return events;
}

std::optional<desk::Event> FindEvent(pg::Tx& tx, const std::string& ticket_id, int64_t version) {
  std::vector<desk::Event> events = FindEvents(tx, ticket_id, version - 1, version, 1);
  if (events.empty()) return std::nullopt;
  return std::move(events.front());
}

std::optional<desk::Ticket> TicketAt(pg::Tx& tx, const std::string& ticket_id, int64_t version) {
  std::optional<desk::Ticket> row = FindTicket(tx, ticket_id);
  if (!row || row->version == version) return row;
  desk::Ticket ticket = desk::Unborn(*row);
  // A ticket has tens of events, not thousands: the limit only bounds a damaged one.
  for (const desk::Event& event : FindEvents(tx, ticket_id, 0, version, 100000)) {
    ticket = desk::Apply(std::move(ticket), event);
  }
  return ticket;
}

void ReadHistories(
    pg::Tx& tx, int part, const std::string& first, const std::string& last,
    absl::FunctionRef<void(const desk::Ticket& row, const std::vector<desk::Event>& events)> each) {
  const pqxx::result tickets = tx.Run(sql::kReadTickets, part, first, last);
  const pqxx::result rows = tx.Run(sql::kReadEvents, part, first, last);
  auto row = rows.begin();
  std::vector<desk::Event> events;
  for (const auto& ticket : tickets) {
    events.clear();
    // Both come by id; a ticket may lack its events as well as events their ticket.
    const absl::string_view id = Text(ticket["id"]);
    while (row != rows.end() && Text(row[0]) < id) ++row;
    for (; row != rows.end() && Text(row[0]) == id; ++row) events.push_back(ReadEvent(row));
    each(ReadTicket(ticket), events);
  }
}

std::string EtagOf(int64_t version) { return absl::StrCat("\"", version, "\""); }

std::optional<int64_t> VersionOfEtag(const std::string& etag) {
  int64_t version = 0;
  if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"' ||
      !absl::SimpleAtoi(absl::string_view(etag).substr(1, etag.size() - 2), &version)) {
    return std::nullopt;
  }
  return version;
}

}  // namespace potok::ledger
