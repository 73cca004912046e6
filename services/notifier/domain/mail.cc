#include "notifier/domain/mail.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

#include "base/utf8.h"

namespace potok::notifier {
namespace {

// Bytes of text in one encoded word: 60 characters of base64 and 12 of frame, below the 75 allowed.
constexpr size_t kWordBytes = 45;
constexpr size_t kPlainHeader = 60;
constexpr size_t kBodyLine = 76;

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

bool IsPlain(absl::string_view text) {
  return text.size() <= kPlainHeader && !absl::StrContains(text, "=?") &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string PhraseOf(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  // A plain word may stand alone; anything else is encoded, which needs no quoting.
  const bool word =
      IsPlain(mailbox.name) && std::all_of(mailbox.name.begin(), mailbox.name.end(), [](char c) {
        return absl::ascii_isalnum(c) || c == ' ' || c == '-';
      });
  std::string phrase = mailbox.name;
  if (!word) {
    phrase.clear();
    for (absl::string_view rest = mailbox.name; !rest.empty();) {
      const absl::string_view piece = Utf8Prefix(rest, kWordBytes);
      if (piece.empty()) break;
      absl::StrAppend(&phrase, phrase.empty() ? "" : "\r\n ", "=?UTF-8?B?",
                      absl::Base64Escape(piece), "?=");
      rest.remove_prefix(piece.size());
    }
  }
  return absl::StrCat(phrase, "\r\n <", mailbox.address, ">");
}

std::string EncodedBody(absl::string_view text) {
  const std::string lines =
      absl::StrReplaceAll(absl::StrReplaceAll(text, {{"\r\n", "\n"}}), {{"\n", "\r\n"}});
  const std::string encoded = absl::Base64Escape(lines);
  std::string body;
  for (size_t at = 0; at < encoded.size(); at += kBodyLine) {
    absl::StrAppend(&body, absl::string_view(encoded).substr(at, kBodyLine), "\r\n");
  }
  return body;
}

}  // namespace

bool IsMailAddress(absl::string_view address) {
  const size_t at = address.find('@');
  if (at == absl::string_view::npos || at == 0 || at + 1 == address.size() ||
      address.size() > 254 || address.find('@', at + 1) != absl::string_view::npos) {
    return false;
  }
  return std::all_of(address.begin(), address.end(), [](char c) {
    return c > 0x20 && c < 0x7f &&
           absl::string_view("()<>[]:;,\\\"").find(c) == absl::string_view::npos;
  });
}

absl::StatusOr<Mailbox> ParseMailbox(absl::string_view text) {
  Mailbox mailbox;
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  const size_t open = rest.rfind('<');
  if (open != absl::string_view::npos && absl::EndsWith(rest, ">")) {
    absl::string_view name = absl::StripAsciiWhitespace(rest.substr(0, open));
    if (absl::ConsumePrefix(&name, "\"")) absl::ConsumeSuffix(&name, "\"");
    mailbox.name = std::string(name);
    rest = rest.substr(open + 1, rest.size() - open - 2);
  }
  mailbox.address = std::string(rest);
  if (IsMailAddress(mailbox.address) && !HasControl(mailbox.name)) return mailbox;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", absl::CEscape(text),
                   "\" is not a mail address; write it as potok@example.org or "
                   "Potok <potok@example.org>"));
}

std::string HeaderText(absl::string_view text) {
  if (IsPlain(text)) return std::string(text);
  std::string words;
  while (!text.empty()) {
    absl::string_view piece = Utf8Prefix(text, kWordBytes);
    if (piece.empty()) piece = text.substr(0, kWordBytes);  // Not UTF-8: cut anywhere, but go on.
    absl::StrAppend(&words, words.empty() ? "" : "\r\n ", "=?UTF-8?B?", absl::Base64Escape(piece),
                    "?=");
    text.remove_prefix(piece.size());
  }
  return words;
}

absl::StatusOr<std::string> ComposeMail(const Mail& mail) {
  for (const auto& [what, value] :
       {std::pair<const char*, const std::string*>{"sender's name", &mail.from.name},
        {"recipient's name", &mail.to.name},
        {"subject", &mail.subject},
        {"message id", &mail.message_id},
        {"thread id", &mail.thread_id},
        {"ticket", &mail.ticket},
        {"cause", &mail.cause}}) {
    if (HasControl(*value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the ", what, " holds a line break or another control character"));
    }
  }
  for (const Mailbox* mailbox : {&mail.from, &mail.to}) {
    if (!IsMailAddress(mailbox->address)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", absl::CEscape(mailbox->address), "\" is not a mail address"));
    }
  }
  return absl::StrCat(
      "Date: ", absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000", mail.date, absl::UTCTimeZone()),
      "\r\nFrom: ", PhraseOf(mail.from), "\r\nTo: ", PhraseOf(mail.to),
      "\r\nSubject: ", HeaderText(mail.subject), "\r\nMessage-ID: ", mail.message_id,
      "\r\nIn-Reply-To: ", mail.thread_id, "\r\nReferences: ", mail.thread_id,
      // Answering machines must not answer us, and we must be seen to be one ourselves.
      "\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All",
      "\r\nX-Potok-Ticket: ", mail.ticket, "\r\nX-Potok-Cause: ", mail.cause,
      "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8"
      "\r\nContent-Transfer-Encoding: base64\r\n\r\n",
      EncodedBody(mail.text));
}

}  // namespace potok::notifier
