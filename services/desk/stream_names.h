// Every Redis key of Potok is made here. Keys name the incarnation first, so that a log begun anew
// never meets the entries of the old one, and carry the part in a hash tag, so that a Redis Cluster
// keeps a part together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "desk/ticket/ids.h"

namespace potok::desk {

// The stream of one topic (1 assignment, 2 escalation, 3 lifecycle) and part.
inline std::string EventStream(int incarnation, int topic, int part) {
  return absl::StrCat("ev:", incarnation, ":", topic, ":{", part, "}");
}

// Where processes that write the outbox but own no relay ring the relay's bell.
inline constexpr char kWakeChannel[] = "wake:outbox";

// Where whoever has just brought a ticket into its queue tells the routers, in words of this kind:
// one a line.
inline constexpr char kQueuedChannel[] = "wake:queued";
struct QueuedWord {
  int part = 0;
  std::string flow;
};
inline std::string MakeQueuedWord(int part, absl::string_view flow) {
  return absl::StrCat(part, " ", flow);
}
// nullopt for what is no such word.
inline std::optional<QueuedWord> ParseQueuedWord(absl::string_view word) {
  const size_t space = word.find(' ');
  QueuedWord queued;
  if (space == absl::string_view::npos || !absl::SimpleAtoi(word.substr(0, space), &queued.part)) {
    return std::nullopt;
  }
  queued.flow = std::string(word.substr(space + 1));
  return queued;
}

// All parts of a deployment, for those who compete for them.
inline std::vector<int> AllParts() {
  std::vector<int> parts;
  for (int part = 0; part < kParts; ++part) parts.push_back(part);
  return parts;
}

}  // namespace potok::desk
