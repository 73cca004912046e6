#include "intake/work/forget_answers.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "absl/strings/str_cat.h"

#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::intake {
namespace {

std::string Text(const std::string& file) {
  std::ifstream in(absl::StrCat(POTOK_TESTDATA, "/", file));
  EXPECT_TRUE(in) << file;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(ForgetAnswers, DropsWhatIsOlderThanAWeekAndNothingElse) {
  testing::TestDatabase database;
  database.Query(Text("old_answers.sql"));
  pg::Pool pool({.dsn = database.dsn("potok_intake"), .size = 1});
  ASSERT_OK_AND_ASSIGN(const absl::Duration rest, ForgetAnswers(pool, std::stop_token()));
  EXPECT_GE(rest, absl::Minutes(1));
  EXPECT_EQ(database.Query(Text("count_answers.sql")), "1+1");
}

TEST(ForgetAnswers, StopsBetweenBatchesWhenAsked) {
  testing::TestDatabase database;
  database.Query(Text("old_answers.sql"));
  pg::Pool pool({.dsn = database.dsn("potok_intake"), .size = 1});
  std::stop_source stop;
  stop.request_stop();
  ASSERT_THAT(ForgetAnswers(pool, stop.get_token()), testing::IsOk());
  EXPECT_EQ(database.Query(Text("count_answers.sql")), "4501+11");
}

}  // namespace
}  // namespace potok::intake
