#include "analytics/store/board_store.h"

#include <random>

#include "gtest/gtest.h"

#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"
#include "ledger/definition_codec.h"
#include "ledger/invariants.h"
#include "ledger/ledger.h"
#include "ledger/verify.h"
#include "platform/clock/clock.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::analytics {
namespace {

using desk::Command;
using ::potok::testing::IsOk;

// A flow without a router: the test itself gives tickets to agents.
class BoardStoreTest : public ::testing::Test {
 protected:
  BoardStoreTest() {
    desk::SlaPolicy policy;
    policy.id = "standard";
    policy.calendar_id = "ru";
    policy.fallback.resolution = desk::Target{desk::Target::kWorkingHours, 4};
    desk::Flow flow;
    flow.id = "it";
    flow.prefix = "IT";
    flow.name_ru = "Техподдержка";
    flow.sla_policy = "standard";
    const auto quote = [](const std::string& text) { return "$q$" + text + "$q$"; };
    database_.Query("INSERT INTO sla_timer.calendar_version VALUES ('ru', 1, " +
                    quote(ledger::ToJson(desk::RussianProductionCalendar("ru", "Europe/Moscow"))) +
                    ", 'test', now())");
    database_.Query("INSERT INTO sla_timer.policy_version VALUES ('standard', 1, " +
                    quote(ledger::ToJson(policy)) + ", 'test', now())");
    database_.Query("INSERT INTO intake.flow_version VALUES ('it', 1, " +
                    quote(ledger::ToJson(flow)) + ", 'test', now())");
    database_.Query("INSERT INTO intake.flow VALUES ('it', 1, 'IT', now())");
    for (const char* agent : {"anna", "boris"}) {
      database_.Query(
          absl::StrCat("INSERT INTO ledger.agent_load VALUES ('", agent, "', 'it', 0, 100)"));
    }
    reference_ = *ledger::Reference::Start(database_.pool());
    ledger_ = std::make_unique<ledger::Ledger>(database_.pool(), *reference_, clock_,
                                               ledger::LedgerOptions{}, [] {});
  }

  absl::StatusOr<ledger::Outcome> Do(const std::string& ticket, desk::Viewer viewer,
                                     desk::Action action) {
    Command command;
    command.ticket_id = ticket;
    command.viewer = std::move(viewer);
    command.action = std::move(action);
    return ledger_->Execute(std::move(command),
                            std::chrono::steady_clock::now() + std::chrono::seconds(20));
  }
  std::string File() {
    desk::CreateTicket create;
    create.draft.part = static_cast<int>(random_() % desk::kParts);
    create.draft.id = desk::MakeTicketId(clock_.Now(), create.draft.part, random_());
    create.draft.flow_id = "it";
    create.draft.caller = "users/petrov";
    create.draft.request_id = create.draft.id;
    create.draft.requester = "petrov";
    create.draft.title = "Принтер";
    return Do("", Person("petrov"), create)->ticket.id;
  }
  static desk::Viewer Person(const std::string& employee) {
    desk::Viewer viewer;
    viewer.principal = "users/" + employee;
    viewer.employee = employee;
    return viewer;
  }
  // What the consumer does with entries of these tickets, in any order and as often as it likes.
  void Consume(const std::vector<std::string>& tickets) {
    std::vector<log::LogEntry> entries;
    for (const std::string& id : tickets) {
      log::LogEntry entry;
      entry.part = *desk::PartOfTicketId(id);
      entry.entity = id;
      entries.push_back(entry);
    }
    ASSERT_THAT(pg::InTransaction(database_.pool(), {},
                                  [&](pg::Tx& tx) {
                                    ApplyContributions(tx, entries);
                                    return absl::OkStatus();
                                  }),
                IsOk());
  }
  BoardRows Board() {
    return *pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::StatusOr<BoardRows> {
      return ReadBoard(tx, "it", clock_.Now());
    });
  }
  // Rows of the analytics invariants, which must be none.
  int64_t Drift() {
    int64_t rows = 0;
    drift_.clear();
    const auto result = ledger::Verify(database_.pool(), *reference_->Snapshot(), true);
    EXPECT_THAT(result, IsOk());
    for (const auto& check : result->checks) {
      if (check.id != "I22" && check.id != "I22q") continue;
      rows += check.rows;
      for (const std::string& example : check.examples) drift_ += check.id + " " + example + "\n";
    }
    return rows;
  }

  std::string drift_;
  testing::TestDatabase database_;
  std::mt19937_64 random_{20261122};
  FakeClock clock_{absl::FromUnixSeconds(1794819600)};
  std::unique_ptr<ledger::Reference> reference_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(BoardStoreTest, ABoardShowsWhoDidWhatAndHowTheRequesterLikedIt) {
  const std::string id = File(), waiting = File();
  ASSERT_THAT(Do(id, desk::SystemViewer(), desk::AssignTicket{"anna", "round_robin"}), IsOk());
  ASSERT_THAT(Do(id, Person("anna"), desk::StartTicket{}), IsOk());
  clock_.Advance(absl::Hours(1));
  ASSERT_THAT(Do(id, Person("anna"), desk::ResolveTicket{"Готово"}), IsOk());
  ASSERT_THAT(Do(id, Person("petrov"), desk::ConfirmTicket{}), IsOk());
  ASSERT_THAT(Do(id, Person("petrov"), desk::RateTicket{4, ""}), IsOk());
  Consume({id, waiting});
  const BoardRows board = Board();
  ASSERT_EQ(board.counters.size(), 2u);
  EXPECT_EQ(board.counters[0].queued, 1);
  EXPECT_EQ(board.counters[0].closed, 1);
  EXPECT_EQ(board.counters[0].on_time, 1);
  EXPECT_EQ(board.counters[0].rating_sum, 4);
  EXPECT_EQ(board.counters[1].agent, "anna");
  EXPECT_EQ(board.counters[1].handed, 1);
  EXPECT_EQ(board.counters[1].finished, 1);
  EXPECT_EQ(board.oldest_ticket, waiting);
  EXPECT_EQ(board.resolution_p50, absl::Hours(1));
}

// The timer fires a moment after the due instant, and after hours when its service was away.
TEST_F(BoardStoreTest, AResultAfterItsTermIsLateAlsoWhenNoTimerHasSaidSo) {
  const std::string late = File(), in_time = File();
  for (const std::string& id : {late, in_time}) {
    ASSERT_THAT(Do(id, desk::SystemViewer(), desk::AssignTicket{"anna", "round_robin"}), IsOk());
    ASSERT_THAT(Do(id, Person("anna"), desk::StartTicket{}), IsOk());
  }
  // 12:00 in Moscow; lunch is not counted: the four hours end at 17:00.
  clock_.Advance(absl::Hours(5) - absl::Microseconds(1));
  ASSERT_THAT(Do(in_time, Person("anna"), desk::ResolveTicket{"Готово"}), IsOk());
  clock_.Advance(absl::Microseconds(1));
  ASSERT_THAT(Do(late, Person("anna"), desk::ResolveTicket{"Готово"}), IsOk());
  Consume({late, in_time});
  EXPECT_EQ(Board().counters[0].judged, 2);
  EXPECT_EQ(Board().counters[0].on_time, 1);
  EXPECT_EQ(Drift(), 0) << drift_;
}

TEST_F(BoardStoreTest, RepeatedAndReorderedEntriesNeverMakeACounterDrift) {
  std::vector<std::string> tickets;
  for (int i = 0; i < 12; ++i) tickets.push_back(File());
  for (int step = 0; step < 250; ++step) {
    clock_.Advance(absl::Minutes(static_cast<int64_t>(random_() % 40)));
    const std::string& id = tickets[random_() % tickets.size()];
    const std::string agent = random_() % 2 ? "anna" : "boris";
    const desk::Action actions[] = {desk::AssignTicket{agent, "manual"},
                                    desk::StartTicket{},
                                    desk::WaitTicket{"?"},
                                    desk::ResumeTicket{"!"},
                                    desk::ResolveTicket{"r"},
                                    desk::ConfirmTicket{},
                                    desk::SendBackTicket{"no"},
                                    desk::RateTicket{3, ""},
                                    desk::TransferTicket{agent, "x"},
                                    desk::ReopenTicket{"o"},
                                    desk::CancelTicket{"c"}};
    // Cancelling ends a life; it should be rare.
    const size_t kinds = random_() % 20 == 0 ? 11 : 10;
    const desk::Viewer viewers[] = {Person("petrov"), Person("anna"), Person("boris"),
                                    desk::SystemViewer()};
    (void)Do(id, viewers[random_() % 4], actions[random_() % kinds]);
    if (random_() % 3 == 0) {
      Consume({tickets[random_() % tickets.size()], tickets[random_() % tickets.size()], id});
    }
    if (step % 50 == 0) {
      EXPECT_EQ(database_.Query("SELECT count(*) FROM (TABLE analytics.ticket_fact) f, LATERAL "
                                "analytics.contribution(f) c WHERE c.queued < 0"),
                "0");
    }
  }
  Consume(tickets);
  Consume(tickets);
  EXPECT_EQ(Drift(), 0) << drift_;
}

TEST_F(BoardStoreTest, APlantedErrorInACounterIsFound) {
  Consume({File()});
  EXPECT_EQ(Drift(), 0);
  database_.Query("UPDATE analytics.rollup_day SET queued = queued + 1");
  EXPECT_EQ(Drift(), 2);  // The wrong row and the missing right one.
}

}  // namespace
}  // namespace potok::analytics
