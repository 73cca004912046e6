// Log entries that a consumer has given up on, as admins name, filter and sort them. Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "desk/filter/filter.h"
#include "desk/filter/order_by.h"

namespace potok::intake {

// "assignment", "escalation", "lifecycle" for the topics 1 to 3; "" for any other number.
absl::string_view TopicName(int topic);

struct DeadLetterKey {
  std::string group;  // "router", "sla", "notifier", "analytics"
  int topic = 0;
  int part = 0;
  std::int64_t position = 0;

  bool operator==(const DeadLetterKey&) const = default;
};

// "deadLetters/notifier-lifecycle-3-17".
std::string DeadLetterName(const DeadLetterKey& key);
// Nothing for a text that DeadLetterName does not make.
std::optional<DeadLetterKey> ParseDeadLetterName(absl::string_view name);

struct DeadLetter {
  DeadLetterKey key;
  std::string ticket_id;
  std::int64_t version = 0;
  std::string event_type;
  int attempts = 0;
  std::string reason;
  std::string state;     // "parked", "replayed", "dropped"
  absl::Time parked_at;  // Real time, as all of them.
  std::string drop_reason;
  std::optional<absl::Time> replay_at;
  std::string replay_request;  // UUID of a ReplayDeadLetters call; may be empty.
  std::optional<absl::Time> settled_at;
  std::string requested_by;  // Principal; may be empty.
};

// Fields as ListDeadLettersRequest.filter documents them. store/dead_letter_store.cc has a column
// for each; a test holds the two together.
const desk::FieldCatalog& DeadLetterFields();

// The empty text means `state = PARKED`: what still waits for somebody.
absl::StatusOr<desk::Filter> ParseDeadLetterFilter(absl::string_view text);
// The key decides between equals, always ascending, and alone when the text is empty.
absl::StatusOr<std::vector<desk::OrderTerm>> ParseDeadLetterOrder(absl::string_view order_by);

// The last dead letter of a page: what it is sorted by, as the database reads it back, and its key.
struct DeadLetterCursor {
  std::vector<std::string> sorted_by;
  DeadLetterKey key;

  bool operator==(const DeadLetterCursor&) const = default;
};
DeadLetterCursor CursorAt(const DeadLetter& letter, const std::vector<desk::OrderTerm>& order);
std::string FormatDeadLetterCursor(const DeadLetterCursor& cursor);
// PAGE_TOKEN_INVALID for a text that FormatDeadLetterCursor did not make for `terms` order terms.
absl::StatusOr<DeadLetterCursor> ParseDeadLetterCursor(absl::string_view text, size_t terms);

}  // namespace potok::intake
