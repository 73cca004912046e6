#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "desk/form/field_rules.h"
#include "desk/form/field_text.h"
#include "desk/form/form.h"
#include "re2/re2.h"

namespace potok::desk {
namespace {

constexpr size_t kMaxLabelCharacters = 200;
constexpr size_t kMaxHelpCharacters = 2000;
constexpr size_t kMaxOptionBytes = 100;
constexpr int kMaxPatternProgram = 5000;  // RE2 instructions: bounds the cost of a{1000}{1000}.

bool IsFieldName(absl::string_view name) {
  if (name.empty() || name.size() > 63 || !absl::ascii_islower(static_cast<unsigned char>(name[0])))
    return false;
  for (const char c : name) {
    const auto u = static_cast<unsigned char>(c);
    if (!absl::ascii_islower(u) && !absl::ascii_isdigit(u) && c != '_') return false;
  }
  return true;
}

bool IsWhole(double value) { return std::floor(value) == value; }

class FormLint {
 public:
  explicit FormLint(const Form& form) : form_(form) {}

  absl::Status Run() && {
    if (form_.fields.size() > kMaxFormFields) {
      Report("flow.form.fields",
             absl::StrCat("a form has at most ", kMaxFormFields, " fields, this one has ",
                          form_.fields.size(), "; remove some or split the flow"),
             absl::StrCat("в форме не больше ", kMaxFormFields, " полей, здесь ",
                          form_.fields.size(), "; уберите лишние или разделите поток"));
    } else {
      for (size_t i = 0; i < form_.fields.size(); ++i) CheckField(i);
      for (size_t i = 0; i < form_.fields.size(); ++i) CheckShownIf(i);
    }
    return BadFields(std::move(violations_));
  }

 private:
  static std::string Path(size_t i, absl::string_view part) {
    return absl::StrCat("flow.form.fields[", i, "].", part);
  }

  void Report(std::string path, std::string en, std::string ru) {
    violations_.push_back({std::move(path), std::move(en), std::move(ru)});
  }

  void CheckField(size_t i) {
    const FormField& field = form_.fields[i];
    if (!IsFieldName(field.name)) {
      Report(Path(i, "name"),
             "a field name is 1 to 63 of a-z, 0-9 and _ and begins with a letter, such as period",
             "имя поля: от 1 до 63 знаков a-z, 0-9 и _, первая буква, например period");
    } else if (!by_name_.emplace(field.name, i).second) {
      Report(Path(i, "name"),
             absl::StrCat("the name \"", field.name,
                          "\" is taken by an earlier field; choose another"),
             absl::StrCat("имя «", field.name, "» уже есть у другого поля; выберите другое"));
    }
    if (field.label_ru.empty() && field.label_en.empty()) {
      Report(Path(i, "label"), "a field needs a label in Russian or in English",
             "у поля должна быть подпись на русском или английском");
    }
    CheckLength(i, "label_ru", field.label_ru, kMaxLabelCharacters);
    CheckLength(i, "label_en", field.label_en, kMaxLabelCharacters);
    CheckLength(i, "help_ru", field.help_ru, kMaxHelpCharacters);
    CheckLength(i, "help_en", field.help_en, kMaxHelpCharacters);
    const size_t before = violations_.size();
    CheckOptions(i);
    CheckPattern(i);
    CheckBounds(i);
    // The default is judged by rules that must themselves be sound.
    if (violations_.size() == before) CheckDefault(i);
  }

  void CheckLength(size_t i, absl::string_view part, const std::string& text, size_t limit) {
    const std::optional<size_t> length = CountCharacters(text);
    if (!length.has_value()) {
      Report(Path(i, part), "the text is not valid UTF-8", "текст не в кодировке UTF-8");
    } else if (*length > limit) {
      Report(Path(i, part),
             absl::StrCat("the text has ", *length, " characters, at most ", limit, " are allowed"),
             absl::StrCat("в тексте ", *length, " знаков, допустимо не больше ", limit));
    }
  }

  void CheckOptions(size_t i) {
    const FormField& field = form_.fields[i];
    const bool takes = field.type == FormField::kEnum || field.type == FormField::kMultiEnum;
    if (!takes) {
      if (!field.options.empty()) {
        Report(Path(i, "options"), "only an enum or multi-enum field has options; remove them",
               "варианты бывают только у полей с выбором; уберите их");
      }
      return;
    }
    if (field.options.empty()) {
      Report(Path(i, "options"), "a field of choice needs at least one option",
             "полю с выбором нужен хотя бы один вариант");
    }
    if (field.options.size() > kMaxFieldOptions) {
      Report(
          Path(i, "options"),
          absl::StrCat("at most ", kMaxFieldOptions, " options are allowed, here are ",
                       field.options.size()),
          absl::StrCat("вариантов не больше ", kMaxFieldOptions, ", здесь ", field.options.size()));
      return;
    }
    std::set<absl::string_view> seen;
    for (size_t k = 0; k < field.options.size(); ++k) {
      const EnumOption& option = field.options[k];
      const std::string part = absl::StrCat("options[", k, "].value");
      // The comma separates choices in the text form of a multi-enum.
      if (option.value.empty() || option.value.size() > kMaxOptionBytes ||
          option.value.find(',') != std::string::npos ||
          absl::StripAsciiWhitespace(option.value) != option.value ||
          !CountCharacters(option.value).has_value()) {
        Report(Path(i, part),
               absl::StrCat("an option value is 1 to ", kMaxOptionBytes,
                            " bytes without commas and outer spaces"),
               absl::StrCat("значение варианта: от 1 до ", kMaxOptionBytes,
                            " байт без запятых и пробелов по краям"));
      } else if (!seen.insert(option.value).second) {
        Report(Path(i, part), absl::StrCat("the option \"", option.value, "\" is listed twice"),
               absl::StrCat("вариант «", option.value, "» указан дважды"));
      }
      CheckLength(i, absl::StrCat("options[", k, "].label_ru"), option.label_ru,
                  kMaxLabelCharacters);
      CheckLength(i, absl::StrCat("options[", k, "].label_en"), option.label_en,
                  kMaxLabelCharacters);
    }
  }

  void CheckPattern(size_t i) {
    const FormField& field = form_.fields[i];
    if (field.pattern.empty()) return;
    if (field.type != FormField::kText) {
      Report(Path(i, "pattern"), "only a text field has a pattern; remove it",
             "образец бывает только у текстового поля; уберите его");
      return;
    }
    if (field.pattern.size() > kMaxPatternBytes) {
      Report(Path(i, "pattern"), absl::StrCat("a pattern has at most ", kMaxPatternBytes, " bytes"),
             absl::StrCat("образец не длиннее ", kMaxPatternBytes, " байт"));
      return;
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    const RE2 pattern(field.pattern, options);
    if (!pattern.ok()) {
      const std::string cause = CountCharacters(pattern.error()).has_value()
                                    ? pattern.error()
                                    : "the pattern is not valid UTF-8";
      Report(Path(i, "pattern"),
             absl::StrCat("the pattern is not a regular expression of RE2: ", cause),
             absl::StrCat("образец не является регулярным выражением RE2: ", cause));
    } else if (pattern.ProgramSize() > kMaxPatternProgram) {
      Report(Path(i, "pattern"), "the pattern is too complex; use smaller repeat counts",
             "образец слишком сложен; уменьшите числа повторов");
    }
  }

  void CheckBounds(size_t i) {
    const FormField& field = form_.fields[i];
    const bool counts = field.type == FormField::kText || field.type == FormField::kMultiEnum ||
                        field.type == FormField::kFile || field.type == FormField::kDateRange;
    const auto check = [&](absl::string_view part, std::optional<double> bound) {
      if (!bound.has_value()) return;
      if (!counts && field.type != FormField::kNumber) {
        Report(Path(i, part), "a field of this type has no bounds; remove it",
               "у поля этого типа нет границ; уберите её");
      } else if (!std::isfinite(*bound)) {
        Report(Path(i, part), "a bound is a finite number", "граница должна быть конечным числом");
      } else if (counts && (*bound < 0 || !IsWhole(*bound))) {
        Report(Path(i, part), "this bound counts something: give a whole number from 0",
               "эта граница считает штуки: укажите целое число от 0");
      } else if (field.type == FormField::kText && *bound > kAbsoluteTextMax) {
        Report(Path(i, part), absl::StrCat("a text has at most ", kAbsoluteTextMax, " characters"),
               absl::StrCat("в тексте не больше ", kAbsoluteTextMax, " знаков"));
      }
    };
    check("min", field.min);
    check("max", field.max);
    std::optional<double> max = field.max;
    if (!max.has_value() && field.type == FormField::kText) max = kDefaultTextMax;
    if (!max.has_value() && field.type == FormField::kFile) max = kDefaultFilesMax;
    if (field.min.has_value() && max.has_value() && *field.min > *max) {
      Report(Path(i, "min"), absl::StrCat("min is above max (", *max, "); no answer could pass"),
             absl::StrCat("min больше max (", *max, "); ни один ответ не подойдёт"));
    }
  }

  void CheckDefault(size_t i) {
    const FormField& field = form_.fields[i];
    if (field.default_value.empty()) return;
    const ValueCheck check = CheckValue(field, DefaultAnswer(field), Path(i, "default_value"));
    if (check.violation.has_value()) violations_.push_back(*check.violation);
  }

  void CheckShownIf(size_t i) {
    const FormField& field = form_.fields[i];
    if (!field.shown_if.has_value()) return;
    const auto found = by_name_.find(field.shown_if->field);
    if (found == by_name_.end()) {
      Report(Path(i, "shown_if.field"),
             absl::StrCat("the form has no field \"", field.shown_if->field, "\""),
             absl::StrCat("в форме нет поля «", field.shown_if->field, "»"));
      return;
    }
    const FormField& controller = form_.fields[found->second];
    const bool choice =
        controller.type == FormField::kEnum || controller.type == FormField::kMultiEnum;
    if (!choice && controller.type != FormField::kBool) {
      Report(Path(i, "shown_if.field"),
             absl::StrCat("\"", controller.name, "\" must be a bool, enum or multi-enum field"),
             absl::StrCat("«", controller.name, "» должно быть полем с выбором или да/нет"));
      return;
    }
    if (field.shown_if->values.empty()) {
      Report(Path(i, "shown_if.values"), "name at least one value that shows the field",
             "укажите хотя бы одно значение, при котором поле показано");
    }
    for (const std::string& value : field.shown_if->values) {
      bool possible = !choice && (value == "true" || value == "false");
      for (const EnumOption& option : controller.options) possible |= option.value == value;
      if (!possible) {
        Report(Path(i, "shown_if.values"),
               absl::StrCat("\"", controller.name, "\" can never be \"", value, "\""),
               absl::StrCat("«", controller.name, "» не бывает равно «", value, "»"));
      }
    }
    if (InCycle(i)) {
      Report(Path(i, "shown_if.field"), "these conditions form a circle; no field could ever show",
             "условия показа замкнуты в круг; поле никогда не появится");
    }
  }

  bool InCycle(size_t start) const {
    size_t at = start;
    for (size_t steps = 0; steps < form_.fields.size(); ++steps) {
      if (!form_.fields[at].shown_if.has_value()) return false;
      const auto next = by_name_.find(form_.fields[at].shown_if->field);
      if (next == by_name_.end()) return false;
      at = next->second;
      if (at == start) return true;
    }
    return false;
  }

  const Form& form_;
  std::map<std::string, size_t> by_name_;
  std::vector<FieldViolation> violations_;
};

}  // namespace

absl::Status ValidateForm(const Form& form) { return FormLint(form).Run(); }

}  // namespace potok::desk
