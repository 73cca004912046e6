// What the story ends with: what the heads see, what was received, whether everything is accounted
// for.
#pragma once

#include <string>

#include "stage.h"

namespace potok::ctl {

// One line a desk, in the evening of a day.
void TellEvening(Stage& stage);

// Boards, agents, mails, timers, calls, the ledger check, the checks of the story and commands to
// copy. True when all is as it should be. `stack` is the stack's directory.
bool ReportStory(Stage& stage, const std::string& stack);

}  // namespace potok::ctl
