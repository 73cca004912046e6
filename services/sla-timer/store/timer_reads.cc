#include "sla-timer/store/timer_reads.h"

#include "ledger/history.h"
#include "platform/pg/transaction.h"
#include "sla-timer/sql.h"
#include "sla-timer/store/timer_rows.h"

namespace potok::sla_timer {
namespace {

// A ticket has tens of events, not thousands: the limit only bounds a damaged one.
constexpr int kMostEvents = 100000;

std::optional<absl::Duration> MicrosIn(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return absl::Microseconds(field.as<int64_t>());
}

}  // namespace

absl::StatusOr<DueRead> TimerReads::Due(const std::vector<int>& parts,
                                        const DueWindow& window) const {
  return pg::InAutocommit(pool_, {.read_only = true}, [&](pg::Tx& tx) -> absl::StatusOr<DueRead> {
    DueRead read;
    int backlog = 0, fresh = 0;
    for (const auto& row : tx.Run(sql::kLoadDue, pg::IntArray(parts), window.fresh_since,
                                  window.until, window.most_backlog, window.most_fresh)) {
      read.timers.push_back(ReadDueTimer(row));
      ++(read.timers.back().due_at < window.fresh_since ? backlog : fresh);
    }
    read.complete = backlog < window.most_backlog && fresh < window.most_fresh;
    return read;
  });
}

absl::StatusOr<std::vector<DueTimer>> TimerReads::DueOf(const std::vector<int>& parts,
                                                        const std::vector<std::string>& tickets,
                                                        absl::Time until) const {
  return pg::InAutocommit(
      pool_, {.read_only = true}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<DueTimer>> {
        std::vector<DueTimer> timers;
        for (const auto& row :
             tx.Run(sql::kArmedOfTickets, pg::IntArray(parts), pg::TextArray(tickets), until)) {
          timers.push_back(ReadDueTimer(row));
        }
        return timers;
      });
}

absl::StatusOr<std::optional<TicketHistory>> TimerReads::History(const std::string& ticket_id,
                                                                 Deadline deadline) const {
  using Answer = std::optional<TicketHistory>;
  return pg::InTransaction(
      pool_, {.read_only = true, .snapshot = true, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<Answer> {
        std::optional<desk::Ticket> ticket = ledger::FindTicket(tx, ticket_id);
        if (!ticket) return Answer();
        TicketHistory history;
        history.events = ledger::FindEvents(tx, ticket_id, 0, ticket->version, kMostEvents);
        for (const auto& row : tx.Run(sql::kParkedTimers, ticket->part, ticket_id)) {
          history.parked.emplace_back(desk::ParseTimerKind(row[0].as<std::string>()).value(),
                                      row[1].as<int>());
        }
        history.ticket = *std::move(ticket);
        return Answer(std::move(history));
      });
}

absl::StatusOr<std::optional<desk::Ticket>> TimerReads::Ticket(const std::string& ticket_id,
                                                               Deadline deadline) const {
  return pg::InAutocommit(pool_, {.read_only = true, .deadline = deadline},
                          [&](pg::Tx& tx) -> absl::StatusOr<std::optional<desk::Ticket>> {
                            return ledger::FindTicket(tx, ticket_id);
                          });
}

absl::StatusOr<std::vector<TimerLine>> TimerReads::Timers(const desk::Ticket& ticket,
                                                          const TimerPlace& after, int limit,
                                                          Deadline deadline) const {
  return pg::InAutocommit(
      pool_, {.read_only = true, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<std::vector<TimerLine>> {
        std::vector<TimerLine> lines;
        for (const auto& row : tx.Run(sql::kListTimers, ticket.part, ticket.id, after.due_at,
                                      after.kind, after.gen, limit)) {
          TimerLine line;
          line.kind = desk::ParseTimerKind(row["kind"].as<std::string>()).value();
          line.gen = row["gen"].as<int>();
          line.due_at = pg::FromTimestamp(row["due_at"]);
          line.state = row["state"].as<std::string>();
          line.fired_at = pg::FromNullableTimestamp(row["fired_at"]);
          lines.push_back(std::move(line));
        }
        return lines;
      });
}

absl::StatusOr<TimerFigures> TimerReads::Figures(Deadline deadline) const {
  return pg::InTransaction(
      pool_, {.read_only = true, .snapshot = true, .whole_tables = true, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<TimerFigures> {
        std::vector<std::string> kinds;
        for (const desk::TimerKind kind : desk::kAllTimerKinds) {
          kinds.push_back(std::string(desk::Name(kind)));
        }
        TimerFigures figures;
        for (const auto& row : tx.Run(sql::kTimerCounts, pg::TextArray(kinds))) {
          figures.kinds.push_back({desk::ParseTimerKind(row["kind"].as<std::string>()).value(),
                                   row["armed"].as<int64_t>(), row["overdue"].as<int64_t>(),
                                   row["fired"].as<int64_t>()});
        }
        const pqxx::row late = tx.Run(sql::kTimerLateness)[0];
        figures.late_p50 = MicrosIn(late["p50"]);
        figures.late_p99 = MicrosIn(late["p99"]);
        figures.late_most = MicrosIn(late["most"]);
        figures.early = late["early"].as<int64_t>();
        return figures;
      });
}

}  // namespace potok::sla_timer
