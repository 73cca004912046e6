// A mail as bytes: RFC 5322 headers and a text in UTF-8. Pure, thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::notifier {

struct Mailbox {
  std::string name;     // As it is shown; may be empty.
  std::string address;  // "ivanova@example.org"
};

// "Potok <potok@example.org>" or a bare address. INVALID_ARGUMENT for anything else.
absl::StatusOr<Mailbox> ParseMailbox(absl::string_view text);

// Printable ASCII with one @ and nothing that would need quoting: the addresses people have.
bool IsMailAddress(absl::string_view address);

struct Mail {
  Mailbox from;
  Mailbox to;
  std::string subject;
  std::string text;
  absl::Time date;
  std::string
      message_id;  // "<0190...@example.org>": the same in every try, so a server may drop twins.
  std::string thread_id;  // Of the ticket: mails about one ticket stand together.
  std::string ticket;     // "tickets/..."
  std::string cause;      // "tickets/.../events/4"
};

// With CRLF line ends. INVALID_ARGUMENT when anything meant for a header holds a line break or
// another control character: one more header would be one more recipient.
absl::StatusOr<std::string> ComposeMail(const Mail& mail);

// `text` as the value of an unstructured header: itself when it is short ASCII, else RFC 2047 words
// of at most 75 characters, folded. `text` must be free of control characters.
std::string HeaderText(absl::string_view text);

}  // namespace potok::notifier
