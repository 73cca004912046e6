// Definitions (flow, calendar, SLA policy) as the canonical JSON of their jsonb columns.
// Unknown keys are ignored on reading, so that an older binary reads what a newer one wrote.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "desk/calendar/definition.h"
#include "desk/flow/flow.h"
#include "desk/form/form.h"
#include "desk/sla/policy.h"

namespace potok::ledger {

std::string ToJson(const desk::Flow& flow);
std::string ToJson(const desk::CalendarDefinition& calendar);
std::string ToJson(const desk::SlaPolicy& policy);
// Answers of a form as canonical JSON (keys sorted), and back.
std::string ToJson(const desk::Answers& answers);

absl::StatusOr<desk::Flow> FlowFromJson(const std::string& text);
absl::StatusOr<desk::CalendarDefinition> CalendarFromJson(const std::string& text);
absl::StatusOr<desk::SlaPolicy> PolicyFromJson(const std::string& text);
absl::StatusOr<desk::Answers> AnswersFromJson(const std::string& text);

}  // namespace potok::ledger
