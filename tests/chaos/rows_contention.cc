// Rows 17 and 18: somebody else works in the same Postgres, reads for long or holds locks.
#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

#include "chaos/attempts.h"
#include "chaos/first_success.h"
#include "chaos/probe.h"
#include "chaos/row.h"
#include "platform/pg/pool.h"
#include "platform/pg/transaction.h"

namespace potok::chaos {
namespace {

// What is not worth telling apart on a machine that is shared.
constexpr double kNoise = 0.1;

// Somebody at a console of their own: no timeouts.
pg::Pool Console(Plant& plant, int size) {
  return pg::Pool(
      {.dsn = absl::StrCat("host=", plant.postgres().folder(), " user=postgres dbname=potok"),
       .size = size,
       .application_name = "console",
       .statement_timeout = absl::ZeroDuration(),
       .lock_timeout = absl::Seconds(10)});
}

// A transaction that lasts until it is told to end. The server ends a session that idles in one, so
// it sleeps in statements.
absl::Status Hold(pg::Pool& pool, const pg::TxOptions& options, const std::string& sql,
                  const std::function<bool()>& over, const std::function<void()>& began) {
  return pg::InTransaction(pool, options, [&](pg::Tx& tx) -> absl::Status {
    tx.Exec(sql);
    began();
    while (!over()) tx.Exec("SELECT pg_sleep(0.2)");
    return absl::OkStatus();
  });
}

// Row 17.
absl::Status LongReads(Scene& scene) {
  const Attempts attempts(scene);
  const double calm = scene.plant.Now();
  scene.Let(std::min(absl::Seconds(8), scene.length / 3));
  const double begin = scene.plant.Now();
  const double before = AssignQuantile(scene.plant, calm, begin, 0.99);

  pg::Pool console = Console(scene.plant, 4);
  const absl::Duration end = Monotonic() + scene.length;
  std::vector<std::thread> readers;
  std::vector<absl::Status> ends(4);
  readers.emplace_back([&] {
    ends[0] = Hold(
        console, {.attempts = 1, .read_only = true, .snapshot = true},
        "SELECT count(*) FROM ledger.ticket", [&] { return Monotonic() >= end; }, [] {});
  });
  // Each report is one snapshot that reads everything again and again; three of them overlap.
  for (int i = 0; i < 3; ++i) {
    const absl::Duration from = Monotonic() + scene.length / 6 * i;
    const absl::Duration to = from + scene.length / 2;
    readers.emplace_back([&, i, from, to] {
      absl::SleepFor(from - Monotonic());
      ends[static_cast<size_t>(i) + 1] = pg::InTransaction(
          console, {.attempts = 1, .read_only = true, .snapshot = true},
          [&](pg::Tx& tx) -> absl::Status {
            while (Monotonic() < std::min(to, end)) {
              tx.Exec(
                  "SELECT t.flow_id, e.type, e.actor, count(*), max(e.at), "
                  "avg(length(e.body::text))"
                  " FROM ledger.ticket t JOIN ledger.ticket_event e"
                  " ON e.part = t.part AND e.ticket_id = t.id GROUP BY 1, 2, 3 ORDER BY 4 DESC");
              tx.Exec("SELECT pg_sleep(0.2)");
            }
            return absl::OkStatus();
          });
    });
  }
  int64_t index_bytes = 0, behind = 0;
  while (Monotonic() < end) {
    scene.Let(absl::Milliseconds(500));
    // With its slots, if it has any.
    index_bytes = std::max(
        index_bytes, scene.plant.postgres().Count(
                         "SELECT sum(pg_indexes_size(relid)) FROM (SELECT relid FROM"
                         " pg_partition_tree('ledger.outbox') UNION SELECT 'ledger.outbox') t"));
    behind = std::max(
        behind, scene.plant.postgres().Count("SELECT max(age(backend_xmin)) FROM pg_stat_activity"
                                             " WHERE application_name = 'console'"));
  }
  for (std::thread& reader : readers) reader.join();
  for (const absl::Status& status : ends) {
    if (!status.ok()) return status;
  }
  const double with = AssignQuantile(scene.plant, begin, scene.plant.Now(), 0.99);
  scene.evidence.Bite("transactions behind the snapshot", behind);
  scene.evidence.Measure("assign p99 before", before * 1000, 0, "ms");
  scene.evidence.Measure("assign p99 with the readers", with * 1000, 0, "ms");
  scene.evidence.Measure("assign p99, times what it was", with / std::max(kNoise, before), 2, "");
  scene.evidence.Measure("indexes of the outbox", static_cast<double>(index_bytes) / (1 << 20), 64,
                         "MB");
  scene.evidence.Measure("longest create to assigned",
                         LongestAssign(scene.plant, begin, scene.plant.Now()));
  scene.evidence.Recovered(0);
  attempts.ExpectHonest();
  return absl::OkStatus();
}

// Seconds to the answer of the creates due in [from, to] whose ticket is not of flow "ring".
double OthersP99(Scene& scene, absl::Duration from, absl::Duration to) {
  std::vector<double> seconds;
  for (const Filing& filing : scene.traffic.oracle().filings()) {
    if (filing.outcome != Told::Outcome::kOk || filing.due < from || filing.due > to ||
        absl::StartsWith(filing.number, "RR-")) {
      continue;
    }
    seconds.push_back(absl::ToDoubleSeconds(filing.answered - filing.due));
  }
  return Quantile(seconds, 0.99);
}

// Row 18. One row after another is locked by somebody who forgot it.
absl::Status LockHog(Scene& scene) {
  const Attempts attempts(scene);
  const struct {
    const char* what;
    const char* sql;
  } kHogs[] = {
      {"the cursor of a flow",
       "SELECT 1 FROM ledger.flow_cursor WHERE flow_id = 'ring' FOR UPDATE"},
      {"the load of an agent",
       "SELECT 1 FROM ledger.agent_load WHERE flow_id = 'ring' AND agent_id = 'ring-0' FOR UPDATE"},
      {"a ticket in work",
       "SELECT 1 FROM ledger.ticket WHERE flow_id = 'ring' AND state IN ('ASSIGNED', 'IN_PROGRESS')"
       " ORDER BY created_at DESC LIMIT 3 FOR UPDATE"},
  };
  pg::Pool console = Console(scene.plant, 1);
  for (const auto& hog : kHogs) {
    const absl::Duration calm = Monotonic();
    const double calm_db = scene.plant.Now();
    scene.Let(std::min(absl::Seconds(6), scene.length / 4));
    const double assign_before = AssignQuantile(scene.plant, calm_db, scene.plant.Now(), 0.99);
    const double create_before = OthersP99(scene, calm, Monotonic());
    const int timeouts = CountInPostgresLog(scene, "due to lock timeout");

    absl::Notification held;
    absl::Duration begin;
    absl::Status ended;
    std::thread holder([&] {
      ended = Hold(
          console, {.attempts = 1}, hog.sql,
          [&] { return Monotonic() >= begin + scene.length / 3; },
          [&] {
            begin = Monotonic();
            held.Notify();
          });
    });
    if (!held.WaitForNotificationWithTimeout(absl::Seconds(15))) {
      holder.join();
      return ended;
    }
    const double begin_db = scene.plant.Now();
    holder.join();
    const absl::Duration end = Monotonic();
    const double end_db = scene.plant.Now();
    if (!ended.ok()) return ended;
    // What was due while the row was held has its answer soon after.
    scene.Let(absl::Seconds(1));
    const double assign = AssignQuantile(scene.plant, begin_db, end_db, 0.99);
    const double create = OthersP99(scene, begin, end);
    scene.Say(absl::StrCat("held ", hog.what, " for ", absl::FormatDuration(end - begin)));
    scene.evidence.Bite(absl::StrCat("lock timeouts at ", hog.what),
                        CountInPostgresLog(scene, "due to lock timeout") - timeouts);
    scene.evidence.Note(absl::StrCat(hog.what, ": others' assign p99 ", assign_before, " -> ",
                                     assign, " s, create p99 ", create_before, " -> ", create,
                                     " s"));
    scene.evidence.Measure("others' assign p99, times what it was",
                           assign / std::max(kNoise, assign_before), 2, "");
    scene.evidence.Measure("others' create p99, times what it was",
                           create / std::max(kNoise, create_before), 2, "");
  }
  scene.evidence.Recovered(0);
  attempts.ExpectHonest();
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> ContentionRows() {
  std::vector<Row> rows;
  rows.push_back({.number = 17,
                  .fault = "a REPEATABLE READ snapshot held, three reports on top of each other",
                  .expects = "assign p99 at most twice what it was; outbox indexes <= 64 MB",
                  .length = absl::Seconds(90),
                  .in_short_suite = false,
                  .traffic = {.creates_per_second = 40},
                  .fault_of = LongReads});
  rows.push_back({.number = 18,
                  .fault = "a hot flow's cursor, an agent's load and tickets locked, 10 s each",
                  .expects = "lock timeouts, and other flows do not notice",
                  .length = absl::Seconds(30),
                  .in_short_suite = false,
                  .plant = {.postgres = {"log_min_messages=error"}},
                  .traffic = {.creates_per_second = 40},
                  .fault_of = LockHog});
  return rows;
}

}  // namespace potok::chaos
