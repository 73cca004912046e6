// The words about a field: its name in a sentence, what a good answer to it looks like, what a user
// sent in a form that is safe to repeat.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "desk/form/form.h"

namespace potok::desk {

struct TextPair {
  std::string en;
  std::string ru;
};

// The way out of a violation: "one of: 2ndfl (Income), work (Employment)".
TextPair ExpectedAnswer(const FormField& field);

// Characters in `text`, or nothing when it is not UTF-8 or holds U+0000, which Postgres cannot
// keep.
std::optional<size_t> CountCharacters(absl::string_view text);

// The name of a field in a sentence: its label, or else its technical name.
std::string LabelEn(const FormField& field);
std::string LabelRu(const FormField& field);

// Shortest text that reads back as the same number.
std::string NumberText(double value);

// `text` in quotes, short enough to be repeated in a message and cut between characters.
std::string Quoted(absl::string_view text);

}  // namespace potok::desk
