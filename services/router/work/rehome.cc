#include "router/work/rehome.h"

#include <deque>
#include <utility>

#include "base/status_macros.h"
#include "ledger/writer.h"
#include "platform/obs/log.h"

namespace potok::router {

Rehome::Rehome(pg::Pool& pool, ledger::Reference& reference, const Clock& clock,
               RouterMetrics& metrics, std::function<void()> on_commit)
    : pool_(pool),
      reference_(reference),
      clock_(clock),
      metrics_(metrics),
      on_commit_(std::move(on_commit)) {}

absl::StatusOr<std::vector<std::string>> Rehome::Run() {
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<LeftHolder> left,
      pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<LeftHolder>> {
        return ReadLeftHolders(tx, clock_.Now());
      }));
  std::vector<std::string> flows;
  for (const LeftHolder& holder : left) {
    int released = 0;
    absl::StatusOr<int> batch;
    do {
      batch = Release(holder);
      released += batch.value_or(0);
    } while (batch.ok() && *batch == kBatch);
    if (!batch.ok()) {
      // Somebody holds their locks, say. The others need not wait for the next sweep too.
      metrics_.failures.Increment();
      obs::LogWarn("router.rehome_failed", "tickets of an agent who left stay until the next sweep",
                   {{"agent", holder.agent}, {"flow", holder.flow}, {"error", batch.status()}});
    }
    if (released == 0) continue;
    metrics_.rehomed.Increment(released);
    flows.push_back(holder.flow);
    obs::LogInfo("router.rehomed",
                 "tickets of an agent who left went back to the front of the queue",
                 {{"agent", holder.agent}, {"flow", holder.flow}, {"tickets", released}});
  }
  return flows;
}

absl::StatusOr<int> Rehome::Release(const LeftHolder& holder) {
  POTOK_ASSIGN_OR_RETURN(
      const int released, pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<int> {
        ledger::Writer writer(tx, reference_.Snapshot(), clock_.Now());
        writer.LockLoads({{holder.agent, ""}, {holder.agent, holder.flow}});
        const std::vector<std::string> held = ReadHeldTickets(tx, holder, kBatch);
        writer.LockTickets(held, ledger::Writer::Wait::kNever);
        std::deque<desk::Command> commands;
        int staged = 0;
        for (const std::string& id : held) {
          const desk::Ticket* ticket = writer.Find(id);
          // Moved on meanwhile, or held by another transaction: the next sweep sees what became of
          // it.
          if (ticket == nullptr || ticket->assignee != holder.agent ||
              ticket->state == desk::State::kWaiting) {
            continue;
          }
          desk::Command& command = commands.emplace_back();
          command.ticket_id = id;
          command.viewer = desk::SystemViewer();
          command.method = "Rehome";
          command.action = desk::ReturnTicket{.reason = "", .leave = true};
          const absl::Status returned = writer.Stage(command).status();
          if (returned.ok()) {
            ++staged;
            continue;
          }
          // Nothing of it is staged: the agent's other tickets go back without it.
          obs::LogWarn("router.return_refused", "a ticket of an agent who left cannot be returned",
                       {{"ticket", id}, {"error", returned}});
        }
        POTOK_RETURN_IF_ERROR(writer.Flush());
        return staged;
      }));
  if (released > 0 && on_commit_) on_commit_();
  return released;
}

}  // namespace potok::router
