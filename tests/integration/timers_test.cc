// Timers through the processes themselves: filed at intake, fired by sla-timer, explained over
// gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "absl/strings/str_cat.h"

#include "intake/bind.h"
#include "integration/suite.h"
#include "platform/testing/signal.h"
#include "potok/sla_timer/v1/calendar.grpc.pb.h"
#include "potok/sla_timer/v1/sla_timer.grpc.pb.h"
#include "sla-timer/bind.h"

namespace potok::testing {
namespace {

using namespace sla_timer::v1;  // NOLINT: a test of exactly these messages.

// Four hours of the flow `quick` pass in one second.
constexpr double kScale = 4 * 3600;

class TimersTest : public ::testing::TestWithParam<bool> {
 protected:
  static std::string File(Suite& suite) {
    intake::v1::CreateTicketRequest request = SupportRequest();
    request.mutable_ticket()->set_flow("flows/quick");
    intake::v1::Ticket ticket;
    const grpc::Status status =
        suite.intake().CreateTicket(Suite::As("ivanova").get(), request, &ticket);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return ticket.name();
  }
  static bool HasBreached(Suite& suite, const std::string& ticket) {
    const auto stub = suite.Stub<SlaTimerService>("sla-timer");
    GetClockRequest request;
    request.set_name(absl::StrCat(ticket, "/clock"));
    sla_timer::v1::Clock clock;
    const grpc::Status status = stub->GetClock(Suite::As("ivanova").get(), request, &clock);
    EXPECT_TRUE(status.ok()) << status.error_message();
    for (const Timer& timer : clock.timers()) {
      if (timer.kind() == Timer::KIND_BREACH && timer.state() == Timer::STATE_FIRED) return true;
    }
    return false;
  }
};

TEST_P(TimersTest, APromiseThatRunsOutIsToldByTheProcessThatKeepsTime) {
  Suite suite(
      {.services = {intake::Spec(), sla_timer::Spec()}, .redis = GetParam(), .time_scale = kScale});
  const std::string ticket = File(suite);
  EXPECT_TRUE(Eventually([&] { return HasBreached(suite, ticket); }));
  const auto stub = suite.Stub<SlaTimerService>("sla-timer");
  TimerStats stats;
  const grpc::Status allowed = stub->GetTimerStats(Suite::As("root:admin").get(), {}, &stats);
  ASSERT_TRUE(allowed.ok()) << allowed.error_message();
  EXPECT_EQ(stats.early_count(), 0);
  EXPECT_EQ(stub->GetTimerStats(Suite::As("ivanova").get(), {}, &stats).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_P(TimersTest, WhatFellDueWhileNobodyKeptTimeIsToldAfterTheStart) {
  Suite suite(
      {.services = {intake::Spec(), sla_timer::Spec()}, .redis = GetParam(), .time_scale = kScale});
  suite.Stop("sla-timer");
  const std::string ticket = File(suite);
  EXPECT_TRUE(Eventually([&] {
    return suite.database().Query(
               "SELECT count(*) FROM ledger.sla_timer WHERE kind = 'breach' AND "
               "due_at < ledger.business_now()") == "1";
  }));
  suite.Start("sla-timer");
  EXPECT_TRUE(Eventually([&] { return HasBreached(suite, ticket); }));
}

INSTANTIATE_TEST_SUITE_P(Redis, TimersTest, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "Present" : "Absent"; });

TEST(CalendarCalls, RulesOfTheProtoAreCheckedBeforeTheHandler) {
  Suite suite({.services = {intake::Spec(), sla_timer::Spec()}});
  const auto stub = suite.Stub<CalendarService>("sla-timer");
  CreateCalendarRequest request;
  request.set_calendar_id("Not An Id");
  request.set_calendar_template("ru-production");
  request.set_request_id(Uuid());
  Calendar calendar;
  EXPECT_EQ(stub->CreateCalendar(Suite::As("root:admin").get(), request, &calendar).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  request.set_calendar_id("office");
  EXPECT_EQ(stub->CreateCalendar(Suite::As("ivanova").get(), request, &calendar).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  const grpc::Status made = stub->CreateCalendar(Suite::As("root:admin").get(), request, &calendar);
  ASSERT_TRUE(made.ok()) << made.error_message();
  EXPECT_EQ(calendar.name(), "calendars/office");
}

}  // namespace
}  // namespace potok::testing
