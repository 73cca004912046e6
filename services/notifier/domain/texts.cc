#include "notifier/domain/texts.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include <kainjow/mustache.hpp>

#include "base/status_macros.h"
#include "notifier/domain/built_in_templates.h"

namespace potok::notifier {
namespace {

constexpr absl::string_view kVariables[] = {
    "name",    "number",    "subject",   "flow",        "requester",    "holder", "former",
    "actor",   "due_until", "due_on",    "happened_on", "closes_until", "words",  "score",
    "returns", "line",      "next_line", "priority",    "link"};

bool IsVariable(absl::string_view name) {
  return std::find(std::begin(kVariables), std::end(kVariables), name) != std::end(kVariables);
}

bool IsThere(const TextValues& values, absl::string_view name) {
  const auto found = values.find(std::string(name));
  return found != values.end() && !found->second.empty();
}

// One tag of a template: "{{#due_until}}" is {'#', "due_until"}, "{{name}}" is {' ', "name"}.
struct Tag {
  char sigil = ' ';
  std::string name;
};

absl::StatusOr<std::vector<Tag>> TagsOf(absl::string_view text) {
  std::vector<Tag> tags;
  while (true) {
    const size_t open = text.find("{{");
    if (open == absl::string_view::npos) return tags;
    const size_t close = text.find("}}", open);
    if (close == absl::string_view::npos) return absl::InvalidArgumentError("a tag has no end");
    absl::string_view inside = absl::StripAsciiWhitespace(text.substr(open + 2, close - open - 2));
    text.remove_prefix(close + 2);
    if (inside.empty()) return absl::InvalidArgumentError("a tag is empty");
    Tag tag;
    if (absl::string_view("#^/!&>={").find(inside[0]) != absl::string_view::npos) {
      tag.sigil = inside[0];
      inside.remove_prefix(1);
    }
    if (tag.sigil == '!') continue;
    if (absl::string_view("&>={").find(tag.sigil) != absl::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("{{", std::string(1, tag.sigil), "...}} is not offered"));
    }
    tag.name = std::string(absl::StripAsciiWhitespace(inside));
    tags.push_back(std::move(tag));
  }
}

// Walks the tags; `use` is called for each variable outside of sections that are closed for
// `values` (all sections are open when `values` is null).
absl::Status Walk(const std::vector<Tag>& tags, const TextValues* values,
                  const std::function<absl::Status(const std::string&)>& use) {
  std::vector<std::pair<std::string, bool>> sections;  // Name, and whether its inside is shown.
  for (const Tag& tag : tags) {
    const bool shown =
        std::all_of(sections.begin(), sections.end(), [](const auto& each) { return each.second; });
    switch (tag.sigil) {
      case '#':
      case '^': {
        const bool open = values == nullptr || IsThere(*values, tag.name) == (tag.sigil == '#');
        sections.emplace_back(tag.name, open);
        break;
      }
      case '/':
        if (sections.empty() || sections.back().first != tag.name) {
          return absl::InvalidArgumentError(
              absl::StrCat("{{/", tag.name, "}} closes no open section"));
        }
        sections.pop_back();
        break;
      default:
        if (shown) POTOK_RETURN_IF_ERROR(use(tag.name));
    }
  }
  if (sections.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("section ", sections.back().first, " has no end"));
}

std::pair<absl::string_view, absl::string_view> TitleAndBody(absl::string_view source) {
  return absl::StrSplit(source, absl::MaxSplits('\n', 1));
}

// A title or a text, parsed once.
class Half {
 public:
  // What is wrong with it, if anything: before anything else.
  absl::Status Parse(absl::string_view text) {
    POTOK_ASSIGN_OR_RETURN(tags_, TagsOf(text));
    for (const Tag& tag : tags_) {
      if (!IsVariable(tag.name)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "unknown variable ", tag.name, "; known are ", absl::StrJoin(kVariables, ", ")));
      }
    }
    POTOK_RETURN_IF_ERROR(
        Walk(tags_, nullptr, [](const std::string&) { return absl::OkStatus(); }));
    absl::MutexLock lock(&mu_);
    parsed_ = std::make_unique<kainjow::mustache::mustache>(std::string(text));
    if (!parsed_->is_valid()) return absl::InvalidArgumentError(parsed_->error_message());
    // Plain text: what people wrote is shown as they wrote it.
    parsed_->set_custom_escape([](const std::string& value) { return value; });
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Fill(const TextValues& values) {
    POTOK_RETURN_IF_ERROR(Walk(tags_, &values, [&](const std::string& name) -> absl::Status {
      if (IsThere(values, name)) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat("the variable ", name, " is missing"));
    }));
    kainjow::mustache::data data;
    for (const Tag& tag : tags_) {
      if (IsThere(values, tag.name)) data.set(tag.name, values.at(tag.name));
    }
    absl::MutexLock lock(&mu_);
    return parsed_->render(data);
  }

 private:
  std::vector<Tag> tags_;
  absl::Mutex mu_;  // The library's rendering is not const.
  std::unique_ptr<kainjow::mustache::mustache> parsed_ ABSL_GUARDED_BY(mu_);
};

// One line: a title ends up in a header and in lists.
std::string OneLine(const std::string& text) {
  std::string line;
  for (const char c : text) {
    line.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  }
  absl::RemoveExtraAsciiWhitespace(&line);
  return line;
}

// Sections that were left out leave blank lines behind; a text keeps single ones.
std::string Tidy(const std::string& text) {
  std::string tidy;
  int blank = 0;
  for (absl::string_view line : absl::StrSplit(absl::StripAsciiWhitespace(text), '\n')) {
    line = absl::StripTrailingAsciiWhitespace(line);
    blank = line.empty() ? blank + 1 : 0;
    if (blank < 2) absl::StrAppend(&tidy, line, "\n");
  }
  return tidy;
}

}  // namespace

struct Texts::Pattern {
  Half title, body;
};

absl::Span<const TemplateSource> BuiltInTemplates() { return kBuiltInTemplates; }
absl::Span<const absl::string_view> KnownVariables() { return kVariables; }

absl::StatusOr<Texts> Texts::Create(const std::map<std::string, std::string>& replaced) {
  std::map<std::string, std::string> sources;
  for (const TemplateSource& source : BuiltInTemplates()) {
    sources[std::string(source.name)] = std::string(source.text);
  }
  for (const auto& [name, text] : replaced) {
    const auto found = sources.find(name);
    if (found == sources.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("template ", name, " replaces nothing: no notice is written from it"));
    }
    found->second = text;
  }
  Texts texts;
  for (const auto& [name, text] : sources) {
    const auto [title, body] = TitleAndBody(text);
    const auto pattern = std::make_shared<Pattern>();
    absl::Status sound = pattern->title.Parse(title);
    sound.Update(pattern->body.Parse(body));
    if (!sound.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("template ", name, ": ", sound.message()));
    }
    texts.patterns_[name] = pattern;
  }
  return texts;
}

absl::StatusOr<Text> Texts::Render(absl::string_view rule, absl::string_view locale,
                                   const TextValues& values) const {
  const std::string name = absl::StrCat(locale == "ru" ? "ru" : "en", "/", rule);
  const auto pattern = patterns_.find(name);
  if (pattern == patterns_.end()) {
    return absl::NotFoundError(absl::StrCat("no template ", name));
  }
  absl::StatusOr<std::string> title = pattern->second->title.Fill(values);
  absl::StatusOr<std::string> body = pattern->second->body.Fill(values);
  for (const absl::Status& status : {title.status(), body.status()}) {
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("template ", name, ": ", status.message()));
    }
  }
  return Text{OneLine(*title), Tidy(*body)};
}

}  // namespace potok::notifier
