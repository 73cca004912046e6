// How long the desk took to give tickets to somebody, out of its own tables.
#pragma once

#include <string>

#include "chaos/plant.h"

namespace potok::chaos {

// An instant of business time, as Postgres writes it.
std::string BusinessNow(Plant& plant);

// Real seconds from filing to the first assignment of the tickets that were filed in [from, to]
// into the flow whose agents always have room: the quantile `share`. Those that nobody has yet
// count with their age. -1 when none was filed.
double AssignmentQuantile(Plant& plant, const std::string& from, const std::string& to,
                          double share);

}  // namespace potok::chaos
