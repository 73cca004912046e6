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

std::string TextIn(const pqxx::row& row, const char* column) {
  return row[column].is_null() ? "" : row[column].as<std::string>();
}

}  // namespace

desk::Ticket ReadTicket(const pqxx::row& row) {
  desk::Ticket t;
  t.part = row["part"].as<int>();
  t.id = row["id"].as<std::string>();
  t.version = row["version"].as<int64_t>();
  t.number = row["number"].as<std::string>();
  t.flow_id = row["flow_id"].as<std::string>();
  t.flow_version = row["flow_version"].as<int>();
  t.caller = row["caller"].as<std::string>();
  t.request_id = row["request_id"].as<std::string>();
  t.requester = row["requester"].as<std::string>();
  t.department = row["department"].as<std::string>();
  t.channel = row["channel"].as<std::string>();
  t.title = row["title"].as<std::string>();
  t.description = row["description"].as<std::string>();
  t.fields_json = row["fields"].as<std::string>();
  t.urgency = row["urgency"].as<int>();
  t.impact = row["impact"].as<int>();
  t.needed_today = row["needed_today"].as<bool>();
  t.needed_today_reason = row["needed_today_reason"].as<std::string>();
  t.created_at = pg::FromTimestamp(row["created_at"]);
  t.state = desk::ParseState(row["state"].as<std::string>()).value();
  t.assignee = TextIn(row, "assignee");
  t.sticky_agent = TextIn(row, "sticky_agent");
  t.line = row["line"].as<int>();
  t.pending_line = row["pending_line"].as<int>();
  t.priority = row["priority"].as<int>();
  t.queued_at = pg::FromNullableTimestamp(row["queued_at"]);
  t.queued_seq = row["queued_seq"].as<int64_t>();
  t.queue_front = row["queue_front"].as<bool>();
  t.excluded = pg::FromTextArray(row["excluded"]);
  if (!row["term_us"].is_null()) t.sla.term = absl::Microseconds(row["term_us"].as<int64_t>());
  t.sla.consumed = absl::Microseconds(row["consumed_us"].as<int64_t>());
  t.sla.running_since = pg::FromNullableTimestamp(row["running_since"]);
  t.sla.due_at = pg::FromNullableTimestamp(row["due_at"]);
  t.sla.half_at = pg::FromNullableTimestamp(row["half_at"]);
  t.sla.gen = row["sla_gen"].as<int>();
  t.half_reminded = row["half_reminded"].as<bool>();
  t.breached_at = pg::FromNullableTimestamp(row["breached_at"]);
  t.escalation_level = row["escalation_level"].as<int>();
  t.first_response_due = pg::FromNullableTimestamp(row["first_response_due"]);
  t.first_response_at = pg::FromNullableTimestamp(row["first_response_at"]);
  t.first_response_breached = row["first_response_breached"].as<bool>();
  t.resolved_at = pg::FromNullableTimestamp(row["resolved_at"]);
  t.autoclose_at = pg::FromNullableTimestamp(row["autoclose_at"]);
  t.closed_at = pg::FromNullableTimestamp(row["closed_at"]);
  t.closure_no = row["closure_no"].as<int>();
  t.rated_closure = row["rated_closure"].as<int>();
  if (!row["rating"].is_null()) t.rating = row["rating"].as<int>();
  t.rating_comment = row["rating_comment"].as<std::string>();
  t.result = row["result"].as<std::string>();
  t.return_count = row["return_count"].as<int>();
  t.reopen_count = row["reopen_count"].as<int>();
  t.hops = row["hops"].as<int>();
  t.comment_count = row["comment_count"].as<int>();
  t.updated_at = pg::FromTimestamp(row["updated_at"]);
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
    desk::Event event;
    ReadBody(row["body"].as<std::string>(), &event);
    event.version = row["version"].as<int64_t>();
    event.type = desk::ParseEventType(row["type"].as<std::string>()).value();
    event.actor = row["actor"].as<std::string>();
    event.at = pg::FromTimestamp(row["at"]);
    event.state_after = desk::ParseState(row["state_after"].as<std::string>()).value();
    if (!row["text"].is_null()) event.text = row["text"].as<std::string>();
    events.push_back(std::move(event));
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
