// Two operations at once, with a stop between two statements of the first: what each was told, what
// became of the tickets, and whether that is true.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "integration/interleaving/operations.h"
#include "integration/interleaving/world.h"

namespace potok::interleaving {

// An operation made ready: on a case, with a request id.
struct Actor {
  std::string name;
  std::function<Answer(Replica&)> run;
  std::function<void(Replica&)> next_turn;  // Only of loops.
  std::string event;                        // What an OK answer to a person is about,
  std::string principal;                    // and who that person is.
  std::string ticket;                       // What it is about; empty for one that makes it.
};
Actor Make(const Operation& operation, const Case& each);

// One event after the preparation.
struct Seen {
  std::string ticket;
  int64_t version = 0;
  std::string type, actor, agent, state;
  std::string holder;     // Of the ticket after it; empty when nobody holds it.
  bool prepared = false;  // It was there before the two began.
  bool now = true;        // The ticket was like this while they ran: no later one was prepared.
};

struct Outcome {
  Answer a, b;
  std::optional<std::string> stop;   // The statement before which A stood; none: A ran through.
  bool blocked = false;              // B waited for a lock that A held.
  std::vector<Seen> events;          // Of all tickets of the flow, once loops had their next turn.
  std::vector<std::string> history;  // The new ones, without ids: "T declined", "N1 assigned anna".
  std::string end;                   // Where the tickets are: "T QUEUED, N1 ASSIGNED boris".

  std::string Text() const;
};

// A on replica a up to just before its `stop`-th statement, then B on replica b until it has ended
// or waits for a lock, then A to its end, then B. `stop` 0: A first, then B; -1: B first.
// `tickets`: those that were prepared, in the order of their labels.
Outcome Interleave(World& world, const Actor& a, const Actor& b,
                   const std::vector<const Case*>& tickets, int stop);

enum class Death {
  kOfConnections,  // Every connection of the replica ends; it may open others.
  kForGood,        // And it cannot reach the database any more, as if the process had died.
  kOfTheAnswer,    // The statement is carried out, and its answer never comes (World with a link).
};

// A on replica a up to just before its `stop`-th statement, where death comes. Then the same on
// replica b with the same request id, as its client or the next owner of its work would do. `a` is
// what came of the first, `b` of the repeat.
Outcome Crash(World& world, const Actor& actor, const std::vector<const Case*>& tickets, int stop,
              Death death);

// Why the outcome is neither that of A before B nor that of B before A; empty when it is one of
// them. A loop that left its work to its next turn is judged by what came of it then. Of several
// things that stand in a call's way it may name any: whether that is true, NotTrue says.
std::string NotSerial(const Outcome& outcome, const Outcome& a_first, const Outcome& b_first);

// Why an answer was not true when it was given; empty when both were.
std::string NotTrue(const Outcome& outcome, const Actor& a, const Actor& b);

// Asks again what was answered OK, at the other replica and with the same request id. Why the
// second answer is not the first, or why it did something; empty when all is well.
std::string NotReplayed(World& world, const Outcome& outcome, const Actor& a, const Actor& b,
                        const std::vector<const Case*>& tickets);

}  // namespace potok::interleaving
