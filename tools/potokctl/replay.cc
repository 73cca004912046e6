#include "replay.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"

#include "commands.h"
#include "recorded_log.h"
#include "replay_cast.h"
#include "replay_clock.h"
#include "replay_player.h"
#include "replay_report.h"
#include "replay_setup.h"
#include "replay_tickets.h"
#include "replay_time.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

constexpr double kSeconds = 155;
// Of those: from the start of the clock to the first filing (five services start, the company is
// set up), and behind the last step.
constexpr double kBefore = 7;
constexpr double kAfter = 3;
// A stack whose clock is this near to the log's times was started for it.
constexpr absl::Duration kSameTimes = absl::Hours(24 * 14);

struct Readied {
  RecordedLog log;
  Cast cast;
  ReplayTime axis;
};

absl::StatusOr<Readied> Ready(const ReplayOptions& options) {
  std::ifstream in(options.file, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat(options.file, " cannot be read"));
  LogReading reading;
  reading.columns = options.columns;
  reading.zone = LogZone();
  absl::StatusOr<RecordedLog> log = ReadRecordedLog(in, reading);
  if (!log.ok())
    return absl::Status(log.status().code(),
                        absl::StrCat(options.file, ": ", log.status().message()));
  Readied readied;
  readied.log = *std::move(log);
  readied.cast = MakeCast(readied.log);
  readied.axis = MakeReplayTime(readied.log);
  return readied;
}

double PlaySeconds(const ReplayOptions& options) {
  return std::max(5.0, (options.seconds > 0 ? options.seconds : kSeconds) - kBefore - kAfter);
}

double Scale(const ReplayTime& axis, const ReplayOptions& options) {
  return std::max(1.0, std::ceil(absl::ToDoubleSeconds(axis.Span()) / PlaySeconds(options)));
}

// A stack whose clock is the log's own plays each step at its recorded instant. On any other clock
// the log begins now, or began when an earlier run filed its first request, and is stretched to fit
// into the time it has.
ReplayTempo TempoFor(const Readied& readied, const ReplayOptions& options, const StackClock& clock,
                     const std::map<std::string, ReplayedTicket>& found) {
  const ReplayTime& axis = readied.axis;
  ReplayTempo tempo{axis.first, 1};
  const double stretch =
      clock.scale() * PlaySeconds(options) / std::max(1.0, absl::ToDoubleSeconds(axis.Span()));
  for (const RecordedCase& c : readied.log.cases) {
    const auto at = found.find(c.id);
    if (at == found.end()) continue;
    const absl::Time filed = absl::FromUnixMicros(
        google::protobuf::util::TimeUtil::TimestampToMicroseconds(at->second.ticket.create_time()));
    const absl::Time played = axis.Played(c.opened);
    if (absl::AbsDuration(filed - played) < kSameTimes) return tempo;
    return {filed - (played - axis.first) * stretch, stretch};
  }
  const absl::Time now = clock.Now();
  if (now > axis.first - kSameTimes && now < axis.Played(axis.last) + kSameTimes) return tempo;
  return {now + absl::Seconds(clock.scale()), stretch};
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

absl::StatusOr<std::map<std::string, ReplayedTicket>> Read(Connection& connection, const Cast& cast,
                                                           const char* what) {
  std::unique_ptr<Progress> progress;
  auto tickets = ReadReplayed(connection, cast, [&](int64_t done, int64_t total) {
    if (!progress) progress = std::make_unique<Progress>(what, total);
    progress->Show(done);
  });
  if (progress) progress->Done();
  return tickets;
}

}  // namespace

absl::StatusOr<ReplayPlan> PlanReplay(const ReplayOptions& options) {
  const absl::StatusOr<Readied> readied = Ready(options);
  if (!readied.ok()) return readied.status();
  ReplayPlan plan;
  plan.time_scale = Scale(readied->axis, options);
  plan.time_origin = readied->axis.first - absl::Seconds(plan.time_scale * kBefore);
  plan.end = readied->axis.Played(readied->axis.last);
  return plan;
}

int DescribeReplay(const ReplayOptions& options) {
  const absl::StatusOr<Readied> readied = Ready(options);
  if (!readied.ok()) return Fail(readied.status());
  SayWhatWasRead(readied->log, readied->cast, readied->axis);
  Say(absl::StrFormat(
      "  played in %.0f seconds when the clock runs %.0f times as fast as real time",
      PlaySeconds(options), Scale(readied->axis, options)));
  return 0;
}

int RunReplay(Connection& connection, const ReplayOptions& options) {
  const absl::StatusOr<Readied> readied = Ready(options);
  if (!readied.ok()) return Fail(readied.status());
  const auto& [log, cast, axis] = *readied;
  SayWhatWasRead(log, cast, axis);

  Heading("The company of the log");
  const absl::Duration start = StackClock::Real();
  if (const absl::Status made = SetUpCast(connection, cast, options); !made.ok()) return Fail(made);
  StackClock clock(connection, cast.flows.front().id);
  if (const absl::Status sampled = clock.Sample(); !sampled.ok()) return Fail(sampled);
  Say(absl::StrFormat("  calendar, terms, %d people, %d flows with their members: set up in %s",
                      cast.people.size() + 1, cast.flows.size(),
                      Short(StackClock::Real() - start)));
  const auto found = Read(connection, cast, "Reading what is there already");
  if (!found.ok()) return Fail(found.status());
  if (!found->empty()) {
    Say(absl::StrFormat("  %d of %d requests are there from an earlier run: it goes on",
                        found->size(), log.cases.size()));
  }
  absl::SleepFor(absl::Milliseconds(300));
  if (const absl::Status sampled = clock.Sample(); !sampled.ok()) return Fail(sampled);
  const ReplayTempo tempo = TempoFor(*readied, options, clock, *found);

  Heading("The log is played");
  const PlayResult played = Player(connection, log, cast, axis, clock, tempo).Play(*found);
  if (played.played_steps == 0) {
    Say("  all of it was played by an earlier run; to see it again from the start, purge the stack "
        "first: tools/dev down --purge");
  }
  const auto tickets = Read(connection, cast, "Reading the histories");
  if (!tickets.ok()) return Fail(tickets.status());
  SayWhatHappened(log, cast, played, *tickets, clock.scale(), tempo.stretch);
  Heading("Boards");
  PrintBoards(connection, "");
  PrintLateness(connection);
  PrintLatencies(connection);
  const bool clean = PrintVerify(connection, /*quiescent=*/true);
  SayWhereToLook(connection, *tickets);
  return clean && played.skipped_cases == 0 ? 0 : 1;
}

}  // namespace potok::ctl
