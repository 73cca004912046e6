// What planning reads and writes, set-based: a batch of events costs four statements however many
// tickets it touches. Throws pqxx: called inside a transaction body.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "desk/ticket/ticket.h"
#include "notifier/domain/delivery.h"
#include "notifier/domain/notice_facts.h"
#include "platform/log/entry.h"
#include "platform/pg/transaction.h"

namespace potok::notifier {

// One event that nobody has been told of, with the ticket as it was right after it.
struct UnplannedEvent {
  desk::Ticket after;
  desk::Event event;
};

struct UnplannedTicket {
  desk::Ticket now;
  std::vector<UnplannedEvent> events;  // Ascending.
};

// The tickets among `entries` that have events behind what is planned; all such events, not only
// those of the entries: the log brings three topics in any order, notices keep the order of the
// ticket.
std::vector<UnplannedTicket> LoadUnplanned(pg::Tx& tx, const std::vector<log::LogEntry>& entries);

struct PlannedDelivery {
  Delivery delivery;
  int part = 0;
  NoticeFacts facts;
  std::string body;                     // Of an inbox notice.
  std::optional<absl::Time> caused_at;  // Real time of the event; now when unknown.
};

// What was really made: a row that was there before counts for nothing.
struct MadeDelivery {
  Channel channel = Channel::kInbox;
  DeliveryState state = DeliveryState::kPending;
  absl::Duration latency;  // Real, of a final one.
};

// `mail_leaves`: somebody sends mail; otherwise it waits until OpenChannel.
std::vector<MadeDelivery> PersistPlan(pg::Tx& tx, const std::vector<PlannedDelivery>& deliveries,
                                      const std::vector<UnplannedTicket>& planned,
                                      bool mail_leaves);

}  // namespace potok::notifier
