// Ticket ids: UUIDv7 whose 12 bits after the version nibble hold the part, so that a look-up by id
// needs no search, and the stream names of the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "desk/ticket/state.h"

namespace potok::desk {

// Parts of a deployment, fixed at installation: the key of distribution of every ledger table.
inline constexpr int kParts = 16;

// hash(caller, request_id) % kParts; stable across processes and releases (FNV-1a, spelled out here
// because std::hash and absl::Hash may differ from one build to the next).
int PartOf(absl::string_view caller, absl::string_view request_id);

// A UUIDv7 of `part` at `now`; `random` brings 62 random bits.
std::string MakeTicketId(absl::Time now, int part, uint64_t random);

// The part inside a ticket id; nullopt when `id` is not a lower-case UUID of a known part.
std::optional<int> PartOfTicketId(absl::string_view id);

// Any UUID in canonical lower-case form.
bool IsUuid(absl::string_view text);

// Topics of the log. Assignment and escalation travel alone, so a flood of comments never delays
// them.
enum class Topic { kAssignment = 1, kEscalation = 2, kLifecycle = 3 };
Topic TopicOf(EventType type);

}  // namespace potok::desk
