// Which flow a worker looks at next. Pure; not thread-safe.
//
// A sweep finds all flows in which somebody waits, at once: one worker at a time goes through
// them, so that what was just filed does not wait for all of that. A flow that was woken goes
// first, but not for ever.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace potok::router {

class FlowOrder {
 public:
  struct Turn {
    std::string flow;
    bool found = false;  // by a sweep only
    bool swept = false;  // a sweep has found it since its last turn, whoever else woke it
  };
  // After so many flows that were woken, one that a sweep found has its turn.
  static constexpr int kWokenInARow = 4;

  // A flow that waits for its turn already has one; one whose turn it is gets another.
  void Add(const std::string& flow, bool woken) {
    Place& place = places_[flow];
    if (!woken) place.swept = true;
    if (place.pending && (place.woken || !woken)) return;
    if (place.pending && !place.running) {
      found_.erase(std::find(found_.begin(), found_.end(), flow));
    }
    place.pending = true;
    place.woken = woken;
    if (!place.running) (woken ? woken_ : found_).push_back(flow);
  }

  bool ready() const { return !woken_.empty() || MayTakeFound(); }
  // Nothing waits and no turn is under way.
  bool idle() const { return places_.empty(); }

  // Only when ready(). Ends with Done().
  Turn Next() {
    Turn turn;
    turn.found = MayTakeFound() && (woken_.empty() || woken_in_a_row_ >= kWokenInARow);
    woken_in_a_row_ = turn.found ? 0 : woken_in_a_row_ + 1;
    if (turn.found) found_runs_ = true;
    std::deque<std::string>& line = turn.found ? found_ : woken_;
    turn.flow = std::move(line.front());
    line.pop_front();
    turn.swept = places_[turn.flow].swept;
    // A wake from now on is for the next turn: this one may have read the tables already.
    places_[turn.flow] = {.running = true};
    return turn;
  }

  // `more`: it has to be looked at again at once. To the end of the line: a flow with a long queue
  // must not keep the others waiting. `keep_swept`: what is done for a sweep was not.
  void Done(const Turn& turn, bool more, bool keep_swept = false) {
    if (turn.found) found_runs_ = false;
    Place& place = places_[turn.flow];
    place.running = false;
    if (more) place.pending = place.woken = true;
    place.swept = place.swept || (turn.swept && keep_swept);
    if (place.pending) {
      (place.woken ? woken_ : found_).push_back(turn.flow);
    } else {
      places_.erase(turn.flow);
    }
  }

 private:
  struct Place {
    bool running = false;
    bool pending = false;
    bool woken = false;  // pending because somebody said so
    bool swept = false;
  };

  bool MayTakeFound() const { return !found_.empty() && !found_runs_; }

  std::map<std::string, Place> places_;    // running or pending
  std::deque<std::string> woken_, found_;  // pending and not running, in order
  bool found_runs_ = false;
  int woken_in_a_row_ = 0;
};

}  // namespace potok::router
