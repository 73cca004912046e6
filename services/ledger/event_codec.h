// An event's facts as the JSON of ledger.ticket_event.body. Fields at their default are not stored,
// unknown ones are ignored on reading. Words people wrote are not in it: they live in
// ledger.event_text.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

#include "desk/ticket/ticket.h"

namespace potok::ledger {

nlohmann::json BodyOf(const desk::Event& event);
// Fills the facts of `event` from `body`; type, actor, instant and state come from their own
// columns. Facts of another type than ours, or too large for it, keep their default.
void ReadBody(const std::string& body, desk::Event* event);

}  // namespace potok::ledger
