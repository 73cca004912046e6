#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"

namespace potok::log {

// One entry of the log: what happened to which entity. Thin on purpose: whoever needs more reads
// the entity's row by (entity, version), which is also the entry's identity.
struct LogEntry {
  int topic = 0;
  int part = 0;
  std::int64_t pos = 0;  // dense within (topic, part), from 1
  std::string entity;    // uuid
  std::int64_t version = 0;
  std::string type;
  absl::Time at;  // real time at which it was written to the outbox
};

// The Redis key of a stream. The transport does not choose names; desk/stream_names.h does.
using StreamKey = std::function<std::string(int incarnation, int topic, int part)>;

}  // namespace potok::log
