#include "sla-timer/store/timer_firing.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/ticket/decide.h"
#include "ledger/history.h"
#include "ledger/writer.h"
#include "sla-timer/domain/half_term.h"
#include "sla-timer/sql.h"
#include "sla-timer/store/timer_rows.h"

namespace potok::sla_timer {
namespace {

// Failures of the database, of the way to it, or of the deployment (SQLSTATE 42: a missing grant,
// an older schema). Blaming a timer for them would park good ones in an outage.
bool IsOfTheDatabase(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsUnknown(status) ||
         absl::IsResourceExhausted(status) || absl::IsDeadlineExceeded(status) ||
         absl::StartsWith(pg::SqlState(status), "42");
}

// Somebody else was in the way for longer than we wait; the next turn meets the ticket free.
bool IsContention(const absl::Status& status) {
  return absl::IsAborted(status) && GetErrorDetail(status).reason != "TICKET_MOVED";
}

struct HeldNow {
  std::vector<int> parts;
  absl::Time now;  // The database's business time.
};

HeldNow HoldParts(pg::Tx& tx, const std::string& family, const std::vector<log::Held>& held,
                  const std::set<int>& wanted) {
  std::vector<std::string> names, tokens;
  std::vector<int> parts;
  HeldNow ours;
  for (const log::Held& lease : held) {
    if (wanted.count(lease.part) == 0) continue;
    names.push_back(absl::StrCat(family, ":", lease.part));
    tokens.push_back(lease.token);
    parts.push_back(lease.part);
  }
  for (const auto& row :
       tx.Run(sql::kHoldParts, pg::TextArray(names), pg::TextArray(tokens), pg::IntArray(parts))) {
    ours.parts.push_back(row["part"].as<int>());
    ours.now = pg::FromTimestamp(row["now"]);
  }
  if (ours.parts.empty()) ours.now = ledger::Writer::DatabaseNow(tx);
  return ours;
}

desk::Facts FactsOf(const ledger::ReferenceSnapshot& reference, const desk::Ticket& ticket) {
  desk::Facts facts;
  facts.flow = reference.FlowVersion(ticket.flow_id, ticket.flow_version);
  if (facts.flow != nullptr) facts.policy = reference.PolicyOf(*facts.flow);
  if (facts.policy != nullptr) facts.calendar = reference.CalendarOf(*facts.policy);
  return facts;
}

// The rows that must be brought in line with their tickets.
class Settlement {
 public:
  void Cancel(const DueTimer& timer) { Add(timer, "cancelled", timer.gen, timer.due_at); }

  // The ticket refused the timer: what does it want instead? A policy that gave its steps another
  // delay, or a row that an older release left behind, ends here.
  void Align(const DueTimer& timer, const desk::Ticket& ticket, const desk::Facts& facts) {
    for (const desk::Timer& wanted : desk::TimersOf(ticket, facts)) {
      if (wanted.kind == timer.key.kind) return Add(timer, "armed", wanted.gen, wanted.due_at);
    }
    Cancel(timer);
  }

  void Write(pg::Tx& tx) const {
    if (rows_.states.empty()) return;
    const TimerColumns columns = ColumnsOf(timers_);
    tx.Run(sql::kSettleTimers, columns.parts, columns.tickets, columns.kinds, columns.gens,
           pg::TextArray(rows_.states), pg::IntArray(rows_.gens), pg::TimeArray(rows_.due));
  }

 private:
  void Add(const DueTimer& timer, const char* state, int gen, absl::Time due_at) {
    timers_.push_back(timer);
    rows_.states.push_back(state);
    rows_.gens.push_back(gen);
    rows_.due.push_back(due_at);
  }

  struct Rows {
    std::vector<std::string> states;
    std::vector<int> gens;
    std::vector<std::optional<absl::Time>> due;
  };
  std::vector<DueTimer> timers_;
  Rows rows_;
};

desk::Command Firing(const DueTimer& timer) {
  desk::Command command;
  command.ticket_id = timer.key.ticket_id;
  command.viewer = desk::SystemViewer();
  command.method = "FireTimer";
  command.action = desk::FireTimer{timer.key.kind, timer.gen};
  return command;
}

}  // namespace

TimerFiring::TimerFiring(pg::Pool& pool, ledger::Reference& reference, FiringOptions options)
    : pool_(pool), reference_(reference), options_(std::move(options)) {}

absl::StatusOr<FireResult> TimerFiring::Fire(const std::vector<DueTimer>& timers,
                                             const std::vector<log::Held>& held,
                                             absl::Duration look_ahead) {
  if (timers.empty()) return FireResult{};
  absl::StatusOr<FireResult> together = TryTogether(timers, held, look_ahead);
  if (together.ok() || IsOfTheDatabase(together.status())) return together;
  if (timers.size() == 1) return FireAlone(timers, held, look_ahead);
  // One of them breaks it: the halves without it are done in a few transactions more.
  const auto middle = timers.begin() + static_cast<std::ptrdiff_t>(timers.size() / 2);
  POTOK_ASSIGN_OR_RETURN(FireResult all, Fire({timers.begin(), middle}, held, look_ahead));
  POTOK_ASSIGN_OR_RETURN(FireResult rest, Fire({middle, timers.end()}, held, look_ahead));
  all.now = rest.now;
  std::move(rest.reports.begin(), rest.reports.end(), std::back_inserter(all.reports));
  std::move(rest.armed.begin(), rest.armed.end(), std::back_inserter(all.armed));
  return all;
}

absl::StatusOr<FireResult> TimerFiring::TryTogether(const std::vector<DueTimer>& timers,
                                                    const std::vector<log::Held>& held,
                                                    absl::Duration look_ahead) {
  return pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<FireResult> {
    FireResult result;
    std::set<int> parts;
    for (const DueTimer& timer : timers) parts.insert(timer.part);
    const HeldNow ours = HoldParts(tx, options_.lease_family, held, parts);
    const auto is_ours = [&](int part) {
      return std::find(ours.parts.begin(), ours.parts.end(), part) != ours.parts.end();
    };
    const auto was_ours = [&](int part) {
      return std::any_of(held.begin(), held.end(),
                         [&](const log::Held& lease) { return lease.part == part; });
    };
    result.now = ours.now;
    std::set<std::string> tickets;
    for (const DueTimer& timer : timers) {
      if (is_ours(timer.part) && timer.due_at <= result.now) tickets.insert(timer.key.ticket_id);
    }
    const std::shared_ptr<const ledger::ReferenceSnapshot> reference = reference_.Snapshot();
    ledger::Writer writer(tx, reference, result.now);
    writer.LockTickets({tickets.begin(), tickets.end()}, ledger::Writer::Wait::kNever);

    std::deque<desk::Command> commands;  // The writer keeps pointers to them until the flush.
    Settlement settlement;
    std::vector<DueTimer> fired;
    result.reports.reserve(timers.size());
    for (const DueTimer& timer : timers) {
      FireReport& report = result.reports.emplace_back(FireReport{.timer = timer});
      if (!is_ours(timer.part)) {
        report.end = was_ours(timer.part) ? FireReport::kBusy : FireReport::kNotOurs;
        continue;
      }
      if (timer.due_at > result.now) {
        report.end = FireReport::kNotYet;
        continue;
      }
      const desk::Ticket* ticket = writer.Find(timer.key.ticket_id);
      if (ticket == nullptr) {
        if (!ledger::FindTicket(tx, timer.key.ticket_id)) {
          report.end = FireReport::kFailed;
          report.why = absl::NotFoundError("a timer without a ticket");
        }
        continue;  // Busy otherwise.
      }
      if (BreachIsDueToo(timer, *ticket, result.now)) {
        settlement.Cancel(timer);
        report.end = FireReport::kSkipped;
        continue;
      }
      commands.push_back(Firing(timer));
      const absl::StatusOr<ledger::Outcome> outcome = writer.Stage(commands.back());
      if (outcome.ok()) {
        report.end = FireReport::kFired;
        report.fired_at = outcome->event.at;
        fired.push_back(timer);
      } else if (GetErrorDetail(outcome.status()).reason == "STALE_TIMER") {
        settlement.Align(timer, *ticket, FactsOf(*reference, *ticket));
        report.end = FireReport::kStale;
      } else {
        report.end = FireReport::kFailed;
        report.why = outcome.status();
      }
    }
    POTOK_RETURN_IF_ERROR(writer.Flush());
    settlement.Write(tx);
    std::vector<FireReport*> failed;
    for (FireReport& report : result.reports) {
      if (report.end == FireReport::kFailed) failed.push_back(&report);
    }
    CountFailures(tx, failed);
    if (!fired.empty()) {
      const TimerColumns columns = ColumnsOf(fired);
      for (const auto& row :
           tx.Run(sql::kArmedOfTickets, columns.parts, columns.tickets, result.now + look_ahead)) {
        result.armed.push_back(ReadDueTimer(row));
      }
    }
    return result;
  });
}

absl::StatusOr<FireResult> TimerFiring::FireAlone(const std::vector<DueTimer>& timers,
                                                  const std::vector<log::Held>& held,
                                                  absl::Duration look_ahead) {
  FireResult all;
  for (const DueTimer& timer : timers) {
    absl::StatusOr<FireResult> one = TryTogether({timer}, held, look_ahead);
    if (one.ok()) {
      all.now = one->now;
      all.reports.push_back(std::move(one->reports.front()));
      all.armed.insert(all.armed.end(), one->armed.begin(), one->armed.end());
      continue;
    }
    if (IsOfTheDatabase(one.status())) return one.status();
    FireReport report{.timer = timer};
    if (!IsContention(one.status())) {
      report.end = FireReport::kFailed;
      report.why = one.status();
      POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
        report.end = FireReport::kFailed;
        CountFailures(tx, {&report});
        return absl::OkStatus();
      }));
    }
    all.reports.push_back(std::move(report));
  }
  return all;
}

void TimerFiring::CountFailures(pg::Tx& tx, std::vector<FireReport*> failed) const {
  if (failed.empty()) return;
  std::vector<DueTimer> timers;
  for (const FireReport* report : failed) timers.push_back(report->timer);
  const TimerColumns columns = ColumnsOf(timers);
  std::set<TimerKey> parked;
  for (const auto& row : tx.Run(sql::kCountFailures, columns.parts, columns.tickets, columns.kinds,
                                columns.gens, options_.attempts)) {
    if (row["state"].as<std::string>() != "parked") continue;
    parked.insert({row["ticket_id"].as<std::string>(),
                   desk::ParseTimerKind(row["kind"].as<std::string>()).value()});
  }
  for (FireReport* report : failed) {
    if (parked.count(report->timer.key) > 0) report->end = FireReport::kParked;
  }
}

}  // namespace potok::sla_timer
