#include "integration/interleaving/run.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"

#include "platform/testing/signal.h"

namespace potok::interleaving {
namespace {

std::vector<Seen> EventsOf(World& world, const std::vector<const Case*>& tickets) {
  std::map<std::string, int64_t> prepared;
  for (const Case* each : tickets) prepared[each->ticket] = each->version;
  std::map<std::string, std::string> holders;
  std::vector<Seen> events;
  const absl::Status status =
      pg::InAutocommit(world.database().pool(), {}, [&](pg::Tx& tx) -> absl::Status {
        for (const auto& row : tx.RunText(
                 "SELECT e.ticket_id, e.version, e.type, e.actor, coalesce(e.body->>'agent', ''), "
                 "e.state_after FROM ledger.ticket t JOIN ledger.ticket_event e ON e.part = t.part "
                 "AND e.ticket_id = t.id WHERE t.flow_id = $1 ORDER BY t.number, e.version",
                 {pg::ToParam(tickets[0]->flow)})) {
          Seen seen;
          seen.ticket = row[0].as<std::string>();
          seen.version = row[1].as<int64_t>();
          seen.type = row[2].as<std::string>();
          seen.actor = row[3].as<std::string>();
          seen.agent = row[4].as<std::string>();
          seen.state = row[5].as<std::string>();
          const auto known = prepared.find(seen.ticket);
          seen.prepared = known != prepared.end() && seen.version <= known->second;
          seen.now = known == prepared.end() || seen.version >= known->second;
          std::string& holder = holders[seen.ticket];
          const bool held =
              seen.state == "ASSIGNED" || seen.state == "IN_PROGRESS" || seen.state == "WAITING";
          if (!held) {
            holder.clear();
          } else if (seen.type == "assigned" || seen.type == "transferred" ||
                     seen.type == "sent_back" || seen.type == "resumed") {
            holder = seen.agent;
          }
          seen.holder = holder;
          events.push_back(std::move(seen));
        }
        return absl::OkStatus();
      });
  if (!status.ok()) std::abort();
  return events;
}

std::string Role(const Case& each, const std::string& agent) {
  if (agent == each.anna) return " anna";
  if (agent == each.boris) return " boris";
  return agent;
}

void Describe(World& world, const std::vector<const Case*>& tickets, Outcome* outcome) {
  outcome->events = EventsOf(world, tickets);
  std::map<std::string, std::string> labels;
  for (size_t i = 0; i < tickets.size(); ++i) {
    labels[tickets[i]->ticket] = tickets.size() == 1 ? "T" : absl::StrCat("T", i + 1);
  }
  int born = 0;
  std::map<std::string, std::string> ends;
  for (const Seen& seen : outcome->events) {
    std::string& label = labels[seen.ticket];
    if (label.empty()) label = absl::StrCat("N", ++born);
    ends[label] = absl::StrCat(label, " ", seen.state, Role(*tickets[0], seen.holder));
    if (!seen.prepared) {
      outcome->history.push_back(
          absl::StrCat(label, " ", seen.type, Role(*tickets[0], seen.agent)));
    }
  }
  std::vector<std::string> all;
  for (const auto& [label, end] : ends) all.push_back(end);
  outcome->end = absl::StrJoin(all, ", ");
}

Answer RunIn(Replica& replica, const Actor& actor, int stop) {
  replica.gate().Begin(stop);
  Answer answer = actor.run(replica);
  replica.gate().End();
  return answer;
}

// An answer that says no more than that the work is left to the next turn fits any order. Of
// several things that stand in a call's way it may be told any; whether what it is told was true,
// NotTrue looks at.
bool Fits(const Answer& given, const Answer& serial) {
  if (given.Nothing() || given.Text() == serial.Text()) return true;
  return !given.status.ok() && !serial.status.ok() && !given.reason.empty() &&
         !serial.reason.empty();
}

std::vector<std::string> Sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  return list;
}

bool Same(const Outcome& outcome, const Outcome& serial) {
  if (!Fits(outcome.a, serial.a) || !Fits(outcome.b, serial.b)) return false;
  if (outcome.end != serial.end) return false;
  const bool late =
      (outcome.a.Nothing() && !serial.a.Nothing()) || (outcome.b.Nothing() && !serial.b.Nothing());
  // A loop that acts a turn later changes the order of events, not what they come to.
  return late ? Sorted(outcome.history) == Sorted(serial.history)
              : outcome.history == serial.history;
}

// Whether what a refusal says held at some moment while the two ran; `other` is who else did
// something then.
bool WasSo(const Answer& answer, const Actor& actor, const Actor& other, const Outcome& outcome) {
  const auto said = [&](const char* key) {
    const auto found = answer.metadata.find(key);
    return found == answer.metadata.end() ? std::string() : found->second;
  };
  const auto ever = [&](const std::function<bool(const Seen&)>& holds) {
    return std::any_of(outcome.events.begin(), outcome.events.end(),
                       [&](const Seen& seen) { return seen.now && holds(seen); });
  };
  const auto of_it = [&](const Seen& seen) { return seen.ticket == actor.ticket; };
  const auto came_from = [&](const char* name) { return actor.name == name || other.name == name; };
  if (answer.reason == "ILLEGAL_MOVE") {
    const std::string state = said("state");
    return !absl::StrContains(said("allowed_states"), state) &&
           ever([&](const Seen& seen) { return of_it(seen) && seen.state == state; });
  }
  if (answer.reason == "ALREADY_TAKEN") {
    return ever([&](const Seen& seen) {
      return of_it(seen) && said("assignee") == absl::StrCat("employees/", seen.holder);
    });
  }
  if (answer.reason == "NOT_YOURS") {
    return actor.principal != "users/petrov" && ever([&](const Seen& seen) {
             return of_it(seen) && actor.principal != absl::StrCat("users/", seen.holder);
           });
  }
  if (answer.reason == "AGENT_AT_CAP") {
    return said("active") == said("max_active") && said("max_active") != "0" &&
           ever([&](const Seen& seen) { return seen.holder == said("agent"); });
  }
  if (answer.reason == "NOT_ELIGIBLE") {
    if (said("why") == "ON_LEAVE") return came_from("leave");
    if (said("why") == "NOT_A_MEMBER") return came_from("leave the team");
    return said("why") == "DECLINED" &&
           ever([&](const Seen& seen) { return of_it(seen) && seen.type == "declined"; });
  }
  // A pick sees the team as it is, and so does who takes somebody out of it for the second time.
  if (answer.reason == "TICKET_NOT_VISIBLE" || answer.reason == "NOT_FOUND") {
    return other.name == "leave the team";
  }
  // Anything else tells of trouble that is none of the caller's.
  return false;
}

std::string Untrue(const Answer& answer, const Actor& actor, const Actor& other,
                   const Outcome& outcome) {
  const auto say = [&](const std::string& what) {
    return absl::StrCat(actor.name, " was told ", answer.Text(), " ", what, "; ");
  };
  if (!answer.did.empty()) return "";
  if (!answer.status.ok()) {
    return WasSo(answer, actor, other, outcome)
               ? ""
               : say(absl::StrCat("which was never so (", answer.status.ToString(), ")"));
  }
  for (const Seen& seen : outcome.events) {
    if (seen.ticket != answer.ticket || seen.version != answer.version) continue;
    if (seen.prepared) return say("of a version that was there before");
    if (seen.actor != actor.principal) return say("of an event by " + seen.actor);
    if (seen.type != actor.event && !(actor.name == "reply" && seen.type == "commented")) {
      return say("of an event " + seen.type);
    }
    if (!answer.state.empty() && seen.state != answer.state) {
      return say(absl::StrCat("and state ", answer.state, ", but it is ", seen.state));
    }
    return "";
  }
  return say(absl::StrCat("and version ", answer.version, ", which does not exist"));
}

std::string Again(World& world, Replica& replica, const Answer& first, const Actor& actor,
                  const std::vector<const Case*>& tickets, size_t events) {
  if (!first.did.empty() || !first.status.ok()) return "";
  const Answer second = RunIn(replica, actor, 0);
  if (!second.status.ok() || second.ticket != first.ticket || second.version != first.version ||
      second.state != first.state) {
    return absl::StrCat(actor.name, " asked again: ", second.Text(), " version ", second.version,
                        " ", second.state, " instead of version ", first.version, " ", first.state,
                        "; ");
  }
  if (EventsOf(world, tickets).size() != events) return actor.name + " asked again did it again; ";
  return "";
}

}  // namespace

Actor Make(const Operation& operation, const Case& each) {
  Actor actor;
  actor.name = operation.name;
  actor.event = operation.event;
  if (operation.needs != Needs::kNothing) actor.ticket = each.ticket;
  const std::string who = operation.actor;
  actor.principal = who == "system" ? who : absl::StrCat("users/", who == "anna" ? each.anna : who);
  actor.run = [&operation, each, request_id = FreshId()](Replica& replica) {
    return operation.run(replica, each, request_id);
  };
  if (operation.loop) {
    actor.next_turn = [&operation, each](Replica& replica) { operation.next_turn(replica, each); };
  }
  return actor;
}

std::string Outcome::Text() const {
  return absl::StrCat("A: ", a.Text(), ", B: ", b.Text(), ", events: [",
                      absl::StrJoin(history, ", "), "], end: ", end);
}

Outcome Interleave(World& world, const Actor& a, const Actor& b,
                   const std::vector<const Case*>& tickets, int stop) {
  Outcome outcome;
  if (stop < 0) outcome.b = RunIn(world.b(), b, 0);
  if (stop <= 0) {
    outcome.a = RunIn(world.a(), a, 0);
    if (stop == 0) outcome.b = RunIn(world.b(), b, 0);
  } else {
    Gate& gate = world.a().gate();
    gate.Begin(stop);
    std::thread first([&] {
      outcome.a = a.run(world.a());
      gate.End();
    });
    outcome.stop = gate.WaitForStop();
    absl::Notification ended;
    std::thread second([&] {
      outcome.b = RunIn(world.b(), b, 0);
      ended.Notify();
    });
    if (outcome.stop) {
      // The signal is whichever comes first: its end, or the server's word that it waits.
      while (!ended.WaitForNotificationWithTimeout(absl::Milliseconds(1))) {
        if (!world.Blocked(world.b())) continue;
        outcome.blocked = true;
        break;
      }
      gate.Open();
    }
    first.join();
    second.join();
  }
  // Twice: what one loop gives back, the other may have to give away.
  for (int turn = 0; turn < 2; ++turn) {
    if (a.next_turn) a.next_turn(world.a());
    if (b.next_turn) b.next_turn(world.b());
  }
  Describe(world, tickets, &outcome);
  return outcome;
}

Outcome Crash(World& world, const Actor& actor, const std::vector<const Case*>& tickets, int stop,
              Death death) {
  Outcome outcome;
  Replica& replica = world.a();
  replica.Reconnect();
  Gate& gate = replica.gate();
  gate.Begin(stop);
  std::thread first([&] {
    outcome.a = actor.run(replica);
    gate.End();
  });
  outcome.stop = gate.WaitForStop();
  if (outcome.stop && death == Death::kOfTheAnswer) {
    world.HoldAnswers();
    gate.Open();
    world.LoseAnswers(replica);
  } else if (outcome.stop) {
    world.KillConnections(replica);
    if (death == Death::kForGood) gate.Cut();
    gate.Open();
  }
  first.join();
  outcome.b = RunIn(world.b(), actor, 0);
  if (actor.next_turn) actor.next_turn(world.b());
  Describe(world, tickets, &outcome);
  return outcome;
}

std::string NotSerial(const Outcome& outcome, const Outcome& a_first, const Outcome& b_first) {
  if (Same(outcome, a_first) || Same(outcome, b_first)) return "";
  return absl::StrCat("neither order leads to it\n  got      ", outcome.Text(), "\n  A first  ",
                      a_first.Text(), "\n  B first  ", b_first.Text());
}

std::string NotTrue(const Outcome& outcome, const Actor& a, const Actor& b) {
  return Untrue(outcome.a, a, b, outcome) + Untrue(outcome.b, b, a, outcome);
}

std::string NotReplayed(World& world, const Outcome& outcome, const Actor& a, const Actor& b,
                        const std::vector<const Case*>& tickets) {
  const size_t events = outcome.events.size();
  return Again(world, world.b(), outcome.a, a, tickets, events) +
         Again(world, world.a(), outcome.b, b, tickets, events);
}

}  // namespace potok::interleaving
