#include "desk/filter/literal.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace potok::desk {
namespace {

Literal Expected(absl::string_view en, absl::string_view ru) {
  Literal literal;
  literal.expected_en = std::string(en);
  literal.expected_ru = std::string(ru);
  return literal;
}

Literal Value(FilterValue value, TextMatch match = TextMatch::kExact) {
  Literal literal;
  literal.value = std::move(value);
  literal.match = match;
  return literal;
}

Literal ReadTime(const std::string& text) {
  absl::Time time;
  std::string error;
  // ParseTime also takes "infinite-future"; and a time without an offset would depend on a zone.
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text[0])) ||
      !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return Expected("a time with an offset such as \"2026-03-31T12:00:00+03:00\"",
                    "время со смещением, например \"2026-03-31T12:00:00+03:00\"");
  }
  // Truncated as the store truncates, or an equal time would never be found.
  time = absl::FromUnixMicros(absl::ToUnixMicros(time));
  const auto year = absl::ToCivilYear(time, absl::UTCTimeZone()).year();
  if (year < 1 || year > 9999) {
    return Expected("a time from year 1 to 9999", "время с 1 по 9999 год");
  }
  return Value(time);
}

Literal ReadDuration(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration == absl::InfiniteDuration() ||
      duration == -absl::InfiniteDuration() || absl::AbsDuration(duration) > absl::Hours(876000)) {
    return Expected("a duration such as 90s, 1.5h or 1h30m, up to 100 years",
                    "длительность, например 90s, 1.5h или 1h30m, до 100 лет");
  }
  return Value(absl::Microseconds(absl::ToInt64Microseconds(duration)));
}

Literal ReadString(const FilterToken& token) {
  const TextMatch match = token.star_front && token.star_back ? TextMatch::kContains
                          : token.star_front                  ? TextMatch::kSuffix
                          : token.star_back                   ? TextMatch::kPrefix
                                                              : TextMatch::kExact;
  return Value(token.text, match);
}

Literal ReadResource(const FilterField& field, const FilterToken& token) {
  if (field.accepts_me && token.text == "me") return Value(Me{});
  const absl::string_view id = absl::StripPrefix(token.text, field.prefix);
  if (id.empty() || (!field.prefix.empty() && id.find('/') != absl::string_view::npos)) {
    return Expected(
        absl::StrCat("a name such as \"", field.prefix, "ID\"",
                     field.accepts_me ? " or \"me\"" : ""),
        absl::StrCat("имя в виде \"", field.prefix, "ID\"", field.accepts_me ? " или \"me\"" : ""));
  }
  return Value(std::string(id));
}

std::string Quote(absl::string_view text, TextMatch match) {
  std::string out = "\"";
  if (match == TextMatch::kSuffix || match == TextMatch::kContains) out += '*';
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '*') out += '\\';
    out += c;
  }
  if (match == TextMatch::kPrefix || match == TextMatch::kContains) out += '*';
  return out + "\"";
}

}  // namespace

Literal ReadLiteral(const FilterField& field, const FilterToken& token) {
  const bool wild = token.star_front || token.star_back;
  if (field.type == FilterType::kString) return ReadString(token);
  if (wild) {
    return Expected("an exact value: only texts take * as a wildcard",
                    "точное значение: знак * бывает только в текстах");
  }
  switch (field.type) {
    case FilterType::kInt: {
      int64_t value = 0;
      if (absl::SimpleAtoi(token.text, &value)) return Value(value);
      return Expected("a whole number", "целое число");
    }
    case FilterType::kDouble: {
      double value = 0;
      if (absl::SimpleAtod(token.text, &value) && std::isfinite(value)) {
        return Value(value == 0 ? 0.0 : value);
      }
      return Expected("a number", "число");
    }
    case FilterType::kBool:
      if (token.text == "true") return Value(true);
      if (token.text == "false") return Value(false);
      return Expected("true or false", "true или false");
    case FilterType::kTime: return ReadTime(token.text);
    case FilterType::kDuration: return ReadDuration(token.text);
    case FilterType::kEnum: {
      const auto& known = field.enum_values;
      if (std::find(known.begin(), known.end(), token.text) != known.end()) {
        return Value(token.text);
      }
      const std::string list = absl::StrJoin(known, ", ");
      return Expected(absl::StrCat("one of: ", list), absl::StrCat("одно из значений: ", list));
    }
    case FilterType::kResource: return ReadResource(field, token);
    case FilterType::kStringList:
      return field.prefix.empty() ? Value(token.text) : ReadResource(field, token);
    case FilterType::kString: break;
  }
  return ReadString(token);
}

std::string WriteLiteral(FilterType type, TextMatch match, const FilterValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  if (const auto* number = std::get_if<double>(&value)) {
    char buffer[32];
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, *number).ptr);
  }
  if (const auto* time = std::get_if<absl::Time>(&value)) {
    return absl::StrCat("\"", absl::FormatTime(absl::RFC3339_full, *time, absl::UTCTimeZone()),
                        "\"");
  }
  if (const auto* duration = std::get_if<absl::Duration>(&value)) {
    return absl::FormatDuration(*duration);
  }
  if (std::holds_alternative<Me>(value)) return "\"me\"";
  const std::string& text = std::get<std::string>(value);
  return type == FilterType::kEnum ? text : Quote(text, match);
}

}  // namespace potok::desk
