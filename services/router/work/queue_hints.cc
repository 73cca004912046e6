#include "router/work/queue_hints.h"

#include <utility>

#include "absl/strings/str_split.h"

#include "desk/stream_names.h"

namespace potok::router {

QueueHints::QueueHints(redis::Options redis, std::function<bool(int part)> ours,
                       ledger::Reference& reference, FlowBell& bell, log::Hooks hooks)
    : ours_(std::move(ours)),
      reference_(reference),
      bell_(bell),
      listener_(
          std::move(redis), desk::kQueuedChannel,
          [this](absl::string_view message) { Heard(message); }, std::move(hooks)) {}

void QueueHints::Heard(absl::string_view message) {
  const auto reference = reference_.Snapshot();
  for (const absl::string_view word : absl::StrSplit(message, '\n')) {
    const auto queued = desk::ParseQueuedWord(word);
    // What is not known here, or not of our making, is left to the log.
    if (!queued || !ours_(queued->part) || reference->Flow(queued->flow) == nullptr) continue;
    bell_.Wake(queued->flow);
  }
}

}  // namespace potok::router
