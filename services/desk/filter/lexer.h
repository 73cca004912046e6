// Tokens of the filter language.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace potok::desk {

struct FilterToken {
  enum class Kind { kWord, kString, kOperator, kOpen, kClose, kComma, kMinus, kEnd };

  Kind kind = Kind::kEnd;
  // Without quotes, escapes and the wildcards at its ends.
  std::string text;
  bool star_front = false;
  bool star_back = false;
  size_t at = 0;            // Byte offset.
  bool opens_call = false;  // A word with "(" right behind it.
};

// Splits `text`; the last token is kEnd. `text` need not be valid UTF-8: if not, that is the error.
absl::StatusOr<std::vector<FilterToken>> SplitFilter(absl::string_view text);

// The error of a filter, pointing at byte `at` of `text`.
absl::Status FilterError(absl::string_view text, size_t at, absl::string_view en,
                         absl::string_view ru);

// What the user wrote, short enough to be repeated in a message; cut between characters.
std::string Shortened(absl::string_view text);

}  // namespace potok::desk
