// Rows 1 to 9: processes that are killed, stopped and frozen.
#include <algorithm>

#include "absl/strings/str_cat.h"

#include "chaos/row.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

using testing::Eventually;

// Row 1. Each replica of intake in turn dies while creates are on their way in.
absl::Status KillIntake(Scene& scene) {
  const absl::Duration end = Monotonic() + scene.length;
  int victim = scene.choices.Below(2);
  int64_t cut = 0;
  do {
    Service& intake = scene.plant.service("intake", victim);
    scene.Let(scene.choices.Between(absl::Milliseconds(200), absl::Milliseconds(1200)));
    const int64_t before = scene.traffic.caller().counts().bad_attempts["CreateTicket UNAVAILABLE"];
    scene.Say("kill");
    const absl::Duration killed = Monotonic();
    intake.Kill();
    scene.Say(absl::StrCat("killed ", intake.label()));
    scene.Let(scene.choices.Between(absl::Milliseconds(300), absl::Milliseconds(1500)));
    intake.Start();
    scene.Let(absl::Milliseconds(300));
    cut += scene.traffic.caller().counts().bad_attempts["CreateTicket UNAVAILABLE"] - before;
    scene.evidence.Measure(
        "gap after a kill",
        absl::ToDoubleSeconds(scene.traffic.oracle().LongestGap(killed, Monotonic())), 2);
    victim = 1 - victim;
  } while (Monotonic() < end);
  scene.evidence.Bite("creates cut off by a kill", cut);
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> ProcessRows() {
  std::vector<Row> rows;
  rows.push_back({.number = 1,
                  .fault = "kill -9 intake mid-create, each replica in turn",
                  .expects = "one ticket a request id; no 2 s without an acknowledged create",
                  .fault_of = KillIntake});
  return rows;
}

}  // namespace potok::chaos
