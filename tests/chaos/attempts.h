// What callers met between two instants, attempt by attempt: what they would have seen without
// repeating anything.
#pragma once

#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "chaos/row.h"

namespace potok::chaos {

class Attempts {
 public:
  explicit Attempts(Scene& scene) : scene_(scene), before_(scene.traffic.caller().counts()) {}

  struct Seen {
    int64_t calls = 0;
    int64_t failed = 0;  // Calls, for callers who repeat as they are asked to.
    int64_t attempts = 0;
    int64_t advised = 0;                     // Attempts that were told when to come again.
    std::map<std::string, int64_t> by_code;  // "UNAVAILABLE" -> attempts that ended so.
    // Attempts that ended by no fault of the caller's.
    int64_t cut() const {
      int64_t count = 0;
      for (const char* code :
           {"UNAVAILABLE", "UNKNOWN", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL"}) {
        const auto it = by_code.find(code);
        count += it == by_code.end() ? 0 : it->second;
      }
      return count;
    }
    int64_t of(const std::string& code) const {
      const auto it = by_code.find(code);
      return it == by_code.end() ? 0 : it->second;
    }
    double cut_share() const {
      return attempts == 0 ? 0 : static_cast<double>(cut()) / static_cast<double>(attempts);
    }
  };

  // Since this was made.
  Seen seen() const {
    const CallCounts now = scene_.traffic.caller().counts();
    Seen seen;
    seen.calls = now.calls - before_.calls;
    seen.failed = now.failed - before_.failed;
    seen.attempts = now.attempts - before_.attempts;
    seen.advised = now.advised - before_.advised;
    for (const auto& [what, times] : now.bad_attempts) {
      const auto it = before_.bad_attempts.find(what);
      const int64_t more = times - (it == before_.bad_attempts.end() ? 0 : it->second);
      if (more > 0) seen.by_code[what.substr(what.find(' ') + 1)] += more;
    }
    return seen;
  }

  // Whatever is wrong with the storage, a caller is told to come again, or that it is unknown what
  // became of the call: never that Potok has a bug, never that the caller has one.
  void ExpectHonest() const {
    const Seen seen = this->seen();
    for (const char* code :
         {"INTERNAL", "DATA_LOSS", "UNIMPLEMENTED", "UNAUTHENTICATED", "INVALID_ARGUMENT"}) {
      const int64_t count = seen.of(code);
      scene_.evidence.Expect(count == 0,
                             absl::StrCat(count, " attempts were answered with ", code));
    }
    scene_.evidence.Expect(seen.failed == 0,
                           absl::StrCat(seen.failed, " calls failed for callers that repeat them"));
  }

 private:
  Scene& scene_;
  const CallCounts before_;
};

}  // namespace potok::chaos
