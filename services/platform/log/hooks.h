#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::log {

// What the transport reports to metrics and logs. Called from its threads; must be cheap, must not
// block and must not throw. Each may be empty.
struct Hooks {
  // A loop failed, will wait and try again. `where`: "relay", "consumer:router", "lease:relay" ...
  std::function<void(absl::string_view where, const absl::Status&)> on_error;
  // A batch was committed.
  std::function<void(absl::string_view where, int entries, absl::Duration took)> on_batch;
  // Something an operator should know, said once: lease gained, entry parked, incarnation raised.
  std::function<void(absl::string_view where, absl::string_view what)> on_notice;
  // A dead letter of `group` was carried out, or failed once more.
  std::function<void(absl::string_view group, bool done)> on_replay;

  void Error(absl::string_view where, const absl::Status& status) const {
    if (on_error) on_error(where, status);
  }
  void Batch(absl::string_view where, int entries, absl::Duration took) const {
    if (on_batch) on_batch(where, entries, took);
  }
  void Notice(absl::string_view where, absl::string_view what) const {
    if (on_notice) on_notice(where, what);
  }
  void Replay(absl::string_view group, bool done) const {
    if (on_replay) on_replay(group, done);
  }
};

}  // namespace potok::log
