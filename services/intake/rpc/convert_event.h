// From an event of the desk to one on the wire. Pure, thread-safe.
#pragma once

#include <string>

#include "desk/access/visibility.h"
#include "desk/ticket/ticket.h"
#include "potok/intake/v1/ticket.pb.h"

namespace potok::intake {

v1::TicketEvent ToWire(const std::string& ticket_id, const desk::Event& event);

// Internal notes are for those who work on the ticket: not in the history, not in the stream and
// not as a gap with words in it for anybody else. The version they took stays visible as a number
// missing.
bool MaySee(const desk::Event& event, const desk::Relation& relation);

}  // namespace potok::intake
