// The row of a ticket as its readers get it.
#pragma once

#include <string>

#include "intake/domain/ticket_seen.h"
#include "ledger/history.h"
#include "platform/pg/transaction.h"

namespace potok::intake {

// The columns of ledger/history.h, then queue_reason: by their places, as there.
inline TicketSeen ReadTicketSeen(const pqxx::row& row) {
  TicketSeen seen{ledger::ReadTicket(row)};
  if (const pqxx::field reason = row.back(); !reason.is_null()) {
    seen.reason =
        desk::ParseQueueReason(reason.as<std::string>()).value_or(desk::QueueReason::kReady);
  }
  return seen;
}

}  // namespace potok::intake
