// Rows 1 to 8: processes that are killed and stopped.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"

#include "chaos/die.h"
#include "chaos/probe.h"
#include "chaos/row.h"
#include "desk/stream_names.h"
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

// Entries that are in the log and not in their streams, of the parts of these relay leases.
int64_t Unpublished(Plant& plant, const std::vector<std::string>& leases) {
  int64_t missing = 0;
  for (const auto& row : OrDie(plant.postgres().Rows("SELECT topic, part, next_pos - 1, incarnation"
                                                     " FROM ledger.part_head"),
                               "heads")) {
    if (std::find(leases.begin(), leases.end(), "relay:" + row[1]) == leases.end()) continue;
    const auto reply = plant.redis().Command(
        {"XREVRANGE", desk::EventStream(std::stoi(row[3]), std::stoi(row[0]), std::stoi(row[1])),
         "+", "-", "COUNT", "1"});
    if (!reply.ok()) continue;
    const int64_t last = reply->items.empty() ? 0 : std::stoll(reply->items[0].items[0].text);
    missing += std::max<int64_t>(0, std::stoll(row[2]) - last);
  }
  return missing;
}

// Row 2. What the victim has sequenced is held between it and Redis, and then it dies with it.
absl::Status KillRelayOwner(Scene& scene) {
  const absl::Duration end = Monotonic() + scene.length;
  do {
    Service& victim = scene.plant.service("intake", scene.choices.Below(2));
    const std::vector<std::string> leases = LeasesOf(scene.plant, victim, "relay");
    victim.to_redis().Set({.hold_up = true});
    scene.Let(scene.choices.Between(absl::Milliseconds(150), absl::Milliseconds(700)));
    const int64_t unpublished = Unpublished(scene.plant, leases);
    const double killed = scene.plant.Now();
    victim.Kill();
    victim.to_redis().Cut();
    victim.to_redis().Heal();
    scene.Say(absl::StrCat("killed ", victim.label(), " with ", leases.size(), " leases and ",
                           unpublished, " entries that Redis has not seen"));
    scene.evidence.Bite("entries committed and not announced", unpublished);
    CountTakeover(scene, AwaitTakeover(scene.plant, leases, killed), 7);
    victim.Start();
  } while (Monotonic() < end);
  return absl::OkStatus();
}

// What Redis holds is what the log says, in order, each position once, up to the head.
void StreamsEqualTheLog(Scene& scene) {
  std::map<std::string, std::map<int64_t, std::string>> log;
  std::map<std::string, int64_t> heads;
  for (const auto& row :
       OrDie(scene.plant.postgres().Rows("SELECT topic, part, pos, entity, version, incarnation"
                                         " FROM ledger.event_log JOIN ledger.part_head"
                                         " USING (topic, part)"),
             "log")) {
    const std::string key =
        desk::EventStream(std::stoi(row[5]), std::stoi(row[0]), std::stoi(row[1]));
    const int64_t pos = std::stoll(row[2]);
    log[key][pos] = absl::StrCat(row[3], " ", row[4]);
    heads[key] = std::max(heads[key], pos);
  }
  int64_t entries = 0, gaps = 0;
  for (const auto& [key, head] : heads) {
    int64_t last = 0;
    // The relay looks after Redis once a second.
    Eventually(
        [&, &key = key, &head = head] {
          const auto newest =
              scene.plant.redis().Command({"XREVRANGE", key, "+", "-", "COUNT", "1"});
          last = !newest.ok() || newest->items.empty() ? 0
                                                       : std::stoll(newest->items[0].items[0].text);
          return last == head;
        },
        absl::Seconds(5));
    scene.evidence.Expect(last == head,
                          absl::StrCat("stream ", key, " ends at ", last, ", the log at ", head));
    const auto all = scene.plant.redis().Command({"XRANGE", key, "-", "+"});
    if (!all.ok()) continue;
    int64_t before = 0;
    for (const redis::Reply& item : all->items) {
      const int64_t pos = std::stoll(item.items[0].text);
      const auto& words = item.items[1].items;
      const std::string said = absl::StrCat(words[1].text, " ", words[3].text);
      scene.evidence.Expect(log[key][pos] == said,
                            absl::StrCat("stream ", key, " holds ", said, " at ", pos));
      gaps += before > 0 ? pos - before - 1 : 0;
      before = pos;
      ++entries;
    }
  }
  scene.evidence.Note(absl::StrCat(entries, " stream entries equal the log; ", gaps,
                                   " were left out, as every group had passed them"));
}

// Rows 3, 4 and 6. The victim's way to Postgres is made long, so that its transactions are; it dies
// while one of them has written something.
absl::Status KillWhileWriting(Scene& scene, const std::string& service) {
  const absl::Duration end = Monotonic() + scene.length;
  int64_t cut = 0;
  int tries = 0;
  do {
    Service& victim = scene.plant.service(service, scene.choices.Below(2));
    victim.to_postgres().Set(
        {.delay_up = absl::Milliseconds(8), .delay_down = absl::Milliseconds(8)});
    scene.Let(scene.choices.Between(absl::Milliseconds(100), absl::Milliseconds(900)));
    const std::vector<std::string> leases = LeasesOf(scene.plant, victim);
    const double killed = scene.plant.Now();
    const std::vector<int> writers = AwaitOpenWriters(scene.plant, service);
    victim.Kill();
    victim.to_postgres().Heal();
    const int rolled_back = RolledBack(scene.plant, writers, absl::Seconds(2));
    cut += rolled_back;
    scene.Say(absl::StrCat("killed ", victim.label(), " with ", leases.size(), " leases in ",
                           rolled_back, " open transactions"));
    CountTakeover(scene, AwaitTakeover(scene.plant, leases, killed), 7);
    victim.Start();
  } while (Monotonic() < end || (cut == 0 && ++tries < 3));
  scene.evidence.Bite("open transactions cut", cut);
  return absl::OkStatus();
}

// Row 5. The sink has the mail, and the notifier dies before it hears so.
absl::Status KillAfterSending(Scene& scene) {
  const absl::Duration end = Monotonic() + scene.length;
  do {
    const int replica = scene.choices.Below(2);
    Service& victim = scene.plant.service("notifier", replica);
    Service& other = scene.plant.service("notifier", 1 - replica);
    // So that the next mail is the victim's.
    other.to_sink().Set({.hold_up = true});
    victim.to_sink().Set({.delay_down = absl::Milliseconds(120)});
    scene.Let(scene.choices.Between(absl::Milliseconds(200), absl::Milliseconds(900)));
    const std::vector<std::string> leases = LeasesOf(scene.plant, victim);
    const double killed = scene.plant.Now();
    const int64_t before = scene.plant.sink().count();
    Eventually([&] { return scene.plant.sink().count() > before; }, absl::Seconds(5));
    victim.Kill();
    victim.to_sink().Heal();
    other.to_sink().Heal();
    scene.Say(absl::StrCat("killed ", victim.label(), " after ",
                           scene.plant.sink().count() - before, " mails it did not hear of"));
    CountTakeover(scene, AwaitTakeover(scene.plant, leases, killed), 7);
    victim.Start();
  } while (Monotonic() < end);
  return absl::OkStatus();
}

void CountResent(Scene& scene) {
  std::map<std::string, int> copies;
  for (const Mail& mail : scene.plant.sink().Mails()) ++copies[mail.message_id];
  scene.evidence.Bite("mails on the wire more than once",
                      std::count_if(copies.begin(), copies.end(),
                                    [](const auto& mail) { return mail.second > 1; }));
}

// Row 7. Everything at once, Redis too; back in any order.
absl::Status KillAll(Scene& scene) {
  const double before =
      Quantile(scene.traffic.oracle().Latencies(scene.traffic.started(), Monotonic()), 0.99);
  std::vector<Service*> services = scene.plant.all();
  for (Service* service : services) service->Kill(/*wait=*/false);
  scene.plant.redis().Kill();
  const absl::Duration killed = Monotonic();
  for (Service* service : services) service->Kill();
  scene.evidence.Bite("processes killed", static_cast<int64_t>(services.size()) + 1);
  scene.Let(scene.choices.Between(absl::Milliseconds(200), absl::Seconds(1)));
  for (size_t i = services.size(); i > 1; --i) {
    std::swap(services[i - 1],
              services[static_cast<size_t>(scene.choices.Below(static_cast<int>(i)))]);
  }
  const size_t redis_comes = static_cast<size_t>(scene.choices.Below(10));
  for (size_t i = 0; i < services.size(); ++i) {
    if (i == redis_comes) scene.plant.redis().Start();
    services[i]->Start(/*wait_until_ready=*/false);
    scene.Let(scene.choices.Between(absl::ZeroDuration(), absl::Milliseconds(400)));
  }
  for (Service* service : services) service->AwaitReady();
  const absl::Duration up = Monotonic();
  scene.Say("all are up again");
  const absl::Duration end = Monotonic() + absl::Seconds(20);
  std::optional<double> normal;
  while (!normal && Monotonic() < end) {
    scene.Let(absl::Milliseconds(500));
    normal = BackToNormal(scene.traffic.oracle(), killed, Monotonic(), before);
  }
  scene.evidence.Measure("killed until all were up", absl::ToDoubleSeconds(up - killed));
  scene.evidence.Measure("killed until normal p99", normal.value_or(20), 15);
  scene.evidence.Recovered(normal.value_or(20));
  return absl::OkStatus();
}

// Row 8. SIGTERM to each replica of each service, one after another, under load.
absl::Status RollingRestart(Scene& scene) {
  const int64_t failed = scene.traffic.caller().counts().failed;
  std::vector<std::string> order = ServiceNames();
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(scene.choices.Below(static_cast<int>(i)))]);
  }
  int64_t stopped = 0;
  for (const std::string& name : order) {
    for (Service* service : scene.plant.replicas(name)) {
      const std::vector<std::string> leases = LeasesOf(scene.plant, *service);
      const double asked = scene.plant.Now();
      const absl::Duration took = service->Stop();
      const Takeover takeover = AwaitTakeover(scene.plant, leases, asked);
      scene.Say(absl::StrCat(service->label(), " ended in ", absl::FormatDuration(took), ", its ",
                             leases.size(), " leases were taken after ", takeover.seconds, " s"));
      if (!leases.empty()) CountTakeover(scene, takeover, 1);
      scene.evidence.Expect(took < absl::InfiniteDuration(),
                            service->label() + " did not end within 20 s of SIGTERM");
      scene.evidence.Measure("SIGTERM to exit", std::min(20.0, absl::ToDoubleSeconds(took)), 10);
      service->Start();
      ++stopped;
    }
  }
  scene.evidence.Bite("orderly ends under load", stopped);
  const int64_t more = scene.traffic.caller().counts().failed - failed;
  scene.evidence.Expect(more == 0,
                        absl::StrCat(more, " calls failed for clients that repeat them"));
  return absl::OkStatus();
}

void MeasureAssign(Scene& scene) {
  scene.evidence.Measure("longest create to assigned",
                         LongestAssign(scene.plant, scene.began, scene.ended), 8);
}

}  // namespace

std::vector<Row> ProcessRows() {
  std::vector<Row> rows;
  rows.push_back({.number = 1,
                  .fault = "kill -9 intake mid-create, each replica in turn",
                  .expects = "one ticket a request id; no 2 s without an acknowledged create",
                  .fault_of = KillIntake});
  rows.push_back({.number = 2,
                  .fault = "kill -9 the relay's owner between COMMIT and XADD",
                  .expects = "takeover within 7 s; each position once in its stream",
                  .fault_of = KillRelayOwner,
                  .afterwards = StreamsEqualTheLog});
  rows.push_back({.number = 3,
                  .fault = "kill -9 router in the middle of a batch",
                  .expects = "the batch is undone and planned again; nobody waits longer than 8 s",
                  .fault_of = [](Scene& scene) { return KillWhileWriting(scene, "router"); },
                  .afterwards = MeasureAssign});
  rows.push_back({.number = 4,
                  .fault = "kill -9 sla-timer while it fires",
                  .expects = "each timer fires once, never early, at most 8 s late",
                  .fault_of = [](Scene& scene) { return KillWhileWriting(scene, "sla-timer"); },
                  .afterwards =
                      [](Scene& scene) {
                        scene.evidence.Bite("timers fired",
                                            TimersFired(scene.plant, scene.began, scene.ended));
                        scene.evidence.Measure(
                            "latest timer", LatestTimer(scene.plant, scene.began, scene.ended), 8);
                      }});
  rows.push_back({.number = 5,
                  .fault = "kill -9 notifier after a mail is sent and before it is marked",
                  .expects = "the mail is sent again under the same Message-ID",
                  // A mail in the hands of the dead is claimed again after 30 s.
                  .drain = absl::Seconds(90),
                  .fault_of = KillAfterSending,
                  .afterwards = CountResent});
  rows.push_back({.number = 6,
                  .fault = "kill -9 analytics in the middle of a batch",
                  .expects = "rollups equal a recount",
                  .fault_of = [](Scene& scene) { return KillWhileWriting(scene, "analytics"); }});
  rows.push_back({.number = 7,
                  .fault = "kill -9 of everything at once, back in any order",
                  .expects = "normal p99 within 15 s",
                  .fault_of = KillAll});
  rows.push_back({.number = 8,
                  .fault = "SIGTERM under load, each replica in turn",
                  .expects = "exit within 10 s, leases taken within 1 s, no failed call",
                  .fault_of = RollingRestart});
  return rows;
}

}  // namespace potok::chaos
