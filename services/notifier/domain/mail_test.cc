#include "notifier/domain/mail.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "notifier/domain/delivery.h"

namespace potok::notifier {
namespace {

using ::testing::HasSubstr;

Mail Sound() {
  Mail mail;
  mail.from = {"Поток", "potok@example.org"};
  mail.to = {"Анна Иванова", "ivanova@example.org"};
  mail.subject =
      "Анна, заявка «Справка 2-НДФЛ» принята, обещаем до среды 18 ноября 18:00 (HR-000017)";
  mail.text = "Номер заявки: HR-000017.\nВсё.\n";
  mail.date = absl::FromUnixSeconds(1794819600);
  mail.message_id = "<0190@example.org>";
  mail.thread_id = "<ticket.0189@example.org>";
  mail.ticket = "tickets/0189";
  mail.cause = "tickets/0189/events/1";
  return mail;
}

std::string Decoded(absl::string_view header) {
  std::string text;
  for (absl::string_view word : absl::StrSplit(header, "\r\n ")) {
    EXPECT_LE(word.size(), 75u);
    EXPECT_TRUE(absl::ConsumePrefix(&word, "=?UTF-8?B?"));
    EXPECT_TRUE(absl::ConsumeSuffix(&word, "?="));
    std::string piece;
    EXPECT_TRUE(absl::Base64Unescape(word, &piece));
    text += piece;
  }
  return text;
}

TEST(Mail, HasTheHeadersOfAMachineInAThread) {
  const std::string bytes = *ComposeMail(Sound());
  for (const char* line :
       {"Date: Mon, 16 Nov 2026 09:00:00 +0000\r\n", "\r\nMessage-ID: <0190@example.org>\r\n",
        "\r\nIn-Reply-To: <ticket.0189@example.org>\r\n",
        "\r\nReferences: <ticket.0189@example.org>\r\n", "\r\nAuto-Submitted: auto-generated\r\n",
        "\r\nX-Potok-Ticket: tickets/0189\r\n", "\r\nX-Potok-Cause: tickets/0189/events/1\r\n",
        "\r\nContent-Type: text/plain; charset=utf-8\r\n", " <ivanova@example.org>\r\n"}) {
    EXPECT_THAT(bytes, HasSubstr(line));
  }
  EXPECT_EQ(bytes, *ComposeMail(Sound())) << "the same mail is the same bytes";
  for (absl::string_view line : absl::StrSplit(bytes, "\r\n")) {
    EXPECT_LE(line.size(), 998u);
    EXPECT_EQ(line.find_first_of("\r\n"), absl::string_view::npos) << "a bare line break";
  }
}

TEST(Mail, ASubjectOfAnyLengthIsFoldedIntoWordsThatReadBack) {
  for (size_t length = 0; length < 200; ++length) {
    std::string subject = "№";
    for (size_t i = 0; i < length; ++i) subject += i % 3 == 0 ? "ж" : i % 3 == 1 ? "x" : "😀";
    EXPECT_EQ(Decoded(HeaderText(subject)), subject);
  }
  EXPECT_EQ(HeaderText("IT-000001 done"), "IT-000001 done");
  EXPECT_EQ(Decoded(HeaderText("=?UTF-8?B?0J/RgNC40LLQtdGC?=")), "=?UTF-8?B?0J/RgNC40LLQtdGC?=");
}

TEST(Mail, TheTextIsBase64InLinesOf76) {
  Mail mail = Sound();
  const std::string long_line(5000, 'x');
  mail.text = absl::StrCat(long_line, "\n.\nконец");
  const std::string bytes = *ComposeMail(mail);
  const std::string body = bytes.substr(bytes.find("\r\n\r\n") + 4);
  for (absl::string_view line : absl::StrSplit(body, "\r\n")) EXPECT_LE(line.size(), 76u);
  std::string decoded;
  ASSERT_TRUE(absl::Base64Unescape(absl::StrReplaceAll(body, {{"\r\n", ""}}), &decoded));
  EXPECT_EQ(decoded, absl::StrCat(long_line, "\r\n.\r\nконец"));
}

TEST(Mail, NothingSmugglesAHeaderIn) {
  const std::vector<std::string> poison = {"a\r\nBcc: all@example.org", "a\nb", "a\rb",
                                           std::string("a\0b", 3), "a\x7f"};
  for (const std::string& text : poison) {
    for (std::string Mail::*field :
         {&Mail::subject, &Mail::message_id, &Mail::thread_id, &Mail::ticket, &Mail::cause}) {
      Mail mail = Sound();
      mail.*field = text;
      EXPECT_EQ(ComposeMail(mail).status().code(), absl::StatusCode::kInvalidArgument);
    }
    for (Mailbox Mail::*box : {&Mail::from, &Mail::to}) {
      Mail mail = Sound();
      (mail.*box).name = text;
      EXPECT_FALSE(ComposeMail(mail).ok());
      mail = Sound();
      (mail.*box).address = text + "@example.org";
      EXPECT_FALSE(ComposeMail(mail).ok());
    }
  }
}

TEST(Mail, AddressesArePlain) {
  for (const char* good : {"a@b", "ivan.petrov+x@example.org", "o'neil@example.org"}) {
    EXPECT_TRUE(IsMailAddress(good)) << good;
  }
  for (const char* bad : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b,c@d", "<a@b>", "a@b>\r\n",
                          "иван@example.org", "\"a\"@b", "a;b@c"}) {
    EXPECT_FALSE(IsMailAddress(bad)) << bad;
  }
  EXPECT_EQ(ParseMailbox("Potok <potok@example.org>")->name, "Potok");
  EXPECT_EQ(ParseMailbox("\"Поток, ООО\" <potok@example.org>")->name, "Поток, ООО");
  EXPECT_EQ(ParseMailbox("potok@example.org")->address, "potok@example.org");
  for (const char* bad : {"", "Potok", "Potok <>", "Po\r\ntok <a@b>", "Potok <a@b"}) {
    EXPECT_FALSE(ParseMailbox(bad).ok()) << bad;
  }
}

TEST(DeliveryId, IsTheSameForTheSameCauseAndOnlyForIt) {
  const absl::Time at = absl::FromUnixSeconds(1794819600);
  const std::string id = DeliveryIdOf(3, at, "t", 4, "anna", Channel::kEmail);
  EXPECT_EQ(id, DeliveryIdOf(3, at, "t", 4, "anna", Channel::kEmail));
  EXPECT_NE(id, DeliveryIdOf(3, at, "t", 4, "anna", Channel::kInbox));
  EXPECT_NE(id, DeliveryIdOf(3, at, "t", 5, "anna", Channel::kEmail));
  EXPECT_NE(id, DeliveryIdOf(3, at, "t", 4, "boris", Channel::kEmail));
  EXPECT_NE(id, DeliveryIdOf(3, at, "u", 4, "anna", Channel::kEmail));
}

}  // namespace
}  // namespace potok::notifier
