// What a routing pass and the sweeps read and write. Every function works inside the caller's
// transaction and throws pqxx; statements stand in store/sql.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "desk/routing/plan.h"
#include "ledger/reference.h"
#include "platform/pg/transaction.h"
#include "router/domain/decision_codec.h"
#include "router/domain/team_facts.h"

namespace potok::router {

struct PendingMove {
  std::string ticket;
  std::string holder;  // Empty for a queued one.
};
struct LockedFlow {
  desk::Cursor cursor;
  // Line moves that escalations asked for, as they stood when the lock was asked for.
  std::vector<PendingMove> moves;
};
// Locks the ring of a flow, making it when it is new: the first lock of a pass. With it come at
// most `limit` moves.
LockedFlow LockFlow(pg::Tx& tx, const std::string& flow, int limit);

// The team of a flow, ordered by employee bytes; only `employee` when given. `own_cap` is the
// flow's max_active.
std::vector<MemberFacts> ReadTeam(pg::Tx& tx, const std::string& flow, int own_cap, absl::Time now,
                                  const std::optional<std::string>& employee = std::nullopt);
// The team as candidates at `now`, each by the calendar of their own working hours or else of the
// flow's policy.
std::vector<desk::Candidate> CandidatesOf(const ledger::ReferenceSnapshot& reference,
                                          const desk::Flow& flow,
                                          const std::vector<MemberFacts>& team, absl::Time now);
// Makes load rows follow the definition. Locks those it changes, ascending.
void AlignCaps(pg::Tx& tx, const std::string& flow, int own_cap);

// The first tickets that one of `available` could take, in the policy's order. Nothing is locked.
std::vector<desk::WaitingTicket> ReadQueueHead(pg::Tx& tx, const desk::FlowRouting& flow,
                                               const std::vector<desk::Candidate>& available,
                                               absl::Time now, int limit);

// A reason among those of a flow; by itself, before all of them.
struct ReasonKey {
  int part = -1;
  std::string ticket = "00000000-0000-0000-0000-000000000000";
};
struct ReasonPage {
  int reasons = 0;  // looked at
  ReasonKey last;   // of them
  int dropped = 0;  // of them: their tickets have left the queue
  int tickets = 0;  // looked at
  absl::Time oldest;
  std::vector<QueueProfile> profiles;  // of those tickets
};
// Forgets the reasons, among `limit` after `after`, of tickets that have left the queue; what makes
// the `limit` youngest tickets differ that were queued at `until` or before.
ReasonPage ReadReasonPage(pg::Tx& tx, const std::string& flow, const ReasonKey& after,
                          std::optional<absl::Time> until, int limit);
struct QueuedBetween {
  absl::Time from;
  std::optional<absl::Time> until;  // both included
};
// Stores the reasons that changed; the number of tickets they belong to. kReady is not stored: it
// does not last.
int WriteReasons(pg::Tx& tx, const std::string& flow, const std::vector<QueueProfile>& profiles,
                 const std::vector<desk::QueueReason>& reasons, absl::Time now,
                 const QueuedBetween& which);

struct Unexplained {
  int tickets = 0;                     // looked at
  std::optional<absl::Time> oldest;    // of them
  std::optional<absl::Time> youngest;  // of those that have no reason
};
// Among the `limit` youngest tickets of the flow that were queued from `from` to `until`.
Unexplained ReadUnexplained(pg::Tx& tx, const std::string& flow, std::optional<absl::Time> until,
                            std::optional<absl::Time> from, int limit);

struct MadeDecision {
  int part = 0;
  int64_t version = 0;  // Of the event it made.
  int flow_version = 1;
  StoredDecision stored;
};
// Stores what a pass leaves: the ring of the flow and its decisions.
void RecordPass(pg::Tx& tx, const std::string& flow, const desk::Cursor& cursor,
                const std::vector<MadeDecision>& made);

struct FlowQueue {
  std::string flow;
  std::optional<absl::Time> oldest;  // In the queue since.
};
std::vector<FlowQueue> ReadFlowsToVisit(pg::Tx& tx);
// In all flows; costs as much as there are.
int64_t CountWaiting(pg::Tx& tx);
// Flows of the tickets (parts[i], ids[i]) in which somebody waits.
std::vector<std::string> ReadFlowsOfTickets(pg::Tx& tx, const std::vector<int>& parts,
                                            const std::vector<std::string>& ids);

// An agent who holds work in a flow and cannot do it.
struct LeftHolder {
  std::string agent;
  std::string flow;
};
std::vector<LeftHolder> ReadLeftHolders(pg::Tx& tx, absl::Time now);
std::vector<std::string> ReadHeldTickets(pg::Tx& tx, const LeftHolder& holder, int limit);

}  // namespace potok::router
