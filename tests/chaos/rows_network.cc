// Rows 23 and 24: networks that lose, hold back and flap, for one replica at a time.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "chaos/probe.h"
#include "chaos/row.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

// Row 23. One replica of each service in turn loses its way to Postgres: both ways, only its words,
// only the answers; then its way to Redis. What it held goes to its twin, and whatever it still
// tries is refused.
absl::Status Partition(Scene& scene) {
  Plant& plant = scene.plant;
  std::vector<std::string> names = ServiceNames();
  std::swap(names[0],
            names[static_cast<size_t>(scene.choices.Below(static_cast<int>(names.size())))]);
  const absl::Duration each =
      std::max(absl::Seconds(11), scene.length / static_cast<int>(names.size()));
  int64_t taken_over = 0, held_before = 0, reconnected = 0;
  double slowest = 0, slowest_deaf = 0;
  int way = scene.choices.Below(3);
  for (const std::string& name : names) {
    Service& victim = plant.service(name, scene.choices.Below(2));
    const std::vector<std::string> held = LeasesOf(plant, victim);
    held_before += static_cast<int64_t>(held.size());
    const double cut_at = plant.Now();
    LinkFault fault;
    fault.lose_up = way != 1;
    fault.lose_down = way != 0;
    victim.to_postgres().Set(fault);
    scene.Say(absl::StrCat(victim.label(), " cut from Postgres, ",
                           way == 0   ? "its words are lost"
                           : way == 1 ? "the answers are lost"
                                      : "both ways",
                           ", ", held.size(), " leases"));
    way = (way + 1) % 3;
    scene.Let(each);
    for (const std::string& lease : held) {
      const std::string at = plant.postgres().Query(absl::StrCat(
          "SELECT extract(epoch FROM min(acquired_at)) FROM ledger.lease_log WHERE name = '", lease,
          "' AND acquired_at > to_timestamp(", absl::StrFormat("%.6f", cut_at),
          ") AND owner NOT LIKE '%:", victim.pid(), ":%'"));
      if (at.empty()) {
        scene.evidence.Violation(
            absl::StrCat(lease, " of ", victim.label(), " was not taken over"));
        continue;
      }
      ++taken_over;
      // A renewal that still arrives, its answer lost, prolongs the lease once more: two seconds.
      double& worst = fault.lose_up ? slowest : slowest_deaf;
      worst = std::max(worst, std::stod(at) - cut_at);
    }
    // Redis too, while the twin works: hints are lost on both replicas' side in turn.
    LinkFault silent;
    silent.lose_up = silent.lose_down = true;
    Service& other = plant.service(name, 1 - victim.replica());
    const int64_t opened = other.to_redis().counts().opened;
    other.to_redis().Set(silent);
    scene.Let(absl::Seconds(2));
    victim.to_postgres().Heal();
    other.to_redis().Heal();
    scene.Let(absl::Seconds(1));
    reconnected += other.to_redis().counts().opened - opened;
  }
  scene.evidence.Bite("leases taken over", taken_over);
  scene.evidence.Bite("connections to Redis given up and made anew", reconnected);
  scene.evidence.Measure("takeover", slowest, 7);
  scene.evidence.Measure("takeover when only the answers are lost", slowest_deaf, 9);
  scene.evidence.Recovered(std::max(slowest, slowest_deaf));
  scene.evidence.Note(absl::StrCat(held_before, " leases were held when the links were cut"));
  return absl::OkStatus();
}

// Row 24.
absl::Status Flap(Scene& scene) {
  Plant& plant = scene.plant;
  const double from = plant.Now();
  const int64_t before = scene.traffic.oracle().acknowledged();
  const absl::Duration end = Monotonic() + scene.length;
  const int victim = scene.choices.Below(2);
  const auto opened = [&] {
    int64_t all = 0;
    for (const std::string& name : ServiceNames()) {
      all += plant.service(name, victim).to_postgres().counts().opened;
      all += plant.service(name, victim).to_redis().counts().opened;
    }
    return all;
  };
  const int64_t opened_before = opened();
  LinkFault down;
  down.lose_up = down.lose_down = true;
  while (Monotonic() < end) {
    for (const std::string& name : ServiceNames()) {
      plant.service(name, victim).to_postgres().Set(down);
      plant.service(name, victim).to_redis().Set(down);
    }
    scene.Let(absl::Seconds(1));
    for (const std::string& name : ServiceNames()) {
      plant.service(name, victim).to_postgres().Heal();
      plant.service(name, victim).to_redis().Heal();
    }
    scene.Let(absl::Seconds(1));
  }
  scene.evidence.Bite("connections given up and made anew", opened() - opened_before);
  scene.evidence.Expect(scene.traffic.oracle().acknowledged() > before,
                        "nothing was acknowledged while the links flapped");
  // The first six seconds may see one change of hands that was due anyhow.
  const double seconds = plant.Now() - from;
  const std::string most =
      plant.postgres().Query(absl::StrCat("SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n "
                                          "FROM ledger.lease_log WHERE acquired_at > "
                                          "to_timestamp(",
                                          absl::StrFormat("%.6f", from), ") GROUP BY name) s"));
  scene.evidence.Measure("acquisitions of one lease", std::stod(most), seconds / 6 + 1, "");
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> NetworkRows() {
  std::vector<Row> rows;
  rows.push_back({.number = 23,
                  .fault = "one replica cut off from Postgres or Redis, one way or both",
                  .expects = "takeover <= 7 s; what the old owner still writes is refused",
                  .length = absl::Seconds(55),
                  .in_short_suite = false,
                  .fault_of = Partition});
  rows.push_back({.number = 24,
                  .fault = "links down one second, up one second",
                  .expects = "no lease changes hands more than once in 6 s; work goes on",
                  .length = absl::Seconds(20),
                  .in_short_suite = false,
                  .fault_of = Flap});
  return rows;
}

}  // namespace potok::chaos
