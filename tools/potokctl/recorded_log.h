// A recorded incident log as cases: what was asked, who had it when, and what happened at which
// time.
#pragma once

#include <istream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace potok::ctl {

// One change of state, as Potok knows changes.
struct RecordedStep {
  enum class Kind { kStart, kWait, kResume, kResolve, kClose, kSendBack, kCancel };
  Kind kind;
  absl::Time at;
  std::string state;  // As the log calls it, such as "Awaiting User Info".
};

// Somebody had the request from `from` until `to`.
struct RecordedHold {
  std::string agent, group;
  absl::Time from, to;
};

struct RecordedCase {
  std::string id;
  std::string caller;  // Empty where unknown, as are the next five.
  std::string contact, category, subcategory, title;
  std::string group;  // The last known group: the one that did the work.
  int priority = 0;   // 1 to 4 as filed; 0 = unknown, as are the next two.
  int urgency = 0, impact = 0;
  bool priority_changed = false;
  absl::Time opened;
  std::vector<RecordedStep> steps;  // By time; never before `opened`.
  std::vector<RecordedHold> holds;
  int reassignments = 0;  // By the log's own count where it has one.
  int group_changes = 0;  // Changes of the known group, and of the known person within one group.
  int agent_changes = 0;
  std::optional<bool> made_sla;
  int rows = 0;

  // Last resolution; unset when it never was.
  std::optional<absl::Time> Resolved() const;
  // Whoever had it last; empty when nobody is known.
  std::string LastAgent() const { return holds.empty() ? "" : holds.back().agent; }
};

struct BadRow {
  int64_t line = 0;
  int column = 0;  // 1-based; 0 = the row as a whole.
  std::string column_name;
  std::string reason;
};

struct RecordedLog {
  std::vector<RecordedCase> cases;  // By time of filing.
  int64_t rows = 0;                 // Rows under the header, bad ones included.
  int64_t bad_count = 0;
  std::vector<BadRow> bad;                     // The first of them.
  std::map<std::string, std::string> columns;  // Field -> column.
  std::set<std::string> groups;  // All that were ever named; "" where a request has none.
  int64_t changes = 0;           // Rows that changed the state,
  int64_t touches = 0;           // and rows that did not.
};

struct LogReading {
  std::map<std::string, std::string> columns;  // Field -> column, where the guess is wrong.
  absl::TimeZone zone = absl::UTCTimeZone();   // Of times that do not say theirs.
  size_t keep_bad = 20;                        // How many bad rows are kept; all are counted.
};

// Pure but for reading `in`. A bad row is skipped and told in `bad`; only a file without usable
// columns or cases is an error.
absl::StatusOr<RecordedLog> ReadRecordedLog(std::istream& in, const LogReading& reading);

}  // namespace potok::ctl
