#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/error.h"
#include "desk/form/field_rules.h"
#include "desk/form/field_text.h"
#include "desk/form/form.h"

namespace potok::desk {
namespace {

// A hostile caller may send thousands of unknown names; the answer lists no more than this many.
constexpr size_t kMaxUnknownListed = 5;
constexpr size_t kMaxNameInMessage = 63;

enum class Standing { kHidden, kGood, kBad };

// Judges fields in the order of dependence: the field named by shown_if before the one it controls,
// wherever they stand in the form.
class AnswerCheck {
 public:
  AnswerCheck(const Form& form, const Answers& given) : form_(form), given_(given) {
    for (const FormField& field : form.fields) fields_.emplace(field.name, &field);
  }

  absl::StatusOr<Answers> Run() && {
    for (const FormField& field : form_.fields) Judge(field, 0);
    ReportUnknown();
    if (violations_.empty()) return std::move(good_);

    // Most forms are shown top to bottom: report in that order, not in that of dependence.
    std::map<std::string, size_t> place;
    for (size_t i = 0; i < form_.fields.size(); ++i) {
      place.emplace(absl::StrCat("fields.", form_.fields[i].name), i);
    }
    const auto rank = [&](const FieldViolation& violation) {
      const auto found = place.find(violation.field);
      return found == place.end() ? form_.fields.size() : found->second;
    };
    std::stable_sort(violations_.begin(), violations_.end(),
                     [&](const auto& a, const auto& b) { return rank(a) < rank(b); });

    ErrorDetail detail;
    detail.ru = absl::StrCat("форма заполнена с ошибками: ", violations_.front().ru);
    const std::string message =
        absl::StrCat("the form is not filled in correctly: ", violations_.front().en);
    detail.fields = std::move(violations_);
    return MakeError(absl::StatusCode::kInvalidArgument, "FORM_FIELD_INVALID", message,
                     std::move(detail));
  }

 private:
  Standing Judge(const FormField& field, int depth) {
    const auto known = standing_.find(field.name);
    if (known != standing_.end()) return known->second;
    // ValidateForm has ruled cycles out; the guard keeps a form that skipped it from recursing.
    const Standing standing = depth > kMaxFormFields ? Standing::kHidden : JudgeNow(field, depth);
    standing_.emplace(field.name, standing);
    return standing;
  }

  Standing JudgeNow(const FormField& field, int depth) {
    if (field.shown_if.has_value()) {
      const auto controller = fields_.find(field.shown_if->field);
      if (controller == fields_.end()) return Standing::kHidden;
      if (Judge(*controller->second, depth + 1) != Standing::kGood) return Standing::kHidden;
      const auto answer = good_.find(field.shown_if->field);
      if (answer == good_.end() || !Shows(*field.shown_if, answer->second)) {
        return Standing::kHidden;
      }
    }
    const auto given = given_.find(field.name);
    FieldValue value = given == given_.end() ? FieldValue{} : given->second;
    if (std::holds_alternative<std::monostate>(value)) value = DefaultAnswer(field);
    ValueCheck check = CheckValue(field, value, absl::StrCat("fields.", field.name));
    if (check.violation.has_value()) {
      violations_.push_back(*std::move(check.violation));
      return Standing::kBad;
    }
    if (!std::holds_alternative<std::monostate>(check.value)) {
      good_.emplace(field.name, std::move(check.value));
    }
    return Standing::kGood;
  }

  static bool Shows(const ShownIf& condition, const FieldValue& answer) {
    const auto wanted = [&](const std::string& text) {
      return std::find(condition.values.begin(), condition.values.end(), text) !=
             condition.values.end();
    };
    if (const auto* list = std::get_if<std::vector<std::string>>(&answer)) {
      return std::any_of(list->begin(), list->end(), wanted);
    }
    return wanted(AnswerText(answer));
  }

  void ReportUnknown() {
    size_t listed = 0;
    for (const auto& [name, value] : given_) {
      if (fields_.contains(name)) continue;
      if (++listed > kMaxUnknownListed) return;
      const std::string shown =
          CountCharacters(name).has_value() && name.size() <= kMaxNameInMessage ? name : "?";
      const std::string known = absl::StrJoin(
          form_.fields, ", ",
          [](std::string* out, const FormField& field) { absl::StrAppend(out, field.name); });
      violations_.push_back(
          {absl::StrCat("fields.", shown),
           absl::StrCat("the form has no field \"", shown, "\"; its fields are: ", known),
           absl::StrCat("в форме нет поля «", shown, "»; её поля: ", known)});
    }
  }

  const Form& form_;
  const Answers& given_;
  std::map<std::string, const FormField*> fields_;
  std::map<std::string, Standing> standing_;
  Answers good_;
  std::vector<FieldViolation> violations_;
};

}  // namespace

absl::StatusOr<Answers> CheckAnswers(const Form& form, const Answers& answers) {
  return AnswerCheck(form, answers).Run();
}

}  // namespace potok::desk
