// While somebody holds a snapshot, every version that a row ever was stays, and a look by key walks
// over all of them (row 17 of the fault matrix). Rows that change with every event are therefore
// read once a statement, and where their newest version is. What a look costs then is seen in its
// plan, and not in the time it takes on an idle machine.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include "intake/sql.h"
#include "platform/log/sql.h"
#include "platform/pg/statement.h"
#include "platform/pg/transaction.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"
#include "router/sql.h"

namespace potok {
namespace {

using nlohmann::json;
using testing::IsOk;

constexpr int kVersions = 600;
constexpr char kToken[] = "00000000-0000-4000-8000-000000000001";

class LongSnapshotTest : public ::testing::Test {
 protected:
  // What `statement` did when all that changes had `kVersions` versions which a snapshot kept: the
  // nodes of its plan, which is the one kept for any arguments and made while the tables were
  // small.
  std::vector<json> Nodes(const pg::Statement& statement, const std::string& types,
                          const std::string& arguments) {
    std::vector<json> nodes;
    const auto held = pg::InTransaction(
        database_.pool(), {.read_only = true, .snapshot = true}, [&](pg::Tx& old) -> absl::Status {
          old.RunText("SELECT 1");  // The snapshot is taken here.
          return pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::Status {
            tx.RunText("SET LOCAL plan_cache_mode = force_generic_plan");
            tx.RunText(absl::StrCat("PREPARE looked_at (", types, ") AS ", statement.text));
            tx.RunText(absl::StrCat("EXPLAIN EXECUTE looked_at (", arguments, ")"));
            tx.RunText(absl::StrCat(
                "DO $$ BEGIN FOR i IN 1..", kVersions,
                " LOOP UPDATE ledger.consumer_offset SET token = '", kToken,
                "' WHERE part = 1; UPDATE ledger.part_head SET token = token WHERE part = 1;"
                " END LOOP; END $$"));
            const std::string plan = tx.RunText(absl::StrCat(
                "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE looked_at (", arguments,
                ")"))[0][0]
                                         .as<std::string>();
            Collect(json::parse(plan)[0]["Plan"], &nodes);
            tx.RunText("DEALLOCATE looked_at");
            return absl::OkStatus();
          });
        });
    EXPECT_THAT(held, IsOk());
    return nodes;
  }

  static void Collect(const json& node, std::vector<json>* nodes) {
    nodes->push_back(node);
    if (!node.contains("Plans")) return;
    for (const json& below : node["Plans"]) Collect(below, nodes);
  }

  // How often all of `table`, or a part of it, was looked through.
  static int Looks(const std::vector<json>& nodes, const std::string& table) {
    int looks = 0;
    for (const json& node : nodes) {
      if (node.value("Relation Name", "") == table && node["Node Type"] != "ModifyTable") {
        looks += node["Actual Loops"].get<int>();
      }
    }
    return looks;
  }

  testing::TestDatabase database_;
};

TEST_F(LongSnapshotTest, AnOffsetIsMovedAtThePlaceWhereItWasReadAndNotLookedForAgain) {
  database_.Query(
      "INSERT INTO ledger.event_log (topic, part, pos, entity, version, type, at) SELECT 2, 1, n,"
      " gen_random_uuid(), 1, 'created', now() FROM generate_series(1, 3) n;"
      "UPDATE ledger.part_head SET next_pos = 4 WHERE topic = 2 AND part = 1");
  const std::vector<json> nodes =
      Nodes(log::sql::kTake, "text, smallint[], smallint[], uuid[], int",
            absl::StrCat("'analytics', '{2}', '{1}', '{", kToken, "}', 100"));
  std::vector<std::string> ways;
  for (const json& node : nodes) {
    if (node.value("Relation Name", "") == "consumer_offset" &&
        node["Node Type"] != "ModifyTable" && node["Node Type"] != "Bitmap Index Scan") {
      ways.push_back(node["Node Type"].get<std::string>());
      EXPECT_EQ(node["Actual Loops"], 1) << node;
    }
  }
  // One way through the versions of the stream that was asked for, and one straight to the row.
  ASSERT_EQ(ways.size(), 2) << absl::StrJoin(ways, ", ");
  EXPECT_THAT(ways, ::testing::Contains("Tid Scan"));
}

TEST_F(LongSnapshotTest, WhatTrimsStreamsReadsAllOffsetsInOneGo) {
  const std::vector<json> nodes = Nodes(log::sql::kHeads, "smallint[]", "'{0,1,2,3,4,5,6,7}'");
  EXPECT_EQ(Looks(nodes, "consumer_offset"), 1);
  EXPECT_EQ(Looks(nodes, "part_head"), 1);
}

TEST_F(LongSnapshotTest, WhatDecidesOnAdmissionReadsHeadsAndOffsetsInOneGo) {
  const std::vector<json> nodes = Nodes(intake::sql::kAdmissionFacts, "bigint", "1000");
  EXPECT_EQ(Looks(nodes, "consumer_offset"), 1);
  EXPECT_EQ(Looks(nodes, "part_head"), 1);
}

TEST_F(LongSnapshotTest, AQueueIsAskedForItsYoungestTicketOnceAFlow) {
  const std::vector<json> nodes = Nodes(router::sql::kFlowsOfTickets, "smallint[], uuid[]",
                                        "'{1}', '{00000000-0000-7000-8000-000000000001}'");
  std::vector<std::string> directions;
  for (const json& node : nodes) {
    if (node.value("Index Name", "") == "ticket_queue") {
      directions.push_back(node.value("Scan Direction", "none"));
    }
  }
  EXPECT_THAT(directions, ::testing::ElementsAre("Backward"));
}

}  // namespace
}  // namespace potok
