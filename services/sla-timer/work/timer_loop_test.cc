#include "sla-timer/work/timer_loop.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "desk/ticket/ids.h"
#include "platform/app/loop.h"
#include "platform/testing/signal.h"
#include "sla-timer/work/timer_desk.h"

namespace potok::sla_timer {
namespace {

using ::potok::testing::Eventually;
using ::potok::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

class TimerLoopTest : public TimerDesk {};

TEST_F(TimerLoopTest, ABreachFiresAtItsInstantAndNotAMicrosecondBefore) {
  const std::string id = Started();
  const absl::Time due = DueOf(id, "breach");
  EXPECT_EQ(due, Moscow("2026-03-18 10:00"));
  const auto loop = MakeOwner();
  SetTime(due - absl::Microseconds(200));  // Standing still is a microsecond a second.
  Drain(*loop);
  EXPECT_THAT(Events(id), Not(HasSubstr("breached")));
  SetTime(due);
  Drain(*loop);
  EXPECT_THAT(Events(id), HasSubstr("breached escalated"));
  EXPECT_EQ(Count("sla_fired WHERE fired_at < due_at"), "0");
  EXPECT_GT(commits_, 0);
  ExpectSound();
}

TEST_F(TimerLoopTest, AClockThatRunsAheadOfTheDatabaseFiresNothingEarly) {
  const std::string id = Started();
  const auto loop = MakeOwner();
  clock_.Advance(absl::Hours(200));  // Ours only; the database stays.
  for (int turn = 0; turn < 20; ++turn) {
    loop->Wake();
    ASSERT_THAT(loop->Turn(), IsOk());
  }
  EXPECT_EQ(Count("sla_fired"), "0");
  EXPECT_EQ(loop->Stats().fired, 0);
}

TEST_F(TimerLoopTest, HalfOfTheTermRemindsOnce) {
  const std::string id = Started();
  const auto loop = MakeOwner();
  SetTime(DueOf(id, "half"));
  Drain(*loop);
  Drain(*loop);
  EXPECT_EQ(Events(id), "created assigned started half_reminded");
  ExpectSound();
}

TEST_F(TimerLoopTest, AReminderWhoseBreachIsDueTooIsSkipped) {
  const std::string id = Started();
  const auto loop = MakeOwner();
  SetTime(DueOf(id, "breach") + absl::Minutes(1));
  Drain(*loop);
  EXPECT_EQ(Events(id), "created assigned started breached escalated");
  EXPECT_EQ(Count("sla_timer WHERE kind = 'half' AND state = 'cancelled'"), "1");
  ExpectSound();
}

TEST_F(TimerLoopTest, EscalationStepsFollowTheBreachOneByOne) {
  const std::string id = Started();
  const auto loop = MakeOwner();
  SetTime(DueOf(id, "breach"));
  Drain(*loop);
  // Told the manager with the breach; the next line has its turn four working hours later.
  EXPECT_EQ(DueOf(id, "escalate"), Moscow("2026-03-18 15:00"));
  EXPECT_EQ(Count("ticket WHERE pending_line > 0"), "0");
  SetTime(Moscow("2026-03-18 15:00"));
  Drain(*loop);
  EXPECT_THAT(Events(id), HasSubstr("breached escalated escalated"));
  EXPECT_EQ(Count("ticket WHERE pending_line = 2 AND escalation_level = 2"), "1");
  EXPECT_EQ(Count("sla_timer WHERE state = 'armed'"), "0");
  ExpectSound();
}

TEST_F(TimerLoopTest, AFirstAnswerThatDoesNotComeIsABreachOfItsOwn) {
  const std::string id = File();
  const auto loop = MakeOwner();
  SetTime(Moscow("2026-03-16 15:00"));  // 10:00 and four working hours, lunch left out.
  Drain(*loop);
  EXPECT_EQ(Events(id), "created first_response_breached");
  ExpectSound();
}

TEST_F(TimerLoopTest, AResolvedTicketClosesByItself) {
  const std::string id = Started();
  Act(id, Agent(), desk::ResolveTicket{"Заменил картридж"});
  const auto loop = MakeOwner();
  SetTime(Moscow("2026-03-19 09:59"));
  Drain(*loop);
  EXPECT_EQ(Count("ticket WHERE state = 'RESOLVED'"), "1");
  SetTime(Moscow("2026-03-19 10:00"));
  Drain(*loop);
  EXPECT_EQ(Events(id), "created assigned started resolved auto_closed");
  EXPECT_EQ(Count("ticket WHERE state = 'CLOSED'"), "1");
  ExpectSound();
}

TEST_F(TimerLoopTest, APauseTakesTheTimersAwayAndResumingMovesThem) {
  const std::string id = Started();
  const auto loop = MakeOwner();
  Drain(*loop);
  Advance(absl::Hours(2));
  Act(id, Agent(), desk::WaitTicket{"Какой у вас принтер?"});
  SetTime(Moscow("2026-03-19 12:00"));  // Long after the term would have run out.
  Drain(*loop);
  EXPECT_EQ(Events(id), "created assigned started waiting");
  Act(id, Person("petrov"), desk::ResumeTicket{"HP"});
  EXPECT_EQ(DueOf(id, "breach"), Moscow("2026-03-23 10:00"));  // 14 working hours are left.
  SetTime(Moscow("2026-03-23 10:00"));
  Drain(*loop);
  EXPECT_THAT(Events(id), HasSubstr("resumed breached"));
  ExpectSound();
}

TEST_F(TimerLoopTest, AfterADowntimeTheBacklogGoesInDueOrder) {
  std::vector<std::string> ids;
  for (int i = 0; i < 60; ++i) {
    ids.push_back(Started("fast"));
    Advance(absl::Seconds(20));
  }
  Advance(absl::Hours(48));
  const auto loop = MakeOwner();
  Drain(*loop);
  EXPECT_EQ(Count("ticket_event WHERE type = 'breached'"), "60");
  EXPECT_EQ(Count("ticket_event WHERE type = 'half_reminded'"), "0");
  // Outbox ids tell the order of writing.
  EXPECT_EQ(
      database_.Query(
          "SELECT count(*) FROM (SELECT f.due_at, lag(f.due_at) OVER (ORDER BY o.id) AS earlier "
          "FROM ledger.outbox o JOIN ledger.sla_fired f ON f.ticket_id = o.entity AND f.version "
          "= o.version WHERE o.type = 'breached') s WHERE earlier > due_at"),
      "0");
  ExpectSound();
}

TEST_F(TimerLoopTest, ABacklogIsNoFloodAndTodaysDeadlinesStayPrompt) {
  for (int i = 0; i < 40; ++i) Started("fast");
  Advance(absl::Hours(48));
  const std::string today = Started("fast");
  SetTime(DueOf(today, "breach"));
  const auto loop = MakeOwner({.catch_up_per_second = 5});
  // Two turns take what the budget of a second lets through, and what is due just now.
  ASSERT_THAT(loop->Turn(), IsOk());
  ASSERT_THAT(loop->Turn(), IsOk());
  EXPECT_THAT(Events(today), HasSubstr("breached"));
  EXPECT_LT(loop->Stats().fired, 15);
  EXPECT_GT(loop->Stats().due, 20u);
}

TEST_F(TimerLoopTest, ATicketInOtherHandsWaitsAndHoldsNobodyUp) {
  const std::string busy = Started("fast"), free = Started("fast");
  const auto loop = MakeOwner();
  SetTime(DueOf(free, "breach"));
  ASSERT_THAT(pg::InTransaction(database_.pool(), {},
                                [&](pg::Tx& tx) -> absl::Status {
                                  tx.RunText("SELECT 1 FROM ledger.ticket WHERE id = $1 FOR UPDATE",
                                             {pg::ToParam(busy)});
                                  for (int i = 0; i < 3; ++i) {
                                    loop->Wake();
                                    EXPECT_THAT(loop->Turn(), IsOk());
                                  }
                                  EXPECT_THAT(Events(free), HasSubstr("breached"));
                                  EXPECT_THAT(Events(busy), Not(HasSubstr("breached")));
                                  return absl::OkStatus();
                                }),
              IsOk());
  Drain(*loop);
  EXPECT_THAT(Events(busy), HasSubstr("breached"));
  EXPECT_EQ(Count("sla_timer WHERE attempts > 0"), "0");
}

TEST_F(TimerLoopTest, APoisonedTicketIsParkedAndHoldsNobodyUp) {
  std::vector<std::string> good;
  for (int i = 0; i < 5; ++i) good.push_back(Started("fast"));
  const std::string clash = Started("fast"), lost = Started("fast");
  // One breaks the whole batch when it is written, the other is refused when it is decided.
  database_.Query(absl::StrCat(
      "INSERT INTO ledger.sla_fired SELECT part, ticket_id, kind, gen, due_at, due_at, 1, 0 FROM "
      "ledger.sla_timer WHERE kind = 'breach' AND ticket_id = '",
      clash, "'"));
  database_.Query(
      absl::StrCat("UPDATE ledger.ticket SET flow_version = 99 WHERE id = '", lost, "'"));
  SetTime(DueOf(good[0], "breach"));
  const auto loop = MakeOwner({.first_retry = absl::Milliseconds(1)});
  Drain(*loop);
  for (const std::string& id : good) EXPECT_THAT(Events(id), HasSubstr("breached"));
  EXPECT_EQ(Count("sla_timer WHERE state = 'parked' AND kind = 'breach' AND attempts = 5"), "2");
  EXPECT_EQ(loop->Stats().parked, 2);
  // Parked means left alone.
  const int64_t fired = loop->Stats().fired;
  Advance(absl::Hours(5));
  Drain(*loop);
  EXPECT_EQ(loop->Stats().fired, fired);
}

TEST_F(TimerLoopTest, AnotherProcessTakesOverFromOneThatDied) {
  const log::LeaseTimes brief = {.ttl = absl::Milliseconds(300),
                                 .renew = absl::Milliseconds(50),
                                 .fence = absl::Milliseconds(200)};
  const std::string id = Started("fast");
  auto dead = MakeOwner({.lease_times = brief});
  const auto successor = MakeLoop({.lease_times = brief});
  ASSERT_THAT(successor->leases().Round(), IsOk());
  EXPECT_TRUE(successor->leases().Get().empty());
  SetTime(DueOf(id, "breach"));
  dead.reset();  // Without a word: nothing is given back.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_THAT(successor->leases().Round(), IsOk());
    return successor->leases().Get().size() == 16;
  }));
  Drain(*successor);
  EXPECT_THAT(Events(id), HasSubstr("breached"));
  ExpectSound();
}

TEST_F(TimerLoopTest, AnOwnerThatLostItsLeasesUnnoticedFiresNothing) {
  const std::string id = Started("fast");
  const auto zombie = MakeOwner();
  SetTime(DueOf(id, "breach"));
  database_.Query(
      "UPDATE ledger.lease SET token = gen_random_uuid() WHERE starts_with(name, 'sla:')");
  for (int turn = 0; turn < 5; ++turn) {
    zombie->Wake();
    ASSERT_THAT(zombie->Turn(), IsOk());
  }
  EXPECT_EQ(Count("sla_fired"), "0");
}

TEST_F(TimerLoopTest, TwoProcessesShareThePartsAndFireEachTimerOnce) {
  const log::LeaseTimes brief = {
      .ttl = absl::Seconds(2), .renew = absl::Milliseconds(20), .fence = absl::Seconds(1)};
  for (int i = 0; i < 80; ++i) Started("fast");
  Advance(absl::Hours(2));
  const auto a = MakeLoop({.lease_times = brief}), b = MakeLoop({.lease_times = brief});
  a->leases().Start();
  b->leases().Start();
  const auto run = [&](TimerLoop& loop) {
    while (Count("sla_fired WHERE kind = 'breach'") != "80") EXPECT_THAT(loop.Turn(), IsOk());
  };
  std::thread first([&] { run(*a); });
  run(*b);
  first.join();
  EXPECT_EQ(Count("ticket_event WHERE type = 'breached'"), "80");
  EXPECT_EQ(a->Stats().fired + b->Stats().fired, 80);
  a->leases().Stop();
  b->leases().Stop();
  ExpectSound();
}

TEST_F(TimerLoopTest, WhoeverNamesTheTicketSparesAReadOfAllNearTimers) {
  TimerLoopOptions options;
  options.shortest_poll = options.longest_poll = absl::Hours(1);
  const auto loop = MakeOwner(std::move(options));
  Drain(*loop);
  const int64_t reads = loop->Stats().reads;
  const std::string id = Started("fast");
  const int part = *desk::PartOfTicketId(id);
  SetTime(DueOf(id, "half"));
  ASSERT_THAT(loop->Turn(), testing::IsOk());
  EXPECT_EQ(Count("sla_fired"), "0");
  loop->Changed({{part, id}});
  ASSERT_THAT(loop->Turn(), testing::IsOk());
  EXPECT_EQ(Count("sla_fired WHERE kind = 'half'"), "1");
  // What a ticket no longer wants leaves the picture in the same way.
  SetTime(DueOf(id, "breach") - absl::Seconds(5));
  loop->Changed({{part, id}});
  ASSERT_THAT(loop->Turn(), testing::IsOk());
  EXPECT_EQ(loop->Stats().near, 1u);
  Act(id, Agent(), desk::WaitTicket{"Какой у вас принтер?"});
  loop->Changed({{part, id}});
  ASSERT_THAT(loop->Turn(), testing::IsOk());
  EXPECT_EQ(loop->Stats().near, 0u);
  EXPECT_EQ(loop->Stats().reads, reads);
  ExpectSound();
}

TEST_F(TimerLoopTest, WhatAReadLeftOutIsNotHiddenByALaterOneThatWasNamed) {
  TimerLoopOptions options;
  options.shortest_poll = options.longest_poll = absl::Hours(1);
  options.most_fresh = 2;
  const std::string first = Started("fast"), second = Started("fast"), third = Started("fast");
  Advance(absl::Seconds(5));
  const std::string later = Started("fast");
  const auto loop = MakeOwner(std::move(options));
  SetTime(DueOf(first, "half"));
  ASSERT_THAT(loop->Turn(), testing::IsOk());
  EXPECT_EQ(Count("sla_fired WHERE kind = 'half'"), "2");
  loop->Changed({{*desk::PartOfTicketId(later), later}});
  for (int turn = 0; turn < 3; ++turn) ASSERT_THAT(loop->Turn(), testing::IsOk());
  EXPECT_EQ(Count("sla_fired WHERE kind = 'half'"), "3");
  SetTime(DueOf(later, "half"));
  ASSERT_THAT(loop->Turn(), testing::IsOk());
  EXPECT_EQ(Count("sla_fired WHERE kind = 'half'"), "4");
  ExpectSound();
}

TEST_F(TimerLoopTest, OfManyTimersOnlyTheNearOnesAreRead) {
  const std::string id = Started("fast");
  database_.Query(
      "INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state) SELECT n % 16, "
      "gen_random_uuid(), 'breach', 0, timestamptz '2026-03-16 10:00+03' + n * interval '1 "
      "minute', "
      "'armed' FROM generate_series(120, 10119) n");
  const auto loop = MakeOwner();
  SetTime(DueOf(id, "half") - absl::Seconds(5));
  Drain(*loop);
  EXPECT_EQ(Count("sla_timer WHERE state = 'armed'"), "10002");
  EXPECT_EQ(loop->Stats().near, 1u);
}

// Not a bound but a measurement: how late timers fire on this machine, in real time, through the
// loop of the service. Business runs an hour a second.
TEST_F(TimerLoopTest, LatenessIsMeasured) {
  SetOrigin(Moscow("2026-03-16 10:00"), 3600);
  pg::Pool service({.dsn = database_.dsn("potok_sla_timer")});
  const std::unique_ptr<DbClock> clock = *DbClock::Start(service);
  ledger::Ledger ledger(database_.pool(), *reference_, *clock, {}, [] {});
  TimerLoop timers({.owner = "measured"}, service, *reference_, *clock, metrics_, [] {});
  timers.leases().Start();
  app::Loop loop(
      {.name = "sla-timers"}, [&](std::stop_token) { return timers.Turn(); }, metrics_);
  loop.Start();
  constexpr int kTickets = 600;
  for (int i = 0; i < kTickets; ++i) {
    desk::Command command;
    command.viewer = Person("petrov");
    command.method = "CreateTicket";
    command.request_id = Uuid();
    desk::CreateTicket create;
    create.draft.part = desk::PartOf(command.viewer.principal, command.request_id);
    create.draft.id = desk::MakeTicketId(clock->Now(), create.draft.part, 1000000 + i);
    create.draft.flow_id = "fast";
    create.draft.caller = command.viewer.principal;
    create.draft.request_id = command.request_id;
    create.draft.requester = "petrov";
    create.draft.title = "Мера";
    command.action = create;
    ASSERT_THAT(
        ledger.Execute(command, std::chrono::steady_clock::now() + std::chrono::seconds(20)),
        IsOk());
  }
  ASSERT_TRUE(Eventually([&] { return Count("sla_fired") == absl::StrCat(2 * kTickets); }));
  loop.Stop();
  timers.leases().Stop();
  EXPECT_EQ(Count("sla_fired WHERE fired_at < due_at"), "0");
  const std::string figures = database_.Query(
      "SELECT format('%s fires at %s/s: p50 %s ms, p99 %s ms, max %s ms', count(*), (count(*) / "
      "(extract(epoch FROM max(fired_at) - min(fired_at)) / 3600))::int, (percentile_disc(0.5) "
      "WITHIN "
      "GROUP (ORDER BY late_us) / 1000.0)::numeric(9,2), (percentile_disc(0.99) WITHIN GROUP "
      "(ORDER BY "
      "late_us) / 1000.0)::numeric(9,2), (max(late_us) / 1000.0)::numeric(9,2)) FROM "
      "ledger.sla_fired");
  std::printf("[ MEASURED ] timer lateness, %s\n", figures.c_str());
  RecordProperty("lateness", figures);
}

}  // namespace
}  // namespace potok::sla_timer
