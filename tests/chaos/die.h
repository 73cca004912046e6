// What the chaos program does when it cannot do its own work: it says so and ends. A run that could
// not be made is never taken for one that passed.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace potok::chaos {

[[noreturn]] inline void Die(const std::string& why) {
  std::fprintf(stderr, "potok-chaos cannot go on: %s\n", why.c_str());
  std::exit(3);
}

template <class T>
T OrDie(absl::StatusOr<T> value, const std::string& what) {
  if (!value.ok()) Die(what + ": " + std::string(value.status().message()));
  return *std::move(value);
}

}  // namespace potok::chaos
