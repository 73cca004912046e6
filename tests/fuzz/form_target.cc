// Forms and answers. The input is two JSON texts with a line "---" between them: a flow as it is
// stored, and the answers somebody gives to its form.
#include <cmath>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "desk/flow/flow.h"
#include "desk/form/form.h"
#include "fuzz/target.h"
#include "ledger/definition_codec.h"

namespace potok::fuzz {
namespace {

using desk::Answers;
using desk::FieldValue;
using desk::Form;

// What was accepted and normalised is accepted again, unchanged, in each of the forms it has.
void CheckAccepted(const Form& form, const Answers& accepted) {
  const auto again = desk::CheckAnswers(form, accepted);
  FUZZ_CHECK(again.ok(), again.status().ToString());
  FUZZ_CHECK(*again == accepted, ledger::ToJson(accepted));

  const auto stored = ledger::AnswersFromJson(ledger::ToJson(accepted));
  FUZZ_CHECK(stored.ok() && *stored == accepted, ledger::ToJson(accepted));

  Answers shown;
  for (const auto& [name, value] : accepted) shown[name] = desk::AnswerText(value);
  const auto retyped = desk::CheckAnswers(form, shown);
  FUZZ_CHECK(retyped.ok(), absl::StrCat(ledger::ToJson(shown), retyped.status().ToString()));
  FUZZ_CHECK(*retyped == accepted, ledger::ToJson(shown));
}

void CheckRefused(const absl::Status& status) {
  CheckRefusal(status);
  const ErrorDetail detail = GetErrorDetail(status);
  FUZZ_CHECK(detail.reason == "FORM_FIELD_INVALID", detail.reason);
  FUZZ_CHECK(!detail.fields.empty(), status.ToString());
  std::string last;
  for (const FieldViolation& field : detail.fields) {
    FUZZ_CHECK(absl::StartsWith(field.field, "fields."), field.field);
    // One violation a field; unknown names that are not fit to be shown share one.
    FUZZ_CHECK(field.field != last || field.field == "fields.?", field.field);
    last = field.field;
  }
}

void CheckCodec(const desk::Flow& flow) {
  const std::string text = ledger::ToJson(flow);
  const auto again = ledger::FlowFromJson(text);
  FUZZ_CHECK(again.ok(), absl::StrCat(text, again.status().ToString()));
  FUZZ_CHECK(ledger::ToJson(*again) == text, text);
}

}  // namespace

void FuzzForm(absl::string_view input) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(input, absl::MaxSplits("\n---\n", 1));
  const auto flow = ledger::FlowFromJson(parts.first);
  if (!flow.ok()) return;
  CheckCodec(*flow);
  const absl::Status publishable = desk::ValidateFlow(*flow);
  if (!publishable.ok()) CheckRefusal(publishable);

  const absl::Status sound = desk::ValidateForm(flow->form);
  if (!sound.ok()) return CheckRefusal(sound);
  const auto answers = ledger::AnswersFromJson(parts.second);
  const auto accepted = desk::CheckAnswers(flow->form, answers.ok() ? *answers : Answers{});
  if (accepted.ok()) {
    CheckAccepted(flow->form, *accepted);
  } else {
    CheckRefused(accepted.status());
  }
}

}  // namespace potok::fuzz
