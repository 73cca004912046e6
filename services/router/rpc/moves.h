// The work behind the calls that move a ticket by hand. Knows no transport. Thread-safe; may block.
//
// Eligibility is looked at before the command, the cap and the state under the command's own locks:
// one who goes away in between is treated as if they had gone a moment later, while a cap or a
// second winner is impossible.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "desk/ticket/command.h"
#include "ledger/ledger.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/obs/metrics.h"
#include "platform/pg/pool.h"
#include "potok/router/v1/router.pb.h"
#include "router/domain/flow_bell.h"
#include "router/domain/team_facts.h"

namespace potok::router {

// What the calls stand on; everything outlives them.
struct MoveParts {
  pg::Pool& pool;
  ledger::Ledger& ledger;
  ledger::Reference& reference;
  const Clock& clock;
  FlowBell& bell;
  obs::Metrics& metrics;
  std::function<void()> on_commit;  // Of commits that do not go through the ledger's batcher.
};

class Moves {
 public:
  explicit Moves(MoveParts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<v1::Placement> Assign(const CallContext& call,
                                       const v1::AssignTicketRequest& q) const;
  absl::StatusOr<v1::Placement> Claim(const CallContext& call,
                                      const v1::ClaimTicketRequest& q) const;
  absl::StatusOr<v1::Placement> ClaimNext(const CallContext& call,
                                          const v1::ClaimNextRequest& q) const;
  absl::StatusOr<v1::Placement> Decline(const CallContext& call,
                                        const v1::DeclineTicketRequest& q) const;
  absl::StatusOr<v1::Placement> Return(const CallContext& call,
                                       const v1::ReturnTicketRequest& q) const;
  absl::StatusOr<v1::Placement> Transfer(const CallContext& call,
                                         const v1::TransferTicketRequest& q) const;
  absl::StatusOr<v1::Placement> EscalateLine(const CallContext& call,
                                             const v1::EscalateLineRequest& q) const;

 private:
  // A ticket and one member of its flow, as they were a moment ago.
  struct Seen {
    std::optional<desk::Ticket> ticket;
    std::optional<desk::Candidate> agent;  // None: no member of the flow.
    desk::FlowRouting routing;
    int lines = 1;
  };

  template <class Request>
  absl::StatusOr<desk::Command> CommandOf(const CallContext& call, const Request& request,
                                          desk::Action action) const;
  absl::StatusOr<Seen> Look(const CallContext& call, const std::string& ticket,
                            const std::string& agent) const;
  // OK when the member may take the ticket. By hand one may give a ticket back to who declined it.
  absl::Status CheckTarget(const Seen& seen, const std::string& agent, bool by_hand) const;
  // Executes, unless `refusal` stands; a call that was answered before is answered again whatever
  // has changed.
  absl::StatusOr<v1::Placement> Execute(const CallContext& call, desk::Command command,
                                        const absl::Status& refusal, absl::string_view how) const;
  absl::StatusOr<bool> WasAnswered(const CallContext& call, const desk::Command& command) const;
  // One try of ClaimNext; nullopt when others took everything it had looked at.
  absl::StatusOr<std::optional<ledger::Outcome>> TryClaimNext(const CallContext& call,
                                                              const desk::Flow& flow,
                                                              desk::Command command) const;
  void Count(absl::string_view how) const;

  const MoveParts parts_;
};

}  // namespace potok::router
