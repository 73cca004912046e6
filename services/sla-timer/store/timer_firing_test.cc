#include "sla-timer/store/timer_firing.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "gmock/gmock.h"

#include "desk/ticket/ids.h"
#include "sla-timer/store/timer_reads.h"
#include "sla-timer/work/timer_desk.h"

namespace potok::sla_timer {
namespace {

using ::potok::testing::IsOk;
using ::testing::HasSubstr;

class TimerFiringTest : public TimerDesk {
 protected:
  TimerFiringTest()
      : owner_(MakeOwner()), held_(owner_->leases().Get()), firing_(*service_pool_, *reference_) {}

  std::vector<DueTimer> Due() {
    std::vector<int> parts;
    for (const log::Held& held : held_) parts.push_back(held.part);
    const auto read =
        TimerReads(*service_pool_)
            .Due(parts, {.fresh_since = clock_.Now(), .until = clock_.Now() + absl::Seconds(1)});
    EXPECT_THAT(read, IsOk());
    return read->timers;
  }

  std::unique_ptr<TimerLoop> owner_;
  const std::vector<log::Held> held_;
  TimerFiring firing_;
};

TEST_F(TimerFiringTest, TwoWithTheSameTokensAndTimersFireEachOnce) {
  for (int i = 0; i < 100; ++i) Started("fast");
  Advance(absl::Minutes(60));
  const std::vector<DueTimer> due = Due();
  std::atomic<int> fired{0};
  const auto race = [&] {
    for (size_t i = 0; i < due.size(); i += 25) {
      const auto end = due.begin() + std::min(due.size(), i + 25);
      const auto result = firing_.Fire({due.begin() + i, end}, held_, absl::ZeroDuration());
      ASSERT_THAT(result, IsOk());
      for (const FireReport& report : result->reports) fired += report.end == FireReport::kFired;
    }
  };
  // Busy ones are left for the next round, as the loop does.
  while (Count("sla_fired WHERE kind = 'breach'") != "100") {
    std::thread other(race);
    race();
    other.join();
  }
  EXPECT_EQ(fired, 100);
  EXPECT_EQ(Count("ticket_event WHERE type = 'breached'"), "100");
  ExpectSound();
}

TEST_F(TimerFiringTest, ATimerOfAnOlderGenerationIsIgnored) {
  const std::string id = Started("fast");
  Advance(absl::Minutes(30));
  const DueTimer old = {
      *desk::PartOfTicketId(id), {id, desk::TimerKind::kBreach}, 0, DueOf(id, "breach")};
  Act(id, Agent(), desk::WaitTicket{"?"});
  Advance(absl::Minutes(10));
  Act(id, Person("petrov"), desk::ResumeTicket{"!"});
  const absl::Time moved = DueOf(id, "breach");
  SetTime(old.due_at);
  const auto result = firing_.Fire({old}, held_, absl::ZeroDuration());
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->reports[0].end, FireReport::kStale);
  EXPECT_EQ(DueOf(id, "breach"), moved) << "the row of the new generation is not touched";
  EXPECT_EQ(Count("sla_fired WHERE kind = 'breach'"), "0");
  ExpectSound();
}

TEST_F(TimerFiringTest, ARowThatDisagreesWithItsTicketIsBroughtInLine) {
  const std::string id = Started("fast");
  const absl::Time due = DueOf(id, "breach");
  // As if another release had armed it for too early.
  database_.Query(
      "UPDATE ledger.sla_timer SET due_at = due_at - interval '50 minutes' WHERE kind = 'breach'");
  Advance(absl::Minutes(15));
  const auto early = firing_.Fire(Due(), held_, absl::ZeroDuration());
  ASSERT_THAT(early, IsOk());
  EXPECT_EQ(early->reports[0].end, FireReport::kStale);
  EXPECT_EQ(DueOf(id, "breach"), due);
  // And one that the ticket does not want at all.
  Act(id, Agent(), desk::ResolveTicket{"Готово"});
  database_.Query(
      "UPDATE ledger.sla_timer SET state = 'armed', due_at = '2026-03-16 07:10Z' WHERE kind = "
      "'breach'");
  ASSERT_THAT(firing_.Fire(Due(), held_, absl::ZeroDuration()), IsOk());
  EXPECT_EQ(Count("sla_timer WHERE kind = 'breach' AND state = 'cancelled'"), "1");
  EXPECT_EQ(Count("sla_fired"), "0");
  ExpectSound();
}

TEST_F(TimerFiringTest, TheEscalationThatABreachSetsOffIsReported) {
  const std::string id = Started();
  SetTime(DueOf(id, "breach"));
  const auto result = firing_.Fire(Due(), held_, absl::Minutes(5));
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->armed.size(), 1u);
  EXPECT_EQ(result->armed[0].key.kind, desk::TimerKind::kEscalate);
  EXPECT_EQ(result->armed[0].due_at, Moscow("2026-03-18 10:00"));
}

TEST_F(TimerFiringTest, WithoutTheLeaseNothingFires) {
  const std::string id = Started("fast");
  SetTime(DueOf(id, "breach"));
  std::vector<log::Held> forged = held_;
  for (log::Held& held : forged) held.token = "00000000-0000-4000-8000-000000000000";
  const auto result = firing_.Fire(Due(), forged, absl::ZeroDuration());
  ASSERT_THAT(result, IsOk());
  for (const FireReport& report : result->reports) EXPECT_NE(report.end, FireReport::kFired);
  const auto nothing = firing_.Fire(Due(), {}, absl::ZeroDuration());
  ASSERT_THAT(nothing, IsOk());
  EXPECT_EQ(nothing->reports[0].end, FireReport::kNotOurs);
  EXPECT_EQ(Count("sla_fired"), "0");
}

TEST_F(TimerFiringTest, ATimerWithoutATicketIsCountedAsFailed) {
  const DueTimer orphan = {0, {Uuid(), desk::TimerKind::kBreach}, 0, clock_.Now()};
  database_.Query("INSERT INTO ledger.sla_timer VALUES (0, '" + orphan.key.ticket_id +
                  "', 'breach', 0, '2026-03-16 07:00Z', 'armed')");
  for (int attempt = 1; attempt <= 5; ++attempt) {
    const auto result = firing_.Fire({orphan}, held_, absl::ZeroDuration());
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(result->reports[0].end, attempt < 5 ? FireReport::kFailed : FireReport::kParked);
  }
}

}  // namespace
}  // namespace potok::sla_timer
