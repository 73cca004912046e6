#include "chaos/oracle.h"

#include <algorithm>
#include <chrono>

namespace potok::chaos {

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

void Oracle::Add(Filing filing) {
  absl::MutexLock lock(&mu_);
  filings_.push_back(std::move(filing));
}
void Oracle::Add(Pick pick) {
  absl::MutexLock lock(&mu_);
  picks_.push_back(std::move(pick));
}
void Oracle::Add(Act act) {
  absl::MutexLock lock(&mu_);
  acts_.push_back(std::move(act));
}

std::vector<Filing> Oracle::filings() const {
  absl::MutexLock lock(&mu_);
  return filings_;
}
std::vector<Pick> Oracle::picks() const {
  absl::MutexLock lock(&mu_);
  return picks_;
}
std::vector<Act> Oracle::acts() const {
  absl::MutexLock lock(&mu_);
  return acts_;
}

int64_t Oracle::acknowledged() const {
  absl::MutexLock lock(&mu_);
  return std::count_if(filings_.begin(), filings_.end(),
                       [](const Filing& filing) { return filing.outcome == Told::Outcome::kOk; });
}

absl::Duration Oracle::LongestGap(absl::Duration from, absl::Duration to) const {
  std::vector<absl::Duration> instants = {from, to};
  {
    absl::MutexLock lock(&mu_);
    for (const Filing& filing : filings_) {
      if (filing.outcome == Told::Outcome::kOk && filing.answered > from && filing.answered < to) {
        instants.push_back(filing.answered);
      }
    }
  }
  std::sort(instants.begin(), instants.end());
  absl::Duration longest;
  for (size_t i = 1; i < instants.size(); ++i) {
    longest = std::max(longest, instants[i] - instants[i - 1]);
  }
  return longest;
}

std::vector<double> Oracle::Latencies(absl::Duration from, absl::Duration to) const {
  absl::MutexLock lock(&mu_);
  std::vector<double> seconds;
  for (const Filing& filing : filings_) {
    if (filing.outcome != Told::Outcome::kOk || filing.due < from || filing.due > to) continue;
    seconds.push_back(absl::ToDoubleSeconds(filing.answered - filing.due));
  }
  return seconds;
}

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(share * static_cast<double>(values.size())))];
}

}  // namespace potok::chaos
