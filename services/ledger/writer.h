// The one place that changes tickets, inside a transaction the caller opened.
//
// Use: LockFor(commands) -> Stage(command) for each -> Flush(). Everything a command touches
// (ticket, event, text, outbox, assignment, load, timers, idempotency) leaves in Flush, so the
// transaction either has all of it or nothing. The router uses it for a pass, the sla-timer for a
// batch of fires, Ledger for calls. Not thread-safe. Locks are taken in the global order: agents
// ascending, then tickets ascending.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/ticket/decide.h"
#include "ledger/persist_arguments.h"
#include "ledger/reference.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {

// What one command did.
struct Outcome {
  desk::Ticket ticket;    // After it.
  desk::Event event;      // What was appended; of a replay, what was appended the first time.
  bool replayed = false;  // The request_id was seen before: nothing was changed now.
};

class Writer {
 public:
  // `now` is business time and becomes the instant of every event (never before a ticket's last
  // one).
  Writer(pg::Tx& tx, std::shared_ptr<const ReferenceSnapshot> reference, absl::Time now);

  enum class Wait { kForLocks, kNever };
  // Finds earlier answers of the commands' request ids and locks every agent and ticket they touch.
  // Throws pqxx, as all of these do.
  absl::Status LockFor(const std::vector<const desk::Command*>& commands,
                       Wait wait = Wait::kForLocks);
  // After LockFor with kNever: whether another transaction holds what the command needs, or did
  // when it was looked for. Such a command must not be staged.
  bool HeldByOthers(const desk::Command& command) const;

  // Locks more load rows (agent, flow): call before LockFor when the caller knows its agents, in
  // one go.
  void LockLoads(const std::vector<std::pair<std::string, std::string>>& agent_flow,
                 Wait wait = Wait::kForLocks);
  // Locks tickets by id; with kNever those that another transaction holds are left out.
  void LockTickets(const std::vector<std::string>& ids, Wait wait = Wait::kForLocks);

  // The locked ticket as this transaction sees it (staged changes included); nullptr when not
  // locked.
  const desk::Ticket* Find(const std::string& ticket_id) const;
  // The locked load of an agent in a flow, staged changes included; nullptr for one who is no
  // member.
  const desk::AgentLoad* Load(const std::string& agent, const std::string& flow) const;

  // Decides and stages. An error stages nothing and leaves the other commands of the batch alone.
  absl::StatusOr<Outcome> Stage(const desk::Command& command);

  // Writes everything staged; numbers new tickets (Find then shows the number). ABORTED when a row
  // moved although it was locked (cannot happen while every writer comes through here; the batch is
  // then retried one by one).
  absl::Status Flush();

  // Business time for a batch of timers, read from the database so that a fire is never early.
  static absl::Time DatabaseNow(pg::Tx& tx);

  int staged() const { return static_cast<int>(changes_.size()); }

 private:
  struct LoadRow {
    desk::AgentLoad load;
    int delta = 0;
    bool assigned = false;
  };
  struct Change {
    std::optional<desk::Ticket> before;  // Empty for a new ticket.
    desk::Ticket after;
    desk::Event event;
    const desk::Command* command;
    std::vector<desk::Timer> timers_before, timers_after;
    int active_after = 0, cap_at_assign = 0;
  };
  struct Answer {
    std::string body_hash;
    std::string ticket_id;
    int64_t version;
  };

  // Who has the slot; empty when nobody has.
  static std::string HolderOf(const desk::Ticket& ticket);
  void FindAnswers(const std::vector<const desk::Command*>& commands);
  const Answer* AnswerTo(const desk::Command& command) const;
  absl::StatusOr<std::optional<Outcome>> Replay(const desk::Command& command);
  absl::StatusOr<Outcome> StageNew(const desk::Command& command);
  absl::StatusOr<desk::Facts> FactsFor(const std::string& flow_id, int flow_version) const;
  void MoveSlots(Change& change);
  absl::Status WriteLoads();
  void ReleaseAssignments();
  absl::Status WriteRows();
  void AlignTimers(const Change& first, const Change& last, PersistArguments* rows) const;

  pg::Tx& tx_;
  const std::shared_ptr<const ReferenceSnapshot> reference_;
  const absl::Time now_;
  std::map<std::string, desk::Ticket> tickets_;
  std::map<std::pair<std::string, std::string>, LoadRow> loads_;  // (agent, flow); flow "" = total.
  std::map<std::tuple<std::string, std::string, std::string>, Answer> answers_;
  std::set<std::string> held_;  // Tickets that others hold, or whose load rows they hold.
  std::set<std::pair<std::string, std::string>> held_loads_;
  std::vector<Change> changes_;
};

}  // namespace potok::ledger
