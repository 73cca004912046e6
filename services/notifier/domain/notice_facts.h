// What a text is made of. Stored as raw facts with a delivery that is sent later, so that the text
// can be written then, in the recipient's language and on the recipient's clock.
//
// The words people wrote are not among the facts: they are read from the ledger when they are
// needed, so that a legal purge of words finds them in few places.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "desk/ticket/ticket.h"
#include "notifier/domain/texts.h"

namespace potok::notifier {

struct NoticeFacts {
  std::string name;  // Of the recipient, in full.
  std::string zone;  // Of the recipient, IANA.
  std::string ticket_id;
  std::string number;
  std::string title;
  std::string flow_ru;
  std::string flow_en;
  std::string requester;  // Names in full from here on; empty where nobody is.
  std::string holder;
  std::string former;
  std::string actor;
  std::optional<absl::Time> due_at;     // The promise as of the event.
  std::optional<absl::Time> closes_at;  // When it closes by itself.
  absl::Time at;                        // Of the event.
  int score = 0;
  int returns = 0;
  int line = 0;
  int next_line = 0;
  int priority = 0;
};

// The variables of the templates. `words` is what somebody wrote with the event, shortened where it
// is very long; `now` is business time; `portal_url` empty = no link.
TextValues ValuesOf(const NoticeFacts& facts, absl::string_view locale, absl::string_view words,
                    absl::string_view portal_url, absl::Time now);

}  // namespace potok::notifier
