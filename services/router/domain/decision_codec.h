// A decision as the JSON of router.decision.body, readable by people and complete enough to be run
// again.
//
// Canonical: equal decisions, equal text (keys sorted, values at their default left out). Unknown
// keys are ignored, so an older binary reads what a newer one wrote; a newer policy version is
// refused. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "desk/routing/facts.h"

namespace potok::router {

// One ticket's turn: what the policy knew (desk::FactsOfDecision) and what it made of it.
struct StoredDecision {
  desk::PlanFacts facts;
  desk::Decision decision;

  bool operator==(const StoredDecision&) const = default;
};

std::string ToJson(const StoredDecision& stored);

// DATA_LOSS for a damaged text, FAILED_PRECONDITION for a version not known here.
absl::StatusOr<StoredDecision> DecisionFromJson(const std::string& text);

// Runs the policy again on the stored facts. OK when it decides the same, to the last bit;
// DATA_LOSS naming the first difference otherwise.
absl::Status Replay(const StoredDecision& stored);

}  // namespace potok::router
