#include "platform/pg/result.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace potok::pg {

absl::Time FromTimestamp(const pqxx::field& field) {
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
