#include "sla-timer/domain/clock_story.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "desk/calendar/ready_calendars.h"

namespace potok::sla_timer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::TimeZone kMoscow = absl::FixedTimeZone(3 * 3600);

absl::Time At(absl::string_view wall) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", wall, kMoscow, &time, &error)) << error;
  return time;
}

// A ticket whose life is told command by command, through the decisions of the desk itself.
class ClockStoryTest : public ::testing::Test {
 protected:
  ClockStoryTest() {
    policy_.id = "standard";
    policy_.calendar_id = "ru";
    policy_.fallback.resolution = desk::Target{desk::Target::kWorkingDays, 2};
    policy_.steps = {{1, absl::ZeroDuration(), desk::EscalationStep::kTellManager}};
    flow_.id = "it";
    facts_ = {&flow_, &policy_, calendar_.get(), {{"agent1", {0, 3}}}};
    viewer_.employee = "agent1";
    viewer_.admin = true;
  }

  void Do(absl::string_view wall, desk::Action action, desk::Viewer viewer = {}) {
    desk::Command command;
    command.viewer = viewer.principal.empty() ? viewer_ : viewer;
    command.action = std::move(action);
    const bool birth = events_.empty();
    const auto event = desk::Decide(facts_, birth ? nullptr : &ticket_, command, At(wall));
    ASSERT_TRUE(event.ok()) << event.status();
    if (birth) {
      ticket_ = desk::Unborn(std::get<desk::CreateTicket>(command.action).draft);
      ticket_.created_at = At(wall);
    }
    ticket_ = desk::Apply(std::move(ticket_), *event);
    events_.push_back(*event);
  }
  void File(absl::string_view wall) {
    desk::CreateTicket create;
    create.draft.id = "t";
    create.draft.flow_id = "it";
    create.draft.requester = "petrov";
    Do(wall, create);
    Do(wall, desk::AssignTicket{"agent1", "manual"});
    Do(wall, desk::StartTicket{});
  }
  static desk::Viewer Requester() {
    desk::Viewer viewer;
    viewer.principal = "users/petrov";
    viewer.employee = "petrov";
    return viewer;
  }
  ClockStory Tell(absl::string_view wall) { return TellClock(ticket_, events_, facts_, At(wall)); }

  // "10:00-13:00 working+" for each span; + where it counted.
  static std::vector<std::string> Lines(const ClockStory& story) {
    std::vector<std::string> lines;
    for (const desk::CountedSpan& span : story.spans) {
      lines.push_back(absl::StrCat(absl::FormatTime("%d %H:%M", span.start, kMoscow), "-",
                                   absl::FormatTime("%H:%M", span.end, kMoscow), " ", span.cause,
                                   span.counted ? "+" : "",
                                   span.cause == "holiday" ? span.name_en : ""));
    }
    return lines;
  }
  static void ExpectWhole(const ClockStory& story, absl::Time at) {
    absl::Duration counted;
    absl::Time previous = story.start;
    for (const desk::CountedSpan& span : story.spans) {
      EXPECT_EQ(span.start, previous) << "a gap";
      previous = span.end;
      if (span.counted && span.end <= at) counted += span.end - span.start;
      EXPECT_FALSE(span.start < at && span.end > at) << "not cut at the instant asked for";
    }
    EXPECT_EQ(counted, story.consumed);
    if (story.ticket.sla.term) {
      EXPECT_EQ(*story.remaining, *story.ticket.sla.term - counted);
    }
  }

  const std::shared_ptr<const desk::Calendar> calendar_ =
      *desk::Calendar::Compile(desk::RussianProductionCalendar("ru", "Europe/Moscow"), 2025, 2027);
  desk::SlaPolicy policy_;
  desk::Flow flow_;
  desk::Facts facts_;
  desk::Viewer viewer_;
  desk::Ticket ticket_;
  std::vector<desk::Event> events_;
};

TEST_F(ClockStoryTest, LunchNightWeekendAndHolidayAreNamed) {
  File("2026-06-11 16:00");  // Thursday, a shortened day before the Day of Russia.
  const ClockStory story = Tell("2026-06-15 10:30");
  EXPECT_EQ(story.state, ClockState::kRunning);
  EXPECT_THAT(
      Lines(story),
      ElementsAre("11 16:00-17:00 working+", "11 17:00-18:00 shortened", "11 18:00-00:00 night",
                  "12 00:00-00:00 holidayRussia Day", "13 00:00-00:00 weekend",
                  "15 00:00-09:00 night", "15 09:00-10:30 working+", "15 10:30-13:00 working+",
                  "15 13:00-14:00 lunch", "15 14:00-18:00 working+", "15 18:00-09:00 night",
                  "16 09:00-13:00 working+", "16 13:00-14:00 lunch", "16 14:00-17:00 working+"));
  EXPECT_EQ(story.consumed, absl::Minutes(150));
  EXPECT_EQ(ticket_.sla.due_at, At("2026-06-16 17:00"));
  ExpectWhole(story, At("2026-06-15 10:30"));
}

TEST_F(ClockStoryTest, APauseIsOneSpanThatCarriesTheQuestion) {
  File("2026-03-16 10:00");
  Do("2026-03-16 12:00", desk::WaitTicket{"Какой у вас принтер?"});
  Do("2026-03-17 15:00", desk::ResumeTicket{"HP"}, Requester());
  const ClockStory paused = Tell("2026-03-17 09:00");
  EXPECT_EQ(paused.state, ClockState::kPaused);
  EXPECT_THAT(Lines(paused), ElementsAre("16 10:00-12:00 working+", "16 12:00-09:00 paused"));
  EXPECT_THAT(paused.spans[1].name_ru, HasSubstr("Какой у вас принтер?"));
  EXPECT_THAT(paused.spans[1].name_en, HasSubstr("Waiting for the requester"));
  EXPECT_TRUE(paused.timers.empty());
  ExpectWhole(paused, At("2026-03-17 09:00"));

  const ClockStory resumed = Tell("2026-03-17 16:00");
  EXPECT_THAT(Lines(resumed)[1], "16 12:00-15:00 paused");
  EXPECT_EQ(resumed.consumed, absl::Hours(3));
  EXPECT_EQ(resumed.ticket.sla.gen, 1);
  ExpectWhole(resumed, At("2026-03-17 16:00"));
}

TEST_F(ClockStoryTest, APastInstantIsToldAsItWasKnownThen) {
  File("2026-03-16 10:00");
  Do("2026-03-16 12:00", desk::WaitTicket{"?"});
  Do("2026-03-17 15:00", desk::ResumeTicket{"!"}, Requester());
  Do("2026-03-17 16:00", desk::ResolveTicket{"Готово"});
  const ClockStory then = Tell("2026-03-16 11:00");
  EXPECT_EQ(then.state, ClockState::kRunning);
  EXPECT_EQ(then.consumed, absl::Hours(1));
  EXPECT_EQ(then.ticket.sla.due_at, At("2026-03-18 10:00"));
  EXPECT_EQ(then.ticket.state, desk::State::kInProgress);
  ASSERT_EQ(then.timers.size(), 2u);  // Breach and half, armed.
  EXPECT_FALSE(then.timers[0].fired_at.has_value());
}

TEST_F(ClockStoryTest, WorkSentBackGoesOnWhereItStopped) {
  File("2026-03-16 10:00");
  Do("2026-03-16 12:00", desk::ResolveTicket{"Готово"});
  const ClockStory done = Tell("2026-03-16 16:00");
  EXPECT_EQ(done.state, ClockState::kStopped);
  EXPECT_EQ(done.timers.size(), 1u);  // It closes by itself.
  Do("2026-03-17 10:00", desk::SendBackTicket{"Не печатает"}, Requester());
  const ClockStory back = Tell("2026-03-17 11:00");
  EXPECT_THAT(Lines(back)[1], "16 12:00-10:00 stopped");
  EXPECT_EQ(back.consumed, absl::Hours(3));
  ExpectWhole(back, At("2026-03-17 11:00"));
}

TEST_F(ClockStoryTest, AReopenedTicketHasANewPromiseFromThen) {
  File("2026-03-16 10:00");
  Do("2026-03-16 12:00", desk::ResolveTicket{"Готово"});
  Do("2026-03-16 13:00", desk::ConfirmTicket{}, Requester());
  Do("2026-03-17 10:00", desk::ReopenTicket{"Снова"}, Requester());
  const ClockStory story = Tell("2026-03-17 12:00");
  EXPECT_EQ(story.start, At("2026-03-17 10:00"));
  EXPECT_EQ(story.consumed, absl::Hours(2));
  ExpectWhole(story, At("2026-03-17 12:00"));
}

TEST_F(ClockStoryTest, AnEventInTheMiddleOfAMorningDoesNotCutIt) {
  File("2026-03-16 09:00");
  Do("2026-03-16 11:00", desk::ChangePriority{2, "важно"});
  const ClockStory story = Tell("2026-03-16 12:00");
  EXPECT_EQ(Lines(story)[0], "16 09:00-12:00 working+");
  EXPECT_EQ(story.ticket.sla.gen, 1);
  ExpectWhole(story, At("2026-03-16 12:00"));
}

TEST_F(ClockStoryTest, ABrokenPromiseShowsWhatFiredAndWhatComes) {
  File("2026-03-16 10:00");
  Do("2026-03-18 10:00", desk::FireTimer{desk::TimerKind::kBreach, 0}, desk::SystemViewer());
  const ClockStory story = Tell("2026-03-18 12:00");
  EXPECT_EQ(story.remaining, -absl::Hours(2));
  ASSERT_EQ(story.timers.size(), 2u);
  EXPECT_EQ(story.timers[0].timer.kind, desk::TimerKind::kBreach);
  EXPECT_EQ(story.timers[0].fired_at, At("2026-03-18 10:00"));
  EXPECT_EQ(story.timers[1].timer.kind, desk::TimerKind::kEscalate);
  ExpectWhole(story, At("2026-03-18 12:00"));
}

TEST_F(ClockStoryTest, WithoutATermTheClockStillCounts) {
  policy_.fallback.resolution.reset();
  File("2026-03-16 10:00");
  const ClockStory story = Tell("2026-03-16 15:00");
  EXPECT_EQ(story.state, ClockState::kNoTerm);
  EXPECT_EQ(story.consumed, absl::Hours(4));
  EXPECT_EQ(story.remaining, std::nullopt);
}

}  // namespace
}  // namespace potok::sla_timer
