#include "intake/domain/dead_letter.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "base/error.h"

namespace potok::intake {
namespace {

using desk::FilterField;
using desk::FilterType;

constexpr absl::string_view kTopics[] = {"assignment", "escalation", "lifecycle"};
constexpr absl::string_view kCollection = "deadLetters/";

desk::FieldCatalog MakeFields() {
  desk::FieldCatalog catalog;
  const auto add = [&](const char* name, FilterType type, bool sortable = false) {
    catalog.fields.push_back({.name = name, .type = type, .sortable = sortable});
  };
  add("group", FilterType::kString, true);
  add("topic", FilterType::kString);
  add("part", FilterType::kInt);
  add("position", FilterType::kInt);
  catalog.fields.push_back({.name = "ticket", .type = FilterType::kResource, .prefix = "tickets/"});
  add("event_type", FilterType::kString);
  catalog.fields.push_back({.name = "state",
                            .type = FilterType::kEnum,
                            .enum_values = {"PARKED", "REPLAYED", "DROPPED"}});
  add("attempt_count", FilterType::kInt, true);
  add("reason", FilterType::kString);
  add("park_time", FilterType::kTime, true);
  add("replay_time", FilterType::kTime, true);
  add("replay_request_id", FilterType::kString);
  add("settle_time", FilterType::kTime);
  add("requested_by", FilterType::kString);
  catalog.search_fields = {"reason"};
  return catalog;
}

absl::Status BadToken() {
  ErrorDetail detail;
  detail.fields = {{"page_token", "does not belong to this list; start again without one",
                    "не от этого списка; начните без него"}};
  detail.ru = "Токен страницы не от этого списка; начните без него.";
  return MakeError(absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
                   "the page token does not belong to this list; start again without one",
                   std::move(detail));
}

std::string SortText(const DeadLetter& letter, const std::string& field) {
  const auto instant = [](absl::Time time) {
    return absl::FormatTime("%Y-%m-%d %H:%M:%E6S+00", time, absl::UTCTimeZone());
  };
  if (field == "group") return letter.key.group;
  if (field == "attempt_count") return absl::StrCat(letter.attempts);
  if (field == "park_time") return instant(letter.parked_at);
  return letter.replay_at ? instant(*letter.replay_at) : "infinity";
}

}  // namespace

absl::string_view TopicName(int topic) {
  return topic >= 1 && topic <= 3 ? kTopics[topic - 1] : absl::string_view();
}

std::string DeadLetterName(const DeadLetterKey& key) {
  return absl::StrCat(kCollection, key.group, "-", TopicName(key.topic), "-", key.part, "-",
                      key.position);
}

std::optional<DeadLetterKey> ParseDeadLetterName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kCollection)) return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '-');
  DeadLetterKey key;
  if (parts.size() != 4 || !absl::SimpleAtoi(parts[2], &key.part) ||
      !absl::SimpleAtoi(parts[3], &key.position)) {
    return std::nullopt;
  }
  key.group = std::string(parts[0]);
  for (int topic = 1; topic <= 3; ++topic) {
    if (parts[1] == TopicName(topic)) key.topic = topic;
  }
  // One spelling: "-03-017" is the name of nothing.
  if (key.topic == 0 || DeadLetterName(key) != absl::StrCat(kCollection, name)) return std::nullopt;
  return key;
}

const desk::FieldCatalog& DeadLetterFields() {
  static const auto* const fields = new desk::FieldCatalog(MakeFields());
  return *fields;
}

absl::StatusOr<desk::Filter> ParseDeadLetterFilter(absl::string_view text) {
  return desk::ParseFilter(text.empty() ? "state = PARKED" : text, DeadLetterFields());
}

absl::StatusOr<std::vector<desk::OrderTerm>> ParseDeadLetterOrder(absl::string_view order_by) {
  return desk::ParseOrderBy(order_by, DeadLetterFields());
}

DeadLetterCursor CursorAt(const DeadLetter& letter, const std::vector<desk::OrderTerm>& order) {
  DeadLetterCursor cursor{.sorted_by = {}, .key = letter.key};
  for (const desk::OrderTerm& term : order) {
    cursor.sorted_by.push_back(SortText(letter, term.field));
  }
  return cursor;
}

std::string FormatDeadLetterCursor(const DeadLetterCursor& cursor) {
  std::string text = DeadLetterName(cursor.key);
  for (const std::string& value : cursor.sorted_by) absl::StrAppend(&text, ";", value);
  return text;
}

absl::StatusOr<DeadLetterCursor> ParseDeadLetterCursor(absl::string_view text, size_t terms) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ';');
  const std::optional<DeadLetterKey> key = ParseDeadLetterName(parts[0]);
  if (parts.size() != terms + 1 || !key) return BadToken();
  return DeadLetterCursor{.sorted_by = {parts.begin() + 1, parts.end()}, .key = *key};
}

}  // namespace potok::intake
