#include "intake/store/ticket_reads.h"

#include <limits>
#include <utility>

#include "base/status_macros.h"
#include "desk/ticket/ids.h"
#include "intake/sql.h"
#include "intake/store/seen_row.h"
#include "ledger/history.h"
#include "platform/pg/transaction.h"

namespace potok::intake {
namespace {

std::map<std::string, TicketSeen> ReadSeen(pg::Tx& tx, const std::vector<std::string>& ids) {
  std::map<std::string, TicketSeen> tickets;
  std::vector<int> parts;
  std::vector<std::string> wanted;
  for (const std::string& id : ids) {
    const std::optional<int> part = desk::PartOfTicketId(id);
    if (!part) continue;  // No such ticket can exist.
    parts.push_back(*part);
    wanted.push_back(id);
  }
  if (wanted.empty()) return tickets;
  for (const auto& row : tx.Run(sql::kTicketsSeen, pg::IntArray(parts), pg::TextArray(wanted))) {
    TicketSeen seen = ReadTicketSeen(row);
    std::string id = seen.ticket.id;
    tickets.emplace(std::move(id), std::move(seen));
  }
  return tickets;
}

}  // namespace

absl::StatusOr<std::map<std::string, TicketSeen>> TicketReads::FindAll(
    const std::vector<std::string>& ids, Deadline deadline) const {
  return pg::InAutocommit(pool_, {.read_only = true, .deadline = deadline},
                          [&](pg::Tx& tx) -> absl::StatusOr<std::map<std::string, TicketSeen>> {
                            return ReadSeen(tx, ids);
                          });
}

absl::StatusOr<std::optional<TicketSeen>> TicketReads::Find(const std::string& id,
                                                            Deadline deadline) const {
  POTOK_ASSIGN_OR_RETURN(auto found, FindAll({id}, deadline));
  if (found.empty()) return std::optional<TicketSeen>();
  return std::optional<TicketSeen>(std::move(found.begin()->second));
}

absl::StatusOr<std::optional<TicketChanges>> TicketReads::ChangesAfter(const std::string& id,
                                                                       int64_t after, int limit,
                                                                       Deadline deadline) const {
  // One snapshot: the ticket is never behind the events it comes with.
  return pg::InTransaction(pool_, {.read_only = true, .snapshot = true, .deadline = deadline},
                           [&](pg::Tx& tx) -> absl::StatusOr<std::optional<TicketChanges>> {
                             std::map<std::string, TicketSeen> found = ReadSeen(tx, {id});
                             if (found.empty()) return std::optional<TicketChanges>();
                             TicketChanges changes;
                             changes.now = std::move(found.begin()->second);
                             changes.events = ledger::FindEvents(
                                 tx, id, after, std::numeric_limits<int64_t>::max(), limit);
                             return std::optional<TicketChanges>(std::move(changes));
                           });
}

absl::StatusOr<bool> TicketReads::HolderGone(const desk::Ticket& ticket, absl::Time now,
                                             Deadline deadline) const {
  return pg::InAutocommit(
      pool_, {.read_only = true, .deadline = deadline}, [&](pg::Tx& tx) -> absl::StatusOr<bool> {
        return tx.Run(sql::kTicketHolderGone, ticket.assignee, ticket.flow_id, now)[0][0]
            .as<bool>();
      });
}

absl::StatusOr<std::vector<WatchedTicket>> TicketReads::Moved(
    const std::vector<WatchedTicket>& known) const {
  std::vector<int> parts;
  std::vector<std::string> ids;
  std::vector<int64_t> versions;
  for (const WatchedTicket& ticket : known) {
    const std::optional<int> part = desk::PartOfTicketId(ticket.id);
    if (!part) continue;
    parts.push_back(*part);
    ids.push_back(ticket.id);
    versions.push_back(ticket.version);
  }
  return pg::InAutocommit(
      pool_, {.read_only = true}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<WatchedTicket>> {
        std::vector<WatchedTicket> moved;
        for (const auto& row : tx.Run(sql::kTicketMoved, pg::IntArray(parts), pg::TextArray(ids),
                                      pg::IntArray(versions))) {
          moved.push_back({row[0].as<std::string>(), row[1].as<int64_t>(),
                           row[2].as<std::string>() == desk::Name(desk::State::kArchived)});
        }
        return moved;
      });
}

}  // namespace potok::intake
