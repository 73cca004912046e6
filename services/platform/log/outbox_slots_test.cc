#include "platform/log/outbox_slots.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

#include "migrate/migrations.h"
#include "platform/log/log_fixture.h"
#include "platform/log/sql.h"

namespace potok::log {
namespace {

using testing::IsOk;

constexpr char kToken[] = "00000000-0000-4000-8000-00000000000a";

class OutboxSlotsTest : public LogFixture {
 protected:
  OutboxSlotsTest() {
    database_.Query(absl::StrCat("UPDATE ledger.part_head SET token = '", kToken, "'"));
    WriteTo(0);
  }

  // The clock of these tests: which slot takes new rows.
  void WriteTo(int slot) {
    database_.Query(absl::StrCat(
        "CREATE OR REPLACE FUNCTION ledger.outbox_slot() RETURNS smallint LANGUAGE sql "
        "VOLATILE AS 'SELECT ",
        slot, "::smallint'"));
  }
  static OutboxSlotOptions Eager() {
    return {.look = absl::ZeroDuration(),
            .after_busy = absl::ZeroDuration(),
            .keep_bytes = 16 << 10,  // more than an empty slot has: a page of its index
            .hooks = {}};
  }
  static std::vector<Held> Owned() { return {{0, kToken}}; }
  // One pass of the relay over all parts; the number of entries moved.
  int Sequence() {
    std::vector<std::string> tokens(16, kToken);
    const auto moved =
        pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::StatusOr<int> {
          return static_cast<int>(
              tx.Run(sql::kSequence, pg::IntArray(AllParts()), pg::TextArray(tokens), 256).size());
        });
    EXPECT_THAT(moved, IsOk());
    return moved.ok() ? *moved : 0;
  }
  // `count` rows of new entities, spread over the parts, in one statement.
  void Fill(int count) {
    database_.Query(absl::StrCat(
        "INSERT INTO ledger.outbox (part, topic, entity, version, type) SELECT i % 16, 1 + i % 3, "
        "gen_random_uuid(), 1, 'created' FROM generate_series(1, ",
        count, ") AS i"));
  }
  int SlotRows(int slot) { return Int(absl::StrCat("SELECT count(*) FROM ledger.outbox_", slot)); }
  std::int64_t Bytes() {
    return std::stoll(
        database_.Query("SELECT pg_total_relation_size('ledger.outbox_0') + "
                        "pg_total_relation_size('ledger.outbox_1')"));
  }
  // Pages the relay looks at to find the first rows of every part.
  std::int64_t PagesOfALook() {
    const std::string plan = database_.Query(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT b.id FROM generate_series(0, 15) AS p "
        "CROSS JOIN LATERAL (SELECT o.id FROM ledger.outbox AS o WHERE o.part = p ORDER BY o.id "
        "LIMIT 256) AS b");
    const auto root = nlohmann::json::parse(plan)[0]["Plan"];
    return root["Shared Hit Blocks"].get<std::int64_t>() +
           root["Shared Read Blocks"].get<std::int64_t>();
  }
};

TEST_F(OutboxSlotsTest, RowsOfBothSlotsAreSequencedInTheOrderOfTheirIds) {
  for (int version = 1; version <= 12; ++version) {
    WriteTo(version / 2 % 2);
    for (int entity = 0; entity < 20; ++entity) {
      ASSERT_THAT(Append(database_.pool(), entity, version, version), IsOk());
    }
  }
  EXPECT_GT(SlotRows(0), 0);
  EXPECT_GT(SlotRows(1), 0);
  while (Sequence() > 0) continue;
  ExpectDenseAndOrdered(12 * 20);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.outbox"), 0);
}

TEST_F(OutboxSlotsTest, OnlyTheIdleSlotIsTruncatedAndOnlyWhenItIsEmpty) {
  OutboxSlots slots(Eager(), database_.pool());
  Fill(40);
  slots.Turn(Owned());
  EXPECT_EQ(SlotRows(0), 40) << "it takes new rows";
  WriteTo(1);
  slots.Turn(Owned());
  EXPECT_EQ(SlotRows(0), 40) << "nobody has read them yet";
  EXPECT_EQ(slots.truncated(), 0);
  EXPECT_EQ(Sequence(), 40);
  slots.Turn(Owned());
  EXPECT_EQ(slots.truncated(), 1);
  EXPECT_EQ(Int("SELECT pg_relation_size('ledger.outbox_0')"), 0);
  Fill(16);
  EXPECT_EQ(SlotRows(1), 16);
  EXPECT_EQ(Sequence(), 16);
}

TEST_F(OutboxSlotsTest, WhoeverDoesNotOwnThePartLeavesTheOutboxAlone) {
  Fill(40);
  Sequence();
  WriteTo(1);
  OutboxSlots slots(Eager(), database_.pool());
  slots.Turn({{1, kToken}});
  EXPECT_EQ(slots.truncated(), 0);
}

TEST_F(OutboxSlotsTest, ARowThatIsNotCommittedYetKeepsItsSlot) {
  Fill(40);
  ASSERT_EQ(Sequence(), 40);
  const absl::Status late =
      pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::Status {
        tx.RunText(
            "INSERT INTO ledger.outbox (part, topic, entity, version, type) VALUES (3, 1, "
            "gen_random_uuid(), 1, 'created')");
        WriteTo(1);  // The slot changes between its insert and its commit.
        OutboxSlots slots(Eager(), database_.pool());
        slots.Turn(Owned());
        EXPECT_EQ(slots.truncated(), 0);
        return absl::OkStatus();
      });
  ASSERT_THAT(late, IsOk());
  OutboxSlots slots(Eager(), database_.pool());
  slots.Turn(Owned());
  EXPECT_EQ(slots.truncated(), 0);
  EXPECT_EQ(Sequence(), 1) << "it was not lost";
}

TEST_F(OutboxSlotsTest, ASnapshotThatHoldsTheOutboxNeverSeesAnEventVanish) {
  Fill(16);
  const std::string count =
      "SELECT (SELECT count(*) FROM ledger.outbox) + (SELECT count(*) FROM ledger.event_log)";
  // What a check in one snapshot counts after the slot it has not looked at yet was emptied.
  const auto counted = [&](bool keep, int truncations) {
    const auto seen = pg::InTransaction(database_.pool(), {.read_only = true, .snapshot = true},
                                        [&](pg::Tx& tx) -> absl::StatusOr<int> {
                                          if (keep) tx.KeepTable("ledger.outbox");
                                          tx.RunText("SELECT 1");  // The snapshot is taken here.
                                          Sequence();
                                          WriteTo(1);
                                          OutboxSlots slots(Eager(), database_.pool());
                                          slots.Turn(Owned());
                                          EXPECT_EQ(slots.truncated(), truncations);
                                          return tx.RunText(count)[0][0].as<int>();
                                        });
    return seen.ok() ? *seen : -1;
  };
  EXPECT_EQ(counted(true, 0), 16);
  WriteTo(0);
  Fill(16);
  EXPECT_EQ(counted(false, 1), 16) << "of 32: this is why Verify holds the outbox";
}

TEST_F(OutboxSlotsTest, TheRelayFindsTheFirstRowsByTheirKeyHoweverTheSlotsHaveBeenUsed) {
  OutboxSlots slots(Eager(), database_.pool());
  const auto plan = [&] {
    return database_.Query(
        "SET plan_cache_mode = force_generic_plan; "
        "EXPLAIN (FORMAT JSON) SELECT b.id FROM generate_series(0, 15) AS p CROSS JOIN LATERAL "
        "(SELECT o.id FROM ledger.outbox AS o WHERE o.part = p ORDER BY o.id LIMIT 256) AS b");
  };
  for (int round = 0; round < 4; ++round) {
    WriteTo(round % 2);
    Fill(500);
    EXPECT_THAT(plan(), ::testing::Not(::testing::HasSubstr("Seq Scan")));
    EXPECT_EQ(Sequence(), 500);
    slots.Turn(Owned());
    EXPECT_THAT(plan(), ::testing::Not(::testing::HasSubstr("Seq Scan")));
  }
  EXPECT_GT(slots.truncated(), 1);
  // What would undo that: one vacuum of an empty slot.
  EXPECT_EQ(
      database_.Query("SELECT count(*) FROM pg_class WHERE relname IN ('outbox_0', 'outbox_1') "
                      "AND 'autovacuum_enabled=false' = ANY (reloptions)"),
      "2");
}

// Row 17 of the fault matrix: a long snapshot keeps every dead row of the outbox. Figures of this
// test stand in ARCHITECTURE.md.
TEST_F(OutboxSlotsTest, UnderALongSnapshotTheOutboxStaysSmallAndALookStaysCheap) {
  constexpr int kRounds = 60, kRows = 800, kRoundsASlot = 6;
  struct Figures {
    std::int64_t bytes = 0, pages = 0;
    double first_ms = 0, last_ms = 0;  // of one pass of the relay, mean of a slot's rounds
  };
  const auto run = [&](bool with_slots) {
    Figures figures;
    OutboxSlotOptions options = Eager();
    options.keep_bytes = 64 << 10;
    OutboxSlots slots(options, database_.pool());
    pg::Pool reports({.dsn = database_.dsn(), .size = 1, .application_name = "report"});
    const absl::Status held = pg::InTransaction(
        reports, {.read_only = true, .snapshot = true}, [&](pg::Tx& report) -> absl::Status {
          report.RunText("SELECT count(*) FROM ledger.ticket");
          for (int round = 0; round < kRounds; ++round) {
            if (round % kRoundsASlot == 0) WriteTo(round / kRoundsASlot % 2);
            Fill(kRows);
            const auto start = std::chrono::steady_clock::now();
            EXPECT_EQ(Sequence(), kRows);
            const double ms =
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                    .count();
            if (round < kRoundsASlot) figures.first_ms += ms / kRoundsASlot;
            if (round >= kRounds - kRoundsASlot) figures.last_ms += ms / kRoundsASlot;
            if (with_slots) slots.Turn(Owned());
            report.RunText("SELECT 1");  // Or the server ends it as idle.
          }
          figures.bytes = Bytes();
          figures.pages = PagesOfALook();
          return absl::OkStatus();
        });
    EXPECT_THAT(held, IsOk());
    EXPECT_EQ(slots.truncated() > 0, with_slots);
    database_.Query("TRUNCATE ledger.outbox");
    return figures;
  };
  const Figures without = run(false), with = run(true);
  for (const auto& [what, figures] : {std::pair("without", without), std::pair("with", with)}) {
    std::printf(
        "%s slots, %d rows under one snapshot: outbox %lld KiB, a look at it %lld pages, one "
        "pass %.1f ms at first, %.1f ms in the end\n",
        what, kRounds * kRows, static_cast<long long>(figures.bytes >> 10),
        static_cast<long long>(figures.pages), figures.first_ms, figures.last_ms);
  }
  // Two slots' worth of rows against all of them.
  EXPECT_LT(with.bytes * 3, without.bytes);
  EXPECT_LT(with.pages * 3, without.pages);
}

TEST(OutboxMigration, CarriesRowsOverAndStatementsOfTheReleaseBeforeGoOn) {
  testing::TestDatabase database(testing::TestDatabase::Contents::kEmpty);
  std::vector<pg::Migration> before, all;
  for (const pg::Migration& step : AllMigrations()) {
    if (step.schema != "ledger") continue;
    all.push_back(step);
    if (step.version < 4) before.push_back(step);
  }
  ASSERT_THAT(pg::Migrate(database.dsn(), before, false), IsOk());
  // A process of that release: its statements are prepared on its connection and stay so.
  pg::Pool release({.dsn = database.dsn("potok_intake"), .size = 1, .application_name = "before"});
  const pg::Statement insert{
      "before.insert",
      "INSERT INTO ledger.outbox (part, topic, entity, version, type) VALUES (1, 1, $1::uuid, "
      "$2::bigint, 'created') RETURNING id"};
  const pg::Statement take{
      "before.take",
      "WITH b AS (SELECT o.part, o.id FROM ledger.outbox AS o WHERE o.part = 1 ORDER BY o.id LIMIT "
      "$1::int) DELETE FROM ledger.outbox AS o USING b WHERE o.part = b.part AND o.id = b.id "
      "RETURNING o.id, o.version"};
  const std::string entity = "00000000-0000-7000-8000-000000000001";
  const auto write = [&](int version) {
    const auto id = pg::InTransaction(release, {}, [&](pg::Tx& tx) -> absl::StatusOr<int> {
      return tx.Run(insert, entity, version)[0][0].as<int>();
    });
    EXPECT_THAT(id, IsOk());
    return id.ok() ? *id : 0;
  };
  const auto read = [&](int limit) {
    const auto versions =
        pg::InTransaction(release, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::string> {
          std::map<int, std::string> by_id;
          for (const auto& row : tx.Run(take, limit)) by_id[row[0].as<int>()] = row[1].c_str();
          std::string text;
          for (const auto& [id, version] : by_id) text += version;
          return text;
        });
    EXPECT_THAT(versions, IsOk());
    return versions.ok() ? *versions : "";
  };
  for (int version = 1; version <= 3; ++version) write(version);
  EXPECT_EQ(read(1), "1");
  const int last = write(4);

  ASSERT_THAT(pg::Migrate(database.dsn(), all, false), IsOk());
  EXPECT_GT(write(5), last) << "ids are the order of an entity's events";
  EXPECT_EQ(database.Query("SELECT string_agg(version::text, '' ORDER BY id) FROM ledger.outbox"),
            "2345");
  EXPECT_EQ(read(2), "23");
  EXPECT_EQ(read(9), "45");
  EXPECT_EQ(pg::InTransaction(release, {},
                              [&](pg::Tx& tx) -> absl::Status {
                                tx.Run(sql::kTruncateOutbox, 0);
                                return absl::OkStatus();
                              }),
            absl::OkStatus())
      << "intake may truncate a slot";
}

}  // namespace
}  // namespace potok::log
