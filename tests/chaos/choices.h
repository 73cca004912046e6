// Random choices that a seed fixes: the same seed and the same name give the same choices, whatever
// else was chosen before and in whatever order threads come to it.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::chaos {

// Not thread-safe; make one where it is needed.
class Choices {
 public:
  explicit Choices(uint64_t seed, absl::string_view name = "", uint64_t index = 0) {
    uint64_t hash = 14695981039346656037ULL ^ seed;
    const auto mix = [&hash](uint64_t value) {
      hash = (hash ^ value) * 1099511628211ULL;
      hash ^= hash >> 29;
    };
    for (const char c : name) mix(static_cast<unsigned char>(c));
    mix(index);
    mix(seed);
    random_.seed(hash);
  }
  // 0 .. n-1
  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  // [0, 1)
  double Share() { return static_cast<double>(random_() >> 11) / 9007199254740992.0; }
  bool Chance(double share) { return Share() < share; }
  absl::Duration Between(absl::Duration least, absl::Duration most) {
    return least + (most - least) * Share();
  }
  // A UUID (version 4).
  std::string Uuid() {
    const uint64_t high = random_(), low = random_();
    return absl::StrFormat("%08x-%04x-4%03x-%04x-%012x", high >> 32, (high >> 16) & 0xffff,
                           high & 0xfff, ((low >> 48) & 0x3fff) | 0x8000, low & 0xffffffffffffULL);
  }
  uint64_t Bits() { return random_(); }

 private:
  std::mt19937_64 random_;
};

}  // namespace potok::chaos
