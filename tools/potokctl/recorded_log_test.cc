#include "recorded_log.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "recorded_log_columns.h"
#include "recorded_log_csv.h"

namespace potok::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = RecordedStep::Kind;

constexpr char kHeader[] =
    "number,incident_state,sys_updated_at,opened_at,caller_id,assignment_group,assigned_to,"
    "priority,made_sla\n";

absl::StatusOr<RecordedLog> Read(const std::string& text,
                                 std::map<std::string, std::string> columns = {}) {
  std::istringstream in(text);
  LogReading reading;
  reading.columns = std::move(columns);
  return ReadRecordedLog(in, reading);
}

std::vector<Kind> Kinds(const RecordedCase& c) {
  std::vector<Kind> kinds;
  for (const RecordedStep& step : c.steps) kinds.push_back(step.kind);
  return kinds;
}

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M:%S", text, &time, &error)) << error;
  return time;
}

TEST(RecordedLog, ALifeIsTheChangesOfState) {
  const auto log = Read(absl::StrCat(
      kHeader,
      "I1,New,29-02-2016 01:23,29-02-2016 01:16,C 1,G 1,?,3 - Moderate,TRUE\n"
      "I1,Active,29-02-2016 02:00,29-02-2016 01:16,C 1,G 1,A 1,3 - Moderate,TRUE\n"
      "I1,Active,29-02-2016 02:10,29-02-2016 01:16,C 1,G 2,A 2,3 - Moderate,TRUE\n"
      "I1,Awaiting User Info,29-02-2016 03:00,29-02-2016 01:16,C 1,G 2,A 3,2 - High,TRUE\n"
      "I1,Active,01-03-2016 03:00,29-02-2016 01:16,C 1,G 2,A 3,2 - High,TRUE\n"
      "I1,Resolved,01-03-2016 04:00,29-02-2016 01:16,C 1,G 2,A 3,2 - High,TRUE\n"
      "I1,Active,01-03-2016 05:00,29-02-2016 01:16,C 1,G 2,A 3,2 - High,FALSE\n"
      "I1,Resolved,01-03-2016 06:00,29-02-2016 01:16,C 1,G 2,A 3,2 - High,FALSE\n"
      "I1,Closed,05-03-2016 12:00,29-02-2016 01:16,C 1,G 2,A 3,2 - High,FALSE\n"));
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->cases.size(), 1u);
  const RecordedCase& c = log->cases[0];
  EXPECT_THAT(Kinds(c), ElementsAre(Kind::kStart, Kind::kWait, Kind::kResume, Kind::kResolve,
                                    Kind::kSendBack, Kind::kResolve, Kind::kClose));
  EXPECT_EQ(c.opened, At("2016-02-29 01:16:00"));
  EXPECT_EQ(c.steps[1].state, "Awaiting User Info");
  EXPECT_EQ(c.group, "G 2");
  EXPECT_EQ(c.group_changes, 1);
  EXPECT_EQ(c.agent_changes, 1);
  EXPECT_EQ(c.reassignments, 2);
  EXPECT_EQ(c.priority, 3);
  EXPECT_TRUE(c.priority_changed);
  EXPECT_EQ(c.made_sla, false);
  ASSERT_EQ(c.holds.size(), 3u);
  EXPECT_EQ(c.holds[0].to, At("2016-02-29 02:10:00"));
  EXPECT_EQ(c.holds[2].to, At("2016-03-01 06:00:00"));
  EXPECT_EQ(log->changes, 7);
  EXPECT_EQ(log->touches, 2);
}

TEST(RecordedLog, RowsOutOfOrderAreSortedByTheirTime) {
  const auto log =
      Read(absl::StrCat(kHeader, "I1,Closed,03-03-2016 01:00,01-03-2016 01:00,C,G,A,3,TRUE\n",
                        "I2,New,01-03-2016 00:10,01-03-2016 00:05,C,G,?,3,TRUE\n",
                        "I1,Resolved,02-03-2016 01:00,01-03-2016 01:00,C,G,A,3,TRUE\n"));
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->cases.size(), 2u);
  EXPECT_EQ(log->cases[0].id, "I2");
  EXPECT_THAT(Kinds(log->cases[1]), ElementsAre(Kind::kResolve, Kind::kClose));
}

TEST(RecordedLog, NothingHappensBeforeFiling) {
  const auto log =
      Read(absl::StrCat(kHeader, "I1,Active,01-03-2016 00:10,01-03-2016 01:05,C,G,A,3,TRUE\n"));
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->cases[0].steps[0].at, log->cases[0].opened);
}

TEST(RecordedLog, WindowsLineEndsQuotesAndAMarkInFrontAreRead) {
  const auto log = Read(
      "\xEF\xBB\xBFnumber;state;updated;opened;short description;assignment group\r\n"
      "I1;New;2016-03-01 10:00;2016-03-01 09:59;\"said \"\"help\"\";\r\nand left\";\"Служба\"\r\n"
      "\r\n"
      "I2;New;2016-03-01T11:00:00Z;2016-03-01 10:59;plain;Служба\r\n");
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(log->bad_count, 0);
  EXPECT_EQ(log->rows, 2);
  EXPECT_EQ(log->cases[0].title, "said \"help\";\r\nand left");
  EXPECT_EQ(log->cases[0].group, "Служба");
  EXPECT_EQ(log->columns.at("id"), "number");
}

TEST(RecordedLog, EachBadRowIsToldWithLineAndColumnAndSkipped) {
  const auto log =
      Read(absl::StrCat(kHeader,
                        "I1,New,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\n"  // 2
                        "I2,New,31-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\n"  // 3: no such day
                        "I3,New,29-02-2016 01:23\n"                                // 4: too short
                        "I4,New,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE,x\n"  // 5: too long
                        ",New,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\n"      // 6: no number
                        "I5,-100,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\n"   // 7: no state
                        "I1,New,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\n"    // 8: twice
                        "I6,New,?,?,C,G,?,3,TRUE\n"                                  // 9: no time
                        "I7,New,29-02-2016 01:23,29-02-2016 01:16,\xC0,G,?,3,TRUE\n"  // 10: no text
                        "I8,New,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\n"));
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(log->cases.size(), 2u);
  EXPECT_EQ(log->rows, 10);
  EXPECT_EQ(log->bad_count, 8);
  std::vector<std::string> told;
  for (const BadRow& bad : log->bad)
    told.push_back(absl::StrCat(bad.line, ":", bad.column, " ", bad.reason));
  EXPECT_THAT(
      told,
      ElementsAre("3:3 \"31-02-2016 01:23\" is no date and time",
                  "4:3 has 3 columns where the header has 9",
                  "5:9 has 10 columns where the header has 9", "6:1 the request has no number",
                  "7:2 \"-100\" is no state that is known", "8:0 is the same as line 2",
                  "9:3 the time is unknown", "10:5 is not UTF-8 text"));
  EXPECT_EQ(log->bad[0].column_name, "sys_updated_at");
}

TEST(RecordedLog, AQuoteThatIsNeverClosedCostsOneRow) {
  const auto log =
      Read(absl::StrCat(kHeader, "I1,New,29-02-2016 01:23,29-02-2016 01:16,\"C,G,?,3,TRUE\n",
                        "I2,New,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\n",
                        "I3,New,29-02-2016 01:23,29-02-2016 01:16,\"C\",G,?,3,TRUE\n"));
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(log->cases.size(), 2u);
  ASSERT_EQ(log->bad_count, 1);
  EXPECT_EQ(log->bad[0].line, 2);
}

TEST(RecordedLog, ALoneCarriageReturnEndsALine) {
  // Both rows of the first were once taken for one good row, and the short one was read beyond its
  // end.
  const auto log =
      Read(absl::StrCat(kHeader, "I0\rI1,New,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\r",
                        "I2,New,29-02-2016 01:23,29-02-2016 01:16,\"two\rlines\",G,?,3,TRUE\r\n"));
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->cases.size(), 2u);
  EXPECT_EQ(log->cases[1].caller, "two\rlines");
  ASSERT_EQ(log->bad_count, 1);
  EXPECT_EQ(log->bad[0].line, 2);
  EXPECT_EQ(log->bad[0].reason, "has 1 columns where the header has 9");
}

TEST(RecordedLog, OnlySomeBadRowsAreKeptAllAreCounted) {
  std::string text =
      absl::StrCat(kHeader, "I1,New,29-02-2016 01:23,29-02-2016 01:16,C,G,?,3,TRUE\n");
  for (int i = 0; i < 50; ++i) absl::StrAppend(&text, "bad ", i, "\n");
  const auto log = Read(text);
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->bad_count, 50);
  EXPECT_EQ(log->bad.size(), 20u);
}

TEST(RecordedLog, ColumnsMayBeGiven) {
  const std::string text = "a,b,c\nI1,Resolved,2016-03-01 10:00\n";
  EXPECT_EQ(Read(text, {{"id", "a"}, {"state", "b"}, {"opened", "c"}})->cases[0].id, "I1");
  EXPECT_THAT(Read(text, {{"id", "zz"}}).status().message(), HasSubstr("its columns are a, b, c"));
  EXPECT_THAT(Read(text, {{"ident", "a"}}).status().message(),
              HasSubstr("the fields are id, state"));
}

TEST(RecordedLog, ColumnsWithStrangeNamesAreKnownByWhatTheyHold) {
  const auto log = Read("nr,was,zeit\nI1,open,2016-03-01 10:00\nI2,closed,2016-03-01 11:00\n");
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(log->columns.at("id"), "nr");
  EXPECT_EQ(log->columns.at("state"), "was");
  EXPECT_EQ(log->columns.at("opened"), "zeit");
}

TEST(RecordedLog, WhatIsMissingIsNamedWithTheWayOut) {
  EXPECT_THAT(Read("number,state\nI1,New\n").status().message(), HasSubstr("--map opened=COLUMN"));
  EXPECT_THAT(Read("").status().message(), HasSubstr("empty"));
  EXPECT_THAT(Read(kHeader).status().message(), HasSubstr("no request"));
}

TEST(RecordedLog, OneRowARequestTellsItsLifeByItsTimes) {
  const auto log = Read(
      "ticket,status,created,resolved_at,closed_at\nT1,Closed,2016-03-01,2016-03-02 "
      "12:00,2016-03-05\n");
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_THAT(Kinds(log->cases[0]), ElementsAre(Kind::kResolve, Kind::kClose));
  EXPECT_EQ(log->cases[0].Resolved(), At("2016-03-02 12:00:00"));
}

TEST(LogTime, ManyWaysToWriteATime) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time expected = At("2016-03-31 18:40:00");
  for (const char* text :
       {"31-03-2016 18:40", "31.03.2016 18:40:00", "31/03/2016 18:40", "2016-03-31 18:40",
        "2016-03-31T18:40:00Z", "2016-03-31T18:40:00.5Z", "2016-03-31 21:40 +03:00",
        "2016/03/31 21:40:00+0300", "31.03.2016 6:40 PM", "31.03.2016, 18:40"}) {
    EXPECT_EQ(ParseLogTime(text, utc, false), expected) << text;
  }
  EXPECT_EQ(ParseLogTime("3/31/2016 6:40 PM", utc, true), expected);
  EXPECT_EQ(ParseLogTime("31-03-2016 21:40", absl::FixedTimeZone(3 * 3600), false), expected);
  for (const char* text :
       {"", "31-03", "2016", "32-01-2016", "30-02-2016 10:00", "01-13-2016", "01-01-2016 25:00",
        "01-01-2016 10:60", "01-01-2016 10:00 +03:", "01-01-2016 10:00 xx", "yesterday", "1-1-1"}) {
    EXPECT_EQ(ParseLogTime(text, utc, false), std::nullopt) << text;
  }
}

TEST(LogTime, MonthFirstIsSeenInTheSample) {
  const auto log =
      Read("number,state,opened_at\nI1,New,03/04/2016 10:00\nI2,New,03/31/2016 10:00\n");
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->cases[0].opened, At("2016-03-04 10:00:00"));
}

}  // namespace
}  // namespace potok::ctl
