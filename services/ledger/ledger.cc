#include "ledger/ledger.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/half_gone.h"
#include "base/status_macros.h"
#include "desk/ticket/ids.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {
namespace {

absl::Status Overloaded() {
  ErrorDetail detail;
  detail.retry_after = absl::Milliseconds(200);
  detail.ru = "Очередь записи заполнена. Повторите с тем же request_id чуть позже.";
  return MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "the write queue is full; repeat with the same request_id a little later",
                   std::move(detail));
}

absl::Status HalfGone() {
  ErrorDetail detail;
  detail.retry_after = absl::Milliseconds(200);
  detail.ru =
      "Больше половины времени вызова ушло на ожидание очереди записи; ничего не изменено. "
      "Повторите с тем же request_id.";
  return MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "more than half of the call's time passed in the write queue; nothing was "
                   "changed, repeat with the same request_id",
                   std::move(detail));
}

absl::Status TooLate() {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED",
                   "the deadline passed before the work was started; nothing was changed");
}

// Whether another look at once may end better than attempt number `attempt` (from 0) did.
bool MayPassNow(const absl::Status& status, int attempt) {
  switch (status.code()) {
    // A twin that committed in another process between our look and our insert.
    case absl::StatusCode::kAlreadyExists: return true;
    // A holder that changed between peek and lock. Not a deadlock, which has been repeated by now,
    // nor a lock that somebody held until our timeout: they are most likely still there.
    case absl::StatusCode::kAborted: return GetErrorDetail(status).reason != "CONFLICT";
    // A connection that was cut, or the database itself: one more try tells.
    case absl::StatusCode::kUnavailable: return attempt == 0;
    // The answer to COMMIT was lost: the request ids tell what became of it.
    case absl::StatusCode::kUnknown: return true;
    default: return false;
  }
}

// Whether the fault is the database's as a whole: then no command of a batch fares better alone,
// and asking for each of them costs as many timeouts as commands wait.
bool ConcernsAll(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsUnknown(status) ||
         absl::IsResourceExhausted(status);
}

int PartOf(const desk::Command& command) {
  if (const auto* create = std::get_if<desk::CreateTicket>(&command.action)) {
    return create->draft.part;
  }
  return desk::PartOfTicketId(command.ticket_id).value_or(0);
}

}  // namespace

struct Ledger::Executor {
  absl::Mutex mu;
  std::deque<Item> waiting ABSL_GUARDED_BY(mu);
  bool stop ABSL_GUARDED_BY(mu) = false;
  std::thread thread;
};

Ledger::Ledger(pg::Pool& pool, Reference& reference, const Clock& clock, LedgerOptions options,
               OnCommit on_commit)
    : pool_(pool),
      reference_(reference),
      clock_(clock),
      options_(std::move(options)),
      on_commit_(std::move(on_commit)) {
  for (int i = 0; i < options_.executors; ++i) {
    executors_.push_back(std::make_unique<Executor>());
  }
  for (const auto& executor : executors_) {
    executor->thread = std::thread([this, e = executor.get()] { Run(*e); });
  }
}

Ledger::~Ledger() {
  for (const auto& executor : executors_) {
    absl::MutexLock lock(&executor->mu);
    executor->stop = true;
  }
  for (const auto& executor : executors_) executor->thread.join();
}

void Ledger::Submit(desk::Command command, std::chrono::steady_clock::time_point deadline,
                    Done done) {
  if (queued_.fetch_add(1) >= options_.max_queued) {
    queued_.fetch_sub(1);
    done(Overloaded());
    return;
  }
  Executor& executor = *executors_[PartOf(command) % executors_.size()];
  absl::MutexLock lock(&executor.mu);
  executor.waiting.push_back({std::move(command), options_.now(), deadline, std::move(done)});
}

absl::StatusOr<Outcome> Ledger::Execute(desk::Command command,
                                        std::chrono::steady_clock::time_point deadline) {
  absl::Mutex mu;
  std::optional<absl::StatusOr<Outcome>> answer;
  Submit(std::move(command), deadline, [&](absl::StatusOr<Outcome> result) {
    absl::MutexLock lock(&mu);
    answer.emplace(std::move(result));
  });
  absl::MutexLock lock(&mu);
  mu.Await(absl::Condition(
      +[](std::optional<absl::StatusOr<Outcome>>* a) { return a->has_value(); }, &answer));
  return *std::move(answer);
}

LedgerStats Ledger::Stats() const {
  return {queued_.load(), commands_.load(), batches_.load(), fallbacks_.load(), shed_.load()};
}

std::vector<Ledger::Item> Ledger::TakeBatch(Executor& executor) {
  std::vector<Item> batch;
  std::set<std::string> tickets;
  std::set<std::tuple<std::string, std::string, std::string>> requests;
  std::deque<Item> left;
  absl::MutexLock lock(&executor.mu);
  executor.mu.Await(absl::Condition(
      +[](Executor* e)
           ABSL_EXCLUSIVE_LOCKS_REQUIRED(e->mu) { return e->stop || !e->waiting.empty(); },
      &executor));
  while (!executor.waiting.empty() && static_cast<int>(batch.size()) < options_.max_batch) {
    Item item = std::move(executor.waiting.front());
    executor.waiting.pop_front();
    const desk::Command& command = item.command;
    // A second command for one ticket must see the first one's version, a twin its answer: next
    // batch.
    const bool twin =
        (!command.ticket_id.empty() && !tickets.insert(command.ticket_id).second) ||
        (!command.request_id.empty() &&
         !requests.emplace(command.viewer.principal, command.request_id, command.method).second);
    (twin ? left.emplace_back(std::move(item)) : batch.emplace_back(std::move(item)));
  }
  while (!left.empty()) {
    executor.waiting.push_front(std::move(left.back()));
    left.pop_back();
  }
  return batch;
}

void Ledger::Run(Executor& executor) {
  while (true) {
    std::vector<Item> batch = TakeBatch(executor);
    if (batch.empty()) return;  // Stopped, and nothing is left.
    const int taken = static_cast<int>(batch.size());
    CommitBatch(std::move(batch));
    queued_.fetch_sub(taken);
  }
}

void Ledger::CommitBatch(std::vector<Item> batch) {
  const auto now = options_.now();
  std::vector<Item*> items;
  for (Item& item : batch) {
    if (item.deadline <= now) {
      ++shed_;
      item.done(TooLate());
    } else if (MoreThanHalfGone(item.since, now, item.deadline)) {
      ++shed_;
      item.done(HalfGone());
    } else {
      items.push_back(&item);
    }
  }
  if (items.empty()) return;
  commands_.fetch_add(static_cast<int64_t>(items.size()));
  batches_.fetch_add(1);
  std::vector<absl::StatusOr<Outcome>> results;
  absl::Status committed = TryCommit(items, results);
  if (!committed.ok() && items.size() > 1 && !ConcernsAll(committed)) {
    // Something in the batch broke it for all. One by one, only the bad one fails.
    fallbacks_.fetch_add(1);
    for (Item* item : items) {
      if (item->deadline <= options_.now()) {
        item->done(TooLate());
        continue;
      }
      std::vector<Item*> one = {item};
      committed = TryCommit(one, results);
      item->done(committed.ok() ? std::move(results.front()) : committed);
    }
    return;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    items[i]->done(committed.ok() ? std::move(results[i]) : committed);
  }
}

absl::Status Ledger::TryCommit(std::vector<Item*>& batch,
                               std::vector<absl::StatusOr<Outcome>>& results) {
  pg::TxOptions options;
  bool appended = false;
  // Without a request id a repeat after a lost answer might do the work twice.
  const bool known_by_id = std::all_of(batch.begin(), batch.end(), [](const Item* item) {
    return !item->command.request_id.empty();
  });
  absl::Status status, in_doubt;
  for (int attempt = 0; attempt < 3; ++attempt) {
    status = pg::InTransaction(pool_, options, [&](pg::Tx& tx) -> absl::Status {
      results.clear();
      std::vector<const desk::Command*> commands;
      for (const Item* item : batch) commands.push_back(&item->command);
      Writer writer(tx, reference_.Snapshot(), clock_.Now());
      POTOK_RETURN_IF_ERROR(writer.LockFor(commands));
      for (const desk::Command* command : commands) results.push_back(writer.Stage(*command));
      POTOK_RETURN_IF_ERROR(writer.Flush());
      appended |= writer.staged() > 0;
      for (absl::StatusOr<Outcome>& result : results) {
        if (!result.ok() || result->replayed) continue;
        result->ticket.number = writer.Find(result->ticket.id)->number;
      }
      return absl::OkStatus();
    });
    if (absl::IsUnknown(status)) {
      in_doubt = status;
      if (!known_by_id) break;
    }
    if (!MayPassNow(status, attempt)) break;
  }
  // However the repeats failed, the first try may have been committed.
  if (!status.ok() && !in_doubt.ok()) status = in_doubt;
  if (status.ok() && appended && on_commit_) on_commit_();
  return status;
}

}  // namespace potok::ledger
