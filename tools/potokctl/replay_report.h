// What a replay says at its beginning and at its end.
#pragma once

#include "recorded_log.h"
#include "replay_cast.h"
#include "replay_player.h"
#include "replay_tickets.h"
#include "replay_time.h"

namespace potok::ctl {

// What was read: columns, rows, bad rows with line and column, the people, the promises.
void SayWhatWasRead(const RecordedLog& log, const Cast& cast, const ReplayTime& axis);

// What was played, and Potok's figures beside the recorded ones. `scale` is business seconds a real
// second.
void SayWhatHappened(const RecordedLog& log, const Cast& cast, const PlayResult& played,
                     const std::map<std::string, ReplayedTicket>& tickets, double scale,
                     double stretch);

// Mails that the stack's sink has received, and commands to copy.
void SayWhereToLook(const Connection& connection,
                    const std::map<std::string, ReplayedTicket>& tickets);

}  // namespace potok::ctl
