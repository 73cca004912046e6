// Stops one replica before a chosen statement, so that another one can act in between.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "platform/pg/pool.h"

namespace potok::interleaving {

// Thread-safe. One operation of the replica at a time.
class Gate {
 public:
  // For PoolOptions::before_statement of every pool of the replica.
  pg::StopPoint Hook() {
    return [this](const char* statement) { Pass(statement); };
  }

  // A new operation begins. Its `stop_at`-th statement, from 1, waits until Open; 0: none does.
  void Begin(int stop_at);
  // It has ended, for better or worse.
  void End();
  // Waits until the operation stands before that statement, or has ended without reaching it; the
  // statement's name then, or nothing.
  std::optional<std::string> WaitForStop();
  // Lets it go on. It is not stopped again.
  void Open();

  // From now on every statement fails as it does when the way to the database is gone: what a
  // process that dies leaves undone. Until the next Begin.
  void Cut();

  // The statements since Begin, in order.
  std::vector<std::string> Statements() const;

 private:
  void Pass(const char* statement);

  mutable absl::Mutex mu_;
  std::vector<std::string> statements_ ABSL_GUARDED_BY(mu_);
  int stop_at_ ABSL_GUARDED_BY(mu_) = 0;
  bool waiting_ ABSL_GUARDED_BY(mu_) = false;
  bool open_ ABSL_GUARDED_BY(mu_) = true;
  bool cut_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace potok::interleaving
