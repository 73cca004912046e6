// Notices: templates that an operator writes, texts made of what people wrote, and the mail around
// them. The input is lines: locale and rule, facts as they are stored, subject, people's words, and
// then a template.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

#include "base/utf8.h"
#include "fuzz/target.h"
#include "notifier/domain/mail.h"
#include "notifier/domain/notice_facts.h"
#include "notifier/domain/texts.h"
#include "notifier/store/facts_codec.h"

namespace potok::fuzz {
namespace {

constexpr absl::Time kNow = absl::FromUnixSeconds(1774900000);

const notifier::Texts& BuiltIn() {
  static const auto& texts = *new notifier::Texts(*notifier::Texts::Create());
  return texts;
}

void CheckText(const absl::StatusOr<notifier::Text>& text) {
  if (!text.ok()) return;
  FUZZ_CHECK(text->title.find_first_of("\r\n") == std::string::npos, text->title);
}

// Exactly the headers we write, each once: one more would be one more recipient.
void CheckMail(const std::string& bytes) {
  static const char* const kHeaders[] = {"Date",
                                         "From",
                                         "To",
                                         "Subject",
                                         "Message-ID",
                                         "In-Reply-To",
                                         "References",
                                         "Auto-Submitted",
                                         "X-Auto-Response-Suppress",
                                         "X-Potok-Ticket",
                                         "X-Potok-Cause",
                                         "MIME-Version",
                                         "Content-Type",
                                         "Content-Transfer-Encoding"};
  const size_t end = bytes.find("\r\n\r\n");
  FUZZ_CHECK(end != std::string::npos, bytes);
  size_t header = 0;
  for (absl::string_view line : absl::StrSplit(bytes.substr(0, end), "\r\n")) {
    FUZZ_CHECK(line.size() <= 998 && line.find_first_of("\r\n") == absl::string_view::npos, bytes);
    if (absl::StartsWith(line, " ")) continue;  // Folded.
    FUZZ_CHECK(header < std::size(kHeaders), bytes);
    FUZZ_CHECK(absl::StartsWith(line, absl::StrCat(kHeaders[header], ": ")), bytes);
    ++header;
  }
  FUZZ_CHECK(header == std::size(kHeaders), bytes);
  for (absl::string_view line : absl::StrSplit(bytes.substr(end + 4), "\r\n")) {
    FUZZ_CHECK(line.size() <= 76 && line.find_first_of("\r\n") == absl::string_view::npos, bytes);
  }
}

}  // namespace

void FuzzNotice(absl::string_view input) {
  const std::vector<std::string> lines = absl::StrSplit(input, absl::MaxSplits('\n', 4));
  const auto line = [&](size_t i) { return i < lines.size() ? lines[i] : std::string(); };
  const std::string locale = line(0).substr(0, 2);
  const std::string rule = line(0).size() > 3 ? line(0).substr(3) : "created_requester";

  const notifier::NoticeFacts facts = notifier::FactsFromJson(line(1));
  const std::string stored = notifier::ToJson(facts).dump();
  FUZZ_CHECK(notifier::ToJson(notifier::FactsFromJson(stored)).dump() == stored, stored);

  const notifier::TextValues values =
      notifier::ValuesOf(facts, locale, line(3), "https://portal.example.org/", kNow);
  const auto text = BuiltIn().Render(rule, locale, values);
  CheckText(text);
  if (!line(4).empty()) {
    const auto own = notifier::Texts::Create({{"ru/created_requester", line(4)}});
    if (own.ok()) CheckText(own->Render("created_requester", "ru", values));
  }

  notifier::Mail mail;
  mail.from = {"Potok", "potok@example.org"};
  mail.to = {facts.name, "someone@example.org"};
  if (const auto to = notifier::ParseMailbox(line(2)); to.ok()) mail.to = *to;
  mail.subject = text.ok() ? text->title : line(2);
  mail.text = text.ok() ? text->body : line(3);
  mail.date = facts.at;
  mail.message_id = "<1@example.org>";
  mail.thread_id = "<0@example.org>";
  mail.ticket = absl::StrCat("tickets/", facts.ticket_id);
  mail.cause = line(2);
  const auto bytes = notifier::ComposeMail(mail);
  if (bytes.ok()) CheckMail(*bytes);
}

}  // namespace potok::fuzz
