// Decisions in the words of people, Russian and English. Pure, thread-safe.
#pragma once

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

#include "router/domain/decision_codec.h"

namespace potok::router {

struct Words {
  std::string ru;
  std::string en;
};

// The name to call an employee by; the id itself when nobody knows better.
using NameOf = std::function<std::string(const std::string& employee)>;

// Why one candidate could not get the ticket, with the figures: "3 of 3 active tickets".
Words DetailsOf(desk::VerdictReason reason, const desk::Candidate& candidate);

// Why a ticket waits, and what would help.
Words WhyWaiting(desk::QueueReason reason);

// The whole decision in one sentence: who, by which rule, and who was passed over.
Words SummaryOf(const StoredDecision& stored, const NameOf& name_of);

// The same for an assignment by hand; `how` as in the event: "manual", "self_pick", "transferred".
Words SummaryOfHand(absl::string_view how, const std::string& agent, const std::string& actor);

}  // namespace potok::router
