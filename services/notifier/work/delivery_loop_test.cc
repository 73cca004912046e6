#include "notifier/work/delivery_loop.h"

#include <atomic>
#include <set>

#include "gmock/gmock.h"

#include "notifier/work/notifier_fixture.h"
#include "notifier/work/smtp_fixture.h"
#include "notifier/work/smtp_sender.h"

namespace potok::notifier {
namespace {

using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;
using ::testing::HasSubstr;

class DeliveryLoopTest : public NotifierFixture {
 protected:
  std::unique_ptr<DeliveryLoop> Worker(const std::string& url) {
    SmtpOptions smtp;
    smtp.url = url;
    smtp.allow_plaintext = true;
    smtp.timeout = absl::Seconds(2);
    DeliveryLoopOptions options;
    options.from = {"Potok", "potok@example.org"};
    options.mail_domain = "example.org";
    return std::make_unique<DeliveryLoop>(options, queue_, texts_, clock_,
                                          std::make_unique<SmtpSender>(smtp), breaker_, meters_);
  }
  std::unique_ptr<DeliveryLoop> Worker() { return Worker(server_.url()); }

  absl::Duration Turn(DeliveryLoop& worker) {
    const absl::StatusOr<absl::Duration> rest = worker.Turn({});
    EXPECT_THAT(rest, IsOk());
    return rest.value_or(absl::ZeroDuration());
  }
  // Real time passes for deliveries that wait for their next try.
  void Hurry() {
    database_.Query(
        "UPDATE notifier.delivery SET next_at = clock_timestamp() WHERE state = 'pending'");
  }
  // All mail that can leave now.
  void Drain(DeliveryLoop& worker) {
    while (Turn(worker) == absl::ZeroDuration()) {
    }
  }
  static FakeSmtp::Script Refusing(const std::string& part, const std::string& answer) {
    return [=](const std::string& step) {
      return absl::StartsWith(step, "RCPT") && absl::StrContains(step, part) ? answer : "";
    };
  }
  std::string Of(const std::string& column, const std::string& where = "channel = 'email'") {
    return database_.Query("SELECT " + column + " FROM notifier.delivery WHERE " + where);
  }

  FakeSmtp server_;
  DeliveryQueue queue_{pool_};
  SharedBreaker breaker_{Channel::kEmail, meters_};
};

TEST_F(DeliveryLoopTest, AConfirmationArrivesOnceWithItsHeaders) {
  const std::string ticket = File("ivanova", "Справка 2-НДФЛ");
  PlanAll();
  auto worker = Worker();
  Drain(*worker);
  PlanAll();
  Drain(*worker);
  ASSERT_EQ(server_.mails.size(), 1u);
  const ReceivedMail mail = server_.mails.Items()[0];
  EXPECT_EQ(mail.to, "ivanova@example.org");
  EXPECT_EQ(mail.Subject(),
            "Анна, заявка «Справка 2-НДФЛ» принята, обещаем до среды 18 ноября 12:00 (IT-000001)");
  EXPECT_EQ(mail.Header("Message-ID"), Of("message_id"));
  EXPECT_EQ(mail.Header("X-Potok-Ticket"), "tickets/" + ticket);
  EXPECT_EQ(mail.Header("X-Potok-Cause"), "tickets/" + ticket + "/events/1");
  EXPECT_EQ(mail.Header("References"), "<ticket." + ticket + "@example.org>");
  EXPECT_EQ(Of("state || ' ' || attempts || ' ' || title"), "sent 1 " + mail.Subject());
}

TEST_F(DeliveryLoopTest, BusyThenFineIsOneMail) {
  File("ivanova");
  PlanAll();
  server_.SetScript(Refusing("ivanova", "450 4.2.1 busy"));
  auto worker = Worker();
  Drain(*worker);
  EXPECT_EQ(Of("state || ' ' || attempts"), "pending 1");
  EXPECT_THAT(Of("last_error"), HasSubstr("450 4.2.1 busy"));
  EXPECT_EQ(
      Int("SELECT count(*) FROM notifier.delivery WHERE next_at > clock_timestamp() AND next_at < "
          "clock_timestamp() + interval '2 s' AND channel = 'email'"),
      1);
  server_.SetScript({});
  Hurry();
  Drain(*worker);
  EXPECT_EQ(server_.mails.size(), 1u);
  EXPECT_EQ(Of("state || ' ' || attempts || ' ' || last_error"), "sent 2 ");
}

TEST_F(DeliveryLoopTest, NoSuchUserIsFinalAtOnce) {
  File("ivanova");
  File("petrov");
  PlanAll();
  server_.SetScript(Refusing("ivanova", "550 5.1.1 no such user"));
  auto worker = Worker();
  Drain(*worker);
  EXPECT_EQ(Of("state || ' ' || attempts", "address LIKE 'ivanova@%'"), "dead 1");
  EXPECT_THAT(Of("last_error", "address LIKE 'ivanova@%'"), HasSubstr("no such user"));
  EXPECT_EQ(Of("state", "address LIKE 'petrov@%'"), "sent") << "others do not suffer";
}

TEST_F(DeliveryLoopTest, TwelveTriesAndNoMore) {
  File("ivanova");
  PlanAll();
  server_.SetScript(Refusing("ivanova", "450 4.2.1 busy"));
  auto worker = Worker();
  for (int i = 0; i < 14; ++i) {
    Hurry();
    Drain(*worker);
  }
  EXPECT_EQ(Of("state || ' ' || attempts"), "dead 12");

  File("petrov");
  PlanAll();
  database_.Query("UPDATE notifier.delivery SET created_at = created_at - interval '25 h'");
  server_.SetScript(Refusing("petrov", "450 4.2.1 busy"));
  Drain(*worker);
  EXPECT_EQ(Of("state || ' ' || attempts", "address LIKE 'petrov@%'"), "dead 1");
}

TEST_F(DeliveryLoopTest, AWorkerKilledBetweenSendAndSettleSendsTheSameMessageAgain) {
  File("ivanova");
  PlanAll();
  // A worker claims and sends, and is gone before it can say so.
  const std::string token = Uuid();
  const auto claimed = queue_.Claim(Channel::kEmail, 50, token, absl::Milliseconds(200));
  ASSERT_THAT(claimed, IsOk());
  ASSERT_EQ(claimed->size(), 1u);
  const std::string message_id = (*claimed)[0].message_id;
  auto worker = Worker();
  Drain(*worker);
  EXPECT_EQ(server_.mails.size(), 0u) << "the lease still runs";
  ASSERT_TRUE(testing::Eventually([&] {
    Turn(*worker);
    return server_.mails.size() == 1;
  }));
  EXPECT_EQ(server_.mails.Items()[0].Header("Message-ID"), message_id);
  EXPECT_EQ(Of("state || ' ' || attempts"), "sent 2");
  // The dead one wakes up: its token is gone and it changes nothing.
  EXPECT_THAT(queue_.Settle((*claimed)[0], token, {.state = DeliveryState::kDead}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(queue_.Release(*claimed, token), IsOk());
  EXPECT_EQ(Of("state"), "sent");
}

TEST_F(DeliveryLoopTest, AMailSentWhileTheDatabaseWasAwayIsMarkedLaterAndNotSentAgain) {
  File("ivanova");
  File("petrov");
  PlanAll();
  const std::string away = "ALTER TABLE notifier.delivery RENAME TO delivery_away";
  std::atomic<bool> gone{false};
  server_.SetScript([&](const std::string& step) {
    if (absl::StartsWith(step, "RCPT") && !gone.exchange(true)) database_.Query(away);
    return std::string();
  });
  auto worker = Worker();
  EXPECT_FALSE(worker->Turn({}).ok());
  EXPECT_EQ(server_.mails.size(), 1u);
  EXPECT_FALSE(worker->Turn({}).ok()) << "it is still away";
  database_.Query("ALTER TABLE notifier.delivery_away RENAME TO delivery");
  Drain(*worker);
  EXPECT_EQ(server_.mails.size(), 2u);
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.delivery WHERE channel = 'email' AND state = 'sent' "
                "AND attempts = 1"),
            2);
}

TEST_F(DeliveryLoopTest, AConnectionThatDiesWhileAMailIsOnItsWayCostsNothing) {
  File("ivanova");
  PlanAll();
  server_.SetScript([this](const std::string& step) {
    if (absl::StartsWith(step, "RCPT")) {
      database_.Query(
          "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
          "WHERE datname = current_database() AND usename = 'potok_notifier'");
    }
    return "";
  });
  auto worker = Worker();
  EXPECT_EQ(Turn(*worker), absl::ZeroDuration());
  EXPECT_EQ(server_.mails.size(), 1u);
  EXPECT_EQ(Of("state || ' ' || attempts"), "sent 1");
}

TEST_F(DeliveryLoopTest, AMailThatCannotBeMarkedDoesNotHoldUpOthers) {
  File("ivanova");
  File("petrov");
  PlanAll();
  database_.Query(
      "ALTER TABLE notifier.delivery ADD CONSTRAINT refused CHECK (NOT (state = 'sent' AND address "
      "LIKE 'ivanova@%'))");
  auto worker = Worker();
  EXPECT_TRUE(testing::Eventually([&] {
    static_cast<void>(worker->Turn({}));
    return Of("state", "address LIKE 'petrov@%'") == "sent";
  }));
  database_.Query("ALTER TABLE notifier.delivery DROP CONSTRAINT refused");
  Drain(*worker);
  EXPECT_EQ(Of("state || ' ' || attempts", "address LIKE 'ivanova@%'"), "sent 1");
  EXPECT_EQ(server_.mails.size(), 2u);
}

TEST_F(DeliveryLoopTest, MailsAboutATicketArriveInOrderAndOthersDoNotWait) {
  const std::string slow = File("ivanova", "Первая");
  Do(slow, "belov", desk::AddComment{"Комментарий", false});
  File("petrov", "Вторая");
  PlanAll();
  server_.SetScript(Refusing("ivanova", "450 4.2.1 busy"));
  auto worker = Worker();
  Drain(*worker);
  EXPECT_EQ(server_.mails.size(), 1u);
  EXPECT_EQ(Of("attempts", "address LIKE 'ivanova@%' AND kind = 'comment'"), "0")
      << "the second waits for the first";
  server_.SetScript({});
  Hurry();
  Drain(*worker);
  ASSERT_EQ(server_.mails.size(), 3u);
  EXPECT_THAT(server_.mails.Items()[1].Subject(), HasSubstr("принята"));
  EXPECT_THAT(server_.mails.Items()[2].Subject(), HasSubstr("комментарий"));
}

TEST_F(DeliveryLoopTest, AFinalRefusalLetsTheNextOneGo) {
  const std::string ticket = File("ivanova");
  Do(ticket, "belov", desk::AddComment{"Комментарий", false});
  PlanAll();
  std::atomic<int> tries{0};
  server_.SetScript([&](const std::string& step) -> std::string {
    return absl::StartsWith(step, "RCPT") && ++tries == 1 ? "550 5.7.1 not this one" : "";
  });
  auto worker = Worker();
  Drain(*worker);
  ASSERT_EQ(server_.mails.size(), 1u);
  EXPECT_THAT(server_.mails.Items()[0].Subject(), HasSubstr("комментарий"));
}

TEST_F(DeliveryLoopTest, AServerThatAsksForARestGetsIt) {
  for (int i = 0; i < 5; ++i) File("ivanova");
  PlanAll();
  server_.SetScript(Refusing("ivanova", "421 4.7.0 slow down"));
  auto worker = Worker();
  Turn(*worker);
  EXPECT_EQ(Deliveries("attempts = 0 AND state = 'pending' AND channel = 'email'"), 5)
      << "neither the one that was refused nor those not tried have lost a try";
  EXPECT_EQ(Deliveries("last_error LIKE '%slow down%'"), 1) << "one was enough to understand";
  EXPECT_GT(Turn(*worker), absl::Seconds(20));
}

TEST_F(DeliveryLoopTest, AnOutageCostsNoNoticeItsTriesAndNothingIsLost) {
  for (int i = 0; i < 60; ++i) File(i % 2 == 0 ? "ivanova" : "petrov");
  PlanAll();
  const int port = server_.port();
  server_.Close();
  auto worker = Worker(absl::StrCat("smtp://127.0.0.1:", port));
  for (int i = 0; i < 10; ++i) {
    Hurry();
    Turn(*worker);
  }
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("potok_notify_attempts_total{channel=\"email\",outcome=\"outage\"} 20"))
      << "the breaker opened after twenty";
  EXPECT_EQ(Deliveries("channel = 'email' AND state = 'pending' AND attempts = 0"), 60);
  EXPECT_THAT(metrics_.Render(), HasSubstr("potok_notify_breaker_open{channel=\"email\"} 1"));
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.inbox"), 60) << "the inbox does not suffer";

  FakeSmtp again({}, port);
  SharedBreaker fresh{Channel::kEmail, meters_};  // Ten seconds later the first one would probe.
  SmtpOptions smtp;
  smtp.url = again.url();
  smtp.allow_plaintext = true;
  DeliveryLoopOptions options;
  options.from = {"Potok", "potok@example.org"};
  DeliveryLoop well(options, queue_, texts_, clock_, std::make_unique<SmtpSender>(smtp), fresh,
                    meters_);
  Hurry();
  Drain(well);
  EXPECT_EQ(again.mails.size(), 60u);
  std::set<std::string> ids;
  for (const ReceivedMail& mail : again.mails.Items()) ids.insert(mail.Header("Message-ID"));
  EXPECT_EQ(ids.size(), 60u);
}

TEST_F(DeliveryLoopTest, TwoWorkersShareTheWorkAndSendNothingTwice) {
  for (int i = 0; i < 120; ++i) File(i % 2 == 0 ? "ivanova" : "petrov");
  for (int i = 0; i < 120; i += 40) PlanAll();
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      auto worker = Worker();
      Drain(*worker);
    });
  }
  for (std::thread& worker : workers) worker.join();
  RecordProperty("send_120_mails_ms", static_cast<int>(absl::ToInt64Milliseconds(absl::FromChrono(
                                          std::chrono::steady_clock::now() - start))));
  std::set<std::string> ids;
  for (const ReceivedMail& mail : server_.mails.Items()) ids.insert(mail.Header("Message-ID"));
  EXPECT_EQ(server_.mails.size(), 120u);
  EXPECT_EQ(ids.size(), 120u);
}

TEST_F(DeliveryLoopTest, AReminderOvertakenWhileItWaitedIsNotSent) {
  const std::string ticket = File("ivanova");
  Assign(ticket, "sidorov");
  const desk::Ticket now = Now(ticket);
  clock_.SetTime(*now.sla.half_at);
  Do(ticket, desk::SystemViewer(), desk::FireTimer{desk::TimerKind::kHalf, now.sla.gen});
  PlanAll();
  Do(ticket, "sidorov", desk::StartTicket{});
  Do(ticket, "sidorov", desk::ResolveTicket{"Готово"});
  auto worker = Worker();
  Drain(*worker);
  EXPECT_EQ(Of("state || ' ' || reason", "kind = 'half_term' AND channel = 'email'"),
            "suppressed superseded");
  for (const ReceivedMail& mail : server_.mails.Items()) {
    EXPECT_EQ(mail.Subject().find("половина"), std::string::npos);
  }
}

TEST_F(DeliveryLoopTest, ANameThatWouldAddAHeaderNeverReachesTheServer) {
  Change(
      "directory",
      "UPDATE intake.employee SET name = E'Анна\\r\\nBcc: all@example.org' WHERE id = 'ivanova'");
  File("ivanova");
  PlanAll();
  auto worker = Worker();
  Drain(*worker);
  EXPECT_EQ(Of("state"), "dead");
  EXPECT_THAT(Of("last_error"), HasSubstr("line break"));
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(DeliveryLoopTest, CountsWhatItDoes) {
  File("ivanova");
  PlanAll();
  auto worker = Worker();
  Drain(*worker);
  const std::string page = metrics_.Render();
  EXPECT_THAT(page, HasSubstr("potok_notify_attempts_total{channel=\"email\",outcome=\"sent\"} 1"));
  EXPECT_THAT(page, HasSubstr("potok_notify_attempts_total{channel=\"inbox\",outcome=\"sent\"} 1"));
  EXPECT_THAT(page, HasSubstr("potok_notify_delivery_seconds_count{channel=\"email\"} 1"));
}

}  // namespace
}  // namespace potok::notifier
