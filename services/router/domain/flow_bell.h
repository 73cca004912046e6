// How the rest of the service tells the routing loop that something changed. Level-triggered: a
// ring that is lost or repeated costs time, never truth.
#pragma once

#include <string>

namespace potok::router {

// Implementations are thread-safe and do not block.
class FlowBell {
 public:
  virtual ~FlowBell() = default;

  // Something in the flow may be handed out now.
  virtual void Wake(const std::string& flow) = 0;
  // Somebody left or came back: look at everything now instead of at the next sweep.
  virtual void SweepSoon() = 0;
};

}  // namespace potok::router
