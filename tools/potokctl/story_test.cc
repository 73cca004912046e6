// What the story says about time, and that its tables fit together.
#include "story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

#include "company.h"
#include "story_clock.h"
#include "story_requests.h"

namespace potok::ctl {
namespace {

using ::testing::Contains;
using ::testing::SizeIs;

absl::Time InMoscow(int day, int hour, int minute) {
  return absl::FromCivil(absl::CivilMinute(2026, 11, day, hour, minute), Moscow());
}

TEST(StoryClock, TimesAndTermsAreWrittenAsPeopleReadThem) {
  EXPECT_EQ(Stamp(InMoscow(16, 9, 5)), "Пн 16.11 09:05");
  EXPECT_EQ(Stamp(InMoscow(22, 23, 59)), "Вс 22.11 23:59");
  EXPECT_EQ(DayRu(absl::CivilDay(2026, 11, 18)), "среда, 18 ноября");
  EXPECT_EQ(TermRu(absl::Hours(16)), "2 рабочих дня");
  EXPECT_EQ(TermRu(absl::Hours(8)), "1 рабочий день");
  EXPECT_EQ(TermRu(absl::Hours(40)), "5 рабочих дней");
  EXPECT_EQ(TermRu(absl::Hours(4)), "4 часа");
  EXPECT_EQ(TermRu(absl::Hours(1) - absl::Seconds(20)), "1 час");
  EXPECT_EQ(TermRu(absl::Minutes(170)), "2 ч 50 мин");
}

TEST(StoryClock, PeopleWorkOnWeekdaysWithLunch) {
  EXPECT_TRUE(AtWork(InMoscow(16, 9, 0)));
  EXPECT_FALSE(AtWork(InMoscow(16, 8, 59)));
  EXPECT_FALSE(AtWork(InMoscow(16, 13, 30)));
  EXPECT_TRUE(AtWork(InMoscow(20, 17, 59)));
  EXPECT_FALSE(AtWork(InMoscow(20, 18, 0)));
  EXPECT_FALSE(AtWork(InMoscow(21, 11, 0)));
}

TEST(Story, ThreeDaysPassInAboutAMinuteOrInWhatOneHas) {
  const StoryPlan usual = PlanStory(0);
  EXPECT_EQ(absl::FormatTime(absl::RFC3339_sec, usual.time_origin, Moscow()),
            "2026-11-16T04:30:00+03:00");
  EXPECT_EQ(usual.time_scale, 3600);
  EXPECT_EQ(PlanStory(120).time_scale, 1860);
  // Faster than calls are is not asked for.
  EXPECT_EQ(PlanStory(1).time_scale, PlanStory(25).time_scale);
}

TEST(Company, HasTenAgentsWhoAndWhoseHeadsWorkThere) {
  EXPECT_THAT(AgentIds(), SizeIs(10));
  std::set<std::string> ids;
  for (const Person& person : People()) EXPECT_TRUE(ids.insert(person.id).second) << person.id;
  for (const std::string& agent : AgentIds()) EXPECT_THAT(ids, Contains(agent));
  for (const DeskPlan& desk : Desks()) EXPECT_THAT(ids, Contains(desk.manager)) << desk.flow;
  for (const Person& person : People()) {
    if (person.manager[0] == '\0') continue;  // The director.
    EXPECT_THAT(ids, Contains(person.manager)) << person.id;
  }
  EXPECT_EQ(NameOf("employees/ivanova"), "Анна Иванова");
  EXPECT_EQ(SurnameOf("ivanova"), "Иванова");
  EXPECT_EQ(NameOf("nobody"), "nobody");
}

TEST(StoryRequests, EachIsFiledBySomebodyIntoADeskWithAnswersOnce) {
  std::set<std::string> ids, flows, titles;
  for (const Person& person : People()) ids.insert(person.id);
  for (const DeskPlan& desk : Desks()) flows.insert(desk.flow);
  std::vector<StoryRequest> all = StoryRequests();
  all.insert(all.end(), FillingRequests().begin(), FillingRequests().end());
  for (const StoryRequest& request : all) {
    SCOPED_TRACE(request.title);
    EXPECT_THAT(ids, Contains(request.requester));
    EXPECT_THAT(flows, Contains(request.flow));
    // The request_id is made of the title.
    EXPECT_TRUE(titles.insert(request.title).second);
    google::protobuf::Struct fields;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(request.fields, &fields).ok());
    EXPECT_FALSE(ResultFor(request).empty());
  }
}

}  // namespace
}  // namespace potok::ctl
