// The desk that tests of timers share, and the proof that its time stands still.
#include "sla-timer/work/timer_desk.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"
#include "ledger/verify.h"
#include "sla-timer/store/definitions.h"

namespace potok::sla_timer {

absl::Time Moscow(absl::string_view wall) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", wall, absl::FixedTimeZone(3 * 3600), &time, &error))
      << error;
  return time;
}

TimerDesk::TimerDesk(absl::Time start) : clock_(start) {
  SetOrigin(start, kStandingStill);
  desk::SlaPolicy standard;
  standard.id = "standard";
  standard.name = "Обычная";
  standard.calendar_id = "ru";
  standard.fallback = {desk::Target{desk::Target::kWorkingHours, 4},
                       desk::Target{desk::Target::kWorkingDays, 2}};
  standard.steps = {{1, absl::ZeroDuration(), desk::EscalationStep::kTellManager},
                    {2, absl::Hours(4), desk::EscalationStep::kNextLine}};
  desk::SlaPolicy hourly;
  hourly.id = "hourly";
  hourly.calendar_id = "always";
  hourly.fallback.resolution = desk::Target{desk::Target::kWorkingHours, 1};
  EXPECT_THAT(pg::InTransaction(
                  database_.pool(), {},
                  [&](pg::Tx& tx) -> absl::Status {
                    Publish(tx, desk::RussianProductionCalendar("ru", "Europe/Moscow"), "test",
                            start);
                    Publish(tx, desk::AroundTheClock("always", "Europe/Moscow"), "test", start);
                    Publish(tx, standard, "test", start);
                    Publish(tx, hourly, "test", start);
                    return absl::OkStatus();
                  }),
              testing::IsOk());
  std::ifstream world(POTOK_TESTDATA "/desk.sql");
  database_.Query(std::string(std::istreambuf_iterator<char>(world), {}));
  reference_ = *ledger::Reference::Start(database_.pool());
  ledger_ = std::make_unique<ledger::Ledger>(database_.pool(), *reference_, clock_,
                                             ledger::LedgerOptions{}, [] {});
}

void TimerDesk::SetOrigin(absl::Time business, double scale) {
  database_.Query(absl::StrCat(
      "BEGIN; DELETE FROM ledger.clock_origin; INSERT INTO ledger.clock_origin VALUES (true, "
      "clock_timestamp(), '",
      pg::ToTimestamp(business), "', ", scale, "); COMMIT"));
}

std::unique_ptr<TimerLoop> TimerDesk::MakeLoop(TimerLoopOptions options) {
  if (options.owner.empty()) options.owner = absl::StrCat("owner", ++owners_);
  // The role the service runs under, so that its grants are tested too.
  if (service_pool_ == nullptr) {
    service_pool_ =
        std::make_unique<pg::Pool>(pg::PoolOptions{.dsn = database_.dsn("potok_sla_timer")});
  }
  return std::make_unique<TimerLoop>(options, *service_pool_, *reference_, clock_, metrics_,
                                     [this] { ++commits_; });
}

std::unique_ptr<TimerLoop> TimerDesk::MakeOwner(TimerLoopOptions options) {
  // Nobody renews here; a slow machine must not lose its leases in the middle of a test.
  if (options.lease_times.ttl == log::LeaseTimes().ttl) {
    options.lease_times = {.ttl = absl::Minutes(10), .fence = absl::Minutes(9)};
  }
  auto loop = MakeLoop(std::move(options));
  EXPECT_THAT(loop->leases().Round(), testing::IsOk());
  EXPECT_EQ(loop->leases().Get().size(), 16u);
  return loop;
}

void TimerDesk::Drain(TimerLoop& loop) {
  // At rest: the rows were read twice in a row and nothing was due either time.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  int64_t reads = loop.Stats().reads;
  int idle = 0;
  while (std::chrono::steady_clock::now() < end) {
    loop.Wake();
    ASSERT_THAT(loop.Turn(), testing::IsOk());
    if (loop.Stats().due > 0) idle = 0;
    if (loop.Stats().reads == reads) continue;
    reads = loop.Stats().reads;
    if (loop.Stats().due == 0 && ++idle == 2) return;
  }
  FAIL() << "the loop never comes to rest: " << loop.Stats().due << " due";
}

desk::Viewer TimerDesk::Person(const std::string& employee) {
  desk::Viewer viewer;
  viewer.principal = "users/" + employee;
  viewer.employee = employee;
  return viewer;
}

desk::Viewer TimerDesk::Agent() {
  desk::Viewer viewer = Person("agent1");
  viewer.flows_served = {"it", "fast"};
  return viewer;
}

std::string TimerDesk::Uuid() {
  static std::atomic<uint64_t> next{1};
  return desk::MakeTicketId(absl::FromUnixSeconds(1), 0, next++);
}

absl::StatusOr<ledger::Outcome> TimerDesk::Do(desk::Command command) {
  return ledger_->Execute(std::move(command),
                          std::chrono::steady_clock::now() + std::chrono::seconds(20));
}

std::string TimerDesk::File(const std::string& flow) {
  desk::Command command;
  command.viewer = Person("petrov");
  command.method = "CreateTicket";
  command.request_id = Uuid();
  desk::CreateTicket create;
  create.draft.part = desk::PartOf(command.viewer.principal, command.request_id);
  create.draft.id = desk::MakeTicketId(clock_.Now(), create.draft.part, ++filed_);
  create.draft.flow_id = flow;
  create.draft.flow_version = 1;
  create.draft.caller = command.viewer.principal;
  create.draft.request_id = command.request_id;
  create.draft.requester = "petrov";
  create.draft.department = "sales";
  create.draft.title = "Принтер не печатает";
  command.action = create;
  const auto filed = Do(std::move(command));
  EXPECT_THAT(filed, testing::IsOk());
  return filed.ok() ? filed->ticket.id : "";
}

void TimerDesk::Act(const std::string& ticket, desk::Viewer viewer, desk::Action action) {
  desk::Command command;
  command.ticket_id = ticket;
  command.viewer = std::move(viewer);
  command.method = "Test";
  command.request_id = Uuid();
  command.action = std::move(action);
  EXPECT_THAT(Do(std::move(command)), testing::IsOk());
}

std::string TimerDesk::Started(const std::string& flow) {
  const std::string id = File(flow);
  Act(id, desk::SystemViewer(), desk::AssignTicket{"agent1", "manual"});
  Act(id, Agent(), desk::StartTicket{});
  return id;
}

std::string TimerDesk::Events(const std::string& ticket) {
  return database_.Query(absl::StrCat(
      "SELECT string_agg(type, ' ' ORDER BY version) FROM ledger.ticket_event WHERE ticket_id = '",
      ticket, "'"));
}

std::string TimerDesk::Count(const std::string& what) {
  return database_.Query(absl::StrCat("SELECT count(*) FROM ledger.", what));
}

absl::Time TimerDesk::DueOf(const std::string& ticket, const std::string& kind) {
  int64_t micros = 0;
  EXPECT_TRUE(absl::SimpleAtoi(
      database_.Query(absl::StrCat("SELECT (extract(epoch FROM due_at) * 1e6)::bigint FROM "
                                   "ledger.sla_timer WHERE state = 'armed' AND ticket_id = '",
                                   ticket, "' AND kind = '", kind, "'")),
      &micros))
      << "no armed timer " << kind;
  return absl::FromUnixMicros(micros);
}

void TimerDesk::ExpectSound() {
  const auto verified =
      ledger::Verify(database_.pool(), *reference_->Snapshot(), /*quiescent=*/false);
  ASSERT_THAT(verified, testing::IsOk());
  for (const ledger::InvariantResult& check : verified->checks) {
    EXPECT_EQ(check.rows, 0) << check.id << ": " << check.title_en << ": "
                             << (check.examples.empty() ? "" : check.examples[0]);
  }
}

namespace {

TEST_F(TimerDesk, TimeStandsStillUntilItIsMoved) {
  const std::string now = database_.Query("SELECT date_trunc('second', ledger.business_now())");
  EXPECT_EQ(now, "2026-03-16 07:00:00+00");
  Advance(absl::Hours(2));
  EXPECT_EQ(database_.Query("SELECT date_trunc('second', ledger.business_now())"),
            "2026-03-16 09:00:00+00");
  EXPECT_EQ(clock_.Now(), Moscow("2026-03-16 12:00"));
}

}  // namespace
}  // namespace potok::sla_timer
