// What a batch of commands leaves in the ledger, as the arguments of persist_filed.sql,
// persist_moved.sql and persist_fired.sql: an array a column, in the order of those statements. Not
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "desk/ticket/command.h"
#include "desk/ticket/ticket.h"
#include "platform/pg/column_params.h"

namespace potok::ledger {

class PersistArguments {
 public:
  // Once a ticket: its row as it is to be. A new one is as its first event made it: what no such
  // event can set is not written but left to the table. Its number gets `prefix`, and is the one
  // `place` (-1: the last, -2: the one before) of those its flow takes.
  void AddNewTicket(const desk::Ticket& ticket, const std::string& prefix, int place);
  void AddChangedTicket(const desk::Ticket& ticket);  // Its row is locked.
  // The event that filed `ticket`, with the answer to keep for the command that caused it.
  void AddFirstEvent(const desk::Ticket& ticket, const desk::Event& event,
                     const desk::Command& command);
  // The slot that an event gives to an agent.
  struct Slot {
    std::string agent;  // Empty: it gives none.
    int active_after = 0;
    int cap = 0;
  };
  // Any other event of `ticket`, with the answer to keep and the timer that fired with it.
  void AddEvent(const desk::Ticket& ticket, const desk::Event& event, const desk::Command& command,
                const Slot& slot);
  // `first`: of a new ticket, which has no timers yet.
  void ArmTimer(const desk::Ticket& ticket, const desk::Timer& timer, bool first);
  // Ends the timers of `ticket` but those of the kinds in `kept`; of the others, `fired` have
  // fired.
  void EndTimers(const desk::Ticket& ticket, const std::vector<std::string>& kept,
                 const std::vector<std::string>& fired);

  int changed() const { return changed_count_; }
  int filed() const { return filed_count_; }
  // Those of persist_filed.sql, none when nothing was filed; nothing can be added any more.
  std::vector<pg::Param> TakeFiled();
  // Those of persist_moved.sql, none when no ticket that was there changed; likewise.
  std::vector<pg::Param> TakeMoved();
  // Those of persist_fired.sql, none when no timer fired; likewise.
  std::vector<pg::Param> TakeFired();

 private:
  // Of persist_filed.sql.
  pg::ColumnParams<29> new_;
  pg::ColumnParams<12> first_events_;
  pg::ColumnParams<5> first_timers_;
  // Of persist_moved.sql.
  pg::ColumnParams<38> changed_;
  pg::ColumnParams<18> events_;
  pg::ColumnParams<5> timers_;
  pg::ColumnParams<4> ends_;
  // Of persist_fired.sql.
  pg::ColumnParams<7> fired_;
  int changed_count_ = 0, filed_count_ = 0;
  bool any_fired_ = false;
};

}  // namespace potok::ledger
