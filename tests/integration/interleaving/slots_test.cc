// Two tickets and one slot: whoever takes it and whoever gives one back, on two replicas, with a
// stop before every statement of the first. An agent never holds more than one, and a slot that is
// free is given to one of those who want it.
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "integration/interleaving/operations.h"
#include "integration/interleaving/run.h"
#include "integration/interleaving/world.h"

namespace potok::interleaving {
namespace {

// An operation that takes anna's one slot for a ticket of its own, or gives it back.
struct SlotOperation {
  const char* name;
  Needs needs;
  bool of_boris;  // Who holds or held the ticket: boris, else anna.
  bool takes;
};

constexpr SlotOperation kSlotOperations[] = {
    {"assign", Needs::kQueued, false, true},
    {"self-pick", Needs::kQueued, false, true},
    {"give", Needs::kQueued, false, true},
    {"hand over", Needs::kInProgress, true, true},
    {"send back", Needs::kResolved, false, true},
    {"decline", Needs::kAssigned, false, false},
    {"resolve", Needs::kInProgress, false, false},
    {"cancel", Needs::kInProgress, false, false},
    {"leave the team", Needs::kAssigned, false, false},
};

Actor MakeSlot(const SlotOperation& operation, const Case& each) {
  const std::string name = operation.name;
  Actor actor;
  const std::string id = FreshId();
  if (name == "give") {
    actor.run = [each, id](Replica& replica) { return Give(replica, each.ticket, each.anna, id); };
    actor.event = "assigned";
    actor.principal = "users/boss";
    actor.ticket = each.ticket;
  } else if (name == "hand over") {
    actor.run = [each, id](Replica& replica) {
      return Transfer(replica, each.ticket, each.boris, each.anna, id);
    };
    actor.event = "transferred";
    actor.principal = absl::StrCat("users/", each.boris);
    actor.ticket = each.ticket;
  } else {
    return Make(Find(name), each);
  }
  actor.name = name;
  return actor;
}

TEST(Slots, AreNeverTakenTwiceAndNeverLost) {
  World world(1500);
  int pairs = 0, interleavings = 0, blocked = 0;
  for (const SlotOperation& first : kSlotOperations) {
    for (const SlotOperation& second : kSlotOperations) {
      if (!first.takes && !second.takes) continue;  // One slot: only one of them can hold it.
      // A second ticket in the queue is any pass's, not this one's.
      const auto queues = [](const SlotOperation& each) { return each.needs == Needs::kQueued; };
      const auto passes = [](const SlotOperation& each) {
        return absl::string_view(each.name) == "assign";
      };
      if ((passes(first) || passes(second)) && queues(first) && queues(second)) continue;
      const auto run = [&](int stop, const Outcome* a_first, const Outcome* b_first) {
        Case one = world.NewFlow(), two = one;
        const auto add = [&](const SlotOperation& operation, Case& to) {
          world.AddTicket(to, operation.needs, operation.of_boris ? to.boris : to.anna);
        };
        // Boris may have to hold what both are about.
        world.Query(absl::StrCat("UPDATE ledger.agent_load SET cap = 2 WHERE agent_id = '",
                                 one.boris, "'"));
        // Anna can hold what the second is about only once the first has let go of it.
        const bool second_earlier = second.needs == Needs::kResolved;
        if (second_earlier) add(second, two);
        add(first, one);
        if (!second_earlier) add(second, two);
        // Nobody but anna is there for what waits in the queue.
        world.Query(absl::StrCat("UPDATE router.presence SET status = 'away' WHERE employee = '",
                                 one.boris, "'"));
        const Actor a = MakeSlot(first, one), b = MakeSlot(second, two);
        Outcome outcome = Interleave(world, a, b, {&one, &two}, stop);
        SCOPED_TRACE(absl::StrCat(first.name, " and ", second.name, ", the first stopped before ",
                                  outcome.stop.value_or("nothing"), " (", stop, ")"));
        if (a_first != nullptr) {
          EXPECT_EQ(NotSerial(outcome, *a_first, *b_first), "");
        }
        EXPECT_EQ(NotTrue(outcome, a, b), "") << outcome.Text();
        EXPECT_EQ(NotReplayed(world, outcome, a, b, {&one, &two}), "") << outcome.Text();
        EXPECT_LE(world.Query(absl::StrCat("SELECT active FROM ledger.agent_load WHERE agent_id = "
                                           "'",
                                           one.anna, "'")),
                  "1");
        if (first.takes && second.takes) {
          const int winners = outcome.a.status.ok() + outcome.b.status.ok() - outcome.a.Nothing() -
                              outcome.b.Nothing();
          // A result that is sent back finds its way to the queue when its agent is busy.
          const bool may_wait =
              absl::StrContains(absl::StrCat(first.name, second.name), "send back");
          EXPECT_TRUE(winners == 1 || (may_wait && winners == 2)) << outcome.Text();
          EXPECT_TRUE(absl::StrContains(outcome.end, " anna")) << outcome.Text();
        }
        return outcome;
      };
      const Outcome a_first = run(0, nullptr, nullptr), b_first = run(-1, nullptr, nullptr);
      for (int stop = 1;; ++stop) {
        ASSERT_LT(stop, 40) << first.name << " has no end";
        const Outcome outcome = run(stop, &a_first, &b_first);
        if (!outcome.stop) break;
        ++interleavings;
        blocked += outcome.blocked;
      }
      ++pairs;
    }
    ASSERT_EQ(world.Broken(), "") << first.name;
  }
  EXPECT_GT(blocked, 0);
  std::cout << "slots: " << pairs << " pairs, " << interleavings << " interleavings, " << blocked
            << " waited for a lock\n";
}

}  // namespace
}  // namespace potok::interleaving
