#pragma once

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "platform/pg/pool.h"
#include "platform/pg/statement.h"

// Real Postgres and Redis for integration tests, on unix sockets in a private folder.
namespace potok::testing {

// A child process that dies with this one.
class Process {
 public:
  // `user`: run as that user when this process is root; "" to stay.
  static absl::StatusOr<Process> Start(const std::vector<std::string>& command,
                                       const std::string& user, const std::string& output_file);
  Process() = default;
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();
  void Signal(int signal) const;
  // Sends `signal` and waits for the end. No-op when it is not running.
  void Stop(int signal);
  bool running() const { return pid_ > 0; }
  // True once it has ended, by itself or by a signal; never blocks. `how` then says "exit 1" or
  // "signal 9" and the process is not running any more.
  bool Ended(std::string* how = nullptr);
  pid_t pid() const { return pid_; }  // 0: not running

 private:
  pid_t pid_ = 0;
};

// A private Redis. Each test that flushes, stops or freezes Redis has its own.
//
// Everything must pass with no Redis anywhere: `tools/dev test --no-redis` sets POTOK_NO_REDIS, and
// then none is started and nobody ever answers at address(). Only a test about what Redis itself
// holds or does may leave that run, by the macro below as its first line; the run lists it by name.
class TestRedis {
 public:
  static bool Absent();
  TestRedis();  // starts it; a failure ends the test program with the reason
  ~TestRedis();
  const std::string& address() const { return address_; }
  void Stop();   // SIGKILL: nothing is saved
  void Start();  // empty again; ends the test program when Absent
  void Freeze() { process_.Signal(19 /* SIGSTOP */); }
  void Thaw() { process_.Signal(18 /* SIGCONT */); }

 private:
  std::string folder_;
  std::string address_;
  Process process_;
};

#define POTOK_ABOUT_REDIS() \
  if (::potok::testing::TestRedis::Absent()) GTEST_SKIP() << "about Redis itself"

// One Postgres for the whole test program: the one POTOK_TEST_PG names ("host=/run/x
// user=postgres", no dbname; a superuser), else a private one that ends with the program. fsync is
// off unless POTOK_TEST_FSYNC=on: these tests kill processes, never the power.
class TestStack {
 public:
  static TestStack& Get();
  // libpq string for a database of the server, as superuser or as `user`.
  std::string Dsn(const std::string& database, const std::string& user = "postgres") const;
  // Stops and starts the private server, as a crash does; false when the server is not ours.
  bool RestartPostgres();

 private:
  TestStack();
  ~TestStack();
  void StartPostgres();

  std::string folder_;    // empty: the server is not ours
  std::string base_dsn_;  // without dbname and user
  Process postgres_;
};

// A fresh database with the schema of this build, dropped at the end. Made from a template that is
// migrated once per server and per state of the migrations, so it costs tens of milliseconds.
class TestDatabase {
 public:
  enum class Contents { kMigrated, kEmpty };
  explicit TestDatabase(Contents contents = Contents::kMigrated);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& name() const { return name_; }
  // `user`: a service role such as potok_router, to meet the grants that hold in production.
  std::string dsn(const std::string& user = "postgres") const;
  // A pool owned by the database; `size` counts for the first call.
  pg::Pool& pool(int size = 8);
  // Runs SQL as superuser and returns the first column of the first row, "" when there is none. A
  // failure ends the test program with the reason.
  std::string Query(const std::string& sql);
  // Whether a statement in this database, of all that the server has, waits for a lock now.
  bool SomebodyWaitsForALock();

 private:
  std::string name_;
  std::unique_ptr<pg::Pool> pool_;
};

// Prepares each statement (`kAllStatements` of a generated sql.h) in a migrated database: a column
// that a migration renamed or a type that does not fit shows here instead of on the first call. The
// error names every statement that the server refuses.
absl::Status PrepareAll(TestDatabase& database, absl::Span<const pg::Statement> statements);

}  // namespace potok::testing
