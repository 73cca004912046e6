#pragma once

#include "absl/time/time.h"

namespace potok::log {

// In the careful stretch after an owner vanished, the attempt that was written and never ended is
// taken for the one that killed the process. So that it is the only one, such attempts of all
// groups in this process take turns. Thread-safe.
class CarefulTurn {
 public:
  CarefulTurn() = default;
  ~CarefulTurn() { Give(); }
  CarefulTurn(const CarefulTurn&) = delete;
  CarefulTurn& operator=(const CarefulTurn&) = delete;

  // True when it is ours now, false when it was another's for all of `patience`.
  bool TakeFor(absl::Duration patience);
  void Give();  // no-op when it is not ours

 private:
  bool mine_ = false;
};

}  // namespace potok::log
