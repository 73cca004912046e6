// Wakes the flow of a ticket that has just come into its queue, before the log has carried the
// event here: whoever committed it says so on a channel of Redis.
//
// Only a hint. The log tells the same a few milliseconds later to whom this was lost, and the sweep
// after a second. Of several routers the one that handles the ticket's part in the log listens, as
// it would be the one to act then.
#pragma once

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

#include "ledger/reference.h"
#include "platform/log/wake.h"
#include "router/domain/flow_bell.h"

namespace potok::router {

class QueueHints {
 public:
  // `ours`: whether this process handles a part; thread-safe. `reference` and `bell` outlive it.
  QueueHints(redis::Options redis, std::function<bool(int part)> ours, ledger::Reference& reference,
             FlowBell& bell, log::Hooks hooks);

 private:
  void Heard(absl::string_view message);

  const std::function<bool(int part)> ours_;
  ledger::Reference& reference_;
  FlowBell& bell_;
  log::WakeListener listener_;
};

}  // namespace potok::router
