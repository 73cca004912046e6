// Rows 10 to 12, 15 and 16: a Postgres that goes away, comes back, cuts off, refuses and is slow.
#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "chaos/attempts.h"
#include "chaos/first_success.h"
#include "chaos/probe.h"
#include "chaos/row.h"
#include "platform/pg/pool.h"

namespace potok::chaos {
namespace {

const char* const kPotoksBackends =
    "FROM pg_stat_activity WHERE backend_type = 'client backend'"
    " AND starts_with(application_name, 'potok-')";

int64_t Backends(Scene& scene) {
  return scene.plant.postgres().Count(absl::StrCat("SELECT count(*) ", kPotoksBackends));
}

// Rows 10 and 11.
absl::Status RestartPostgres(Scene& scene, const std::vector<Postgres::Stop>& ways) {
  const Attempts attempts(scene);
  const absl::Duration end = Monotonic() + scene.length;
  const int dirty = CountInPostgresLog(scene, "was not properly shut down");
  int64_t cut = 0;
  do {
    scene.Let(scene.choices.Between(absl::Milliseconds(300), absl::Milliseconds(1500)));
    cut += Backends(scene);
    const Postgres::Stop way =
        ways[static_cast<size_t>(scene.choices.Below(static_cast<int>(ways.size())))];
    scene.plant.postgres().End(way);
    scene.Let(scene.choices.Between(absl::ZeroDuration(), absl::Milliseconds(1200)));
    const absl::Duration took = scene.plant.postgres().Start();
    const absl::Duration ready = Monotonic();
    scene.Say(absl::StrCat(way == Postgres::Stop::kFast        ? "-m fast"
                           : way == Postgres::Stop::kImmediate ? "-m immediate"
                                                               : "kill -9",
                           ", ready after ", absl::FormatDuration(took)));
    MeasureFirstSuccess(scene, ready, 2);
  } while (Monotonic() < end);
  scene.evidence.Bite("connections cut", cut);
  scene.evidence.Bite("attempts cut", attempts.seen().cut());
  if (ways.front() != Postgres::Stop::kFast) {
    scene.evidence.Bite("crash recoveries",
                        CountInPostgresLog(scene, "was not properly shut down") - dirty);
  }
  attempts.ExpectHonest();
  return absl::OkStatus();
}

// Row 12. A random backend of the services is terminated 20 times a second.
absl::Status TerminateBackends(Scene& scene) {
  const Attempts attempts(scene);
  const absl::Duration begin = Monotonic();
  int64_t terminated = 0, busy = 0;
  for (int i = 0; Monotonic() < begin + scene.length; ++i) {
    const auto rows = scene.plant.postgres().Rows(
        absl::StrCat("WITH backend AS (SELECT pid, state ", kPotoksBackends,
                     "), chosen AS (SELECT pid, state"
                     " FROM backend ORDER BY pid OFFSET (",
                     scene.choices.Below(1000000),
                     " % greatest(1, (SELECT count(*) FROM backend))) LIMIT 1)"
                     " SELECT state, pg_terminate_backend(pid) FROM chosen"));
    if (!rows.ok()) return rows.status();
    if (!rows->empty() && (*rows)[0][1] == "t") {
      ++terminated;
      busy += (*rows)[0][0] == "idle" ? 0 : 1;
    }
    absl::SleepFor(begin + absl::Milliseconds(50) * (i + 1) - Monotonic());
  }
  const absl::Duration over = Monotonic();
  const Attempts::Seen seen = attempts.seen();
  scene.evidence.Bite("backends terminated", terminated);
  scene.evidence.Note(absl::StrCat(busy, " of ", terminated, " terminated backends were busy; ",
                                   seen.cut(), " of ", seen.attempts, " attempts were cut"));
  scene.evidence.Measure("attempts cut", seen.cut_share() * 100, 1, "%");
  MeasureFirstSuccess(scene, over, 2);
  attempts.ExpectHonest();
  return absl::OkStatus();
}

// How much the services have grown since it was made, at the worst instant; looks from a thread.
class Growth {
 public:
  explicit Growth(Plant& plant) : plant_(plant) {
    for (Service* service : plant.all()) before_.push_back(service->rss_kib());
    thread_ = std::thread([this] {
      while (!stop_) {
        Look();
        absl::SleepFor(absl::Milliseconds(100));
      }
    });
  }
  ~Growth() { Stop(); }
  double MostMib() {
    Stop();
    return static_cast<double>(most_) / 1024;
  }
  const std::string& whose() const { return whose_; }

 private:
  void Look() {
    const std::vector<Service*> all = plant_.all();
    for (size_t i = 0; i < all.size(); ++i) {
      const int64_t more = all[i]->rss_kib() - before_[i];
      if (more <= most_) continue;
      most_ = more;
      whose_ = all[i]->label();
    }
  }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  Plant& plant_;
  std::vector<int64_t> before_;
  int64_t most_ = 0;
  std::string whose_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Takes every connection that an ordinary role can get, and each that becomes free.
class ConnectionHog {
 public:
  explicit ConnectionHog(const std::string& folder)
      : pool_({.dsn = absl::StrCat("host=", folder, " user=potok_intake dbname=potok"),
               .size = 1000,
               .application_name = "hog"}) {
    thread_ = std::thread([this] {
      while (!stop_) {
        auto lease = pool_.Acquire();
        if (lease.ok()) {
          held_.push_back(std::make_unique<pg::Pool::Lease>(*std::move(lease)));
        } else {
          absl::SleepFor(absl::Milliseconds(2));
        }
      }
    });
  }
  ~ConnectionHog() { LetGo(); }
  void LetGo() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    for (const auto& lease : held_) lease->Discard(/*and_idle=*/false);
    held_.clear();
  }

 private:
  pg::Pool pool_;
  std::vector<std::unique_ptr<pg::Pool::Lease>> held_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Row 15. First no connection is free, then none is accepted.
absl::Status RefuseConnections(Scene& scene) {
  const Attempts attempts(scene);
  Growth growth(scene.plant);
  {
    ConnectionHog hog(scene.plant.postgres().folder());
    const absl::Duration end = Monotonic() + scene.length / 2;
    int64_t cut = 0, left = 0;
    while (Monotonic() < end) {
      const auto rows = scene.plant.postgres().Rows(
          absl::StrCat("SELECT count(pg_terminate_backend(pid)) ", kPotoksBackends));
      if (rows.ok()) cut += left = std::atoi((*rows)[0][0].c_str());
      scene.Let(absl::Milliseconds(200));
    }
    scene.evidence.Bite("connections taken away", cut);
    scene.evidence.Bite("refused as too many",
                        CountInPostgresLog(scene, "too many clients already") +
                            CountInPostgresLog(scene, "connection slots are reserved"));
    scene.Say(absl::StrCat("the last of ", cut, " connections taken away were ", left));
    hog.LetGo();
  }
  MeasureFirstSuccess(scene, Monotonic(), 3);
  int64_t refused = 0;
  for (Service* service : scene.plant.all()) {
    refused -= service->to_postgres().counts().refused;
    service->to_postgres().Set({.refuse = true});
    service->to_postgres().Cut();
  }
  scene.Say("connections are refused");
  scene.Let(scene.length / 2);
  for (Service* service : scene.plant.all()) {
    service->to_postgres().Heal();
    refused += service->to_postgres().counts().refused;
  }
  const absl::Duration healed = Monotonic();
  MeasureFirstSuccess(scene, healed, 3);
  scene.evidence.Bite("connections refused", refused);
  const Attempts::Seen seen = attempts.seen();
  scene.evidence.Bite("attempts shed", seen.of("UNAVAILABLE") + seen.of("RESOURCE_EXHAUSTED"));
  scene.evidence.Measure("growth of a process", growth.MostMib(), 50, "MB");
  scene.evidence.Note(absl::StrCat("grew most: ", growth.whose()));
  attempts.ExpectHonest();
  return absl::OkStatus();
}

double P99Between(Scene& scene, absl::Duration from, absl::Duration to) {
  return Quantile(scene.traffic.oracle().Latencies(from, to), 0.99);
}

// Row 16. A database behind a long way, then behind a thin one.
absl::Status SlowPostgres(Scene& scene) {
  const Attempts attempts(scene);
  const double before = P99Between(scene, scene.traffic.started(), Monotonic());
  const auto slow = [&](const char* what, const LinkFault& fault) {
    const Attempts here(scene);
    const absl::Duration begin = Monotonic();
    for (Service* service : scene.plant.all()) service->to_postgres().Set(fault);
    scene.Say(what);
    scene.Let(scene.length / 2);
    const absl::Duration end = Monotonic();
    for (Service* service : scene.plant.all()) service->to_postgres().Heal();
    const Attempts::Seen seen = here.seen();
    scene.evidence.Measure(
        absl::StrCat("attempts a call, ", what),
        static_cast<double>(seen.attempts) / static_cast<double>(std::max<int64_t>(1, seen.calls)),
        1.2, "");
    scene.evidence.Measure(absl::StrCat("create p99, ", what), P99Between(scene, begin, end));
    std::optional<double> normal;
    const absl::Duration patience = Monotonic() + absl::Seconds(20);
    while (!normal && Monotonic() < patience) {
      scene.Let(absl::Milliseconds(250));
      normal = BackToNormal(scene.traffic.oracle(), end, Monotonic(), before);
    }
    scene.evidence.Measure(absl::StrCat("to normal p99 after ", what), normal.value_or(20), 5);
    scene.evidence.Recovered(normal.value_or(20));
    return scene.traffic.oracle().Latencies(begin, end);
  };
  const std::vector<double> far =
      slow("100 ms a round trip",
           {.delay_up = absl::Milliseconds(50), .delay_down = absl::Milliseconds(50)});
  // A create is several round trips.
  scene.evidence.Bite("creates slowed down",
                      std::count_if(far.begin(), far.end(), [](double s) { return s > 0.2; }));
  // A link's limit is each connection's; a replica has about ten that are busy.
  int64_t bytes = 0;
  for (Service* service : scene.plant.all()) bytes -= service->to_postgres().counts().bytes_up;
  slow("1 MB/s", {.bytes_per_second = 100e3});
  for (Service* service : scene.plant.all()) bytes += service->to_postgres().counts().bytes_up;
  scene.evidence.Bite("bytes through thin links", bytes);
  attempts.ExpectHonest();
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> PostgresRows() {
  std::vector<Row> rows;
  rows.push_back(
      {.number = 10,
       .fault = "Postgres restarts, -m fast",
       .expects = "first success within 2 s of its being ready",
       .fault_of = [](Scene& scene) { return RestartPostgres(scene, {Postgres::Stop::kFast}); }});
  rows.push_back(
      {.number = 11,
       .fault = "Postgres crashes, -m immediate and kill -9",
       .expects = "commits of unknown outcome are found out; first success within 2 s",
       .fault_of = [](Scene& scene) {
         return RestartPostgres(scene, {Postgres::Stop::kImmediate, Postgres::Stop::kKill});
       }});
  rows.push_back({.number = 12,
                  .fault = "pg_terminate_backend, 20 a second",
                  .expects = "less than 1 % of attempts fail, no call does; nothing wedges",
                  .fault_of = TerminateBackends});
  rows.push_back(
      {.number = 15,
       .fault = "no connection to Postgres is free, then none is accepted",
       .expects = "shed with UNAVAILABLE; no process grows by 50 MB; back within 3 s",
       .length = absl::Seconds(16),
       .in_short_suite = false,
       .plant = {.postgres = {"superuser_reserved_connections=12", "log_min_messages=error"}},
       .traffic = {.creates_per_second = 60, .filers = 256},
       .fault_of = RefuseConnections});
  rows.push_back({.number = 16,
                  .fault = "slow Postgres: 100 ms a round trip, then 1 MB/s",
                  .expects = "at most 1.2 attempts a call; no collapse afterwards",
                  .length = absl::Seconds(20),
                  .in_short_suite = false,
                  .fault_of = SlowPostgres});
  return rows;
}

}  // namespace potok::chaos
