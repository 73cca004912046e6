// The one source of chance in a simulation: the same seed, the same schedule, on every machine.
#pragma once

#include <cstdint>

namespace potok::simulation {

// xorshift128+ over splitmix64: std's distributions differ between libraries, these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : a_(Mix(seed)), b_(Mix(seed + 0x9e3779b97f4a7c15ULL) | 1) {}

  std::uint64_t Next() {
    std::uint64_t x = a_;
    const std::uint64_t y = b_;
    a_ = y;
    x ^= x << 23;
    b_ = x ^ y ^ (x >> 17) ^ (y >> 26);
    return b_ + y;
  }
  // In [0, n).
  std::int64_t Below(std::int64_t n) {
    return static_cast<std::int64_t>(Next() % static_cast<std::uint64_t>(n));
  }
  // In [low, high].
  std::int64_t Between(std::int64_t low, std::int64_t high) { return low + Below(high - low + 1); }
  // In [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  bool Chance(double probability) { return Uniform() < probability; }

 private:
  static std::uint64_t Mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }

  std::uint64_t a_;
  std::uint64_t b_;
};

}  // namespace potok::simulation
