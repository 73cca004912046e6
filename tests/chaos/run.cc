#include "chaos/run.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

#include "chaos/company.h"

namespace potok::chaos {
namespace {

constexpr absl::Duration kBefore = absl::Seconds(2);
constexpr absl::Duration kAfter = absl::Seconds(2);
// Of the checks about each second; one that is cut short by the fault does not count.
constexpr int kFewestLooks = 2;

absl::Duration run_started;

void Progress(const std::string& what) {
  std::printf("  %6.1f s  %s\n", absl::ToDoubleSeconds(Monotonic() - run_started), what.c_str());
  std::fflush(stdout);
}

}  // namespace

void Scene::Let(absl::Duration pass) const { absl::SleepFor(pass); }

void Scene::Say(const std::string& what) const { Progress(what); }

std::vector<std::string> RunResult::Unbitten() const {
  std::vector<std::string> names;
  for (const auto& [name, count] : evidence.bites) {
    if (count <= 0) names.push_back("the fault did not bite: " + name);
  }
  return names;
}

bool RunResult::ok() const {
  std::vector<std::string> complaints = Unbitten();
  complaints.insert(complaints.end(), evidence.violations.begin(), evidence.violations.end());
  const auto seen = [&](const std::string& text) {
    return std::any_of(complaints.begin(), complaints.end(), [&](const std::string& complaint) {
      return absl::StrContains(complaint, text);
    });
  };
  if (!must_see.empty()) return std::all_of(must_see.begin(), must_see.end(), seen);
  return complaints.empty();
}

RunResult RunRow(const Row& row, const RunOptions& options) {
  run_started = Monotonic();
  RunResult result;
  result.row = row.number;
  result.fault = row.fault;
  result.seed = options.seed;
  result.must_see = row.must_see;
  Evidence evidence;
  Choices choices(options.seed, "row", static_cast<uint64_t>(row.number));

  Plant plant(row.plant);
  TrafficOptions load = row.traffic;
  if (options.rate > 0) load.creates_per_second = options.rate;
  Traffic traffic(plant, options.seed, load);
  SetUpCompany(traffic.caller(), options.seed);
  Judge judge(plant, evidence);
  Progress("the plant is up");
  traffic.Start();
  judge.Watch();
  traffic.AwaitAcknowledged(1, absl::Seconds(20));
  absl::SleepFor(kBefore);

  const absl::Duration begin = Monotonic();
  const absl::Duration length = options.length > absl::ZeroDuration() ? options.length : row.length;
  Scene scene{plant, traffic, judge, choices, evidence, length, plant.Now(), 0};
  Progress("the fault begins");
  const absl::Status done = row.fault_of(scene);
  if (absl::IsUnimplemented(done)) {
    result.skipped = std::string(done.message());
    return result;
  }
  if (!done.ok()) evidence.Violation("the fault could not be done: " + std::string(done.message()));
  plant.Heal();
  Progress("the fault is over and healed");
  traffic.AwaitAcknowledged(20, absl::Seconds(30));
  absl::SleepFor(kAfter);
  const absl::Duration end = Monotonic();
  scene.ended = plant.Now();
  traffic.Stop();
  Progress("the load has ended");

  const Oracle& oracle = traffic.oracle();
  evidence.Expect(judge.looks() >= kFewestLooks,
                  absl::StrCat("the judge could look only ", judge.looks(), " times meanwhile"));
  judge.Final(oracle, row.drain);
  if (row.afterwards) row.afterwards(scene);
  const absl::Duration gap = oracle.LongestGap(begin, end);
  evidence.Measure("longest gap", absl::ToDoubleSeconds(gap));
  evidence.Measure("create p99 before",
                   Quantile(oracle.Latencies(traffic.started(), begin), 0.99) * 1000, 0, "ms");
  evidence.Measure("create p99 with the fault", Quantile(oracle.Latencies(begin, end), 0.99) * 1000,
                   0, "ms");
  const CallCounts calls = traffic.caller().counts();
  result.evidence = evidence.content();
  result.recovery = result.evidence.recovery.value_or(absl::ToDoubleSeconds(gap));
  result.acknowledged = oracle.acknowledged();
  result.calls = calls.calls;
  result.failed_calls = calls.failed;
  result.bad_attempts = calls.bad_attempts;
  result.looks = judge.looks();
  result.seconds = absl::ToDoubleSeconds(Monotonic() - run_started);
  if (!result.ok() || options.verbose) std::printf("%s", plant.LastWords(8).c_str());
  return result;
}

}  // namespace potok::chaos
