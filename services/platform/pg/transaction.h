#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "platform/pg/error_map.h"
#include "platform/pg/param.h"
#include "platform/pg/pool.h"
#include "platform/pg/result.h"
#include "platform/pg/statement.h"

namespace potok::pg {

struct TxOptions {
  int attempts = 3;  // runs of the body at most; only serialization failures and deadlocks repeat
  bool read_only = false;
  bool snapshot = false;  // REPEATABLE READ: all statements see one state
  // Much of what the tables hold is read, so plans may read them in sequence and join them by
  // hashing; else rows are found by key, however small a table is (pool.cc). Not for InAutocommit.
  bool whole_tables = false;
  // No BEGIN and no COMMIT, two round trips less: the body reads by Run, and at most one statement,
  // given to RunWrite as the last one, changes anything. Such a change is whole or not at
  // all by itself, but no lock and no snapshot outlives a statement. The connection lost during it
  // is UNKNOWN, as during COMMIT. Only for InTransaction.
  bool one_write = false;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

// The transaction a body works in. Its methods throw pqxx exceptions and are therefore called only
// inside a body given to InTransaction or InAutocommit, which turn them into a status.
// Not thread-safe; lives as long as the call of the body.
class Tx {
 public:
  Tx(Session& session, pqxx::transaction_base& work, std::chrono::steady_clock::time_point deadline)
      : session_(session), work_(work), deadline_(deadline) {}
  Tx(const Tx&) = delete;
  Tx& operator=(const Tx&) = delete;

  // Runs a named statement; each connection prepares it once. Arguments: integers, bool, double,
  // strings, absl::Time, Bytes, std::optional of those, nullptr, and arrays from param.h.
  template <class... A>
  pqxx::result Run(const Statement& statement, const A&... args) {
    return RunBound(statement, {ToParam(args)...});
  }
  pqxx::result RunBound(const Statement& statement, const std::vector<Param>& args);

  // Of a body with TxOptions::one_write, its only change; in others the same as RunBound.
  pqxx::result RunWrite(const Statement& statement, const std::vector<Param>& args);

  // A text without a name: DDL, SQL built from a checked filter. Values still go as parameters.
  pqxx::result RunText(const std::string& sql, const std::vector<Param>& args = {});
  pqxx::result Exec(const std::string& sql);  // may hold several statements; no parameters

  // Keeps `table` (trusted text) from being truncated or rebuilt until the transaction ends, which
  // no snapshot does: rows truncated by others vanish from it. So in a transaction with
  // TxOptions::snapshot this comes before the first statement.
  void KeepTable(const std::string& table);

  // Runs `body` under a savepoint: when it returns an error or a statement in it is refused, only
  // its own effects vanish and the transaction goes on. Failures that end the whole transaction
  // (deadlock, lost connection) still end it. Not available in InAutocommit.
  absl::Status Savepoint(absl::FunctionRef<absl::Status()> body);

  std::chrono::steady_clock::time_point deadline() const { return deadline_; }

  // A RunWrite may have been sent, and no answer has come.
  bool writing() const { return writing_; }

  // The connection, for whoever must end it from another thread: its descriptor here, valid as long
  // as the body runs, and the server's process behind it.
  int socket() const;
  int backend_pid() const;

 private:
  template <class F>
  pqxx::result Timed(const char* name, F&& run);

  Session& session_;
  pqxx::transaction_base& work_;
  const std::chrono::steady_clock::time_point deadline_;
  bool writing_ = false;  // Stays so when the statement throws.
};

namespace internal {

template <class T>
struct IsStatusOr : std::false_type {};
template <class T>
struct IsStatusOr<absl::StatusOr<T>> : std::true_type {};

absl::Status RunTransaction(Pool& pool, const TxOptions& options,
                            absl::FunctionRef<absl::Status(Tx&)> body);
absl::Status RunAutocommit(Pool& pool, const TxOptions& options,
                           absl::FunctionRef<absl::Status(Tx&)> body);

template <class F, class Runner>
auto Adapt(F&& body, Runner&& runner) -> std::invoke_result_t<F&, Tx&> {
  using R = std::invoke_result_t<F&, Tx&>;
  static_assert(std::is_same_v<R, absl::Status> || IsStatusOr<R>::value,
                "a transaction body returns absl::Status or absl::StatusOr<T>");
  if constexpr (std::is_same_v<R, absl::Status>) {
    return runner([&](Tx& tx) -> absl::Status { return body(tx); });
  } else {
    std::optional<R> result;
    absl::Status status = runner([&](Tx& tx) -> absl::Status {
      result.emplace(body(tx));
      return result->status();
    });
    if (!status.ok()) return status;
    return *std::move(result);
  }
}

}  // namespace internal

// Runs `body` in one transaction and commits. An error status from the body rolls back and is
// returned as it is. A serialization failure or deadlock runs the whole body again, with jitter and
// at most options.attempts times, so a body must start from nothing each time: assign to what it
// captures, never append. A connection found dead at BEGIN is replaced and does not count.
// UNKNOWN means that the answer to COMMIT was lost; the caller finds out by its idempotency key.
// When options.deadline passes, the next statement is not sent (DEADLINE_EXCEEDED).
template <class F>
auto InTransaction(Pool& pool, const TxOptions& options, F&& body)
    -> std::invoke_result_t<F&, Tx&> {
  return internal::Adapt(body, [&](absl::FunctionRef<absl::Status(Tx&)> run) {
    return internal::RunTransaction(pool, options, run);
  });
}

// The same without BEGIN and COMMIT: each statement is its own transaction. One round trip instead
// of three, for reads that need a single statement. The body is never repeated, but for one that is
// `read_only` and whose connection turned out to be dead: that starts anew once, on another.
template <class F>
auto InAutocommit(Pool& pool, const TxOptions& options, F&& body) -> std::invoke_result_t<F&, Tx&> {
  return internal::Adapt(body, [&](absl::FunctionRef<absl::Status(Tx&)> run) {
    return internal::RunAutocommit(pool, options, run);
  });
}

}  // namespace potok::pg
