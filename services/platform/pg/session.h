#pragma once

#include <pqxx/pqxx>
#include <string>
#include <unordered_set>

#include "platform/pg/pool.h"
#include "platform/pg/statement.h"

namespace potok::pg {

// One connection with the names already prepared on it. Not thread-safe: the holder of the lease
// uses it alone. Private to platform/pg.
class Session {
 public:
  // Throws pqxx::broken_connection when the server refuses or cannot be reached.
  Session(const std::string& connect_string, const PoolOptions& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  pqxx::connection& connection() { return connection_; }
  bool IsOpen() const { return connection_.is_open(); }
  void Prepare(const Statement& statement);
  const StatementHook& hook() const { return options_.on_statement; }
  const StopPoint& stop_point() const { return options_.before_statement; }

 private:
  pqxx::connection connection_;
  pqxx::quiet_errorhandler quiet_;  // notices of the server must not reach stderr
  std::unordered_set<std::string> prepared_;
  const PoolOptions& options_;  // the pool's
};

}  // namespace potok::pg
