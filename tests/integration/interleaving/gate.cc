#include "integration/interleaving/gate.h"

#include <pqxx/except>

namespace potok::interleaving {

void Gate::Begin(int stop_at) {
  absl::MutexLock lock(&mu_);
  statements_.clear();
  stop_at_ = stop_at;
  waiting_ = false;
  open_ = cut_ = ended_ = false;
}

void Gate::End() {
  absl::MutexLock lock(&mu_);
  ended_ = true;
}

std::optional<std::string> Gate::WaitForStop() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(
      +[](Gate* g) ABSL_EXCLUSIVE_LOCKS_REQUIRED(g->mu_) { return g->waiting_ || g->ended_; },
      this));
  if (!waiting_) return std::nullopt;
  return statements_.back();
}

void Gate::Open() {
  absl::MutexLock lock(&mu_);
  open_ = true;
}

void Gate::Cut() {
  absl::MutexLock lock(&mu_);
  cut_ = true;
}

std::vector<std::string> Gate::Statements() const {
  absl::MutexLock lock(&mu_);
  return statements_;
}

void Gate::Pass(const char* statement) {
  absl::MutexLock lock(&mu_);
  if (ended_) return;  // Between operations: pools warm up, tests look.
  statements_.push_back(statement);
  if (static_cast<int>(statements_.size()) == stop_at_ && !open_) {
    waiting_ = true;
    mu_.Await(absl::Condition(&open_));
    waiting_ = false;
  }
  if (cut_) throw pqxx::broken_connection("cut off by the test");
}

}  // namespace potok::interleaving
