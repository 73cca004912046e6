// The Postgres and the Redis of a run, and what can be done to them. Both listen on unix sockets in
// a folder of their own; the services reach them through links.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "platform/pg/pool.h"
#include "platform/redis/redis.h"
#include "platform/testing/stack.h"

namespace potok::chaos {

// A folder that goes with the program, also when a signal ends it. Short, for the sake of sockets.
const std::string& ScratchFolder();

// Makes the cluster that every run copies and tells the programs that this one starts where it is.
void ShareCluster();

// Postgres on a copy of a cluster that is made once a program and holds the migrated database
// `potok`. Settings are those of production but for fsync: processes are killed here, never the
// power. Used from the main thread; Query and pool() from any.
class Postgres {
 public:
  enum class Stop { kFast, kImmediate, kKill };

  // `folder` is made; `settings` are added to the server's own ("max_connections=20").
  Postgres(std::string folder, std::vector<std::string> settings);
  ~Postgres();

  // Starts and waits until it answers; how long that took.
  absl::Duration Start();
  // Returns at once when `wait` is false.
  void End(Stop how, bool wait = true);
  // Replaces the settings of the next start.
  void Use(std::vector<std::string> settings) { settings_ = std::move(settings); }
  bool Answers();

  const std::string& folder() const { return folder_; }
  std::string target() const { return "unix:" + folder_ + "/.s.PGSQL.5432"; }
  pid_t pid() const { return process_.pid(); }
  const std::string& log() const { return log_; }

  // Statements and their parameters go to the log, or no longer.
  void LogStatements(bool on);

  // As superuser and past all links. Rows of text; NULL is "". A statement that meets a server that
  // is away fails at once.
  absl::StatusOr<std::vector<std::vector<std::string>>> Rows(const std::string& sql);
  // The first column of the first row, "" when there is none; dies when the statement fails.
  std::string Query(const std::string& sql);
  int64_t Count(const std::string& sql);
  pg::Pool& pool() { return *pool_; }

 private:
  const std::string folder_;
  const std::string log_;
  std::vector<std::string> settings_;
  testing::Process process_;
  std::unique_ptr<pg::Pool> pool_;
};

class Redis {
 public:
  // `arguments` are added to the server's own ({"--maxmemory", "4mb"}).
  Redis(std::string folder, std::vector<std::string> arguments);

  void Start();  // Empty, unless `arguments` made it keep something. Waits until it answers.
  void Kill();   // SIGKILL.
  void Pause() { process_.Signal(19 /* SIGSTOP */); }
  void Continue() { process_.Signal(18 /* SIGCONT */); }
  bool running() { return !process_.Ended(); }

  std::string target() const { return "unix:" + folder_ + "/redis.sock"; }
  absl::StatusOr<redis::Reply> Command(const std::vector<std::string>& words);

 private:
  const std::string folder_;
  const std::vector<std::string> arguments_;
  testing::Process process_;
  redis::Connection connection_;
};

}  // namespace potok::chaos
