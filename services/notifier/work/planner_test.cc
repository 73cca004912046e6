#include "notifier/work/planner.h"

#include <algorithm>
#include <thread>

#include "gmock/gmock.h"

#include "ledger/invariants/sql.h"
#include "notifier/store/delivery_queue.h"
#include "notifier/work/notifier_fixture.h"
#include "platform/testing/signal.h"

namespace potok::notifier {
namespace {

using ::potok::testing::IsOk;
using ::testing::HasSubstr;

class PlannerTest : public NotifierFixture {
 protected:
  int Broken(const pg::Statement& invariant) {
    return Int(absl::StrCat("SELECT count(*) FROM (", invariant.text, ") broken"));
  }
};

TEST_F(PlannerTest, AFiledRequestIsConfirmedInTheInboxAndByMail) {
  const std::string ticket = File("ivanova", "Не печатает принтер");
  PlanAll();
  EXPECT_EQ(Deliveries(), 2);
  EXPECT_EQ(database_.Query("SELECT title FROM notifier.inbox"),
            "Анна, заявка «Не печатает принтер» принята, обещаем до среды 18 ноября 12:00 "
            "(IT-000001)");
  EXPECT_EQ(
      database_.Query(
          "SELECT recipient || ' ' || seq || ' ' || kind || ' ' || version FROM notifier.inbox"),
      "ivanova 1 confirmation 1");
  EXPECT_EQ(database_.Query("SELECT state || ' ' || address || ' ' || locale FROM "
                            "notifier.delivery WHERE channel = 'email'"),
            "pending ivanova@example.org ru");
  EXPECT_EQ(Deliveries("channel = 'email' AND message_id = '<' || id || '@example.org>'"), 1);
  // What a text is still to be written from is kept, and no more.
  EXPECT_EQ(Deliveries("channel = 'email' AND facts ->> 'number' = 'IT-000001'"), 1);
  EXPECT_EQ(Deliveries("channel = 'inbox' AND facts = '{}'"), 1);
  EXPECT_EQ(Int("SELECT version FROM notifier.planned WHERE ticket_id = '" + ticket + "'"), 1);
}

TEST_F(PlannerTest, TheLogReplayedFromItsBeginningTellsNobodyTwice) {
  for (int i = 0; i < 5; ++i) Assign(File("ivanova"), i < 3 ? "sidorov" : "orlova");
  PlanAll();
  const int deliveries = Deliveries(), notices = Int("SELECT count(*) FROM notifier.inbox");
  EXPECT_EQ(deliveries, 5 * 2 + 5 * 2 + 5);
  PlanAll();
  std::vector<log::LogEntry> shuffled = Entries();
  std::shuffle(shuffled.begin(), shuffled.end(), random_);
  for (const log::LogEntry& entry : shuffled) EXPECT_THAT(Plan({entry}), IsOk());
  // Even when the memory of what was planned is lost, the rows themselves refuse a second one.
  database_.Query("DELETE FROM notifier.planned");
  PlanAll();
  EXPECT_EQ(Deliveries(), deliveries);
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.inbox"), notices);
  EXPECT_EQ(Int("SELECT sum(last_seq) FROM notifier.inbox_head"), notices);
}

TEST_F(PlannerTest, TwoConsumersAtOnceMakeOneNotice) {
  for (int i = 0; i < 8; ++i) File("ivanova");
  const std::vector<log::LogEntry> entries = Entries();
  std::vector<std::thread> consumers;
  for (int i = 0; i < 4; ++i) {
    consumers.emplace_back([&] {
      const auto mine = MakePlanner(true);
      const absl::Status planned =
          pg::InTransaction(pool_, {}, [&](pg::Tx& tx) { return mine->Plan(tx, entries); });
      EXPECT_THAT(planned, IsOk());
    });
  }
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(Deliveries(), 16);
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.inbox"), 8);
  EXPECT_EQ(Int("SELECT max(seq) FROM notifier.inbox"), 8);
}

TEST_F(PlannerTest, NoticesKeepTheOrderOfTheTicketWhateverTopicComesFirst) {
  const std::string ticket = File("ivanova");
  Assign(ticket, "sidorov");
  Do(ticket, "sidorov", desk::StartTicket{});
  Do(ticket, "sidorov", desk::WaitTicket{"Какой кабинет?"});
  Do(ticket, "ivanova", desk::ResumeTicket{"Кабинет 12"});
  const std::vector<log::LogEntry> entries = Entries();
  EXPECT_THAT(Plan({entries.back()}), IsOk());
  EXPECT_EQ(Noticed(ticket),
            "ivanova created_requester; sidorov assigned_assignee; ivanova assigned_requester; "
            "ivanova waiting_requester; sidorov resumed_assignee");
  EXPECT_EQ(database_.Query("SELECT string_agg(version::text, ',' ORDER BY seq) FROM "
                            "notifier.inbox WHERE recipient = 'ivanova'"),
            "1,2,4");
  for (const log::LogEntry& entry : entries) EXPECT_THAT(Plan({entry}), IsOk());
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.inbox"), 5);
}

TEST_F(PlannerTest, TheHolderOfTheTimeIsToldNotTheOneOfToday) {
  const std::string ticket = File("ivanova");
  Assign(ticket, "sidorov");
  Do(ticket, "ivanova", desk::AddComment{"Очень нужно", false});
  Do(ticket, "sidorov", desk::TransferTicket{"orlova", "Я ухожу"});
  PlanAll();
  EXPECT_THAT(Noticed(ticket),
              HasSubstr("sidorov commented_assignee; orlova transferred_assignee"));
}

TEST_F(PlannerTest, ABreachReachesWhoCanStepInAndTheRequesterGetsAnApology) {
  const std::string ticket = File("ivanova");
  Assign(ticket, "sidorov");
  Breach(ticket);
  EXPECT_EQ(Broken(ledger::invariants::kI18BreachWasTold), 1) << "nobody has been told yet";
  PlanAll();
  EXPECT_THAT(Noticed(ticket), HasSubstr("sidorov breached_assignee; ivanova breached_requester; "
                                         "belov breached_responsible"));
  EXPECT_EQ(Deliveries("rule = 'breached_responsible' AND role = 'manager' AND kind = 'breach' AND "
                       "channel = 'inbox' AND state = 'sent'"),
            1);
  EXPECT_EQ(Broken(ledger::invariants::kI18BreachWasTold), 0);
  EXPECT_EQ(Broken(ledger::invariants::kI19NothingStuck), 0);
  EXPECT_THAT(
      database_.Query(
          "SELECT title FROM notifier.inbox WHERE kind = 'breach' AND recipient = 'ivanova'"),
      HasSubstr("мы не успели с заявкой «Принтер не печатает», простите"));
}

TEST_F(PlannerTest, AManagerWhoLeftIsReplacedByTheAdmins) {
  const std::string ticket = File("ivanova", "Справка", "it-support");
  Change("flow",
         "INSERT INTO intake.flow_version SELECT flow_id, 2, definition || "
         "'{\"manager\": \"lisina\", \"admins\": [\"belov\", \"zaitsev\"]}', published_by, "
         "published_at "
         "FROM intake.flow_version WHERE flow_id = 'it-support'");
  Breach(ticket);
  PlanAll();
  EXPECT_EQ(Deliveries("role = 'flow_admin' AND channel = 'inbox' AND state = 'sent'"), 2);
  EXPECT_EQ(Deliveries("recipient = 'lisina'"), 0);
  EXPECT_EQ(Broken(ledger::invariants::kI18BreachWasTold), 0);
}

TEST_F(PlannerTest, AReminderThatCameTooLateIsKeptButNotSent) {
  const std::string ticket = File("ivanova");
  Assign(ticket, "sidorov");
  const desk::Ticket now = Now(ticket);
  clock_.SetTime(*now.sla.half_at);
  Do(ticket, desk::SystemViewer(), desk::FireTimer{desk::TimerKind::kHalf, now.sla.gen});
  Do(ticket, "sidorov", desk::StartTicket{});
  Do(ticket, "sidorov", desk::ResolveTicket{"Готово"});
  PlanAll();
  EXPECT_EQ(Deliveries("kind = 'half_term' AND state = 'suppressed' AND reason = 'superseded'"), 2);
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.inbox WHERE kind = 'half_term'"), 0);
}

TEST_F(PlannerTest, InternalNotesStayInside) {
  const std::string ticket = File("ivanova");
  Assign(ticket, "sidorov");
  Do(ticket, "orlova", desk::AddComment{"Он опять уронил принтер", true});
  PlanAll();
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.inbox WHERE text LIKE '%уронил%'"), 1);
  EXPECT_EQ(database_.Query("SELECT recipient FROM notifier.inbox WHERE text LIKE '%уронил%'"),
            "sidorov");
}

TEST_F(PlannerTest, WithoutAnAddressOnlyTheInboxIsTold) {
  Change("directory", "UPDATE intake.employee SET email = '' WHERE id = 'petrov'");
  File("petrov");
  File("nobody-knows-me");
  PlanAll();
  EXPECT_EQ(Deliveries("channel = 'email'"), 0);
  EXPECT_EQ(Deliveries("channel = 'inbox' AND state = 'sent'"), 2);
}

TEST_F(PlannerTest, WithoutAMailServerMailWaitsAndIsNotStuck) {
  planner_ = MakePlanner(/*mail_leaves=*/false);
  File("ivanova");
  PlanAll();
  EXPECT_EQ(Deliveries("channel = 'email' AND state = 'pending' AND next_at = 'infinity'"), 1);
  ASSERT_THAT(DeliveryQueue(pool_).OpenChannel(Channel::kEmail), IsOk());
  EXPECT_EQ(Deliveries("channel = 'email' AND next_at <= clock_timestamp()"), 1);
}

TEST_F(PlannerTest, AWholeLifeOfARequestIsToldInOrder) {
  const std::string ticket = File("ivanova");
  Assign(ticket, "sidorov");
  Do(ticket, "sidorov", desk::StartTicket{});
  Do(ticket, "sidorov", desk::ResolveTicket{"Заменили картридж"});
  Do(ticket, "ivanova", desk::SendBackTicket{"Всё ещё не печатает"});
  Do(ticket, "sidorov", desk::ResolveTicket{"Заменили принтер"});
  Do(ticket, "ivanova", desk::ConfirmTicket{});
  Do(ticket, "ivanova", desk::RateTicket{2, "Долго"});
  PlanAll();
  EXPECT_EQ(Noticed(ticket),
            "ivanova created_requester; sidorov assigned_assignee; ivanova assigned_requester; "
            "ivanova resolved_requester; sidorov sent_back_assignee; ivanova resolved_requester; "
            "sidorov confirmed_former_assignee; sidorov rated_former_assignee; belov "
            "rated_low_responsible");
  EXPECT_THAT(database_.Query("SELECT title FROM notifier.inbox WHERE kind = 'rated_low'"),
              HasSubstr("низкая оценка, 2 балла"));
}

TEST_F(PlannerTest, ABurstIsPlannedInAFewMilliseconds) {
  for (int i = 0; i < 100; ++i) File("ivanova");
  const std::vector<log::LogEntry> entries = Entries();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(Plan(entries), IsOk());
  const absl::Duration took = absl::FromChrono(std::chrono::steady_clock::now() - start);
  RecordProperty("plan_100_events_ms", static_cast<int>(absl::ToInt64Milliseconds(took)));
  EXPECT_EQ(Deliveries(), 200);
  EXPECT_LT(took, testing::Stretched(absl::Seconds(2)))
      << "set-based: a handful of statements for all of them";
}

}  // namespace
}  // namespace potok::notifier
