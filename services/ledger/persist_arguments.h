// What a batch of commands leaves in the ledger, as the arguments of persist.sql and
// persist_fired.sql: an array a column, in the order of those statements. Not thread-safe.
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
  // An event of `ticket`, with the answer to keep for the command that caused it and the timer that
  // fired with it.
  void AddEvent(const desk::Ticket& ticket, const desk::Event& event, const desk::Command& command,
                const Slot& slot);
  void ArmTimer(const desk::Ticket& ticket, const desk::Timer& timer);
  // Ends the timers of `ticket` but those of the kinds in `kept`; of the others, `fired` have
  // fired.
  void EndTimers(const desk::Ticket& ticket, const std::vector<std::string>& kept,
                 const std::vector<std::string>& fired);

  int changed() const { return changed_; }  // Tickets that are not new.
  // Those of persist.sql; nothing can be added any more.
  std::vector<pg::Param> Take();
  // Those of persist_fired.sql, none when no timer fired; likewise.
  std::vector<pg::Param> TakeFired();

 private:
  using Columns = std::vector<pg::ArrayParam>;

  Columns tickets_, events_, timers_, ends_, fired_;
  int changed_ = 0;
  bool any_fired_ = false;
};

}  // namespace potok::ledger
