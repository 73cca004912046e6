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

// "ev:1:2:{3}" -> the log's head, of every stream.
std::map<std::string, int64_t> Heads(Plant& plant) {
  std::map<std::string, int64_t> heads;
  for (const auto& row : OrDie(plant.postgres().Rows("SELECT topic, part, next_pos - 1, incarnation"
                                                     " FROM ledger.part_head"),
                               "heads")) {
    heads[desk::EventStream(std::stoi(row[3]), std::stoi(row[0]), std::stoi(row[1]))] =
        std::stoll(row[2]);
  }
  return heads;
}

// The last position that was ever announced in a stream, also when its entries are trimmed.
int64_t Announced(Plant& plant, const std::string& key) {
  const auto info = plant.redis().Command({"XINFO", "STREAM", key});
  if (!info.ok()) return 0;
  for (size_t i = 0; i + 1 < info->items.size(); i += 2) {
    if (info->items[i].text == "last-generated-id") return std::stoll(info->items[i + 1].text);
  }
  return 0;
}

// What Redis holds is what the log says, in order, each position once, up to the head.
void StreamsEqualTheLog(Scene& scene) {
  std::string behind;
  // The relay looks after Redis once a second, and timers still fire now and then.
  Eventually(
      [&] {
        behind.clear();
        for (const auto& [key, head] : Heads(scene.plant)) {
          const int64_t last = Announced(scene.plant, key);
          if (last != head) behind = absl::StrCat(key, " at ", last, " of ", head);
        }
        return behind.empty();
      },
      absl::Seconds(20));
  scene.evidence.Expect(behind.empty(), "a stream is not at the log's head: " + behind);

  std::map<std::string, std::vector<std::pair<int64_t, std::string>>> streams;
  for (const auto& [key, head] : Heads(scene.plant)) {
    const auto all = scene.plant.redis().Command({"XRANGE", key, "-", "+"});
    if (!all.ok()) continue;
    for (const redis::Reply& item : all->items) {
      const auto& words = item.items[1].items;
      streams[key].push_back(
          {std::stoll(item.items[0].text), absl::StrCat(words[1].text, " ", words[3].text)});
    }
  }
  std::map<std::string, std::map<int64_t, std::string>> log;  // Read last: it only grows.
  for (const auto& row :
       OrDie(scene.plant.postgres().Rows("SELECT topic, part, pos, entity, version, incarnation"
                                         " FROM ledger.event_log JOIN ledger.part_head"
                                         " USING (topic, part)"),
             "log")) {
    log[desk::EventStream(std::stoi(row[5]), std::stoi(row[0]), std::stoi(row[1]))]
       [std::stoll(row[2])] = absl::StrCat(row[3], " ", row[4]);
  }
  int64_t entries = 0, gaps = 0;
  for (const auto& [key, said] : streams) {
    int64_t before = 0;
    for (const auto& [pos, what] : said) {
      scene.evidence.Expect(log[key][pos] == what,
                            absl::StrCat("stream ", key, " holds ", what, " at ", pos));
      gaps += before > 0 ? pos - before - 1 : 0;
      before = pos;
      ++entries;
    }
  }
  scene.evidence.Note(absl::StrCat(entries, " stream entries equal the log; ", gaps,
                                   " were left out, as every group had passed them"));
}

// The replica that holds leases, or either when both do.
Service& Owner(Scene& scene, const std::string& name, const std::string& family = "") {
  const int replica = scene.choices.Below(2);
  Service& service = scene.plant.service(name, replica);
  return LeasesOf(scene.plant, service, family).empty() ? scene.plant.service(name, 1 - replica)
                                                        : service;
}

// Entries that are in the log and were not announced, of the parts of these relay leases.
int64_t Unannounced(Plant& plant, const std::vector<std::string>& leases) {
  int64_t missing = 0;
  for (const auto& [key, head] : Heads(plant)) {
    const std::string part = key.substr(key.find('{') + 1, key.find('}') - key.find('{') - 1);
    if (std::find(leases.begin(), leases.end(), "relay:" + part) == leases.end()) continue;
    missing += std::max<int64_t>(0, head - Announced(plant, key));
  }
  return missing;
}

// Row 2. What the victim has sequenced is held between it and Redis, and then it dies with it.
absl::Status KillRelayOwner(Scene& scene) {
  const absl::Duration end = Monotonic() + scene.length;
  do {
    Service& victim = Owner(scene, "intake", "relay");
    const std::vector<std::string> leases = LeasesOf(scene.plant, victim, "relay");
    victim.to_redis().Set({.hold_up = true});
    scene.Let(scene.choices.Between(absl::Milliseconds(150), absl::Milliseconds(700)));
    const int64_t unannounced = Unannounced(scene.plant, leases);
    const double killed = scene.plant.Now();
    victim.Kill();
    victim.to_redis().Cut();
    victim.to_redis().Heal();
    scene.Say(absl::StrCat("killed ", victim.label(), " with ", leases.size(), " leases and ",
                           unannounced, " entries that Redis has not seen"));
    scene.evidence.Bite("entries committed and not announced", unannounced);
    CountTakeover(scene, AwaitTakeover(scene.plant, leases, killed), 7);
    victim.Start();
  } while (Monotonic() < end);
  return absl::OkStatus();
}

// Rows 3, 4 and 6. The victim's way to Postgres is made long, so that its transactions are; it dies
// while one of them has written something.
absl::Status KillWhileWriting(Scene& scene, const std::string& service) {
  const absl::Duration end = Monotonic() + scene.length;
  int64_t cut = 0;
  int tries = 0;
  do {
    Service& victim = Owner(scene, service);
    victim.to_postgres().Set(
        {.delay_up = absl::Milliseconds(8), .delay_down = absl::Milliseconds(8)});
    scene.Let(scene.choices.Between(absl::Milliseconds(100), absl::Milliseconds(900)));
    const std::vector<std::string> leases = LeasesOf(scene.plant, victim);
    double killed = 0;
    const std::vector<int> writers = AwaitOpenWriters(scene.plant, service, &killed);
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
    const int64_t before = scene.plant.sink().count();
    Eventually([&] { return scene.plant.sink().count() > before; }, absl::Seconds(5));
    const double killed = scene.plant.Now();
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
  // What was just handed over is watched more closely than what everybody has had for a while.
  if (!AwaitSettledLeases(scene.plant, absl::Seconds(30))) {
    return absl::DeadlineExceededError("leases still change hands");
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
