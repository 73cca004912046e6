// What Redis says about streams, as far as relay and consumers act on it. Redis is a hint, and
// whoever can write to it can say anything: a reply of an unexpected shape is no news. Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "platform/log/consumer_core.h"
#include "platform/redis/redis.h"

namespace potok::log {

// "123-0" -> 123; 0 for what is no id. One beyond all positions counts as the last of them.
std::int64_t PositionOf(absl::string_view id);

// The id given last in a stream, of a reply to XINFO STREAM; 0 when the reply does not say.
std::int64_t LastPosition(const redis::Reply& info);

// "123-4"; nothing for what Redis would not give. Wider than positions are: whoever can write to
// Redis chooses.
std::optional<EntryId> IdOf(absl::string_view id);
std::string ToText(EntryId id);

// The newest entry of each stream that has one, of a reply to XREAD.
struct StreamNews {
  std::string key;
  std::int64_t pos = 0;
  // All of them, oldest first, without their stream. What lacks the fields of the relay says so by
  // its entity, "?".
  std::vector<HeardEntry> entries;
};
std::vector<StreamNews> NewsIn(const redis::Reply& read);

// Whether more than `share` of maxmemory is used, of a reply to INFO memory. Without a limit never.
bool UsesMoreThan(double share, const redis::Reply& info);

}  // namespace potok::log
