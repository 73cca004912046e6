// Two replicas of every service that changes tickets, on one database, each with connections of its
// own and a gate before its statements. What they run is what the services run: intake's calls over
// a socket, the router's passes, sweeps and moves, the firing of timers.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "chaos/link.h"
#include "desk/ticket/command.h"
#include "desk/ticket/ticket.h"
#include "integration/interleaving/gate.h"
#include "ledger/ledger.h"
#include "ledger/reference.h"
#include "ledger/verify.h"
#include "platform/clock/clock.h"
#include "platform/log/lease.h"
#include "platform/obs/metrics.h"
#include "platform/testing/stack.h"
#include "potok/intake/v1/intake.grpc.pb.h"
#include "router/rpc/moves.h"
#include "router/rpc/team.h"
#include "router/work/pass.h"
#include "router/work/rehome.h"
#include "sla-timer/domain/due_timers.h"
#include "sla-timer/store/timer_firing.h"

namespace potok::interleaving {

// What a ticket must have come to before an operation on it is legal.
enum class Needs {
  kNothing,  // No ticket at all.
  kQueued,
  kAssigned,
  kInProgress,
  kWaiting,
  kResolved,
  kClosed,
  kHalfDue,       // In progress, and half of the term is over.
  kBreachDue,     // In progress, and all of it is.
  kAutoCloseDue,  // Resolved, and the requester has been silent for too long.
};

// One flow with two agents who may hold one ticket each, and a ticket. Nothing in it is shared with
// another case.
struct Case {
  std::string flow;
  std::string anna;   // Holds the ticket where somebody does; first in turn.
  std::string boris;  // Is there as well, and free.
  std::string ticket;
  int64_t version = 0;  // Of the ticket, when it was prepared.
  // What a timer loop remembers of the ticket, whatever has become of it since.
  std::map<desk::TimerKind, sla_timer::DueTimer> timers;
};

class World;

// What one process of each service holds.
class Replica {
 public:
  Replica(World& world, const std::string& name);
  ~Replica();

  Gate& gate() { return gate_; }
  const std::string& name() const { return name_; }
  World& world() { return world_; }

  intake::v1::IntakeService::Stub& intake();
  router::Pass& pass();
  router::Rehome& rehome();
  router::Team& team();
  router::Moves& moves();
  // The same by the definitions in force since a moment ago: every flow lets agents pick by
  // themselves now, and the rest of the replica has not noticed yet.
  router::Moves& moves_with_self_pick();
  sla_timer::TimerFiring& firing();

  // Every pool has living connections again.
  void Reconnect();

 private:
  struct Parts;
  World& world_;
  const std::string name_;
  Gate gate_;
  std::unique_ptr<Parts> parts_;
};

class World {
 public:
  // Prepares `cases` flows. `through_a_link`: replica a reaches the database by a connection that
  // can lose what comes back.
  explicit World(int cases, bool through_a_link = false);
  ~World();

  Replica& a() { return *a_; }
  Replica& b() { return *b_; }

  // A flow of its own, with a ticket that has come to what `needs` says.
  Case Prepare(Needs needs);
  // The same in steps: a flow, and each further ticket in it, whose holder is or was `holder`.
  Case NewFlow();
  void AddTicket(Case& each, Needs needs, const std::string& holder);

  // As superuser: the test's own look.
  testing::TestDatabase& database() { return database_; }
  std::string Query(const std::string& sql) { return database_.Query(sql); }
  // Whether a statement of the replica waits for a lock right now.
  bool Blocked(const Replica& replica);
  // Ends every connection of the replica, as the death of its process does, and waits until the
  // server has rolled back what they did.
  void KillConnections(const Replica& replica);
  // With a link: what the server says to replica a stays under way from now on; and then, once the
  // server has done what it was asked, is lost with the connections, and new ones are whole.
  void HoldAnswers();
  void LoseAnswers(const Replica& replica);
  // How a replica reaches the database as `role`.
  std::string Dsn(const std::string& replica, const std::string& role);
  // Every invariant that is broken, with examples; empty when clean.
  std::string Broken();

  FakeClock& clock() { return clock_; }
  void SetTime(absl::Time now);
  ledger::Reference& stale_reference() { return *stale_; }
  ledger::Reference& fresh_reference() { return *fresh_; }
  const std::vector<log::Held>& timer_leases() const { return leases_; }

 private:
  desk::Ticket Must(desk::Command command);
  desk::Ticket Act(const Case& each, const std::string& who, desk::Action action);

  testing::TestDatabase database_;
  std::unique_ptr<chaos::LinkHub> hub_;
  chaos::Link* link_ = nullptr;
  int64_t answered_ = 0;  // Bytes that had come through the link when answers began to be held.
  FakeClock clock_{absl::FromUnixSeconds(1794819600)};  // 2026-11-16 09:00 UTC.
  std::unique_ptr<pg::Pool> stale_pool_, own_pool_;
  std::atomic<bool> cut_{false};  // Read by the thread of `stale_`.
  std::unique_ptr<ledger::Reference> stale_, fresh_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::vector<log::Held> leases_;
  int flows_ = 0, used_ = 0, filed_ = 0;
  std::unique_ptr<Replica> a_, b_;
};

// A UUID that no other call of the process gets.
std::string FreshId();

}  // namespace potok::interleaving
