#include "ledger/ledger.h"

#include <algorithm>
#include <iterator>
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

// A row is mostly free again after the few milliseconds of another transaction. Who meets it taken
// more often than this waits in a line of its own, where locks come in the order of asking.
constexpr int kTries = 5;
constexpr auto kFirstPause = std::chrono::milliseconds(5);

// What is decided is written at once or not at all: a process that was stopped in between wakes up
// with instants of long ago. In a transaction Postgres sees to it (idle_in_transaction_session_
// timeout).
constexpr auto kLongestPause = std::chrono::seconds(4);

int PartOf(const desk::Command& command) {
  if (const auto* create = std::get_if<desk::CreateTicket>(&command.action)) {
    return create->draft.part;
  }
  return desk::PartOfTicketId(command.ticket_id).value_or(0);
}

}  // namespace

// Commands that wait, and the thread that takes them.
struct Ledger::Lane {
  absl::Mutex mu;
  std::deque<Item> waiting ABSL_GUARDED_BY(mu);
  std::vector<Item> later ABSL_GUARDED_BY(mu);  // Until Item::again.
  bool stop ABSL_GUARDED_BY(mu) = false;
  std::thread thread;

  void Add(Item item) {
    absl::MutexLock lock(&mu);
    waiting.push_back(std::move(item));
  }
  // Only by the lane's own thread, which therefore needs no waking.
  void AddLater(Item item) {
    absl::MutexLock lock(&mu);
    later.push_back(std::move(item));
  }
  void PutBack(std::vector<Item> items) {
    absl::MutexLock lock(&mu);
    waiting.insert(waiting.begin(), std::make_move_iterator(items.begin()),
                   std::make_move_iterator(items.end()));
  }
  // Waits until something is to be done now; with a stop everything is.
  void Await() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    while (true) {
      const auto now = std::chrono::steady_clock::now();
      const bool all = stop;
      const auto due = std::stable_partition(
          later.begin(), later.end(), [&](const Item& item) { return item.again > now && !all; });
      waiting.insert(waiting.begin(), std::make_move_iterator(due),
                     std::make_move_iterator(later.end()));
      later.erase(due, later.end());
      if (stop || !waiting.empty()) return;
      absl::Duration left = absl::InfiniteDuration();
      for (const Item& item : later) left = std::min(left, absl::FromChrono(item.again - now));
      mu.AwaitWithTimeout(absl::Condition(
                              +[](Lane* lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lane->mu) {
                                return lane->stop || !lane->waiting.empty();
                              },
                              this),
                          left);
    }
  }
  void Stop() {
    {
      absl::MutexLock lock(&mu);
      stop = true;
    }
    thread.join();
  }
};

struct Ledger::Executor {
  Lane quick;
  Lane patient;
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
    Executor& e = *executor;
    e.quick.thread = std::thread([this, &e] { RunQuick(e); });
    e.patient.thread = std::thread([this, &e] { RunPatient(e.patient); });
  }
}

Ledger::~Ledger() {
  // In this order: the first still hands over to the second.
  for (const auto& executor : executors_) executor->quick.Stop();
  for (const auto& executor : executors_) executor->patient.Stop();
}

void Ledger::Submit(desk::Command command, std::chrono::steady_clock::time_point deadline,
                    Done done) {
  if (queued_.fetch_add(1) >= options_.max_queued) {
    queued_.fetch_sub(1);
    done(Overloaded());
    return;
  }
  Executor& executor = *executors_[PartOf(command) % executors_.size()];
  executor.quick.Add({std::move(command), options_.now(), deadline, std::move(done)});
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
  return {queued_.load(),    commands_.load(), batches_.load(),
          fallbacks_.load(), shed_.load(),     deferred_.load()};
}

std::vector<Ledger::Item> Ledger::TakeBatch(Lane& lane) {
  std::vector<Item> batch;
  std::set<std::string> tickets;
  std::set<std::tuple<std::string, std::string, std::string>> requests;
  std::deque<Item> left;
  absl::MutexLock lock(&lane.mu);
  lane.Await();
  while (!lane.waiting.empty() && static_cast<int>(batch.size()) < options_.max_batch) {
    Item item = std::move(lane.waiting.front());
    lane.waiting.pop_front();
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
    lane.waiting.push_front(std::move(left.back()));
    left.pop_back();
  }
  return batch;
}

void Ledger::RunQuick(Executor& executor) {
  while (true) {
    std::vector<Item> batch = TakeBatch(executor.quick);
    if (batch.empty()) return;  // Stopped, and nothing is left.
    for (Item& held : CommitBatch(std::move(batch), Writer::Wait::kNever)) {
      TryLater(executor, std::move(held));
    }
  }
}

void Ledger::RunPatient(Lane& lane) {
  while (true) {
    std::vector<Item> batch = TakeBatch(lane);
    if (batch.empty()) return;
    // One waits at a time and has only its own rows in hand meanwhile. What can be done before is.
    if (batch.size() > 1) batch = CommitBatch(std::move(batch), Writer::Wait::kNever);
    if (batch.empty()) continue;
    std::vector<Item> first;
    first.push_back(std::move(batch.front()));
    batch.erase(batch.begin());
    lane.PutBack(std::move(batch));
    CommitBatch(std::move(first), Writer::Wait::kForLocks);
  }
}

std::vector<Ledger::Item> Ledger::CommitBatch(std::vector<Item> batch, Writer::Wait wait) {
  const auto now = options_.now();
  std::vector<Item*> items;
  for (Item& item : batch) {
    if (item.deadline <= now) {
      Shed(item, TooLate());
    } else if (MoreThanHalfGone(item.since, now, item.deadline)) {
      Shed(item, HalfGone());
    } else {
      items.push_back(&item);
    }
  }
  std::vector<Item> held;
  if (items.empty()) return held;
  batches_.fetch_add(1);
  const auto answer = [&](Item& item, const absl::Status& committed,
                          std::optional<absl::StatusOr<Outcome>>* result) {
    if (committed.ok() && !result->has_value()) {
      held.push_back(std::move(item));
      return;
    }
    commands_.fetch_add(1);
    queued_.fetch_sub(1);
    if (committed.ok()) {
      item.done(std::move(**result));
    } else {
      item.done(committed);
    }
  };
  Results results;
  absl::Status committed = TryCommit(items, wait, results);
  if (!committed.ok() && items.size() > 1 && !ConcernsAll(committed)) {
    // Something in the batch broke it for all. One by one, only the bad one fails.
    fallbacks_.fetch_add(1);
    for (Item* item : items) {
      if (item->deadline <= options_.now()) {
        Shed(*item, TooLate());
        continue;
      }
      std::vector<Item*> one = {item};
      committed = TryCommit(one, wait, results);
      answer(*item, committed, committed.ok() ? &results.front() : nullptr);
    }
    return held;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    answer(*items[i], committed, committed.ok() ? &results[i] : nullptr);
  }
  return held;
}

void Ledger::Shed(Item& item, absl::Status why) {
  shed_.fetch_add(1);
  queued_.fetch_sub(1);
  item.done(std::move(why));
}

void Ledger::TryLater(Executor& executor, Item item) {
  const auto now = std::chrono::steady_clock::now();
  const auto pause = kFirstPause * (1 << item.tries);
  // Where a transaction takes long by itself, as it does far from the database, looking again and
  // again would only cost time.
  const bool slow = item.tries > 0 && now - item.again > pause;
  if (++item.tries >= kTries || slow) {
    deferred_.fetch_add(1);
    executor.patient.Add(std::move(item));
    return;
  }
  item.again = now + pause;
  executor.quick.AddLater(std::move(item));
}

absl::Status Ledger::TryCommit(std::vector<Item*>& batch, Writer::Wait wait, Results& results) {
  pg::TxOptions options;
  bool appended = false;
  // Without a request id a repeat after a lost answer might do the work twice.
  const bool known_by_id = std::all_of(batch.begin(), batch.end(), [](const Item* item) {
    return !item->command.request_id.empty();
  });
  // Filing locks nothing first: it looks for earlier answers and is then one statement.
  options.one_write = known_by_id && std::all_of(batch.begin(), batch.end(), [](const Item* item) {
                        return std::holds_alternative<desk::CreateTicket>(item->command.action);
                      });
  absl::Status status, in_doubt;
  for (int attempt = 0; attempt < 3; ++attempt) {
    status = pg::InTransaction(pool_, options, [&](pg::Tx& tx) -> absl::Status {
      results.clear();
      const auto began = options_.now();
      std::vector<const desk::Command*> commands;
      for (const Item* item : batch) commands.push_back(&item->command);
      Writer writer(tx, reference_.Snapshot(), clock_.Now());
      POTOK_RETURN_IF_ERROR(writer.LockFor(commands, wait));
      for (const desk::Command* command : commands) {
        if (wait == Writer::Wait::kNever && writer.HeldByOthers(*command)) {
          results.emplace_back(std::nullopt);
        } else {
          results.emplace_back(writer.Stage(*command));
        }
      }
      // Before: of one statement that commits by itself the answer may be lost.
      appended |= writer.staged() > 0;
      if (options.one_write && options_.now() - began > kLongestPause) {
        return absl::AbortedError("the process stood still between reading and writing");
      }
      POTOK_RETURN_IF_ERROR(writer.Flush());
      for (auto& result : results) {
        if (!result.has_value() || !result->ok() || (*result)->replayed) continue;
        (*result)->ticket.number = writer.Find((*result)->ticket.id)->number;
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
  if (!status.ok() || !appended) return status;
  if (on_commit_) on_commit_();
  if (options_.on_queued) {
    for (const auto& result : results) {
      if (!result.has_value() || !result->ok() || (*result)->replayed) continue;
      const desk::Ticket& ticket = (*result)->ticket;
      const bool came = ticket.queued_at == (*result)->event.at;
      if (came && ticket.state == desk::State::kQueued) options_.on_queued(ticket);
    }
  }
  return status;
}

}  // namespace potok::ledger
