// Spelling out the questions of a ready form without repeating the names of desk::FormField's
// members.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "desk/form/form.h"

namespace potok::intake {

inline desk::FormField Question(desk::FormField::Type type, std::string name, std::string ru,
                                std::string en) {
  desk::FormField field;
  field.type = type;
  field.name = std::move(name);
  field.label_ru = std::move(ru);
  field.label_en = std::move(en);
  return field;
}

inline desk::FormField Choice(std::string name, std::string ru, std::string en,
                              std::vector<desk::EnumOption> options,
                              desk::FormField::Type type = desk::FormField::kEnum) {
  desk::FormField field = Question(type, std::move(name), std::move(ru), std::move(en));
  field.options = std::move(options);
  return field;
}

inline desk::FormField Required(desk::FormField field) {
  field.required = true;
  return field;
}

inline desk::FormField When(std::string other, std::vector<std::string> values,
                            desk::FormField field) {
  field.shown_if = desk::ShownIf{std::move(other), std::move(values)};
  return field;
}

inline desk::FormField Help(std::string ru, std::string en, desk::FormField field) {
  field.help_ru = std::move(ru);
  field.help_en = std::move(en);
  return field;
}

inline desk::FormField Within(double min, double max, desk::FormField field) {
  field.min = min;
  field.max = max;
  return field;
}

inline desk::FormField Matching(std::string pattern, desk::FormField field) {
  field.pattern = std::move(pattern);
  return field;
}

inline desk::FormField Default(std::string value, desk::FormField field) {
  field.default_value = std::move(value);
  return field;
}

}  // namespace potok::intake
