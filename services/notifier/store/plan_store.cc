#include "notifier/store/plan_store.h"

#include <utility>

#include "nlohmann/json.hpp"

#include "desk/ticket/decide.h"
#include "ledger/event_codec.h"
#include "ledger/history.h"
#include "notifier/sql.h"
#include "notifier/store/facts_codec.h"
#include "platform/pg/column_params.h"

namespace potok::notifier {
namespace {

desk::Event ReadEvent(const pqxx::row& row) {
  desk::Event event;
  ledger::ReadBody(row["body"].as<std::string>(), &event);
  event.version = row["version"].as<int64_t>();
  event.type = desk::ParseEventType(row["type"].as<std::string>()).value();
  event.actor = row["actor"].as<std::string>();
  event.at = pg::FromTimestamp(row["at"]);
  event.state_after = desk::ParseState(row["state_after"].as<std::string>()).value();
  event.text = row["text"].as<std::string>("");
  return event;
}

std::vector<pg::Param> RowsOf(const std::vector<PlannedDelivery>& deliveries, bool mail_leaves) {
  pg::ColumnParams<22> rows;
  for (const PlannedDelivery& planned : deliveries) {
    const Delivery& d = planned.delivery;
    // What a text is to be written from, or could not be written from.
    const bool needed = d.state == DeliveryState::kPending || d.state == DeliveryState::kDead;
    const std::string facts = needed ? ToJson(planned.facts).dump() : "{}";
    rows.AddRow(planned.part, d.id, d.ticket_id, d.version, d.flow_id, planned.facts.number, d.rule,
                Name(d.kind), Name(d.role), d.recipient, Name(d.channel), d.address, d.locale,
                facts, d.title, planned.body, d.message_id, d.planned_at, Name(d.state), d.reason,
                d.last_error, planned.caused_at);
  }
  std::vector<pg::Param> out = {pg::ToParam(mail_leaves)};
  rows.TakeTo(&out);
  return out;
}

}  // namespace

std::vector<UnplannedTicket> LoadUnplanned(pg::Tx& tx, const std::vector<log::LogEntry>& entries) {
  std::map<std::string, int> wanted;  // Part by ticket.
  for (const log::LogEntry& entry : entries) wanted[entry.entity] = entry.part;
  std::vector<std::string> wanted_ids;
  std::vector<int> wanted_parts;
  for (const auto& [id, part] : wanted) {
    wanted_ids.push_back(id);
    wanted_parts.push_back(part);
  }

  std::vector<UnplannedTicket> tickets;
  std::map<std::string, size_t> place;
  std::vector<std::string> ids;
  std::vector<int> parts;
  std::vector<int64_t> planned, after, up_to;
  for (const auto& row :
       tx.Run(sql::kLoadTickets, pg::IntArray(wanted_parts), pg::TextArray(wanted_ids))) {
    desk::Ticket ticket = ledger::ReadTicket(row);
    const int64_t done = row["planned"].as<int64_t>();
    // The row is the ticket after its last event. Only when more than that one is new are the
    // states in between needed, and they are the fold of all events.
    const bool fold = ticket.version > done + 1;
    parts.push_back(ticket.part);
    ids.push_back(ticket.id);
    planned.push_back(done);
    after.push_back(fold ? 0 : done);
    up_to.push_back(ticket.version);
    place[ticket.id] = tickets.size();
    tickets.push_back({std::move(ticket), {}});
  }
  if (tickets.empty()) return tickets;

  std::map<std::string, desk::Ticket> folds;
  for (const auto& row : tx.Run(sql::kLoadEvents, pg::IntArray(parts), pg::TextArray(ids),
                                pg::IntArray(after), pg::IntArray(up_to))) {
    const size_t at = place.at(row["ticket_id"].as<std::string>());
    UnplannedTicket& ticket = tickets[at];
    desk::Event event = ReadEvent(row);
    if (event.version == ticket.now.version) {
      ticket.events.push_back({ticket.now, std::move(event)});
      continue;
    }
    auto fold = folds.find(ticket.now.id);
    if (fold == folds.end()) {
      fold = folds.emplace(ticket.now.id, desk::Unborn(ticket.now)).first;
    }
    fold->second = desk::Apply(std::move(fold->second), event);
    if (event.version > planned[at]) ticket.events.push_back({fold->second, std::move(event)});
  }
  return tickets;
}

std::vector<MadeDelivery> PersistPlan(pg::Tx& tx, const std::vector<PlannedDelivery>& deliveries,
                                      const std::vector<UnplannedTicket>& planned,
                                      bool mail_leaves) {
  std::vector<MadeDelivery> made;
  if (!deliveries.empty()) {
    for (const auto& row : tx.RunBound(sql::kPersistPlan, RowsOf(deliveries, mail_leaves))) {
      made.push_back({ParseChannel(row["channel"].as<std::string>()).value(),
                      ParseDeliveryState(row["state"].as<std::string>()).value(),
                      absl::Seconds(row["seconds"].as<double>())});
    }
  }
  std::vector<int> parts;
  std::vector<std::string> ids;
  std::vector<int64_t> versions;
  for (const UnplannedTicket& ticket : planned) {
    parts.push_back(ticket.now.part);
    ids.push_back(ticket.now.id);
    versions.push_back(ticket.now.version);
  }
  if (!ids.empty()) {
    tx.Run(sql::kPersistProgress, pg::IntArray(parts), pg::TextArray(ids), pg::IntArray(versions));
  }
  return made;
}

}  // namespace potok::notifier
