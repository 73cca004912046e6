#include "sla-timer/rpc/clocks.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "base/error.h"
#include "sla-timer/rpc/wire.h"
#include "sla-timer/work/timer_desk.h"

namespace potok::sla_timer {
namespace {

using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ClocksTest : public TimerDesk {
 protected:
  ClocksTest()
      : owner_(MakeOwner()),
        tokens_(*rpc::PageTokens::Create("")),
        clocks_(*service_pool_, *reference_, tokens_, clock_) {}

  static CallContext Call(const std::string& employee, const std::string& role = "requester") {
    CallContext call;
    call.caller.principal = "users/" + employee;
    call.caller.employee = employee;
    call.caller.roles = {role};
    return call;
  }
  absl::StatusOr<v1::Clock> Clock(const std::string& id, const std::string& employee,
                                  std::optional<absl::Time> at = std::nullopt) {
    v1::GetClockRequest request;
    request.set_name(absl::StrCat("tickets/", id, "/clock"));
    if (at) SetTimestamp(*at, request.mutable_as_of_time());
    return clocks_.GetClock(Call(employee), request);
  }
  static absl::Time TimeOf(const google::protobuf::Timestamp& time) {
    return *TimeFromWire("", time);
  }
  // Counted time up to the instant the answer is for.
  static absl::Duration Counted(const v1::Clock& clock) {
    absl::Duration sum;
    for (const v1::Span& span : clock.spans()) {
      if (span.counted() && TimeOf(span.end_time()) <= TimeOf(clock.as_of_time())) {
        sum += TimeOf(span.end_time()) - TimeOf(span.start_time());
      }
    }
    return sum;
  }

  std::unique_ptr<TimerLoop> owner_;
  rpc::PageTokens tokens_;
  Clocks clocks_;
};

TEST_F(ClocksTest, AClockExplainsLunchNightAndPauseAndItsSumIsWhatWasConsumed) {
  const std::string id = Started();
  SetTime(Moscow("2026-03-16 15:00"));
  Act(id, Agent(), desk::WaitTicket{"Какой у вас принтер?"});
  SetTime(Moscow("2026-03-17 10:00"));
  Act(id, Person("petrov"), desk::ResumeTicket{"HP"});
  SetTime(Moscow("2026-03-17 12:00"));
  ASSERT_OK_AND_ASSIGN(const v1::Clock clock, Clock(id, "petrov"));
  EXPECT_EQ(clock.state(), v1::Clock::STATE_RUNNING);
  EXPECT_EQ(DurationFromWire(clock.term()), absl::Hours(16));
  EXPECT_EQ(DurationFromWire(clock.consumed()), absl::Hours(6));
  EXPECT_EQ(DurationFromWire(clock.remaining()), absl::Hours(10));
  EXPECT_EQ(Counted(clock), absl::Hours(6));
  EXPECT_EQ(TimeOf(clock.due_time()), Moscow("2026-03-18 14:00") + absl::Hours(1));
  EXPECT_EQ(clock.generation(), 1);
  EXPECT_EQ(clock.sla_policy(), "slaPolicies/standard");
  EXPECT_EQ(clock.calendar(), "calendars/ru");
  std::vector<v1::Span::Cause> causes;
  for (const v1::Span& span : clock.spans()) causes.push_back(span.cause());
  EXPECT_THAT(causes,
              ElementsAre(v1::Span::CAUSE_WORKING, v1::Span::CAUSE_LUNCH, v1::Span::CAUSE_WORKING,
                          v1::Span::CAUSE_PAUSED, v1::Span::CAUSE_WORKING, v1::Span::CAUSE_WORKING,
                          v1::Span::CAUSE_LUNCH, v1::Span::CAUSE_WORKING, v1::Span::CAUSE_NIGHT,
                          v1::Span::CAUSE_WORKING, v1::Span::CAUSE_LUNCH, v1::Span::CAUSE_WORKING));
  EXPECT_THAT(clock.spans(3).display_name().ru(), HasSubstr("Какой у вас принтер?"));
  ASSERT_EQ(clock.timers_size(), 2);
  EXPECT_EQ(clock.timers(0).state(), v1::Timer::STATE_ARMED);
  EXPECT_EQ(clock.timers(0).name(), absl::StrCat("tickets/", id, "/timers/breach-1"));
}

TEST_F(ClocksTest, APastInstantIsAnsweredAsItWasKnownThen) {
  const std::string id = Started();
  SetTime(Moscow("2026-03-16 15:00"));
  Act(id, Agent(), desk::WaitTicket{"?"});
  ASSERT_OK_AND_ASSIGN(const v1::Clock then, Clock(id, "petrov", Moscow("2026-03-16 12:00")));
  EXPECT_EQ(then.state(), v1::Clock::STATE_RUNNING);
  EXPECT_EQ(Counted(then), absl::Hours(2));
  EXPECT_EQ(TimeOf(then.due_time()), Moscow("2026-03-18 10:00"));
  ASSERT_OK_AND_ASSIGN(const v1::Clock now, Clock(id, "petrov"));
  EXPECT_EQ(now.state(), v1::Clock::STATE_PAUSED);
  EXPECT_FALSE(now.has_due_time());
  EXPECT_THAT(Clock(id, "petrov", Moscow("2026-03-16 15:01")),
              StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));
  EXPECT_THAT(Clock(id, "petrov", Moscow("2026-03-16 09:00")),
              StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));
}

TEST_F(ClocksTest, WhoMaySeeTheTicketMaySeeItsClock) {
  const std::string id = Started();
  for (const char* who : {"petrov", "agent1", "boss", "chief"}) {
    EXPECT_THAT(Clock(id, who), IsOk()) << who;
  }
  EXPECT_THAT(Clock(id, "stranger"), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Clock(Uuid(), "stranger"), StatusIs(absl::StatusCode::kPermissionDenied));
  v1::GetClockRequest request;
  request.set_name(absl::StrCat("tickets/", Uuid(), "/clock"));
  EXPECT_THAT(clocks_.GetClock(Call("root", "admin"), request),
              StatusIs(absl::StatusCode::kNotFound, "TICKET_NOT_FOUND"));
  v1::ListTimersRequest list;
  list.set_parent(absl::StrCat("tickets/", id));
  EXPECT_THAT(clocks_.ListTimers(Call("stranger"), list),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(ClocksTest, ABrokenPromiseIsToldEvenBeforeItsTimerFires) {
  const std::string id = Started();
  SetTime(Moscow("2026-03-18 11:00"));
  ASSERT_OK_AND_ASSIGN(const v1::Clock late, Clock(id, "petrov"));
  EXPECT_EQ(TimeOf(late.breach_time()), Moscow("2026-03-18 10:00"));
  EXPECT_EQ(DurationFromWire(late.remaining()), -absl::Hours(1));
  Drain(*owner_);
  ASSERT_OK_AND_ASSIGN(const v1::Clock fired, Clock(id, "petrov"));
  EXPECT_EQ(TimeOf(fired.breach_time()), Moscow("2026-03-18 10:00"));
  EXPECT_EQ(fired.timers(0).state(), v1::Timer::STATE_FIRED);
}

TEST_F(ClocksTest, ThePreviewIsThePromiseThatFilingGives) {
  v1::PreviewPromiseRequest preview;
  preview.set_flow("flows/it");
  ASSERT_OK_AND_ASSIGN(const auto promise, clocks_.Preview(Call("petrov"), preview));
  EXPECT_EQ(TimeOf(promise.due_time()), DueOf(File(), "breach"));
  EXPECT_EQ(TimeOf(promise.first_response_due_time()), Moscow("2026-03-16 15:00"));
  absl::Duration counted;
  for (const v1::Span& span : promise.spans()) {
    if (span.counted()) counted += TimeOf(span.end_time()) - TimeOf(span.start_time());
  }
  EXPECT_EQ(counted, DurationFromWire(promise.term()));

  preview.set_needed_today(true);
  SetTimestamp(Moscow("2026-06-11 16:00"), preview.mutable_create_time());
  ASSERT_OK_AND_ASSIGN(const auto today, clocks_.Preview(Call("petrov"), preview));
  EXPECT_EQ(TimeOf(today.due_time()), Moscow("2026-06-15 12:00")) << "a holiday lies between";
  SetTimestamp(Moscow("2045-12-29 16:00"), preview.mutable_create_time());
  preview.set_needed_today(false);
  EXPECT_THAT(clocks_.Preview(Call("petrov"), preview),
              StatusIs(absl::StatusCode::kFailedPrecondition, "CALENDAR_EXHAUSTED"));
  preview.set_flow("flows/nowhere");
  EXPECT_THAT(clocks_.Preview(Call("petrov"), preview),
              StatusIs(absl::StatusCode::kNotFound, "FLOW_NOT_FOUND"));
}

TEST_F(ClocksTest, TimersAreListedArmedAndPastPageByPage) {
  const std::string id = Started();
  SetTime(DueOf(id, "breach"));
  Drain(*owner_);
  v1::ListTimersRequest list;
  list.set_parent(absl::StrCat("tickets/", id));
  list.set_page_size(2);
  std::vector<std::string> lines;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, clocks_.ListTimers(Call("petrov"), list));
    for (const v1::Timer& timer : page.timers()) {
      lines.push_back(absl::StrCat(timer.name().substr(timer.name().rfind('/') + 1), " ",
                                   v1::Timer::State_Name(timer.state())));
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_THAT(lines, ElementsAre("first_response-1 STATE_CANCELLED", "half-0 STATE_CANCELLED",
                                 "breach-0 STATE_FIRED", "escalate-0 STATE_FIRED",
                                 "escalate-1 STATE_ARMED"));
}

TEST_F(ClocksTest, FiguresCountArmedFiredAndLate) {
  const std::string id = Started();
  Started();
  SetTime(DueOf(id, "half"));
  ASSERT_OK_AND_ASSIGN(const v1::TimerStats before, clocks_.Stats(Call("boss", "auditor"), {}));
  EXPECT_EQ(before.overdue_count(), 2);
  EXPECT_FALSE(before.has_lateness_p99());
  Drain(*owner_);
  ASSERT_OK_AND_ASSIGN(const v1::TimerStats stats, clocks_.Stats(Call("boss", "auditor"), {}));
  EXPECT_EQ(stats.overdue_count(), 0);
  EXPECT_EQ(stats.early_count(), 0);
  EXPECT_TRUE(stats.has_lateness_p50());
  for (const auto& kind : stats.kinds()) {
    if (kind.kind() == v1::Timer::KIND_HALF) {
      EXPECT_EQ(kind.fired_count(), 2);
    }
    if (kind.kind() == v1::Timer::KIND_BREACH) {
      EXPECT_EQ(kind.armed_count(), 2);
    }
  }
}

}  // namespace
}  // namespace potok::sla_timer
