#include "desk/form/field_text.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/utf8.h"

namespace potok::desk {
namespace {

constexpr size_t kMaxOptionsListed = 20;  // Error details must fit in 4 KiB of trailers.
constexpr size_t kMaxQuotedCharacters = 40;

std::string OptionList(const FormField& field, bool russian) {
  std::string out;
  size_t listed = 0;
  for (const EnumOption& option : field.options) {
    if (listed == kMaxOptionsListed) {
      absl::StrAppend(&out, russian ? " и ещё " : " and ", field.options.size() - listed,
                      russian ? "" : " more");
      break;
    }
    const std::string& label = russian ? option.label_ru : option.label_en;
    absl::StrAppend(&out, listed == 0 ? "" : ", ", option.value);
    if (!label.empty() && label != option.value) absl::StrAppend(&out, " (", label, ")");
    ++listed;
  }
  return out;
}

// " from 1 to 10", " from 1", " up to 10".
TextPair Bounds(std::optional<double> min, std::optional<double> max) {
  TextPair out;
  if (min.has_value()) {
    absl::StrAppend(&out.en, " from ", NumberText(*min));
    absl::StrAppend(&out.ru, " от ", NumberText(*min));
  }
  if (max.has_value()) {
    absl::StrAppend(&out.en, min.has_value() ? " to " : " up to ", NumberText(*max));
    absl::StrAppend(&out.ru, " до ", NumberText(*max));
  }
  return out;
}

}  // namespace

std::string NumberText(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

std::string Quoted(absl::string_view text) {
  size_t characters = 0;
  size_t i = 0;
  while (i < text.size() && characters < kMaxQuotedCharacters) {
    ++i;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) ++i;
    ++characters;
  }
  return absl::StrCat("\"", text.substr(0, i), i < text.size() ? "..." : "", "\"");
}

TextPair ExpectedAnswer(const FormField& field) {
  const TextPair bounds = Bounds(field.min, field.max);
  switch (field.type) {
    case FormField::kText: {
      const TextPair length = Bounds(field.min, field.max.value_or(kDefaultTextMax));
      TextPair out{absl::StrCat("a text of", length.en, " characters"),
                   absl::StrCat("текст длиной", length.ru, " знаков")};
      if (!field.pattern.empty()) {
        absl::StrAppend(&out.en, " that matches ", field.pattern);
        absl::StrAppend(&out.ru, " по образцу ", field.pattern);
        if (!field.help_en.empty()) absl::StrAppend(&out.en, " (", field.help_en, ")");
        if (!field.help_ru.empty()) absl::StrAppend(&out.ru, " (", field.help_ru, ")");
      }
      return out;
    }
    case FormField::kNumber:
      return {absl::StrCat("a number", bounds.en), absl::StrCat("число", bounds.ru)};
    case FormField::kBool: return {"true or false", "true (да) или false (нет)"};
    case FormField::kEnum:
      return {absl::StrCat("one of: ", OptionList(field, false)),
              absl::StrCat("одно из значений: ", OptionList(field, true))};
    case FormField::kMultiEnum: {
      const bool bounded = field.min.has_value() || field.max.has_value();
      return {absl::StrCat("values", bounds.en, bounded ? " in number, out of: " : " out of: ",
                           OptionList(field, false)),
              absl::StrCat("значения", bounded ? absl::StrCat(" (числом", bounds.ru, ")") : "",
                           " из списка: ", OptionList(field, true))};
    }
    case FormField::kDate: return {"a date such as 2026-03-31", "дату в виде 2026-03-31"};
    case FormField::kDateRange: {
      TextPair out{"two dates such as 2026-01-01/2026-03-31, the earlier one first",
                   "две даты в виде 2026-01-01/2026-03-31, сначала более ранняя"};
      if (!bounds.en.empty()) {
        absl::StrAppend(&out.en, ", days", bounds.en);
        absl::StrAppend(&out.ru, ", дней", bounds.ru);
      }
      return out;
    }
    case FormField::kEmployee:
      return {"an employee such as employees/ivanova", "сотрудника в виде employees/ivanova"};
    case FormField::kFile: {
      const TextPair count = Bounds(field.min, field.max.value_or(kDefaultFilesMax));
      return {absl::StrCat("uploaded files such as attachments/ID, in number", count.en),
              absl::StrCat("загруженные файлы в виде attachments/ID, числом", count.ru)};
    }
  }
  return {};
}

std::string LabelEn(const FormField& field) {
  if (!field.label_en.empty()) return field.label_en;
  return field.label_ru.empty() ? field.name : field.label_ru;
}

std::string LabelRu(const FormField& field) {
  if (!field.label_ru.empty()) return field.label_ru;
  return field.label_en.empty() ? field.name : field.label_en;
}

std::string AnswerText(const FieldValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) return NumberText(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    return absl::StrJoin(*list, ",");
  }
  return "";
}

std::optional<size_t> CountCharacters(absl::string_view text) {
  if (text.find('\0') != absl::string_view::npos) return std::nullopt;
  return CountUtf8(text);
}

}  // namespace potok::desk
