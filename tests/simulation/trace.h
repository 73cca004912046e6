// The story of one schedule, told only when it is replayed.
#pragma once

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "simulation/event_queue.h"

namespace potok::simulation {

class Trace {
 public:
  explicit Trace(bool on) : on_(on) {}
  bool on() const { return on_; }

  template <class... A>
  void Say(Micros now, const A&... parts) const {
    if (!on_) return;
    std::cout << absl::StrFormat("%9.3f s  ", static_cast<double>(now) / kSecond)
              << absl::StrCat(parts...) << "\n";
  }

 private:
  const bool on_;
};

}  // namespace potok::simulation
