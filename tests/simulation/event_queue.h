// Virtual time: what happens next, and when.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace potok::simulation {

using Micros = std::int64_t;
inline constexpr Micros kMillisecond = 1000;
inline constexpr Micros kSecond = 1000 * kMillisecond;

// Events of the same instant happen in the order in which they were put in.
class EventQueue {
 public:
  Micros now() const { return now_; }
  std::int64_t steps() const { return steps_; }

  void In(Micros wait, std::function<void()> what) {
    events_.push_back({now_ + std::max<Micros>(wait, 0), next_++, std::move(what)});
    std::push_heap(events_.begin(), events_.end(), Later);
  }
  // Runs the next event; false when there is none before `end`.
  bool Step(Micros end) {
    if (events_.empty() || events_.front().at > end) {
      now_ = std::max(now_, end);
      return false;
    }
    std::pop_heap(events_.begin(), events_.end(), Later);
    Event event = std::move(events_.back());
    events_.pop_back();
    now_ = event.at;
    ++steps_;
    event.what();
    return true;
  }

 private:
  struct Event {
    Micros at;
    std::int64_t number;
    std::function<void()> what;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.number > b.number;
  }

  std::vector<Event> events_;  // a heap
  Micros now_ = 0;
  std::int64_t next_ = 0;
  std::int64_t steps_ = 0;
};

}  // namespace potok::simulation
