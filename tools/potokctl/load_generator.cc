#include "load_generator.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace potok::ctl {
namespace {

using SteadyClock = std::chrono::steady_clock;

// An open loop that nobody answers would fill the memory instead of telling so.
constexpr int64_t kMostUnanswered = 20000;

class Generator {
 public:
  Generator(const LoadPlan& plan, const SendCall& send) : plan_(plan), send_(send) {
    start_ = SteadyClock::now();
    count_from_ = start_ + absl::ToChronoNanoseconds(plan.warm_up);
    end_ = plan.length > absl::ZeroDuration() ? count_from_ + absl::ToChronoNanoseconds(plan.length)
                                              : SteadyClock::time_point::max();
  }

  LoadResult Run() {
    if (plan_.rate > 0) {
      OpenLoop();
    } else {
      for (int slot = 0; slot < plan_.slots; ++slot) Next();
    }
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &Generator::AllAnswered));
    const SteadyClock::time_point end = std::min(end_, last_);
    result_.length = absl::FromChrono(end - std::min(end, count_from_));
    return std::move(result_);
  }

 private:
  bool AllAnswered() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return unanswered_ == 0 && (plan_.rate <= 0 || all_sent_);
  }

  bool Over(int64_t number, SteadyClock::time_point now) const {
    return now >= end_ || (plan_.count > 0 && number >= plan_.count);
  }

  void Next() {
    const SteadyClock::time_point now = SteadyClock::now();
    const int64_t number = next_.fetch_add(1);
    if (Over(number, now)) return;
    Send(number, now, /*again=*/true);
  }

  void OpenLoop() {
    const std::chrono::duration<double> gap(1 / plan_.rate);
    for (int64_t number = 0;; ++number) {
      const auto due = start_ + std::chrono::duration_cast<SteadyClock::duration>(
                                    gap * static_cast<double>(number));
      if (Over(number, due)) break;
      std::this_thread::sleep_until(due);
      {
        absl::MutexLock lock(&mu_);
        if (unanswered_ >= kMostUnanswered) {
          ++result_.unsent;
          continue;
        }
      }
      Send(number, due, /*again=*/false);
    }
    absl::MutexLock lock(&mu_);
    all_sent_ = true;
  }

  void Send(int64_t number, SteadyClock::time_point since, bool again) {
    {
      absl::MutexLock lock(&mu_);
      ++unanswered_;
    }
    send_(number, [this, since, again](const grpc::Status& status) {
      const SteadyClock::time_point now = SteadyClock::now();
      Record(status, now, std::chrono::duration<double>(now - since).count());
      if (again) Next();
      absl::MutexLock lock(&mu_);
      --unanswered_;
    });
  }

  void Record(const grpc::Status& status, SteadyClock::time_point now, double seconds) {
    absl::MutexLock lock(&mu_);
    if (now < count_from_ || now > end_) return;
    last_ = std::max(last_, now);
    if (status.ok()) {
      ++result_.answered;
      result_.seconds.push_back(seconds);
    } else {
      ++result_.failed[absl::StrCat("status ", static_cast<int>(status.error_code()), ": ",
                                    status.error_message())];
    }
  }

  const LoadPlan& plan_;
  const SendCall& send_;
  SteadyClock::time_point start_, count_from_, end_;
  std::atomic<int64_t> next_{0};
  absl::Mutex mu_;
  int64_t unanswered_ ABSL_GUARDED_BY(mu_) = 0;
  bool all_sent_ ABSL_GUARDED_BY(mu_) = false;
  SteadyClock::time_point last_ ABSL_GUARDED_BY(mu_);
  LoadResult result_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

LoadResult GenerateLoad(const LoadPlan& plan, const SendCall& send) {
  return Generator(plan, send).Run();
}

}  // namespace potok::ctl
