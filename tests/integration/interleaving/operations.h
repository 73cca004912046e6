// What people and loops do to a ticket, each as the service that offers it does it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "integration/interleaving/world.h"

namespace potok::interleaving {

// What a caller was told, or what a loop did.
struct Answer {
  absl::Status status;
  std::string reason;                           // ErrorDetail::reason of a refusal.
  std::map<std::string, std::string> metadata;  // And what it says about the ticket.
  std::string ticket;                           // Of an OK answer to a person: what it is about,
  int64_t version = 0;                          // the version it says that the call made,
  std::string state;                            // and the state, where the answer shows one.
  std::string did;                              // Of a loop: "assigned 1", "fired", "nothing".

  // A loop that did nothing: what there was to do is left to its next turn.
  bool Nothing() const { return did == "nothing"; }
  // For comparison between orders: no ids, no versions.
  std::string Text() const;
};

struct Operation {
  const char* name;
  Needs needs;
  const char* event;  // The type of the event that it appends.
  const char* actor;  // "anna", "petrov", "system": who the event says it was.
  bool loop;          // Comes back by itself, so it may leave work to its next turn.
  std::function<Answer(Replica&, const Case&, const std::string& request_id)> run;
  // The next turn of a loop; for leaving it is the sweep that follows.
  std::function<void(Replica&, const Case&)> next_turn;
};

absl::Span<const Operation> Operations();
const Operation& Find(const std::string& name);

// A picks a ticket, and hands one over, where the names of agents are to be chosen: for races for
// one slot.
Answer SelfPick(Replica& replica, const std::string& ticket, const std::string& agent,
                const std::string& request_id);
Answer Transfer(Replica& replica, const std::string& ticket, const std::string& from,
                const std::string& to, const std::string& request_id);
Answer Give(Replica& replica, const std::string& ticket, const std::string& to,
            const std::string& request_id);

}  // namespace potok::interleaving
