#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"

#include "platform/log/consumer.h"
#include "platform/log/relay.h"
#include "platform/pg/transaction.h"
#include "platform/testing/signal.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::log {

// Handlers that pass it hang until it is open. Thread-safe.
class Gate {
 public:
  void Open() {
    absl::MutexLock lock(&mu_);
    open_ = true;
  }
  void Pass() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&open_));
  }

 private:
  absl::Mutex mu_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
};

// Opens it at the end at the latest: declared after the consumer, which waits for its handlers.
struct OpenAtTheEnd {
  Gate& gate;
  ~OpenAtTheEnd() { gate.Open(); }
};

// A migrated database and a Redis of its own, with short leases so that a takeover takes a second.
class LogFixture : public ::testing::Test {
 protected:
  LogFixture() {
    database_.Query(
        "CREATE TABLE public.effect (grp text, topic int, part int, pos bigint, entity uuid, "
        "version "
        "bigint, n bigserial, at timestamptz DEFAULT clock_timestamp());"
        "GRANT SELECT, INSERT ON public.effect TO PUBLIC;"
        "GRANT USAGE ON SEQUENCE public.effect_n_seq TO PUBLIC");
  }

  static std::vector<int> AllParts() {
    std::vector<int> parts;
    for (int part = 0; part < 16; ++part) parts.push_back(part);
    return parts;
  }
  static std::string Key(int incarnation, int topic, int part) {
    return absl::StrCat("ev:", incarnation, ":", topic, ":", part);
  }
  static LeaseTimes ShortLeases() {
    return {.ttl = absl::Seconds(1),
            .renew = absl::Milliseconds(200),
            .fence = absl::Milliseconds(600)};
  }

  RelayOptions RelayDefaults() {
    return {.parts = AllParts(),
            .owner = MakeOwner(),
            .stream_key = Key,
            .wake_channel = "",
            .redis = {.address = redis_.address(), .io_timeout = absl::Milliseconds(500)},
            .check_redis = absl::Milliseconds(200),
            .lease_times = ShortLeases(),
            .hooks = {}};
  }
  ConsumerOptions ConsumerDefaults(const std::string& group = "analytics") {
    return {.group = group,
            .topics = {1, 2, 3},
            .parts = AllParts(),
            .owner = MakeOwner(),
            .stream_key = Key,
            .redis = {.address = redis_.address(), .io_timeout = absl::Milliseconds(500)},
            .after_commit = {},
            .first_retry = absl::Milliseconds(5),
            .lease_times = ShortLeases(),
            .hooks = {}};
  }

  static std::string Entity(int i) { return absl::StrFormat("00000000-0000-7000-8000-%012x", i); }

  // Writes versions [from, to] of `entity` to the outbox, as the ledger does: in one transaction,
  // with topic and part following from the entity.
  static absl::Status Append(pg::Pool& pool, int entity, int from, int to) {
    return pg::InTransaction(pool, {}, [&](pg::Tx& tx) -> absl::Status {
      for (int version = from; version <= to; ++version) {
        tx.RunText(
            "INSERT INTO ledger.outbox (part, topic, entity, version, type) VALUES ($1, $2, $3, "
            "$4, 'created')",
            {pg::ToParam(entity % 16), pg::ToParam(1 + entity % 3), pg::ToParam(Entity(entity)),
             pg::ToParam(version)});
      }
      return absl::OkStatus();
    });
  }

  // The effect of an entry: one row. A second application would show as a second row.
  static absl::Status Record(pg::Tx& tx, const std::string& group, const LogEntry& entry) {
    tx.RunText(
        "INSERT INTO public.effect (grp, topic, part, pos, entity, version) VALUES "
        "($1,$2,$3,$4,$5,$6)",
        {pg::ToParam(group), pg::ToParam(entry.topic), pg::ToParam(entry.part),
         pg::ToParam(entry.pos), pg::ToParam(entry.entity), pg::ToParam(entry.version)});
    return absl::OkStatus();
  }
  static Handler Recording(const std::string& group = "analytics") {
    return [group](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
      for (const LogEntry& entry : entries) {
        if (absl::Status status = Record(tx, group, entry); !status.ok()) return status;
      }
      return absl::OkStatus();
    };
  }

  void StartRelay() {
    relay_ = std::make_unique<Relay>(RelayDefaults(), database_.pool(24));
    relay_->Start();
  }

  int Int(const std::string& sql) {
    const std::string text = database_.Query(sql);
    return text.empty() ? 0 : std::stoi(text);
  }
  bool EffectsReach(int count) {
    return testing::Eventually([&] { return Int("SELECT count(*) FROM public.effect") >= count; });
  }

  // Positions of every stream are 1..n without gap, and each entity's versions ascend with them.
  void ExpectDenseAndOrdered(int entries) {
    EXPECT_EQ(Int("SELECT count(*) FROM ledger.event_log"), entries);
    EXPECT_EQ(Int("SELECT count(DISTINCT (entity, version)) FROM ledger.event_log"), entries);
    EXPECT_EQ(Int("SELECT count(*) FROM (SELECT max(pos) - min(pos) + 1 - count(*) AS gap, "
                  "min(pos) AS first "
                  "FROM ledger.event_log GROUP BY topic, part) s WHERE gap <> 0 OR first <> 1"),
              0);
    EXPECT_EQ(Int("SELECT count(*) FROM (SELECT version - lag(version) OVER (PARTITION BY topic, "
                  "part, entity "
                  "ORDER BY pos) AS step FROM ledger.event_log) s WHERE step <> 1"),
              0);
    EXPECT_EQ(
        Int("SELECT count(*) FROM ledger.part_head h WHERE next_pos - 1 <> (SELECT count(*) FROM "
            "ledger.event_log e WHERE e.topic = h.topic AND e.part = h.part)"),
        0);
  }

  // Every entry of the log had its effect once, in order within its stream.
  void ExpectOnceAndInOrder(int entries) {
    EXPECT_EQ(Int("SELECT count(*) FROM public.effect"), entries);
    EXPECT_EQ(Int("SELECT count(DISTINCT (topic, part, pos)) FROM public.effect"), entries);
    EXPECT_EQ(Int("SELECT count(*) FROM (SELECT pos - lag(pos) OVER (PARTITION BY topic, part "
                  "ORDER BY n) AS step "
                  "FROM public.effect) s WHERE step < 1"),
              0);
  }

  testing::TestDatabase database_;
  testing::TestRedis redis_;
  std::unique_ptr<Relay> relay_;
};

}  // namespace potok::log
