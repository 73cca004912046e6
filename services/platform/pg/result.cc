#include "platform/pg/result.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace potok::pg {
namespace {

// "2026-11-22 09:17:00.123456+00", as sessions of ours print nearly every instant: reading it digit
// by digit costs a tenth of what ParseTime does, and a ticket has a dozen of them. Anything else is
// left to ParseTime.
std::optional<absl::Time> FromUtcText(absl::string_view text) {
  if (text.size() < 22 || text.size() > 29 || text.substr(text.size() - 3) != "+00") {
    return std::nullopt;
  }
  text.remove_suffix(3);
  static constexpr absl::string_view kShape = "dddd-dd-dd dd:dd:dd.dddddd";
  for (size_t i = 0; i < text.size(); ++i) {
    if (kShape[i] == 'd' ? !absl::ascii_isdigit(text[i]) : text[i] != kShape[i]) {
      return std::nullopt;
    }
  }
  const auto number = [text](size_t from, size_t digits) {
    int value = 0;
    for (size_t i = from; i < from + digits; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  const absl::CivilSecond second(number(0, 4), number(5, 2), number(8, 2), number(11, 2),
                                 number(14, 2), number(17, 2));
  int64_t micros = 0;
  if (text.size() > 19) {
    micros = number(20, text.size() - 20);
    for (size_t digits = text.size() - 20; digits < 6; ++digits) micros *= 10;
  }
  return absl::FromCivil(second, absl::UTCTimeZone()) + absl::Microseconds(micros);
}

}  // namespace

absl::Time FromTimestamp(const pqxx::field& field) {
  if (const auto utc = FromUtcText(field.c_str())) return *utc;
  std::string text = field.as<std::string>();
  if (text == "infinity") return absl::InfiniteFuture();
  if (text == "-infinity") return absl::InfinitePast();
  // The server prints "2026-11-22 09:17:00.123456+00" and, for zones with minutes, "+05:30".
  if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
  const auto sign = text.find_last_of("+-");
  if (sign != std::string::npos && sign > 10 && text.size() - sign == 3) text.append(":00");
  absl::Time instant;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%dT%H:%M:%E*S%Ez", text, &instant, &error)) {
    throw pqxx::conversion_error(absl::StrCat("not a timestamptz: ", text, ": ", error));
  }
  return instant;
}

std::optional<absl::Time> FromNullableTimestamp(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return FromTimestamp(field);
}

std::vector<std::string> FromTextArray(const pqxx::field& field) {
  std::vector<std::string> out;
  if (field.is_null()) return out;
  pqxx::array_parser parser = field.as_array();
  for (auto item = parser.get_next(); item.first != pqxx::array_parser::done;
       item = parser.get_next()) {
    switch (item.first) {
      case pqxx::array_parser::string_value: out.push_back(std::move(item.second)); break;
      case pqxx::array_parser::null_value:
        throw pqxx::conversion_error("NULL inside an array that must have none");
      default: break;
    }
  }
  return out;
}

std::vector<std::int64_t> FromIntArray(const pqxx::field& field) {
  std::vector<std::int64_t> out;
  for (const std::string& text : FromTextArray(field)) {
    std::int64_t value = 0;
    if (!absl::SimpleAtoi(text, &value)) {
      throw pqxx::conversion_error(absl::StrCat("not an integer: ", text));
    }
    out.push_back(value);
  }
  return out;
}

std::optional<std::string> FromNullableText(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return field.as<std::string>();
}

std::string FromBytes(const pqxx::field& field) { return pqxx::binarystring(field).str(); }

}  // namespace potok::pg
