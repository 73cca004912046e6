#include "platform/log/handler_run.h"

#include <exception>
#include <pqxx/pqxx>
#include <sys/socket.h>
#include <utility>

#include "absl/strings/str_cat.h"

#include "platform/log/pace.h"

namespace potok::log {
namespace {

absl::Status GivenUp() { return absl::CancelledError("the run was given up"); }

// The handler's own failures become its status; the database's go on to the transaction, which
// knows what they mean.
absl::Status Handle(const Handler& handler, pg::Tx& tx, const std::vector<LogEntry>& entries) {
  try {
    return handler(tx, entries);
  } catch (const pqxx::pqxx_exception&) {
    throw;
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("the handler threw: ", error.what()));
  } catch (...) {
    return absl::InternalError("the handler threw something that is no std::exception");
  }
}

}  // namespace

bool HandlerRun::Begin(pg::Tx& tx, const std::vector<LogEntry>& entries) {
  absl::MutexLock lock(&mu_);
  outcome_.entries = entries;
  if (phase_ == Phase::kGivenUp) return false;
  phase_ = Phase::kHandling;
  socket_ = tx.socket();
  outcome_.backend = tx.backend_pid();
  began_ = Monotonic();
  return true;
}

bool HandlerRun::End(bool handled) {
  absl::MutexLock lock(&mu_);
  if (phase_ == Phase::kGivenUp) return false;
  phase_ = Phase::kEnding;
  outcome_.handled = handled;
  spent_ += Monotonic() - began_;
  socket_ = -1;
  return true;
}

void HandlerRun::CarryOut(pg::Pool& pool) {
  absl::Status status = pg::InTransaction(pool, {}, [&](pg::Tx& tx) -> absl::Status {
    const std::vector<LogEntry> entries = take_(tx);
    if (!Begin(tx, entries)) return GivenUp();
    absl::Status done;
    try {
      done = entries.empty() ? absl::OkStatus() : Handle(handler_, tx, entries);
    } catch (...) {
      // The connection is about to be closed: its socket may be another's in a moment.
      if (!End(false)) return GivenUp();
      throw;
    }
    return End(done.ok()) ? done : GivenUp();
  });
  absl::MutexLock lock(&mu_);
  if (phase_ == Phase::kGivenUp) return;
  outcome_.status = std::move(status);
  phase_ = Phase::kOver;
}

HandlerRun::Outcome HandlerRun::Wait(absl::Duration budget) {
  const auto handling = [this] {
    mu_.AssertReaderHeld();
    return phase_ == Phase::kHandling || phase_ == Phase::kOver;
  };
  const auto handled = [this] {
    mu_.AssertReaderHeld();
    return phase_ != Phase::kHandling;
  };
  absl::MutexLock lock(&mu_);
  while (true) {
    mu_.Await(absl::Condition(&handling));
    if (phase_ == Phase::kOver) return std::move(outcome_);
    const absl::Duration left = began_ + budget - spent_ - Monotonic();
    if (mu_.AwaitWithTimeout(absl::Condition(&handled), left)) continue;
    phase_ = Phase::kGivenUp;
    // From here on nothing reaches the server over this connection, a COMMIT least of all.
    shutdown(socket_, SHUT_RDWR);
    Outcome hung = outcome_;
    hung.hung = true;
    hung.status = absl::DeadlineExceededError(
        absl::StrCat("the handler did not end within ", absl::FormatDuration(budget)));
    return hung;
  }
}

}  // namespace potok::log
