// Who plays: the flows, agents, employees and promises that a recorded log implies.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "recorded_log.h"

namespace potok::ctl {

struct CastPerson {
  std::string id;    // Employee id, such as "resolver-89".
  std::string name;  // As the log calls them.
};

struct CastMember {
  std::string agent;  // Employee id.
  int max_active =
      3;  // The most requests of the group the agent was recorded with at once, at least 3.
};

struct CastFlow {
  std::string id;      // "g-70".
  std::string group;   // As the log calls it.
  std::string prefix;  // Of ticket numbers: 2 to 8 capital letters.
  std::vector<CastMember> members;
  bool made_up_member = false;  // Nobody was recorded with a request of this group: it got a member
                                // named after itself.
};

// A promise for one priority. The log says only whether its own was kept; the term that explains
// this best is found by trying.
struct CastTerm {
  int priority = 0;
  int hours = 0;          // From filing to the result, around the clock.
  int64_t agrees = 0;     // Cases whose `made_sla` this term explains,
  int64_t cases = 0;      // of so many.
  bool from_log = false;  // False: a usual term, as the log says too little.
};

struct Cast {
  std::vector<CastFlow> flows;                     // By id.
  std::vector<CastPerson> people;                  // Agents and callers, by id.
  std::map<std::string, size_t> flow_of_group;     // Group -> index in `flows`.
  std::map<std::string, std::string> id_of_agent;  // Name -> employee id.
  std::map<std::string, std::string> id_of_caller;
  std::vector<CastTerm> terms;  // Priorities 1 to 4.
  int auto_close_days = 3;      // So long that the recorded requester is rarely late to accept.

  const CastFlow& FlowOf(const RecordedCase& c) const { return flows[flow_of_group.at(c.group)]; }
  const std::string& CallerOf(const RecordedCase& c) const { return id_of_caller.at(c.caller); }
};

// Pure. The same log gives the same ids.
Cast MakeCast(const RecordedLog& log);

// Urgency and impact, 1 (high) to 3 (low), with which Potok gives `priority`; the recorded ones
// where they do.
struct Degrees {
  int urgency = 2, impact = 2;
};
Degrees DegreesFor(int priority, int urgency, int impact);

// The value in the middle of what `share` of the sorted values do not exceed; 0 for none.
double Quantile(std::vector<double> values, double share);
// 0 = everybody has the same, towards 1 = one has all.
double Gini(std::vector<double> loads);

}  // namespace potok::ctl
