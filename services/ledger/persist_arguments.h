// What a batch of commands leaves in the ledger, as the arguments of persist.sql: an array a
// column. The order of the columns is that statement's.
#pragma once

#include <string>
#include <vector>

#include "desk/ticket/command.h"
#include "desk/ticket/ticket.h"
#include "platform/pg/param.h"

namespace potok::ledger {

class PersistArguments {
 public:
  PersistArguments();

  // Once a ticket: its row as it is to be. A `born` one is new, of another the row is locked.
  void AddTicket(const desk::Ticket& ticket, bool born);
  // The slot that an event gives to an agent.
  struct Slot {
    std::string agent;  // Empty: it gives none.
    int active_after = 0;
    int cap = 0;
  };
  // An event of `ticket`, with the answer to keep for the command that caused it.
  void AddEvent(const desk::Ticket& ticket, const desk::Event& event, const desk::Command& command,
                const Slot& slot);
  void ArmTimer(const desk::Ticket& ticket, const desk::Timer& timer);
  // Ends the timers of `ticket` but those of the kinds in `kept`; of the others, `fired` have
  // fired.
  void EndTimers(const desk::Ticket& ticket, const std::vector<std::string>& kept,
                 const std::vector<std::string>& fired);

  int changed() const { return changed_; }  // Tickets that are not new.
  // Nothing can be added any more.
  std::vector<pg::Param> Take();

 private:
  using Columns = std::vector<pg::ArrayParam>;

  Columns tickets_, events_, timers_, ends_;
  int changed_ = 0;
};

}  // namespace potok::ledger
