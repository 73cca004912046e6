#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace potok::pg {

class Session;  // one connection and the names prepared on it; session.h

// Called after each statement, from the thread that ran it; must be cheap and must not block.
// `statement` is Statement::name, or "begin", "commit", "rollback", "savepoint", "text" for what
// has no name.
using StatementHook =
    std::function<void(const char* statement, absl::Duration elapsed, bool succeeded)>;

// Called before each statement, "begin", "commit" and "rollback" included, from the thread that
// runs it; the statement is sent when it returns. For tests that stop a transaction between two
// statements: nothing else may block here. Must not throw.
using StopPoint = std::function<void(const char* statement)>;

struct PoolOptions {
  // libpq connection string ("host=/run/postgresql dbname=potok user=potok_intake") or URI.
  std::string dsn;
  int size = 8;
  std::string application_name = "potok";
  absl::Duration acquire_timeout = absl::Seconds(2);
  absl::Duration statement_timeout = absl::Seconds(5);
  absl::Duration lock_timeout = absl::Seconds(2);
  StatementHook on_statement;  // may be empty
  StopPoint before_statement;  // may be empty, and is in production
};

struct PoolStats {
  int size = 0;
  int in_use = 0;
  int idle = 0;
  int waiting = 0;
  std::int64_t opened = 0;     // connections opened since start
  std::int64_t discarded = 0;  // connections dropped because they broke
  std::int64_t timeouts = 0;   // acquires that gave up
};

// A fixed number of Postgres connections, opened on first need.
//
// Thread-safe. LIFO, so that at low load the same few connections stay warm and keep their prepared
// statements while the rest may idle. A broken connection is discarded, never repaired in place:
// libpqxx would reconnect silently and forget what was prepared. All session settings travel in
// the connection string, so no connection ever exists without its timeouts.
// Leases must be returned before the pool is destroyed.
class Pool {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit Pool(PoolOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Exclusive use of one connection until destroyed.
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Session> session);
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Session& session() { return *session_; }
    // Closes the connection instead of returning it. With `and_idle`, the idle ones go too: after a
    // server restart all of them are dead, and finding that out one by one costs a request each.
    void Discard(bool and_idle);

   private:
    Pool* pool_;
    std::unique_ptr<Session> session_;
  };

  // Waits until min(acquire_timeout, deadline). RESOURCE_EXHAUSTED when all connections stay busy,
  // UNAVAILABLE when the server cannot be reached, DEADLINE_EXCEEDED when `deadline` came first.
  absl::StatusOr<Lease> Acquire(Deadline deadline = Deadline::max());

  PoolStats Stats() const;
  const PoolOptions& options() const { return options_; }

 private:
  friend class Lease;
  void Return(std::unique_ptr<Session> session);
  void Drop(bool and_idle);

  const PoolOptions options_;
  const std::string connect_string_;
  mutable absl::Mutex mu_;
  std::vector<std::unique_ptr<Session>> idle_ ABSL_GUARDED_BY(mu_);
  int in_use_ ABSL_GUARDED_BY(mu_) = 0;
  int waiting_ ABSL_GUARDED_BY(mu_) = 0;
  std::int64_t opened_ ABSL_GUARDED_BY(mu_) = 0;
  std::int64_t discarded_ ABSL_GUARDED_BY(mu_) = 0;
  std::int64_t timeouts_ ABSL_GUARDED_BY(mu_) = 0;
};

// `dsn` with the session settings every Potok connection carries: statement_timeout, lock_timeout,
// idle_in_transaction_session_timeout=4s, time zone UTC, TCP keepalive and tcp_user_timeout=5s.
std::string WithSessionSettings(const PoolOptions& options);

}  // namespace potok::pg
