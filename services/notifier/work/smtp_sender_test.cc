#include "notifier/work/smtp_sender.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "notifier/work/smtp_fixture.h"
#include "platform/testing/signal.h"

namespace potok::notifier {
namespace {

using ::testing::HasSubstr;

Mail SomeMail(const std::string& to = "ivanova@example.org") {
  Mail mail;
  mail.from = {"Поток", "potok@example.org"};
  mail.to = {"Анна Иванова", to};
  mail.subject = "Заявка «Справка 2-НДФЛ» принята";
  mail.text = "Номер HR-000001.\n.\nВсё.\n";
  mail.message_id = "<0190@example.org>";
  mail.thread_id = "<ticket.1@example.org>";
  mail.ticket = "tickets/1";
  mail.cause = "tickets/1/events/1";
  return mail;
}

SmtpOptions Options(const FakeSmtp& server) {
  SmtpOptions options;
  options.url = server.url();
  options.allow_plaintext = true;
  options.timeout = absl::Seconds(5);
  return options;
}

FakeSmtp::Script Saying(const std::string& step, const std::string& answer) {
  return [=](const std::string& now) { return absl::StartsWith(now, step) ? answer : ""; };
}

TEST(SmtpSender, DeliversManyMailsOverOneConnection) {
  FakeSmtp server;
  SmtpSender sender(Options(server));
  for (int i = 0; i < 5; ++i) {
    const SendOutcome outcome = sender.Send(SomeMail());
    ASSERT_EQ(outcome.result, SendOutcome::kSent) << outcome.said;
  }
  EXPECT_EQ(server.connections(), 1);
  ASSERT_EQ(server.mails.size(), 5u);
  const ReceivedMail mail = server.mails.Items()[0];
  EXPECT_EQ(mail.to, "ivanova@example.org");
  EXPECT_EQ(mail.Subject(), "Заявка «Справка 2-НДФЛ» принята");
  EXPECT_EQ(mail.Header("Message-ID"), "<0190@example.org>");
  EXPECT_EQ(mail.Header("References"), "<ticket.1@example.org>");
  EXPECT_EQ(mail.Header("Auto-Submitted"), "auto-generated");
}

TEST(SmtpSender, AServerThatSaysNothingIsLeftWhenTheProcessMustEnd) {
  FakeSmtp server(Saying("RCPT", "SILENCE"));
  SmtpOptions options = Options(server);
  options.timeout = absl::Hours(1);  // Longer than any test: only the hurry ends it.
  SmtpSender sender(options);
  std::thread stop([&] {
    EXPECT_TRUE(server.steps.WaitUntil([](const std::vector<std::string>& steps) {
      return !steps.empty() && absl::StartsWith(steps.back(), "RCPT");
    }));
    sender.Hurry(absl::ZeroDuration());
  });
  EXPECT_EQ(sender.Send(SomeMail()).result, SendOutcome::kOutage) << "it may be sent again";
  stop.join();
}

TEST(SmtpSender, TellsRefusalsOfAMessageFromOutages) {
  struct Case {
    const char* step;
    const char* answer;
    SendOutcome::Result result;
  };
  for (const Case& c :
       std::initializer_list<Case>{{"RCPT", "450 4.2.1 busy", SendOutcome::kRetry},
                                   {"RCPT", "550 5.1.1 no such user", SendOutcome::kPermanent},
                                   {"MESSAGE", "451 4.3.0 later", SendOutcome::kRetry},
                                   {"MESSAGE", "554 5.7.1 spam", SendOutcome::kPermanent},
                                   {"MAIL", "552 5.3.4 too big", SendOutcome::kPermanent},
                                   {"DATA", "554 5.7.1 no", SendOutcome::kPermanent},
                                   {"RCPT", "421 4.7.0 too many", SendOutcome::kPause},
                                   {"GREETING", "421 4.3.2 shutting down", SendOutcome::kPause},
                                   {"GREETING", "554 5.3.2 not today", SendOutcome::kOutage},
                                   {"MAIL", "550 5.7.1 sender refused", SendOutcome::kOutage},
                                   {"EHLO", "DROP", SendOutcome::kOutage},
                                   {"MESSAGE", "DROP", SendOutcome::kOutage}}) {
    FakeSmtp server(Saying(c.step, c.answer));
    SmtpSender sender(Options(server));
    const SendOutcome outcome = sender.Send(SomeMail());
    EXPECT_EQ(outcome.result, c.result) << c.step << " " << c.answer << ": " << outcome.said;
    if (c.answer[0] != 'D') {
      EXPECT_THAT(outcome.said, HasSubstr(c.answer));
    }
    EXPECT_EQ(server.mails.size(), 0u);
    // The same sender goes on once the server is well.
    server.SetScript({});
    EXPECT_EQ(sender.Send(SomeMail()).result, SendOutcome::kSent) << c.step << " " << c.answer;
  }
}

TEST(SmtpSender, GivesUpOnASilentServerInTime) {
  FakeSmtp server(Saying("RCPT", "SILENCE"));
  SmtpOptions options = Options(server);
  options.timeout = absl::Milliseconds(300);
  SmtpSender sender(options);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(sender.Send(SomeMail()).result, SendOutcome::kOutage);
  EXPECT_LT(absl::FromChrono(std::chrono::steady_clock::now() - start),
            testing::Stretched(absl::Seconds(3)));
}

TEST(SmtpSender, SaysNothingInTheClearUnlessItMay) {
  FakeSmtp server;
  SmtpOptions options = Options(server);
  options.allow_plaintext = false;
  SmtpSender sender(options);
  EXPECT_EQ(sender.Send(SomeMail()).result, SendOutcome::kOutage);
  EXPECT_EQ(server.mails.size(), 0u);
  for (const std::string& step : server.steps.Items()) EXPECT_FALSE(absl::StartsWith(step, "MAIL"));
}

TEST(SmtpSender, AWrongPasswordIsAnOutageAndNotTheEndOfTheMail) {
  FakeSmtp server([](const std::string& step) -> std::string {
    if (absl::StartsWith(step, "EHLO")) return "250-fake\r\n250 AUTH PLAIN";
    if (absl::StartsWith(step, "AUTH")) return "535 5.7.8 wrong password";
    return "";
  });
  SmtpOptions options = Options(server);
  options.user = "potok";
  options.password = "secret-word";
  const SendOutcome outcome = SmtpSender(options).Send(SomeMail());
  EXPECT_EQ(outcome.result, SendOutcome::kOutage);
  EXPECT_EQ(outcome.said.find("secret"), std::string::npos);
}

TEST(SmtpSender, NobodyListening) {
  int port = 0;
  {
    FakeSmtp server;
    port = server.port();
  }
  SmtpOptions options;
  options.url = absl::StrCat("smtp://127.0.0.1:", port);
  options.allow_plaintext = true;
  const SendOutcome outcome = SmtpSender(options).Send(SomeMail());
  EXPECT_EQ(outcome.result, SendOutcome::kOutage);
  EXPECT_FALSE(outcome.said.empty());
}

TEST(SmtpSender, WhatAnAnswerMeans) {
  EXPECT_EQ(MeaningOf(0, ""), SendOutcome::kOutage);
  EXPECT_EQ(MeaningOf(535, "AUTH"), SendOutcome::kOutage);
  EXPECT_EQ(MeaningOf(452, "MAIL"), SendOutcome::kOutage);
  EXPECT_EQ(MeaningOf(354, "DATA"), SendOutcome::kOutage) << "cut in the middle of the message";
}

}  // namespace
}  // namespace potok::notifier
