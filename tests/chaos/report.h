// Results as lines of JSON, and the table of README.md made of them.
#pragma once

#include <string>

#include "chaos/run.h"

namespace potok::chaos {

// What the terminal shows of a run; several lines when something is wrong.
std::string Describe(const RunResult& result);
void Append(const std::string& file, const RunResult& result);
// A run that ended before it had a result; counts as a violation.
void AppendNotMade(const std::string& file, const Row& row, uint64_t seed, const std::string& why);
// Rewrites what stands between the two markers of `readme` by what `report` tells.
void WriteTable(const std::string& report, const std::string& readme);

}  // namespace potok::chaos
