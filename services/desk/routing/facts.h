// What a routing pass knew, kept so that the pass can be run again.
//
// The text is canonical (equal facts, equal bytes) and versioned: a reader that meets a version it
// does not know says so instead of guessing. Instants carry microseconds. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "desk/routing/plan.h"

namespace potok::desk {

// Grows when the meaning of a stored fact or the policy itself changes; old texts then need the old
// policy, so MakePlan keeps the rules of every version that is still stored.
inline constexpr int kRoutingFactsVersion = 1;

struct PlanFacts {
  FlowRouting flow;
  Cursor cursor;
  std::vector<Candidate> candidates;
  std::vector<WaitingTicket> tickets;
  absl::Time at;

  bool operator==(const PlanFacts&) const = default;
};

Plan MakePlan(const PlanFacts& facts);

// The facts of one ticket's turn alone: loads and cursor as they were when its turn came, earlier
// tickets of the pass included. MakePlan of them makes exactly plan.decisions[index], so each
// decision can be stored and replayed on its own. `plan` must be MakePlan(pass).
PlanFacts FactsOfDecision(const PlanFacts& pass, const Plan& plan, size_t index);

std::string EncodeFacts(const PlanFacts& facts);
// INVALID_ARGUMENT for a damaged text, FAILED_PRECONDITION for a version not known here.
absl::StatusOr<PlanFacts> ParseFacts(absl::string_view text);

std::string EncodeDecision(const Decision& decision);
absl::StatusOr<Decision> ParseDecision(absl::string_view text);

// Runs the pass again from its stored facts.
absl::StatusOr<Plan> Replay(absl::string_view facts);

// Replays and compares, byte for byte. OK when the stored decision is what the facts lead to;
// DATA_LOSS naming the first difference when not; the errors of ParseFacts.
absl::Status VerifyDecision(absl::string_view facts, absl::string_view decision);

}  // namespace potok::desk
