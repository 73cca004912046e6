#include "chaos/first_success.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"

#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

struct Sign {
  std::string what;
  std::optional<absl::Duration> seen;
};

// Loops that wait for the database while it is away, and are to be back soon.
std::optional<double> GoodTurns(const Service& service, const std::string& loop) {
  return service.Metric(absl::StrCat("potok_loop_turns_total{loop=\"", loop, "\",outcome=\"ok\"}"));
}

}  // namespace

void MeasureFirstSuccess(Scene& scene, absl::Duration ready, double bound) {
  const char* const kSql =
      "SELECT (SELECT count(*) FROM ledger.assignment),"
      " (SELECT sum(next_pos) FROM ledger.part_head),"
      " (SELECT sum(pos) FROM ledger.consumer_offset)";
  Sign filed{"ready to first create", {}};
  std::vector<Sign> signs = {{"ready to first assignment", {}},
                             {"ready to first event in the log", {}},
                             {"ready to first event consumed", {}}};
  struct LoopSign : Sign {
    const Service* service;
    std::string loop;
    std::optional<double> before;
  };
  std::vector<LoopSign> loops;
  for (const auto& [name, loop] : std::multimap<std::string, std::string>{
           {"sla-timer", "sla-timers"}, {"notifier", "mail-0"}, {"notifier", "mail-1"}}) {
    for (const Service* service : scene.plant.replicas(name)) {
      if (service->pid() == 0) continue;
      loops.push_back({{absl::StrCat("ready to first turn of ", loop), {}},
                       service,
                       loop,
                       GoodTurns(*service, loop)});
    }
  }
  const int64_t acknowledged = scene.traffic.oracle().acknowledged();
  std::vector<std::string> before;
  absl::Duration next_look_at_loops;
  testing::Eventually(
      [&] {
        bool all = true;
        if (!filed.seen && scene.traffic.oracle().acknowledged() > acknowledged) {
          filed.seen = Monotonic();
        }
        all = all && filed.seen;
        const auto rows = scene.plant.postgres().Rows(kSql);
        if (rows.ok()) {
          if (before.empty()) before = (*rows)[0];
          for (size_t i = 0; i < signs.size(); ++i) {
            if (!signs[i].seen && before[i] != (*rows)[0][i]) signs[i].seen = Monotonic();
          }
        }
        for (const Sign& sign : signs) all = all && sign.seen;
        if (Monotonic() >= next_look_at_loops) {
          for (LoopSign& sign : loops) {
            if (sign.seen) continue;
            const std::optional<double> turns = GoodTurns(*sign.service, sign.loop);
            if (turns.value_or(0) > sign.before.value_or(0)) sign.seen = Monotonic();
          }
          next_look_at_loops = Monotonic() + absl::Milliseconds(50);
        }
        for (const LoopSign& sign : loops) all = all && sign.seen;
        return all;
      },
      absl::Seconds(30));
  signs.push_back(filed);
  signs.insert(signs.end(), loops.begin(), loops.end());
  double last = 0;
  for (const Sign& sign : signs) {
    scene.evidence.Expect(sign.seen.has_value(), absl::StrCat("not within 30 s: ", sign.what));
    const double seconds = absl::ToDoubleSeconds(sign.seen.value_or(Monotonic()) - ready);
    scene.evidence.Measure(sign.what, seconds, bound);
    last = std::max(last, seconds);
  }
  scene.evidence.Recovered(last);
}

int CountInPostgresLog(Scene& scene, const std::string& words) {
  std::ifstream in(scene.plant.postgres().log());
  const std::string log(std::istreambuf_iterator<char>(in), {});
  int count = 0;
  for (size_t at = log.find(words); at != std::string::npos; at = log.find(words, at + 1)) ++count;
  return count;
}

}  // namespace potok::chaos
