// Rows 19, 20, 22, 27 and 28: Redis forgets, dies, fills up and lies. It holds hints only, so work
// goes on from Postgres, slower, and recovers by itself.
#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"

#include "chaos/probe.h"
#include "chaos/row.h"
#include "desk/stream_names.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

using testing::Eventually;

struct StreamHead {
  int topic = 0, part = 0, incarnation = 1;
  int64_t last = 0;
  int64_t behind = 0;  // Entries that some group has not handled yet.
  std::string key() const { return desk::EventStream(incarnation, topic, part); }
};

std::vector<StreamHead> Heads(Plant& plant) {
  std::vector<StreamHead> heads;
  const auto rows = plant.postgres().Rows(
      "SELECT topic, part, incarnation, next_pos - 1, next_pos - 1 - (SELECT min(o.pos) FROM"
      " ledger.consumer_offset o WHERE o.topic = h.topic AND o.part = h.part)"
      " FROM ledger.part_head h ORDER BY topic, part");
  if (!rows.ok()) return heads;
  for (const auto& row : *rows) {
    heads.push_back({.topic = std::stoi(row[0]),
                     .part = std::stoi(row[1]),
                     .incarnation = std::stoi(row[2]),
                     .last = std::stoll(row[3]),
                     .behind = std::stoll(row[4])});
  }
  return heads;
}

// Entries that Redis holds of all present streams; -1 when it does not answer.
int64_t Held(Plant& plant) {
  int64_t held = 0;
  for (const StreamHead& head : Heads(plant)) {
    const auto reply = plant.redis().Command({"XLEN", head.key()});
    if (!reply.ok()) return -1;
    held += reply->integer;
  }
  return held;
}

// Redis tells of everything that some group has still to do. What all have done need not come back.
bool CaughtUp(Plant& plant) {
  for (const StreamHead& head : Heads(plant)) {
    if (head.behind == 0) continue;
    const auto reply = plant.redis().Command({"XREVRANGE", head.key(), "+", "-", "COUNT", "1"});
    if (!reply.ok() || reply->items.empty() || reply->items[0].items.empty()) return false;
    if (std::stoll(reply->items[0].items[0].text) < head.last) return false;
  }
  return true;
}

// As quick as before the fault, within what a shared machine allows.
double UsualAssignment(Plant& plant) {
  const double now = plant.Now();
  return std::max(0.1, 3 * AssignQuantile(plant, now - 60, now, 0.9));
}

// Until tickets are assigned as quickly as `usual` again. Seconds since `since`, at most
// `patience`.
double AssignsAsUsual(Scene& scene, double usual, absl::Duration since, absl::Duration patience) {
  while (Monotonic() < since + patience) {
    const double passed = absl::ToDoubleSeconds(Monotonic() - since);
    const double from = scene.plant.Now();
    scene.Let(absl::Milliseconds(700));
    const double to = scene.plant.Now();
    scene.Let(absl::Milliseconds(200));
    const double p90 = AssignQuantile(scene.plant, from, to, 0.9);
    scene.Say(absl::StrCat("create to assigned, p90: ", p90, " s; usual: ", usual, " s"));
    if (p90 > 0 && p90 < usual) return passed;
  }
  return absl::ToDoubleSeconds(patience);
}

// Row 19.
absl::Status FlushAgainAndAgain(Scene& scene) {
  const double usual = UsualAssignment(scene.plant);
  const absl::Duration end = Monotonic() + scene.length;
  int64_t forgotten = 0;
  absl::Duration last = Monotonic();
  while (Monotonic() < end) {
    forgotten += std::max<int64_t>(Held(scene.plant), 0);
    if (!scene.plant.redis().Command({"FLUSHALL"}).ok()) {
      return absl::InternalError("FLUSHALL was refused");
    }
    last = Monotonic();
    scene.Let(std::min(end - Monotonic(),
                       scene.choices.Between(absl::Milliseconds(200), scene.length / 6)));
  }
  scene.evidence.Bite("entries that Redis forgot", forgotten);
  scene.evidence.Measure("streams whole again after a flush",
                         Eventually([&] { return CaughtUp(scene.plant); }, absl::Seconds(20))
                             ? absl::ToDoubleSeconds(Monotonic() - last)
                             : 20,
                         3);
  const double normal = AssignsAsUsual(scene, usual, last, absl::Seconds(15));
  scene.evidence.Measure("normal after the last flush", normal, 3);
  scene.evidence.Recovered(normal);
  return absl::OkStatus();
}

// Row 20. A Redis without persistence is killed, is away for a while and comes back empty.
absl::Status KillRedis(Scene& scene) {
  const double usual = UsualAssignment(scene.plant);
  const int64_t held = std::max<int64_t>(Held(scene.plant), 0);
  scene.plant.redis().Kill();
  const absl::Duration killed = Monotonic();
  scene.Say(absl::StrCat("killed Redis, ", held, " entries gone"));
  // The services find out at their next read.
  scene.Let(absl::Seconds(1));
  const double from = scene.plant.Now();
  const int64_t before = scene.traffic.oracle().acknowledged();
  scene.Let(scene.length - absl::Seconds(1));
  const double to = scene.plant.Now();
  const int64_t during = scene.traffic.oracle().acknowledged() - before;
  scene.evidence.Bite("requests filed without Redis", during);
  scene.Let(absl::Milliseconds(600));
  const double p50 = AssignQuantile(scene.plant, from, to, 0.5);
  const double p99 = AssignQuantile(scene.plant, from, to, 0.99);
  scene.evidence.Measure("create to assigned, p50, Redis down", p50 * 1000, 0, "ms");
  scene.evidence.Measure("create to assigned, p99, Redis down", p99 * 1000, 500, "ms");
  scene.evidence.Measure(
      "gap without Redis",
      absl::ToDoubleSeconds(scene.traffic.oracle().LongestGap(killed, Monotonic())));
  scene.plant.redis().Start();
  const absl::Duration back = Monotonic();
  const double normal = AssignsAsUsual(scene, usual, back, absl::Seconds(15));
  scene.evidence.Measure("normal after Redis is back", normal, 3);
  scene.evidence.Recovered(normal);
  scene.evidence.Expect(Eventually([&] { return CaughtUp(scene.plant); }, absl::Seconds(20)),
                        "the streams were not announced anew after Redis came back");
  return absl::OkStatus();
}

int64_t InfoNumber(Plant& plant, const std::string& section, const std::string& name) {
  const auto info = plant.redis().Command({"INFO", section});
  if (!info.ok()) return 0;
  const size_t at = info->text.find(name);
  return at == std::string::npos ? 0 : std::atoll(info->text.c_str() + at + name.size());
}

// How often one of the services' logs has a text.
int64_t Logged(Plant& plant, const std::string& service, const std::string& text) {
  int64_t count = 0;
  for (Service* replica : plant.replicas(service)) {
    const std::string log = replica->Log(/*whole=*/true);
    for (size_t at = 0; (at = log.find(text, at)) != std::string::npos; at += text.size()) ++count;
  }
  return count;
}

// Row 22. Somebody else's data fills Redis to its limit; later it does not answer for a while.
absl::Status FillRedis(Scene& scene) {
  const double usual = UsualAssignment(scene.plant);
  Redis& redis = scene.plant.redis();
  const std::string block(64 << 10, 'x');
  int blocks = 0;
  while (blocks < 10000) {
    const auto reply = redis.Command({"SET", absl::StrCat("hog:", blocks), block});
    if (!reply.ok() || reply->IsError()) break;
    ++blocks;
  }
  scene.Say(absl::StrCat("Redis is full, with ", blocks, " blocks that are not ours"));
  scene.Let(scene.length);
  const int64_t failed = scene.traffic.caller().counts().failed;
  scene.evidence.Bite("times a relay stopped announcing",
                      Logged(scene.plant, "intake", "nearly full"));
  for (int i = 0; i < blocks; ++i) (void)redis.Command({"UNLINK", absl::StrCat("hog:", i)});
  const absl::Duration freed = Monotonic();
  scene.evidence.Expect(Eventually([&] { return CaughtUp(scene.plant); }, absl::Seconds(20)),
                        "the streams were not announced anew after Redis had room again");
  scene.evidence.Measure("streams whole again after room",
                         absl::ToDoubleSeconds(Monotonic() - freed), 5);
  const double limit = static_cast<double>(InfoNumber(scene.plant, "memory", "\nmaxmemory:"));
  const double used = static_cast<double>(InfoNumber(scene.plant, "memory", "\nused_memory:"));
  scene.evidence.Measure("memory of Redis afterwards", limit > 0 ? 100 * used / limit : 100, 80,
                         "%");

  scene.plant.redis().Pause();
  scene.Let(std::min(absl::Seconds(10), scene.length));
  scene.plant.redis().Continue();
  const double normal = AssignsAsUsual(scene, usual, Monotonic(), absl::Seconds(15));
  scene.evidence.Measure("normal after Redis was frozen", normal, 3);
  scene.evidence.Recovered(normal);
  scene.evidence.Expect(scene.traffic.caller().counts().failed == failed && failed == 0,
                        "calls failed because of Redis");
  return absl::OkStatus();
}

// Row 27. Every entry is announced again and again, and each group is sent back to the beginning of
// the log: all of its effects are asked for twice.
absl::Status DeliverAgain(Scene& scene) {
  Plant& plant = scene.plant;
  const absl::Duration end = Monotonic() + scene.length;
  const std::vector<std::string> groups = {"router", "sla", "notifier", "analytics"};
  int64_t announced = 0, replayed = 0;
  // How far the group that was sent back last has come since, and how far it had been.
  std::string sent_back;
  int64_t had_been = 0;
  const auto place_of = [&plant](const std::string& name) {
    return plant.postgres().Count(
        "SELECT coalesce(sum(pos), 0) FROM ledger.consumer_offset WHERE grp = '" + name + "'");
  };
  const auto count_replayed = [&] {
    if (!sent_back.empty()) replayed += std::min(had_been, place_of(sent_back));
  };
  absl::Duration next_replay = Monotonic() + scene.length / 4;
  size_t group = static_cast<size_t>(scene.choices.Below(4));
  while (Monotonic() < end) {
    for (const StreamHead& head : Heads(plant)) {
      const auto last = plant.redis().Command({"XREVRANGE", head.key(), "+", "-", "COUNT", "1"});
      if (!last.ok() || last->items.empty()) continue;
      const std::string id = last->items[0].items[0].text;
      const std::string pos = id.substr(0, id.find('-'));
      int sequence = std::atoi(id.c_str() + id.find('-') + 1);
      for (int times = scene.choices.Below(5); times >= 0; --times) {
        const auto reply =
            plant.redis().Command({"XADD", head.key(), absl::StrCat(pos, "-", ++sequence), "e",
                                   "again", "v", "1", "t", "again"});
        if (reply.ok() && !reply->IsError()) ++announced;
      }
    }
    if (Monotonic() >= next_replay) {
      next_replay = Monotonic() + scene.length / 4;
      const std::string name = groups[group++ % groups.size()];
      count_replayed();
      sent_back = name;
      had_been = place_of(name);
      (void)plant.postgres().Query("UPDATE ledger.consumer_offset SET pos = 0 WHERE grp = '" +
                                   name + "'");
      scene.Say(absl::StrCat(name, " begins again: ", had_been, " entries"));
    }
    scene.Let(absl::Milliseconds(100));
  }
  count_replayed();
  scene.evidence.Bite("announcements repeated", announced);
  scene.evidence.Bite("entries handled again", replayed);
  return absl::OkStatus();
}

// Row 28. Somebody writes entries that nobody sent and removes those that were.
absl::Status LieInStreams(Scene& scene) {
  Plant& plant = scene.plant;
  const auto raised = [&plant] {
    return plant.postgres().Count("SELECT sum(incarnation - 1) FROM ledger.part_head");
  };
  const absl::Duration end = Monotonic() + scene.length;
  int64_t removed = 0, injected = 0;
  const int64_t before = raised();
  double slowest = 0;
  while (Monotonic() < end) {
    const std::vector<StreamHead> heads = Heads(plant);
    if (heads.empty()) return absl::InternalError("the heads of the streams cannot be read");
    for (const StreamHead& head : heads) {
      const auto some = plant.redis().Command({"XRANGE", head.key(), "-", "+", "COUNT", "20"});
      if (!some.ok()) continue;
      for (const redis::Reply& item : some->items) {
        if (item.items.empty() || !scene.choices.Chance(0.5)) continue;
        const auto gone = plant.redis().Command({"XDEL", head.key(), item.items[0].text});
        if (gone.ok()) removed += gone->integer;
      }
    }
    // One at a time: what is raised must equal what was injected.
    const StreamHead& victim =
        heads[static_cast<size_t>(scene.choices.Below(static_cast<int>(heads.size())))];
    const int64_t expected = raised() + 1;
    const auto reply = plant.redis().Command(
        {"XADD", victim.key(),
         absl::StrCat(victim.last + 1000 + scene.choices.Below(1000000), "-7"), "e",
         "00000000-0000-7000-8000-000000000000", "v", "1", "t", "phantom"});
    if (reply.ok() && !reply->IsError()) {
      ++injected;
      const absl::Duration since = Monotonic();
      scene.evidence.Expect(Eventually([&] { return raised() >= expected; }, absl::Seconds(20)),
                            "an entry that nobody sent was never noticed");
      slowest = std::max(slowest, absl::ToDoubleSeconds(Monotonic() - since));
    }
  }
  scene.evidence.Bite("entries removed by hand", removed);
  scene.evidence.Bite("entries that nobody sent", injected);
  scene.evidence.Expect(raised() - before == injected,
                        absl::StrCat(injected, " entries that nobody sent, and ", raised() - before,
                                     " new incarnations"));
  scene.evidence.Measure("until a false entry was noticed", slowest, 5);
  scene.evidence.Recovered(slowest);
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> RedisRows() {
  std::vector<Row> rows;
  rows.push_back({.number = 19,
                  .fault = "Redis FLUSHALL again and again",
                  .expects = "rebuilt from the log; normal within 3 s after the last",
                  .length = absl::Seconds(8),
                  .fault_of = FlushAgainAndAgain});
  rows.push_back({.number = 20,
                  .fault = "Redis kill -9 without persistence, down for a while, back empty",
                  .expects = "create to assigned p99 <= 0.5 s while it is down",
                  .length = absl::Seconds(10),
                  .fault_of = KillRedis});
  Row full{.number = 22,
           .fault = "Redis at maxmemory without eviction, then frozen",
           .expects = "no call fails; memory back below 80 %",
           .length = absl::Seconds(5),
           .in_short_suite = false,
           .fault_of = FillRedis};
  full.plant.redis = {"--maxmemory", "12mb"};
  rows.push_back(std::move(full));
  rows.push_back(
      {.number = 27,
       .fault = "each entry announced up to five times more, every group replayed from 1",
       .expects = "effects identical, counters equal",
       .length = absl::Seconds(10),
       .fault_of = DeliverAgain});
  rows.push_back({.number = 28,
                  .fault = "false entries written and true ones removed by hand",
                  .expects = "one new incarnation for each false entry",
                  .length = absl::Seconds(8),
                  .fault_of = LieInStreams});
  return rows;
}

}  // namespace potok::chaos
