// What a run found out: that its fault bit, what was measured, what was broken. Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace potok::chaos {

struct Figure {
  double value = 0;
  double bound = 0;  // 0: none is asked for.
  std::string unit;
  bool over() const { return bound > 0 && value > bound; }
};

class Evidence {
 public:
  // Proof that the fault did something: takeovers, cut connections, refused writes. A run that
  // names a bite and counts none is void.
  void Bite(const std::string& name, int64_t count) {
    absl::MutexLock lock(&mu_);
    bites_[name] += count;
  }
  // A measured value and the matrix's bound for it; a later one of the same name counts when it is
  // worse. A miss is reported apart from violations: a machine that is shared can be late.
  void Measure(const std::string& name, double value, double bound = 0,
               const std::string& unit = "s") {
    absl::MutexLock lock(&mu_);
    Figure& figure = figures_.try_emplace(name, Figure{value, bound, unit}).first->second;
    if (value > figure.value) figure = {value, bound, unit};
  }
  // How long until things were as they should be, when the row knows better than the longest time
  // without an acknowledged request.
  void Recovered(double seconds) {
    absl::MutexLock lock(&mu_);
    recovery_ = std::max(recovery_.value_or(0), seconds);
  }
  // A promise that was broken. The same text counts once.
  void Violation(const std::string& what) {
    absl::MutexLock lock(&mu_);
    if (violations_.size() < 100 && ++seen_[what] == 1) violations_.push_back(what);
  }
  void Lost(int64_t count) {
    absl::MutexLock lock(&mu_);
    lost_ += count;
  }
  void Doubled(int64_t count) {
    absl::MutexLock lock(&mu_);
    doubled_ += count;
  }
  void Note(const std::string& what) {
    absl::MutexLock lock(&mu_);
    if (notes_.size() < 100) notes_.push_back(what);
  }
  // Fails the run with what was seen when `holds` is false.
  void Expect(bool holds, const std::string& what) {
    if (!holds) Violation(what);
  }

  struct Content {
    std::map<std::string, int64_t> bites;
    std::map<std::string, Figure> figures;
    std::optional<double> recovery;
    std::vector<std::string> violations;
    std::vector<std::string> notes;
    int64_t lost = 0;
    int64_t doubled = 0;
  };
  Content content() const {
    absl::MutexLock lock(&mu_);
    return {bites_, figures_, recovery_, violations_, notes_, lost_, doubled_};
  }

 private:
  mutable absl::Mutex mu_;
  std::map<std::string, int64_t> bites_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Figure> figures_ ABSL_GUARDED_BY(mu_);
  std::optional<double> recovery_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> violations_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int> seen_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> notes_ ABSL_GUARDED_BY(mu_);
  int64_t lost_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t doubled_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace potok::chaos
