// Reading tickets and their events. Throws pqxx: called inside a transaction body.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "desk/ticket/ticket.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {

// Every statement that reads whole tickets selects the same columns first, in the order of
// find_ticket.sql; more may follow. They are read by their places.
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

// Hands over each ticket of a part with an id from `first` to `last`, with all its events, in two
// statements however many there are: for checks over everything. Of the words people wrote only
// those are read that the ticket's row shows (results and ratings).
void ReadHistories(
    pg::Tx& tx, int part, const std::string& first, const std::string& last,
    absl::FunctionRef<void(const desk::Ticket& row, const std::vector<desk::Event>& events)> each);

// "\"7\"", and back; nullopt when it is not an etag of ours.
std::string EtagOf(int64_t version);
std::optional<int64_t> VersionOfEtag(const std::string& etag);

}  // namespace potok::ledger
