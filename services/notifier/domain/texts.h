// The texts of notices: templates in a strict subset of Mustache, one for each rule and language.
//
// The first line of a template is the title, the rest the text; no section reaches from one into
// the other. Variables are those of KnownVariables(); sections test whether one is there. A
// template with an unknown variable, a partial or a broken section is refused when it is loaded,
// and a variable that is used outside of a section but not there is an error when it is rendered: a
// notice never goes out with a hole in it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace potok::notifier {

// By variable; an empty value counts as absent.
using TextValues = std::map<std::string, std::string>;

struct Text {
  std::string title;  // One line.
  std::string body;
};

// A template file: `name` is "ru/created_requester".
struct TemplateSource {
  absl::string_view name;
  absl::string_view text;
};

// What stands in services/notifier/templates, embedded when it is built.
absl::Span<const TemplateSource> BuiltInTemplates();

absl::Span<const absl::string_view> KnownVariables();

// Immutable; thread-safe.
class Texts {
 public:
  // The built-in templates, with those of `replaced` (name -> text) in place of theirs.
  // INVALID_ARGUMENT names the template and what is wrong with it.
  static absl::StatusOr<Texts> Create(const std::map<std::string, std::string>& replaced = {});

  // `locale` "ru", anything else reads as English. INVALID_ARGUMENT when a variable is missing,
  // NOT_FOUND for a rule without a template.
  absl::StatusOr<Text> Render(absl::string_view rule, absl::string_view locale,
                              const TextValues& values) const;

 private:
  struct Pattern;

  std::map<std::string, std::shared_ptr<Pattern>, std::less<>> patterns_;  // "ru/created_requester"
};

}  // namespace potok::notifier
