// Timers as rows of ledger.sla_timer and as array arguments of statements.
#pragma once

#include <string>
#include <vector>

#include "platform/pg/transaction.h"
#include "sla-timer/domain/due_timers.h"

namespace potok::sla_timer {

// Columns part, ticket_id, kind, gen, due_at.
inline DueTimer ReadDueTimer(const pqxx::row& row) {
  DueTimer timer;
  timer.part = row["part"].as<int>();
  timer.key.ticket_id = row["ticket_id"].as<std::string>();
  timer.key.kind = desk::ParseTimerKind(row["kind"].as<std::string>()).value();
  timer.gen = row["gen"].as<int>();
  timer.due_at = pg::FromTimestamp(row["due_at"]);
  return timer;
}

struct TimerColumns {
  std::string parts, tickets, kinds, gens;
};

inline TimerColumns ColumnsOf(const std::vector<DueTimer>& timers) {
  std::vector<int> parts, gens;
  std::vector<std::string> tickets, kinds;
  for (const DueTimer& timer : timers) {
    parts.push_back(timer.part);
    tickets.push_back(timer.key.ticket_id);
    kinds.push_back(std::string(desk::Name(timer.key.kind)));
    gens.push_back(timer.gen);
  }
  return {pg::IntArray(parts), pg::TextArray(tickets), pg::TextArray(kinds), pg::IntArray(gens)};
}

}  // namespace potok::sla_timer
