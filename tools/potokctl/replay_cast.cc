#include "replay_cast.h"

#include <algorithm>
#include <cmath>
#include <openssl/sha.h>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace potok::ctl {
namespace {

constexpr size_t kLongestId = 48;
constexpr size_t kLongestPrefix = 8;
constexpr int kLeastCap = 3;
constexpr int kGreatestCap = 1000;
// Usual terms in hours by priority, for logs that say nothing about theirs.
constexpr int kUsualHours[] = {0, 4, 24, 72, 120};

std::string ShortHash(absl::string_view text) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest);
  return absl::StrFormat("%02x%02x%02x", digest[0], digest[1], digest[2]);
}

// Latin letters and digits of a name in lower case, dashes between them. A name in another alphabet
// gets its hash.
std::string Slug(absl::string_view name) {
  std::string slug;
  bool lost = false;
  for (const char c : name) {
    lost |= static_cast<unsigned char>(c) >= 0x80;
    if (absl::ascii_isalnum(c)) {
      slug += absl::ascii_tolower(c);
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  if (slug.size() > kLongestId) {
    slug.resize(kLongestId);
    lost = true;
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  if (lost || slug.empty()) absl::StrAppend(&slug, slug.empty() ? "" : "-", ShortHash(name));
  return slug;
}

// Gives each name an id of its own.
class Ids {
 public:
  std::string For(absl::string_view prefix, absl::string_view name, absl::string_view nobody) {
    std::string id = absl::StrCat(prefix, name.empty() ? std::string(nobody) : Slug(name));
    if (!taken_.insert(id).second) {
      id = absl::StrCat(id, "-", ShortHash(name));
      taken_.insert(id);
    }
    return id;
  }

 private:
  std::set<std::string> taken_;
};

// Capital letters that tell groups apart: "Group 70" is GCR, G and 70 in letters.
std::string Prefix(absl::string_view group, std::set<std::string>* taken) {
  size_t digits = group.size();
  while (digits > 0 && absl::ascii_isdigit(group[digits - 1])) --digits;
  int64_t number = 0;
  std::string letters;
  if (absl::SimpleAtoi(group.substr(digits), &number) && number > 0 && number < 1000000) {
    for (; number > 0; number = (number - 1) / 26)
      letters.push_back(static_cast<char>('A' + (number - 1) % 26));
    if (letters.size() < 2) letters.push_back('A');
    std::reverse(letters.begin(), letters.end());
  } else {
    for (const char c : group) {
      if (absl::ascii_isalpha(c) && letters.size() < 5) letters += absl::ascii_toupper(c);
    }
    if (letters.empty()) letters.push_back('X');
  }
  const std::string prefix = absl::StrCat("G", letters);
  std::string unique = prefix;
  for (int n = 0; !taken->insert(unique).second; ++n) {
    // As many letters as the number needs, two at least: groups in another alphabet all begin as
    // "GX", and there may be thousands of them.
    std::string suffix;
    for (int rest = n; rest > 0 || suffix.size() < 2; rest /= 26) {
      suffix.insert(suffix.begin(), static_cast<char>('A' + rest % 26));
    }
    unique = absl::StrCat(prefix.substr(0, kLongestPrefix - suffix.size()), suffix);
  }
  return unique;
}

// The most requests of one group that each agent had at the same time.
std::map<std::pair<std::string, std::string>, int> MostAtOnce(const RecordedLog& log) {
  struct Edge {
    absl::Time at;
    int change;
    bool operator<(const Edge& other) const {
      return std::tie(at, change) <
             std::tie(other.at, other.change);  // Who hands over at an instant has one less.
    }
  };
  std::map<std::pair<std::string, std::string>, std::vector<Edge>> edges;
  for (const RecordedCase& c : log.cases) {
    for (const RecordedHold& hold : c.holds) {
      auto& list = edges[{hold.group, hold.agent}];
      list.push_back({hold.from, 1});
      list.push_back({std::max(hold.from, hold.to), -1});
    }
  }
  std::map<std::pair<std::string, std::string>, int> most;
  for (auto& [key, list] : edges) {
    std::sort(list.begin(), list.end());
    int now = 0, peak = 0;
    for (const Edge& edge : list) peak = std::max(peak, now += edge.change);
    most[key] = peak;
  }
  return most;
}

CastTerm TermFor(const RecordedLog& log, int priority) {
  CastTerm term;
  term.priority = priority;
  term.hours = kUsualHours[priority];
  std::vector<std::pair<double, bool>>
      lives;  // Hours to the result, and whether the recorded term was kept.
  for (const RecordedCase& c : log.cases) {
    const std::optional<absl::Time> resolved = c.Resolved();
    if (c.priority == priority && c.made_sla && resolved) {
      lives.emplace_back(absl::ToDoubleHours(*resolved - c.opened), *c.made_sla);
    }
  }
  term.cases = static_cast<int64_t>(lives.size());
  std::sort(lives.begin(), lives.end());
  // With a term between two lives, all shorter ones should have been in time and all longer ones
  // not.
  int64_t agrees =
      std::count_if(lives.begin(), lives.end(), [](const auto& life) { return !life.second; });
  const bool none_in_time = agrees == term.cases;
  const bool all_in_time = agrees == 0;
  int64_t best = agrees;
  double hours = lives.empty() ? 0 : lives.front().first / 2;
  for (size_t i = 0; i < lives.size(); ++i) {
    agrees += lives[i].second ? 1 : -1;
    if (agrees > best) {
      best = agrees;
      hours = lives[i].first;
    }
  }
  if (lives.empty()) return term;
  if (all_in_time) {
    // Any long enough term would do: the usual one where it is.
    term.agrees = term.cases;
    term.hours = std::max(term.hours, static_cast<int>(std::ceil(hours)));
    return term;
  }
  term.from_log = true;
  term.hours = none_in_time ? std::clamp(static_cast<int>(hours), 1, term.hours)
                            : std::max(1, static_cast<int>(std::ceil(hours)));
  term.agrees = std::count_if(lives.begin(), lives.end(), [&](const auto& life) {
    return (life.first <= term.hours) == life.second;
  });
  return term;
}

int AutoCloseDays(const RecordedLog& log) {
  std::vector<double> silent;
  for (const RecordedCase& c : log.cases) {
    for (size_t i = 1; i < c.steps.size(); ++i) {
      if (c.steps[i].kind == RecordedStep::Kind::kClose) {
        silent.push_back(absl::ToDoubleHours(c.steps[i].at - c.steps[i - 1].at) / 24);
      }
    }
  }
  return std::clamp(static_cast<int>(std::floor(Quantile(std::move(silent), 0.95))) + 1, 3, 60);
}

}  // namespace

Cast MakeCast(const RecordedLog& log) {
  Cast cast;
  std::set<std::string> groups = log.groups, agents, callers;
  std::map<std::string, std::set<std::string>> agents_of;
  for (const RecordedCase& c : log.cases) {
    groups.insert(c.group);
    callers.insert(c.caller);
    for (const RecordedHold& hold : c.holds) {
      groups.insert(hold.group);
      agents.insert(hold.agent);
      agents_of[hold.group].insert(hold.agent);
    }
  }
  Ids flow_ids, people_ids;
  for (const std::string& agent : agents) {
    cast.id_of_agent[agent] = people_ids.For("", agent, "agent");
    cast.people.push_back({cast.id_of_agent[agent], agent});
  }
  for (const std::string& caller : callers) {
    cast.id_of_caller[caller] = people_ids.For("", caller, "unknown-caller");
    cast.people.push_back({cast.id_of_caller[caller], caller.empty() ? "Unknown caller" : caller});
  }
  const auto most = MostAtOnce(log);
  std::set<std::string> prefixes;
  std::map<std::string, std::string> group_of_flow;
  for (const std::string& group : groups) {
    CastFlow flow;
    flow.group = group.empty() ? "No group" : group;
    // "Group 70" is g-70: the word in front says nothing that "g" does not.
    const bool plain = group.size() > 6 && absl::EqualsIgnoreCase(group.substr(0, 6), "group ");
    flow.id = flow_ids.For("g-", plain ? group.substr(6) : group, "none");
    flow.prefix = Prefix(group, &prefixes);
    for (const std::string& agent : agents_of[group]) {
      const auto at = most.find({group, agent});
      const int peak = at == most.end() ? 0 : at->second;
      flow.members.push_back({cast.id_of_agent[agent], std::clamp(peak, kLeastCap, kGreatestCap)});
    }
    if (flow.members.empty()) {
      const CastPerson desk = {people_ids.For("", absl::StrCat("desk-", flow.id), "desk"),
                               absl::StrCat("Somebody of ", flow.group)};
      cast.people.push_back(desk);
      flow.members.push_back({desk.id, kGreatestCap});
      flow.made_up_member = true;
    }
    group_of_flow[flow.id] = group;
    cast.flows.push_back(std::move(flow));
  }
  std::sort(cast.flows.begin(), cast.flows.end(),
            [](const CastFlow& a, const CastFlow& b) { return a.id < b.id; });
  size_t index = 0;
  for (const CastFlow& flow : cast.flows) cast.flow_of_group[group_of_flow[flow.id]] = index++;
  std::sort(cast.people.begin(), cast.people.end(),
            [](const CastPerson& a, const CastPerson& b) { return a.id < b.id; });
  for (int priority = 1; priority <= 4; ++priority) cast.terms.push_back(TermFor(log, priority));
  cast.auto_close_days = AutoCloseDays(log);
  return cast;
}

Degrees DegreesFor(int priority, int urgency, int impact) {
  // Potok's rule, by the sum of both: 2 is critical, 5 and 6 are low.
  static constexpr int kBySum[] = {0, 0, 1, 2, 3, 4, 4};
  const int u = urgency == 0 ? 2 : urgency, i = impact == 0 ? 2 : impact;
  if (priority == 0 || kBySum[u + i] == priority) return {u, i};
  switch (priority) {
    case 1: return {1, 1};
    case 2: return {1, 2};
    case 3: return {2, 2};
    default: return {3, 3};
  }
}

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(share * static_cast<double>(values.size())))];
}

double Gini(std::vector<double> loads) {
  std::sort(loads.begin(), loads.end());
  double sum = 0, weighted = 0;
  for (size_t i = 0; i < loads.size(); ++i) {
    sum += loads[i];
    weighted += loads[i] * static_cast<double>(i + 1);
  }
  const auto n = static_cast<double>(loads.size());
  return sum == 0 ? 0 : 2 * weighted / (n * sum) - (n + 1) / n;
}

}  // namespace potok::ctl
