// Who is told about an event of a ticket. Pure and total: every event has an audience, often
// nobody.
//
// One person hears of one event once: when several rules meet in one person, the first in the order
// manager, assignee, requester counts. Nobody is told of their own act, except whoever files a
// request: the confirmation carries the number.
#pragma once

#include <string>
#include <vector>

#include "desk/ticket/ticket.h"
#include "notifier/domain/rules.h"

namespace potok::notifier {

// What the audience depends on beside the ticket.
struct Surroundings {
  // Who may step in, and as what: the flow's manager, else its admins.
  std::vector<std::string> managers;
  Role managers_role = Role::kManager;
  // Agents of the ticket's present line. Only a decline asks for them.
  std::vector<std::string> line;
};

struct Notice {
  std::string recipient;  // Employee id.
  Role role = Role::kRequester;
  const Rule* rule = nullptr;
};

// `after` is the ticket right after `event`.
std::vector<Notice> AudienceOf(const desk::Ticket& after, const desk::Event& event,
                               const Surroundings& around);

// The ticket as it is when a notice is about to be sent.
struct TicketNow {
  desk::State state = desk::State::kQueued;
  std::string assignee;
  bool breached = false;
};

// False when events have overtaken the notice: a reminder to hurry is not sent about a finished
// ticket, to somebody who gave it away, or after the promise was broken. Facts are always told.
bool StillWanted(Kind kind, Role role, const std::string& recipient, const TicketNow& now);

}  // namespace potok::notifier
