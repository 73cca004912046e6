#include "desk/form/field_rules.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

#include "desk/form/field_text.h"
#include "re2/re2.h"

namespace potok::desk {
namespace {

constexpr char kEmployeePrefix[] = "employees/";
constexpr char kAttachmentPrefix[] = "attachments/";

ValueCheck Bad(const FormField& field, absl::string_view path, const TextPair& problem) {
  const TextPair expected = ExpectedAnswer(field);
  return {std::monostate{},
          FieldViolation{
              std::string(path),
              absl::StrCat("\"", LabelEn(field), "\": ", problem.en, "; give ", expected.en),
              absl::StrCat("«", LabelRu(field), "»: ", problem.ru, "; укажите ", expected.ru)}};
}

ValueCheck WrongShape(const FormField& field, absl::string_view path) {
  return Bad(field, path, {"the value has the wrong type", "значение не того типа"});
}

bool Outside(double value, std::optional<double> min, std::optional<double> max) {
  return (min.has_value() && value < *min) || (max.has_value() && value > *max);
}

bool IsBlank(const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return true;
  if (const auto* text = std::get_if<std::string>(&value)) {
    return absl::StripAsciiWhitespace(*text).empty();
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return list->empty();
  return false;
}

// The strict reading: absl::ParseCivilTime also takes "2026-3-1" and spaces, which would make one
// day have several spellings.
std::optional<absl::CivilDay> ParseDay(absl::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  int year = 0;
  int month = 0;
  int day = 0;
  for (const size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) return std::nullopt;
  }
  if (!absl::SimpleAtoi(text.substr(0, 4), &year) || !absl::SimpleAtoi(text.substr(5, 2), &month) ||
      !absl::SimpleAtoi(text.substr(8, 2), &day)) {
    return std::nullopt;
  }
  const absl::CivilDay civil(year, month, day);
  // CivilDay rolls 31 April over to 1 May; a rolled date is a mistyped one.
  if (year < 1 || civil.month() != month || civil.day() != day) return std::nullopt;
  return civil;
}

// "ivanova" or "employees/ivanova" -> "employees/ivanova"; the id is letters, digits, ". _ -".
std::optional<std::string> ResourceName(absl::string_view text, absl::string_view prefix) {
  text = absl::StripAsciiWhitespace(text);
  absl::ConsumePrefix(&text, prefix);
  if (text.empty() || text.size() > 63) return std::nullopt;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (!absl::ascii_isalnum(u) && c != '.' && c != '_' && c != '-') return std::nullopt;
  }
  return absl::StrCat(prefix, text);
}

ValueCheck CheckText(const FormField& field, const FieldValue& given, absl::string_view path) {
  const auto* text = std::get_if<std::string>(&given);
  if (text == nullptr) return WrongShape(field, path);
  const std::optional<size_t> length = CountCharacters(*text);
  if (!length.has_value()) {
    return Bad(field, path, {"the text is not valid UTF-8", "текст не в кодировке UTF-8"});
  }
  if (Outside(static_cast<double>(*length), field.min, field.max.value_or(kDefaultTextMax))) {
    return Bad(field, path,
               {absl::StrCat("the text has ", *length, " characters"),
                absl::StrCat("знаков в тексте: ", *length)});
  }
  if (!field.pattern.empty()) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    const RE2 pattern(field.pattern, options);
    if (!pattern.ok() || !RE2::FullMatch(*text, pattern)) {
      return Bad(field, path,
                 {absl::StrCat(Quoted(*text), " does not match the pattern"),
                  absl::StrCat(Quoted(*text), " не подходит под образец")});
    }
  }
  return {*text, std::nullopt};
}

ValueCheck CheckNumber(const FormField& field, const FieldValue& given, absl::string_view path) {
  double number = 0;
  if (const auto* value = std::get_if<double>(&given)) {
    number = *value;
  } else if (const auto* text = std::get_if<std::string>(&given)) {
    // Russian keyboards type a decimal comma; there is no thousands separator to confuse it with.
    const std::string dotted = absl::StrReplaceAll(absl::StripAsciiWhitespace(*text), {{",", "."}});
    if (!absl::SimpleAtod(dotted, &number)) {
      return Bad(field, path,
                 {absl::StrCat(Quoted(*text), " is not a number"),
                  absl::StrCat(Quoted(*text), " не число")});
    }
  } else {
    return WrongShape(field, path);
  }
  if (!std::isfinite(number)) {
    return Bad(field, path, {"the number is not finite", "число не конечно"});
  }
  if (Outside(number, field.min, field.max)) {
    return Bad(field, path,
               {absl::StrCat(NumberText(number), " is out of range"),
                absl::StrCat(NumberText(number), " вне допустимых границ")});
  }
  return {number == 0 ? 0.0 : number, std::nullopt};  // No negative zero: it prints as "-0".
}

ValueCheck CheckBool(const FormField& field, const FieldValue& given, absl::string_view path) {
  if (const auto* value = std::get_if<bool>(&given)) return {*value, std::nullopt};
  if (const auto* text = std::get_if<std::string>(&given)) {
    if (*text == "true") return {true, std::nullopt};
    if (*text == "false") return {false, std::nullopt};
    return Bad(field, path,
               {absl::StrCat(Quoted(*text), " is neither true nor false"),
                absl::StrCat(Quoted(*text), " не true и не false")});
  }
  return WrongShape(field, path);
}

bool IsOption(const FormField& field, absl::string_view value) {
  return std::any_of(field.options.begin(), field.options.end(),
                     [&](const EnumOption& option) { return option.value == value; });
}

ValueCheck CheckEnum(const FormField& field, const FieldValue& given, absl::string_view path) {
  const auto* text = std::get_if<std::string>(&given);
  if (text == nullptr) return WrongShape(field, path);
  if (!IsOption(field, *text)) {
    return Bad(field, path,
               {absl::StrCat(Quoted(*text), " is not in the list"),
                absl::StrCat("значения ", Quoted(*text), " нет в списке")});
  }
  return {*text, std::nullopt};
}

ValueCheck CheckMultiEnum(const FormField& field, const FieldValue& given, absl::string_view path) {
  std::vector<std::string> chosen;
  if (const auto* list = std::get_if<std::vector<std::string>>(&given)) {
    chosen = *list;
  } else if (const auto* text = std::get_if<std::string>(&given)) {
    chosen = absl::StrSplit(*text, ',', absl::SkipWhitespace());
    for (std::string& value : chosen) absl::StripAsciiWhitespace(&value);
  } else {
    return WrongShape(field, path);
  }
  for (const std::string& value : chosen) {
    if (!IsOption(field, value)) {
      return Bad(field, path,
                 {absl::StrCat(Quoted(value), " is not in the list"),
                  absl::StrCat("значения ", Quoted(value), " нет в списке")});
    }
  }
  std::vector<std::string> ordered;  // Also drops repeats.
  for (const EnumOption& option : field.options) {
    if (std::find(chosen.begin(), chosen.end(), option.value) != chosen.end()) {
      ordered.push_back(option.value);
    }
  }
  if (Outside(static_cast<double>(ordered.size()), field.min, field.max)) {
    return Bad(field, path,
               {absl::StrCat(ordered.size(), " values are chosen"),
                absl::StrCat("выбрано значений: ", ordered.size())});
  }
  return {std::move(ordered), std::nullopt};
}

ValueCheck CheckDate(const FormField& field, const FieldValue& given, absl::string_view path) {
  const auto* text = std::get_if<std::string>(&given);
  if (text == nullptr) return WrongShape(field, path);
  const std::optional<absl::CivilDay> day = ParseDay(absl::StripAsciiWhitespace(*text));
  if (!day.has_value()) {
    return Bad(
        field, path,
        {absl::StrCat(Quoted(*text), " is not a date"), absl::StrCat(Quoted(*text), " не дата")});
  }
  return {std::string(absl::StripAsciiWhitespace(*text)), std::nullopt};
}

ValueCheck CheckDateRange(const FormField& field, const FieldValue& given, absl::string_view path) {
  const auto* text = std::get_if<std::string>(&given);
  if (text == nullptr) return WrongShape(field, path);
  const absl::string_view trimmed = absl::StripAsciiWhitespace(*text);
  const std::vector<absl::string_view> ends = absl::StrSplit(trimmed, '/');
  const auto from = ends.size() == 2 ? ParseDay(ends[0]) : std::nullopt;
  const auto to = ends.size() == 2 ? ParseDay(ends[1]) : std::nullopt;
  if (!from.has_value() || !to.has_value()) {
    return Bad(field, path,
               {absl::StrCat(Quoted(*text), " is not a range of dates"),
                absl::StrCat(Quoted(*text), " не промежуток дат")});
  }
  if (*to < *from) {
    return Bad(field, path, {"the range ends before it begins", "конец промежутка раньше начала"});
  }
  const auto days = *to - *from + 1;
  if (Outside(static_cast<double>(days), field.min, field.max)) {
    return Bad(
        field, path,
        {absl::StrCat("the range has ", days, " days"), absl::StrCat("дней в промежутке: ", days)});
  }
  return {std::string(trimmed), std::nullopt};
}

ValueCheck CheckEmployee(const FormField& field, const FieldValue& given, absl::string_view path) {
  const auto* text = std::get_if<std::string>(&given);
  if (text == nullptr) return WrongShape(field, path);
  std::optional<std::string> name = ResourceName(*text, kEmployeePrefix);
  if (!name.has_value()) {
    return Bad(field, path,
               {absl::StrCat(Quoted(*text), " does not name an employee"),
                absl::StrCat(Quoted(*text), " не обозначает сотрудника")});
  }
  return {*std::move(name), std::nullopt};
}

ValueCheck CheckFile(const FormField& field, const FieldValue& given, absl::string_view path) {
  std::vector<std::string> files;
  if (const auto* list = std::get_if<std::vector<std::string>>(&given)) {
    files = *list;
  } else if (const auto* text = std::get_if<std::string>(&given)) {
    files = absl::StrSplit(*text, ',', absl::SkipWhitespace());
  } else {
    return WrongShape(field, path);
  }
  std::vector<std::string> names;
  for (const std::string& file : files) {
    std::optional<std::string> name = ResourceName(file, kAttachmentPrefix);
    if (!name.has_value()) {
      return Bad(field, path,
                 {absl::StrCat(Quoted(file), " does not name an uploaded file"),
                  absl::StrCat(Quoted(file), " не обозначает загруженный файл")});
    }
    if (std::find(names.begin(), names.end(), *name) == names.end()) {
      names.push_back(*std::move(name));
    }
  }
  if (Outside(static_cast<double>(names.size()), field.min, field.max.value_or(kDefaultFilesMax))) {
    return Bad(field, path,
               {absl::StrCat(names.size(), " files are attached"),
                absl::StrCat("приложено файлов: ", names.size())});
  }
  return {std::move(names), std::nullopt};
}

}  // namespace

FieldValue DefaultAnswer(const FormField& field) {
  if (field.default_value.empty()) return std::monostate{};
  return field.default_value;
}

ValueCheck CheckValue(const FormField& field, const FieldValue& given, absl::string_view path) {
  if (IsBlank(given)) {
    if (!field.required) return {};
    return Bad(field, path, {"an answer is required", "обязательное поле"});
  }
  // Everything below may be repeated in a message, and a message must be valid UTF-8 to be sent.
  const auto* text = std::get_if<std::string>(&given);
  if (text != nullptr && !CountCharacters(*text).has_value()) {
    return Bad(field, path, {"the text is not valid UTF-8", "текст не в кодировке UTF-8"});
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&given)) {
    for (const std::string& item : *list) {
      if (!CountCharacters(item).has_value()) {
        return Bad(field, path, {"the text is not valid UTF-8", "текст не в кодировке UTF-8"});
      }
    }
  }
  switch (field.type) {
    case FormField::kText: return CheckText(field, given, path);
    case FormField::kNumber: return CheckNumber(field, given, path);
    case FormField::kBool: return CheckBool(field, given, path);
    case FormField::kEnum: return CheckEnum(field, given, path);
    case FormField::kMultiEnum: return CheckMultiEnum(field, given, path);
    case FormField::kDate: return CheckDate(field, given, path);
    case FormField::kDateRange: return CheckDateRange(field, given, path);
    case FormField::kEmployee: return CheckEmployee(field, given, path);
    case FormField::kFile: return CheckFile(field, given, path);
  }
  return WrongShape(field, path);
}

}  // namespace potok::desk
