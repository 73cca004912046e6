// Rows 40 and 41: too little processor and too much load, and a release that is rolled out and back
// while work goes on.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"

#include "chaos/row.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

int64_t Acquisitions(Plant& plant) {
  return plant.postgres().Count("SELECT count(*) FROM ledger.lease_log");
}

// Row 40. Every process of one replica number gets a fifth of the time (stopped 80 ms, running 20),
// while three times the usual load comes in.
absl::Status Starve(Scene& scene) {
  Plant& plant = scene.plant;
  const absl::Duration window = absl::Seconds(2);
  const int64_t start = scene.traffic.oracle().acknowledged();
  scene.Let(window);
  const double usual = static_cast<double>(scene.traffic.oracle().acknowledged() - start) / 2;
  const int64_t leases = Acquisitions(plant);
  const int victim = scene.choices.Below(2);
  scene.traffic.SetRate(3 * usual);
  const int64_t before = scene.traffic.oracle().acknowledged();
  const absl::Duration begin = Monotonic();
  int64_t stops = 0;
  while (Monotonic() < begin + scene.length) {
    for (const std::string& name : ServiceNames()) plant.service(name, victim).Pause();
    scene.Let(absl::Milliseconds(80));
    for (const std::string& name : ServiceNames()) plant.service(name, victim).Continue();
    scene.Let(absl::Milliseconds(20));
    ++stops;
  }
  const double seconds = absl::ToDoubleSeconds(Monotonic() - begin);
  const double goodput =
      static_cast<double>(scene.traffic.oracle().acknowledged() - before) / seconds;
  scene.evidence.Bite("times one half of the processes was stopped", stops);
  // How far below the usual rate it fell although three times as much was asked for.
  scene.evidence.Measure("usual rate over goodput", usual / std::max(goodput, 0.01), 1 / 0.8, "");
  scene.evidence.Measure("leases that changed hands",
                         static_cast<double>(Acquisitions(plant) - leases), 0, "");
  scene.traffic.SetRate(usual);
  const absl::Duration over = Monotonic();
  const double baseline =
      Quantile(scene.traffic.oracle().Latencies(scene.traffic.started(), begin), 0.9);
  bool normal = false;
  while (!normal && Monotonic() < over + absl::Seconds(40)) {
    const absl::Duration from = Monotonic();
    scene.Let(absl::Seconds(1));
    const std::vector<double> now = scene.traffic.oracle().Latencies(from, Monotonic());
    normal = !now.empty() && Quantile(now, 0.9) <= std::max(0.1, 3 * baseline);
  }
  scene.evidence.Expect(normal, "calls are still slow long after the load has gone");
  scene.evidence.Recovered(absl::ToDoubleSeconds(Monotonic() - over));
  scene.evidence.Measure("back to the usual latency", absl::ToDoubleSeconds(Monotonic() - over),
                         30);
  return absl::OkStatus();
}

// Row 41. Replicas are exchanged for those of another release and back, one after the other.
absl::Status MixReleases(Scene& scene) {
  const char* old = std::getenv("POTOK_OLD_BIN");  // NOLINT(concurrency-mt-unsafe)
  if (old == nullptr || !std::filesystem::exists(absl::StrCat(old, "/potok-intake"))) {
    return absl::UnimplementedError(
        "needs the programs of the release before in a folder named by POTOK_OLD_BIN");
  }
  Plant& plant = scene.plant;
  int64_t swaps = 0;
  const absl::Duration end = Monotonic() + scene.length;
  int replica = 0;
  do {
    for (const std::string& name : ServiceNames()) {
      Service& service = plant.service(name, replica);
      const absl::Duration took = service.Stop();
      scene.evidence.Measure("stop", absl::ToDoubleSeconds(took), 10);
      service.UseProgram(swaps / 10 % 2 == 0 ? absl::StrCat(old, "/potok-", name) : "");
      service.Start();
      ++swaps;
    }
    replica = 1 - replica;
  } while (Monotonic() < end);
  for (Service* service : plant.all()) {
    (void)service->Stop();
    service->UseProgram("");
    service->Start();
  }
  scene.evidence.Bite("replicas exchanged", swaps);
  const CallCounts counts = scene.traffic.caller().counts();
  scene.evidence.Expect(counts.failed == 0, absl::StrCat(counts.failed, " calls failed"));
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> LoadRows() {
  std::vector<Row> rows;
  rows.push_back(
      {.number = 40,
       .fault = "a fifth of the processor for half of the processes, three times the load",
       .expects = "goodput at least 80 % of the usual rate, back to normal within 30 s",
       .length = absl::Seconds(10),
       .in_short_suite = false,
       .drain = absl::Seconds(120),
       .fault_of = Starve});
  rows.push_back(
      {.number = 41,
       .fault = "the release before and this one side by side, exchanged again and again",
       .expects = "no call fails, nothing lost",
       .length = absl::Seconds(30),
       .in_short_suite = false,
       .fault_of = MixReleases});
  return rows;
}

}  // namespace potok::chaos
