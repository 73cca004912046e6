#include "notifier/store/facts_codec.h"

#include <utility>

#include "nlohmann/json.hpp"

#include "base/json_value.h"

namespace potok::notifier {
namespace {

using nlohmann::json;

// Every field of words and of numbers under its key, so that writing and reading cannot part.
template <class F, class Visit>
void Words(F& facts, Visit&& visit) {
  visit("name", facts.name);
  visit("zone", facts.zone);
  visit("ticket", facts.ticket_id);
  visit("number", facts.number);
  visit("title", facts.title);
  visit("flow_ru", facts.flow_ru);
  visit("flow_en", facts.flow_en);
  visit("requester", facts.requester);
  visit("holder", facts.holder);
  visit("former", facts.former);
  visit("actor", facts.actor);
}

template <class F, class Visit>
void Numbers(F& facts, Visit&& visit) {
  visit("score", facts.score);
  visit("returns", facts.returns);
  visit("line", facts.line);
  visit("next_line", facts.next_line);
  visit("priority", facts.priority);
}

}  // namespace

json ToJson(const NoticeFacts& facts) {
  json out = json::object();
  Words(facts, [&](const char* key, const std::string& value) {
    if (!value.empty()) out[key] = value;
  });
  Numbers(facts, [&](const char* key, int value) {
    if (value != 0) out[key] = value;
  });
  out["at_us"] = absl::ToUnixMicros(facts.at);
  if (facts.due_at) out["due_us"] = absl::ToUnixMicros(*facts.due_at);
  if (facts.closes_at) out["closes_us"] = absl::ToUnixMicros(*facts.closes_at);
  return out;
}

NoticeFacts FactsFromJson(const std::string& text) {
  NoticeFacts facts;
  const json in = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!in.is_object()) return facts;
  const auto number = [&](const char* key) -> std::optional<int64_t> {
    const auto found = in.find(key);
    return found == in.end() ? std::nullopt : WholeNumber<int64_t>(*found);
  };
  Words(facts, [&](const char* key, std::string& value) {
    const auto found = in.find(key);
    if (found != in.end() && found->is_string()) value = found->get<std::string>();
  });
  Numbers(facts, [&](const char* key, int& value) {
    if (const auto found = in.find(key); found != in.end()) {
      value = WholeNumber<int>(*found).value_or(value);
    }
  });
  if (const auto at = number("at_us")) facts.at = absl::FromUnixMicros(*at);
  if (const auto due = number("due_us")) facts.due_at = absl::FromUnixMicros(*due);
  if (const auto closes = number("closes_us")) facts.closes_at = absl::FromUnixMicros(*closes);
  return facts;
}

}  // namespace potok::notifier
