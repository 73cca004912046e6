// One schedule of the transport: relays, consumers and their leases in a few processes over one
// Postgres and one Redis, under faults, then in quiet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "simulation/flaw.h"

namespace potok::simulation {

struct ScheduleResult {
  std::optional<std::string> violation;
  // That something happened at all: sums over a suite must not be zero.
  std::int64_t steps = 0;
  std::int64_t events = 0;  // committed
  std::int64_t gains = 0;   // of leases
  std::int64_t faults = 0;
  std::int64_t parked = 0;
};

// The leases alone, with more processes and parts than the whole transport could afford.
ScheduleResult RunLeases(std::uint64_t seed, Flaw flaw, bool trace);

ScheduleResult RunTransport(std::uint64_t seed, Flaw flaw, bool trace);

}  // namespace potok::simulation
