#include "platform/pg/transaction.h"

#include <algorithm>
#include <memory>
#include <random>
#include <thread>

#include "base/backoff.h"
#include "base/error.h"
#include "platform/pg/session.h"

namespace potok::pg {
namespace {

// Thrown by Tx when the call's deadline has passed; never leaves this file.
struct DeadlinePassed : std::exception {
  const char* what() const noexcept override { return "deadline passed"; }
};

absl::Status DeadlineStatus() {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED",
                   "the deadline passed before the database work was done",
                   {.ru = "срок вызова истёк до завершения работы с базой данных"});
}

double Uniform() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

std::unique_ptr<pqxx::dbtransaction> Begin(pqxx::connection& connection, const TxOptions& options) {
  using pqxx::isolation_level;
  if (options.snapshot) {
    if (options.read_only) {
      return std::make_unique<pqxx::transaction<isolation_level::repeatable_read, pqxx::read_only>>(
          connection);
    }
    return std::make_unique<pqxx::transaction<isolation_level::repeatable_read, pqxx::read_write>>(
        connection);
  }
  if (options.read_only) {
    return std::make_unique<pqxx::transaction<isolation_level::read_committed, pqxx::read_only>>(
        connection);
  }
  return std::make_unique<pqxx::transaction<isolation_level::read_committed, pqxx::read_write>>(
      connection);
}

// Takes no snapshot, so that a lock may still come before it.
constexpr char kPlanForAll[] =
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; "
    "SET LOCAL enable_mergejoin = on; SET LOCAL plan_cache_mode = force_custom_plan";

// Runs `step` between the two hooks, which know it as `name`.
template <class F>
auto TimedStep(Session& session, const char* name, F&& step) {
  if (session.stop_point()) session.stop_point()(name);
  const StatementHook& hook = session.hook();
  if (!hook) return step();
  const auto start = std::chrono::steady_clock::now();
  struct Report {
    const StatementHook& hook;
    const char* name;
    std::chrono::steady_clock::time_point start;
    int exceptions = std::uncaught_exceptions();
    ~Report() {
      hook(name, absl::FromChrono(std::chrono::steady_clock::now() - start),
           std::uncaught_exceptions() == exceptions);
    }
  } report{hook, name, start};
  return step();
}

}  // namespace

template <class F>
pqxx::result Tx::Timed(const char* name, F&& run) {
  if (deadline_ != std::chrono::steady_clock::time_point::max() &&
      std::chrono::steady_clock::now() >= deadline_) {
    throw DeadlinePassed();
  }
  return TimedStep(session_, name, std::forward<F>(run));
}

pqxx::result Tx::RunBound(const Statement& statement, const std::vector<Param>& args) {
  session_.Prepare(statement);
  std::vector<const char*> values;
  values.reserve(args.size());
  for (const Param& arg : args) values.push_back(arg.has_value() ? arg->c_str() : nullptr);
  return Timed(statement.name, [&] {
    return work_.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(values));
  });
}

pqxx::result Tx::RunWrite(const Statement& statement, const std::vector<Param>& args) {
  writing_ = true;
  pqxx::result rows = RunBound(statement, args);
  writing_ = false;
  return rows;
}

pqxx::result Tx::RunText(const std::string& sql, const std::vector<Param>& args) {
  std::vector<const char*> values;
  values.reserve(args.size());
  for (const Param& arg : args) values.push_back(arg.has_value() ? arg->c_str() : nullptr);
  return Timed("text",
               [&] { return work_.exec_params(sql, pqxx::prepare::make_dynamic_params(values)); });
}

pqxx::result Tx::Exec(const std::string& sql) {
  return Timed("text", [&] { return work_.exec(sql); });
}

void Tx::KeepTable(const std::string& table) {
  Exec("LOCK TABLE " + table + " IN ACCESS SHARE MODE");
}

absl::Status Tx::Savepoint(absl::FunctionRef<absl::Status()> body) {
  const auto mark = [this](const char* sql) {
    TimedStep(session_, "savepoint", [&] { work_.exec(sql); });
  };
  mark("SAVEPOINT potok");
  absl::Status status;
  try {
    status = body();
  } catch (const DeadlinePassed&) {
    throw;
  } catch (const std::exception& error) {
    MappedError mapped = MapError(error);
    if (mapped.disposition != Disposition::kFail || !session_.IsOpen()) throw;
    status = std::move(mapped.status);
  }
  mark(status.ok() ? "RELEASE SAVEPOINT potok"
                   : "ROLLBACK TO SAVEPOINT potok; RELEASE SAVEPOINT potok");
  return status;
}

int Tx::socket() const { return session_.connection().sock(); }
int Tx::backend_pid() const { return session_.connection().backendpid(); }

namespace internal {
namespace {

struct Outcome {
  absl::Status status;
  bool run_again = false;
  bool stale_connection = false;  // found dead before anything was sent: repeat does not count
};

// Tells `writing` what the Tx knows when the body is left, however it is left.
struct WhetherWriting {
  const Tx& tx;
  bool& writing;
  ~WhetherWriting() { writing = tx.writing(); }
};

Outcome RunOnce(Pool& pool, const TxOptions& options, absl::FunctionRef<absl::Status(Tx&)> body) {
  auto lease = pool.Acquire(options.deadline);
  if (!lease.ok()) return {lease.status()};
  Session& session = lease->session();
  bool begun = false, writing = false;
  try {
    if (options.one_write) {
      pqxx::nontransaction work(session.connection());
      Tx tx(session, work, options.deadline);
      const WhetherWriting on_exit{tx, writing};
      return {body(tx)};
    }
    auto work = TimedStep(session, "begin", [&] { return Begin(session.connection(), options); });
    begun = true;
    Tx tx(session, *work, options.deadline);
    if (options.whole_tables) tx.Exec(kPlanForAll);
    if (absl::Status status = body(tx); !status.ok()) {
      TimedStep(session, "rollback", [&] { work->abort(); });
      return {status};
    }
    TimedStep(session, "commit", [&] { work->commit(); });
    return {absl::OkStatus()};
  } catch (const DeadlinePassed&) {
    return {DeadlineStatus()};
  } catch (const std::exception& error) {
    const bool open = session.IsOpen();
    MappedError mapped = MapError(error);
    // A standby has answered that it does not write.
    const bool refused = SqlState(mapped.status) == "25006";
    if (writing && !refused && (mapped.disposition == Disposition::kDropSession || !open)) {
      mapped = MapError(pqxx::in_doubt_error(error.what()));
    }
    if (mapped.disposition == Disposition::kInDoubt) {
      lease->Discard(/*and_idle=*/true);
      return {mapped.status};
    }
    if (mapped.disposition == Disposition::kDropSession || !open) {
      lease->Discard(/*and_idle=*/true);
      if (mapped.status.code() != absl::StatusCode::kUnavailable) {
        mapped = MapError(pqxx::broken_connection(error.what()));
      }
      return {mapped.status, /*run_again=*/!begun, /*stale_connection=*/!begun};
    }
    return {mapped.status, mapped.disposition == Disposition::kRetryBody};
  }
}

}  // namespace

absl::Status RunTransaction(Pool& pool, const TxOptions& options,
                            absl::FunctionRef<absl::Status(Tx&)> body) {
  const Backoff backoff{.initial = absl::Milliseconds(5), .cap = absl::Milliseconds(100)};
  bool replaced = false;
  for (int attempt = 1;; ++attempt) {
    Outcome outcome = RunOnce(pool, options, body);
    if (outcome.status.ok() || !outcome.run_again) return outcome.status;
    if (outcome.stale_connection) {
      if (replaced) return outcome.status;
      replaced = true;
      --attempt;
      continue;
    }
    if (attempt >= options.attempts) return outcome.status;
    const absl::Duration wait = backoff.Wait(attempt, Uniform());
    if (options.deadline != std::chrono::steady_clock::time_point::max() &&
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(wait) >= options.deadline) {
      return outcome.status;
    }
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(wait));
  }
}

absl::Status RunAutocommit(Pool& pool, const TxOptions& options,
                           absl::FunctionRef<absl::Status(Tx&)> body) {
  for (bool again = false;; again = true) {
    auto lease = pool.Acquire(options.deadline);
    if (!lease.ok()) return lease.status();
    Session& session = lease->session();
    try {
      pqxx::nontransaction work(session.connection());
      Tx tx(session, work, options.deadline);
      return body(tx);
    } catch (const DeadlinePassed&) {
      return DeadlineStatus();
    } catch (const std::exception& error) {
      const bool open = session.IsOpen();
      MappedError mapped = MapError(error);
      const bool lost = mapped.disposition != Disposition::kFail || !open;
      if (lost) lease->Discard(/*and_idle=*/true);
      // A read does no harm twice, and after a restart of the server every connection that lay idle
      // is dead: without this each of them would cost a caller an error.
      if (lost && options.read_only && !again) continue;
      if (!open && mapped.status.code() == absl::StatusCode::kInternal) {
        return MapError(pqxx::broken_connection(error.what())).status;
      }
      return mapped.status;
    }
  }
}

}  // namespace internal
}  // namespace potok::pg
