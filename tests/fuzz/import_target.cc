// Recorded incident logs: any file somebody points `potokctl import` at. The first line may say how
// to read it ("#map field=column"); the rest is the file.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "base/utf8.h"
#include "fuzz/target.h"
#include "potokctl/recorded_log.h"
#include "potokctl/recorded_log_columns.h"
#include "potokctl/replay_cast.h"
#include "potokctl/replay_time.h"

namespace potok::fuzz {
namespace {

using ctl::RecordedCase;
using ctl::RecordedLog;

void CheckCase(const RecordedCase& c, const RecordedLog& log) {
  FUZZ_CHECK(!c.id.empty() && c.rows > 0, c.id);
  FUZZ_CHECK(CountUtf8(c.id).has_value() && CountUtf8(c.title).has_value(), c.id);
  absl::Time last = c.opened;
  for (const ctl::RecordedStep& step : c.steps) {
    FUZZ_CHECK(step.at >= last, c.id);
    last = step.at;
  }
  for (const ctl::RecordedHold& hold : c.holds) {
    FUZZ_CHECK(!hold.agent.empty() && hold.from >= c.opened && hold.to >= hold.from, c.id);
  }
  FUZZ_CHECK(c.group.empty() || log.groups.count(c.group) > 0, c.group);
  FUZZ_CHECK(c.priority >= 0 && c.priority <= 4 && c.urgency >= 0 && c.urgency <= 3 &&
                 c.impact >= 0 && c.impact <= 3,
             c.id);
  FUZZ_CHECK(c.reassignments >= 0, c.id);
}

void CheckLog(const RecordedLog& log) {
  FUZZ_CHECK(!log.cases.empty(), "");
  FUZZ_CHECK(log.bad_count >= static_cast<int64_t>(log.bad.size()) && log.bad_count <= log.rows,
             absl::StrCat(log.bad_count));
  int64_t good = 0;
  for (size_t i = 0; i < log.cases.size(); ++i) {
    good += log.cases[i].rows;
    CheckCase(log.cases[i], log);
    if (i > 0) FUZZ_CHECK(log.cases[i - 1].opened <= log.cases[i].opened, log.cases[i].id);
  }
  FUZZ_CHECK(good + log.bad_count == log.rows, absl::StrCat(good, " of ", log.rows));
  FUZZ_CHECK(log.changes + log.touches == good, absl::StrCat(log.changes));
  for (const ctl::BadRow& bad : log.bad) {
    FUZZ_CHECK(bad.line > 1 && bad.column >= 0 && !bad.reason.empty(), bad.reason);
  }
}

void CheckCast(const RecordedLog& log) {
  const ctl::Cast cast = ctl::MakeCast(log);
  std::set<std::string> ids, prefixes;
  for (const ctl::CastPerson& person : cast.people) {
    FUZZ_CHECK(ids.insert(person.id).second, person.id);
    FUZZ_CHECK(!person.id.empty() && person.id.size() <= 63 &&
                   std::all_of(person.id.begin(), person.id.end(),
                               [](char c) {
                                 return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                                        (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
                               }),
               person.id);
  }
  for (const ctl::CastFlow& flow : cast.flows) {
    FUZZ_CHECK(prefixes.insert(flow.prefix).second, flow.prefix);
    FUZZ_CHECK(flow.prefix.size() >= 2 && flow.prefix.size() <= 8 &&
                   std::all_of(flow.prefix.begin(), flow.prefix.end(),
                               [](char c) { return c >= 'A' && c <= 'Z'; }),
               flow.prefix);
    FUZZ_CHECK(!flow.members.empty(), flow.id);
    for (const ctl::CastMember& member : flow.members) {
      FUZZ_CHECK(ids.count(member.agent) > 0 && member.max_active >= 1, member.agent);
    }
  }
  for (const RecordedCase& c : log.cases) {
    FUZZ_CHECK(cast.flow_of_group.count(c.group) > 0, c.group);
    FUZZ_CHECK(cast.id_of_caller.count(c.caller) > 0 && ids.count(cast.CallerOf(c)) > 0, c.caller);
    for (const ctl::RecordedHold& hold : c.holds) {
      FUZZ_CHECK(cast.id_of_agent.count(hold.agent) > 0, hold.agent);
    }
    const ctl::Degrees degrees = ctl::DegreesFor(c.priority, c.urgency, c.impact);
    FUZZ_CHECK(
        degrees.urgency >= 1 && degrees.urgency <= 3 && degrees.impact >= 1 && degrees.impact <= 3,
        c.id);
  }
}

void CheckTimes(const RecordedLog& log) {
  const ctl::ReplayTime axis = ctl::MakeReplayTime(log);
  absl::Time last = axis.Played(axis.first);
  for (const RecordedCase& c : log.cases) {
    const absl::Time played = axis.Played(c.opened);
    FUZZ_CHECK(played >= last && c.opened >= axis.first && c.opened <= axis.last, c.id);
    last = played;
  }
  FUZZ_CHECK(axis.Span() >= absl::ZeroDuration(), absl::FormatDuration(axis.Span()));
}

// A time that is read is read again from how it is usually written.
void CheckTime(absl::string_view text) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const auto time = ctl::ParseLogTime(text, utc, false);
  if (!time) return;
  const std::string usual = absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", *time, utc);
  FUZZ_CHECK(ctl::ParseLogTime(usual, utc, true) == *time, absl::StrCat(text, " ", usual));
}

}  // namespace

void FuzzImport(absl::string_view input) {
  ctl::LogReading reading;
  absl::string_view file = input;
  if (absl::ConsumePrefix(&file, "#map ")) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(file, absl::MaxSplits('\n', 1));
    const std::pair<std::string, std::string> map =
        absl::StrSplit(parts.first, absl::MaxSplits('=', 1));
    reading.columns[map.first] = map.second;
    file = parts.second;
  }
  CheckTime(file.substr(0, file.find('\n')));
  std::istringstream in{std::string(file)};
  const auto log = ctl::ReadRecordedLog(in, reading);
  if (!log.ok()) {
    FUZZ_CHECK(log.status().code() == absl::StatusCode::kInvalidArgument, log.status().ToString());
    return;
  }
  CheckLog(*log);
  CheckCast(*log);
  CheckTimes(*log);
}

}  // namespace potok::fuzz
