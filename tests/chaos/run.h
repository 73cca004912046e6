// One run of one row.
#pragma once

#include <string>

#include "absl/time/time.h"

#include "chaos/row.h"

namespace potok::chaos {

struct RunOptions {
  uint64_t seed = 1;
  absl::Duration length;  // Zero: the row's own.
  double rate = 0;        // Creates a second; zero: the row's own.
  bool verbose = false;   // The last words of every service also after a good run.
};

struct RunResult {
  int row = 0;
  std::string fault;
  uint64_t seed = 0;
  Evidence::Content evidence;
  double seconds = 0;
  double recovery = 0;
  int64_t acknowledged = 0;
  int64_t calls = 0;
  int64_t failed_calls = 0;
  std::map<std::string, int64_t> bad_attempts;
  int64_t looks = 0;  // Of the judge during the run.
  std::string skipped;

  std::vector<std::string> must_see;  // Of the row.

  // A line for each bite that was named and never bit: such a run is void.
  std::vector<std::string> Unbitten() const;
  bool is_void() const { return !Unbitten().empty(); }
  bool ok() const;
};

RunResult RunRow(const Row& row, const RunOptions& options);

}  // namespace potok::chaos
