// Tells the story on the screen as it happens: whole lines from many threads, and below them the
// running clock.
#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace potok::ctl {

// Thread-safe.
class Narrator {
 public:
  Narrator();
  // A step of the told requests: "Пн 16.11 09:05  HR-000001  text", and further lines below the
  // text.
  void Tell(absl::Time when, absl::string_view number, absl::string_view text,
            const std::vector<std::string>& more = {});
  // One line about a request among many.
  void Mention(absl::Time when, absl::string_view number, absl::string_view text);
  // A line across, such as the name of a day.
  void Chapter(absl::string_view title);
  // Replaces the last line of a terminal; nothing elsewhere. Gone when the next line is told.
  void Live(absl::string_view text);

 private:
  void Print(const std::string& lines);

  const bool terminal_;
  absl::Mutex mu_;
  bool live_ ABSL_GUARDED_BY(mu_) = false;
};

// What the story promises to show. Each is seen or not: the demo succeeds only when all were.
enum class Shown {
  kPromise,
  kNeededToday,
  kPassedOver,
  kHalfTerm,
  kBreach,
  kPause,
  kSentBack,
  kAccepted,
  kRatedHigh,
  kRatedLow,
  kNight,
  kDeclined,
  kModes,
  kMail,
  kBackground,
};

// Thread-safe.
class Checks {
 public:
  Checks();
  void Seen(Shown what, std::string detail);
  // Something that had to happen did not; said at the end.
  void Missed(std::string why);
  // Prints all of them; true when each was seen and nothing was missed.
  bool Print() const;

 private:
  struct Item {
    Shown what;
    const char* text;
    bool seen = false;
    std::string detail;
  };
  mutable absl::Mutex mu_;
  std::vector<Item> items_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> missed_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::ctl
