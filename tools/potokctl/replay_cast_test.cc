#include "replay_cast.h"

#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "replay_time.h"

namespace potok::ctl {
namespace {

using ::testing::ElementsAre;

RecordedCase Case(const std::string& id, absl::Time opened, absl::Duration life,
                  const std::string& group, const std::string& agent, bool made_sla = true) {
  RecordedCase c;
  c.id = id;
  c.caller = "Caller 1";
  c.group = group;
  c.priority = 3;
  c.opened = opened;
  c.made_sla = made_sla;
  if (!agent.empty()) c.holds.push_back({agent, group, opened, opened + life});
  c.steps.push_back({RecordedStep::Kind::kResolve, opened + life, "Resolved"});
  return c;
}

const absl::Time kStart = absl::FromUnixSeconds(1456700000);

TEST(Cast, GroupsBecomeFlowsAndAssigneesTheirAgents) {
  RecordedLog log;
  for (int i = 0; i < 5; ++i)
    log.cases.push_back(
        Case(absl::StrCat("I", i), kStart, absl::Hours(5), "Group 70", "Resolver 1"));
  log.cases.push_back(Case("I6", kStart, absl::Hours(1), "Group 70", "Resolver 2"));
  log.cases.push_back(Case("I7", kStart, absl::Hours(1), "Group 7", ""));
  log.cases.push_back(Case("I8", kStart, absl::Hours(1), "", "Resolver 2"));
  log.cases.push_back(Case("I9", kStart, absl::Hours(1), "Служба 1", "Анна"));
  const Cast cast = MakeCast(log);
  ASSERT_EQ(cast.flows.size(), 4u);
  const CastFlow& big = cast.FlowOf(log.cases[0]);
  EXPECT_EQ(big.id, "g-70");
  EXPECT_EQ(big.prefix, "GBR");
  ASSERT_EQ(big.members.size(), 2u);
  EXPECT_EQ(big.members[0].agent, "resolver-1");
  EXPECT_EQ(big.members[0].max_active, 5);
  EXPECT_EQ(big.members[1].max_active, 3);
  const CastFlow& nobody = cast.FlowOf(log.cases[6]);
  EXPECT_TRUE(nobody.made_up_member);
  EXPECT_EQ(nobody.members.size(), 1u);
  EXPECT_EQ(cast.FlowOf(log.cases[7]).id, "g-none");
  std::set<std::string> prefixes, ids;
  for (const CastFlow& flow : cast.flows) {
    prefixes.insert(flow.prefix);
    ids.insert(flow.id);
    EXPECT_THAT(flow.prefix, ::testing::MatchesRegex("[A-Z]{2,8}")) << flow.group;
    EXPECT_THAT(flow.id, ::testing::MatchesRegex("[a-z][a-z0-9-]{1,61}[a-z0-9]")) << flow.group;
  }
  EXPECT_EQ(prefixes.size(), 4u);
  EXPECT_EQ(ids.size(), 4u);
  for (const CastPerson& person : cast.people) {
    EXPECT_THAT(person.id, ::testing::MatchesRegex("[a-z0-9][a-z0-9._-]{0,62}")) << person.name;
  }
}

TEST(Cast, ManyGroupsKeepPrefixesApart) {
  RecordedLog log;
  for (int i = 0; i < 900; ++i) {
    log.cases.push_back(
        Case(absl::StrCat("I", i), kStart, absl::Hours(1), absl::StrCat("Group ", i), "A"));
    log.cases.push_back(
        Case(absl::StrCat("J", i), kStart, absl::Hours(1), absl::StrCat("Служба ", i), "A"));
    // Nothing in it to make letters of: more of these than two letters can number.
    log.cases.push_back(
        Case(absl::StrCat("K", i), kStart, absl::Hours(1), absl::StrCat(i, "-я служба"), "A"));
  }
  const Cast cast = MakeCast(log);
  std::set<std::string> prefixes;
  for (const CastFlow& flow : cast.flows) {
    prefixes.insert(flow.prefix);
    EXPECT_THAT(flow.prefix, ::testing::MatchesRegex("[A-Z]{2,8}"));
  }
  EXPECT_EQ(prefixes.size(), 2700u);
}

TEST(Cast, TheTermIsTheOneThatExplainsWhatWasKept) {
  RecordedLog log;
  for (int hours = 1; hours <= 40; ++hours) {
    log.cases.push_back(
        Case(absl::StrCat("I", hours), kStart, absl::Hours(hours), "G", "A", hours <= 24));
  }
  log.cases.push_back(Case("odd", kStart, absl::Hours(2), "G", "A", false));
  const CastTerm term = MakeCast(log).terms[2];
  EXPECT_EQ(term.hours, 24);
  EXPECT_TRUE(term.from_log);
  EXPECT_EQ(term.agrees, 40);
  EXPECT_EQ(term.cases, 41);
  EXPECT_FALSE(MakeCast(log).terms[0].from_log);
  EXPECT_EQ(MakeCast(log).terms[0].hours, 4);
}

TEST(Cast, WhenNothingWasInTimeTheTermIsShorterThanAll) {
  RecordedLog log;
  for (int hours = 10; hours <= 20; ++hours) {
    log.cases.push_back(
        Case(absl::StrCat("I", hours), kStart, absl::Hours(hours), "G", "A", false));
  }
  const CastTerm term = MakeCast(log).terms[2];
  EXPECT_LT(term.hours, 10);
  EXPECT_EQ(term.agrees, term.cases);
}

TEST(Cast, DegreesGiveTheRecordedPriority) {
  const auto sum = [](Degrees d) { return d.urgency + d.impact; };
  EXPECT_EQ(sum(DegreesFor(1, 1, 1)), 2);
  EXPECT_EQ(DegreesFor(3, 1, 3).urgency, 1);  // As recorded, since it fits.
  EXPECT_EQ(sum(DegreesFor(2, 3, 3)), 3);     // It does not.
  EXPECT_EQ(sum(DegreesFor(4, 0, 0)), 6);
  EXPECT_EQ(sum(DegreesFor(0, 0, 0)), 4);
}

TEST(ReplayTime, ALongTailIsSqueezedAndTheRestIsKept) {
  RecordedLog log;
  for (int day = 0; day < 30; ++day) {
    log.cases.push_back(
        Case(absl::StrCat("I", day), kStart + absl::Hours(24 * day), absl::Hours(5), "G", "A"));
  }
  log.cases.push_back(Case("late", kStart, absl::Hours(24 * 300), "G", "A"));
  const ReplayTime axis = MakeReplayTime(log);
  EXPECT_EQ(axis.Played(kStart + absl::Hours(24 * 20)), kStart + absl::Hours(24 * 20));
  EXPECT_LT(axis.Span(), absl::Hours(24 * 33));
  EXPECT_EQ(axis.tail_steps, 1);
  EXPECT_LT(axis.Played(axis.last - absl::Hours(1)), axis.Played(axis.last));
}

TEST(ReplayTime, AShortLogIsPlayedAsItWas) {
  RecordedLog log;
  log.cases.push_back(Case("I", kStart, absl::Hours(5), "G", "A"));
  const ReplayTime axis = MakeReplayTime(log);
  EXPECT_EQ(axis.Span(), absl::Hours(5));
  EXPECT_EQ(axis.tail_steps, 0);
}

TEST(Figures, GiniAndQuantile) {
  EXPECT_DOUBLE_EQ(Gini({4, 4, 4, 4}), 0);
  EXPECT_DOUBLE_EQ(Gini({0, 0, 0, 8}), 0.75);
  EXPECT_DOUBLE_EQ(Gini({}), 0);
  EXPECT_DOUBLE_EQ(Quantile({3, 1, 2}, 0.5), 2);
  EXPECT_DOUBLE_EQ(Quantile({}, 0.5), 0);
}

}  // namespace
}  // namespace potok::ctl
