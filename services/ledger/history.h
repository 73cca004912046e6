// Reading tickets and their events. Throws pqxx: called inside a transaction body.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "desk/ticket/ticket.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {

// The columns every statement that reads whole tickets selects, in the order ReadTicket expects;
// used as `SELECT <columns> FROM ledger.ticket t` by statements in .sql files, which enumerate the
// same list.
desk::Ticket ReadTicket(const pqxx::row& row);

// nullopt when there is no such ticket. `id` is a ticket UUID.
std::optional<desk::Ticket> FindTicket(pg::Tx& tx, const std::string& id);

// Events with version in (after, up_to], oldest first, with their texts; at most `limit`.
std::vector<desk::Event> FindEvents(pg::Tx& tx, const std::string& ticket_id, int64_t after,
                                    int64_t up_to, int limit);

// One event; nullopt when it does not exist.
std::optional<desk::Event> FindEvent(pg::Tx& tx, const std::string& ticket_id, int64_t version);

// The ticket as it was at `version`: the fold of its events over its origin.
std::optional<desk::Ticket> TicketAt(pg::Tx& tx, const std::string& ticket_id, int64_t version);

// "\"7\"", and back; nullopt when it is not an etag of ours.
std::string EtagOf(int64_t version);
std::optional<int64_t> VersionOfEtag(const std::string& etag);

}  // namespace potok::ledger
