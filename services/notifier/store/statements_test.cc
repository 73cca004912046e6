#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

#include "notifier/domain/delivery_fields.h"
#include "notifier/sql.h"
#include "notifier/store/delivery_lists.h"
#include "notifier/store/facts_codec.h"
#include "notifier/store/text_folder.h"
#include "platform/pg/transaction.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::notifier {
namespace {

using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;

TEST(NotifierStatements, FitTheSchema) {
  testing::TestDatabase database;
  EXPECT_THAT(testing::PrepareAll(database, sql::kAllStatements), IsOk());
}

// Statistics are mostly taken while no mail waits; the plan made then must not become quadratic
// when thousands do.
TEST(NotifierStatements, AClaimLooksUpWhatStandsBeforeAMailByTheUniqueKeyWhateverTheStatistics) {
  testing::TestDatabase database;
  database.Query(
      "INSERT INTO notifier.delivery (part, id, ticket_id, version, flow_id, rule, kind, role,"
      " recipient, channel, locale, facts, planned_at, state, next_at, caused_at, finished_at)"
      " SELECT i % 16, gen_random_uuid(), gen_random_uuid(), 1, 'it', 'r', 'k', 'o', 'anna',"
      " 'email', 'ru', '{}', now(), 'sent', now(), now(), now() FROM generate_series(1, 20000) i");
  database.Query("ANALYZE notifier.delivery");
  std::string plan;
  ASSERT_THAT(pg::InTransaction(
                  database.pool(), {},
                  [&](pg::Tx& tx) -> absl::Status {
                    tx.Exec("SET LOCAL plan_cache_mode = force_generic_plan");
                    tx.Exec(absl::StrCat("PREPARE claim AS\n", sql::kClaimDeliveries.text));
                    for (const auto& row : tx.Exec("EXPLAIN EXECUTE claim('email', 16,"
                                                   " '01900000-0000-7000-8000-000000000000', 1)")) {
                      absl::StrAppend(&plan, row[0].c_str(), "\n");
                    }
                    return absl::OkStatus();
                  }),
              IsOk());
  const std::string before = plan.substr(std::min(plan.find("SubPlan"), plan.size()));
  EXPECT_THAT(before, ::testing::HasSubstr("delivery_part_ticket_id_recipient_channel_version_key"))
      << plan;
  EXPECT_THAT(before, ::testing::Not(::testing::HasSubstr("delivery_due"))) << plan;
}

TEST(NotifierStatements, EveryFilterFieldHasItsColumn) {
  testing::TestDatabase database;
  const DeliveryLists lists(database.pool());
  for (const char* filter : {"ticket = \"tickets/0190\"", "flow = it", "recipient = employees/anna",
                             "channel = EMAIL", "kind = HALF_TERM", "state = (QUEUED OR FAILED)",
                             "create_time > \"2026-01-01T00:00:00Z\" AND -state = SENT"}) {
    DeliveryQuery query{.filter = *desk::ParseFilter(filter, DeliveryFields())};
    query.with_total = true;
    query.flows = {{"it", "hr"}};
    query.after = DeliveryCursor{absl::FromUnixSeconds(1), "01900000-0000-7000-8000-000000000000"};
    EXPECT_THAT(lists.List(query, DeliveryLists::Deadline::max()), IsOk()) << filter;
  }
  for (const desk::FilterField& field : DeliveryFields().fields) {
    DeliveryQuery query{.filter = *desk::ParseFilter(field.name + ":*", DeliveryFields())};
    EXPECT_THAT(lists.List(query, DeliveryLists::Deadline::max()), IsOk()) << field.name;
  }
  EXPECT_THAT(lists.Figures(DeliveryLists::Deadline::max()), IsOk());
}

TEST(FactsCodec, ReadsBackWhatItWrote) {
  NoticeFacts facts;
  facts.name = "Анна";
  facts.zone = "Europe/Moscow";
  facts.ticket_id = "t";
  facts.number = "IT-1";
  facts.title = "{\"ж\"}\r\n";
  facts.flow_ru = "р";
  facts.flow_en = "e";
  facts.requester = "a";
  facts.holder = "b";
  facts.former = "c";
  facts.actor = "d";
  facts.due_at = absl::FromUnixMicros(1794819600000001);
  facts.closes_at = absl::FromUnixMicros(3);
  facts.at = absl::FromUnixMicros(2);
  facts.score = 1;
  facts.returns = 2;
  facts.line = 3;
  facts.next_line = 4;
  facts.priority = 5;
  const NoticeFacts back = FactsFromJson(ToJson(facts).dump());
  EXPECT_EQ(ToJson(back), ToJson(facts));
  EXPECT_EQ(back.due_at, facts.due_at);
  EXPECT_EQ(back.title, facts.title);
  EXPECT_EQ(back.priority, 5);
  for (const char* damaged : {"", "[]", "{\"name\":1,\"at_us\":\"x\"}", "{"}) {
    EXPECT_EQ(FactsFromJson(damaged).name, "") << damaged;
  }
}

TEST(TextFolder, ReadsTheTextsOfBothLanguages) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("potok-texts-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder / "ru");
  std::ofstream(folder / "ru" / "created_requester.mustache") << "Принято\n\n{{number}}";
  std::ofstream(folder / "ru" / "notes.txt") << "no text of ours";
  const auto texts = ReadTextFolder(folder.string());
  ASSERT_THAT(texts, IsOk());
  EXPECT_EQ(
      *texts,
      (std::map<std::string, std::string>{{"ru/created_requester", "Принято\n\n{{number}}"}}));
  std::filesystem::remove_all(folder);
  EXPECT_THAT(ReadTextFolder(folder.string()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ReadTextFolder(""), IsOk());
}

}  // namespace
}  // namespace potok::notifier
