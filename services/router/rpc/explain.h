// The work behind the reading calls of RouterService: queues, loads, and why a ticket is where it
// is. Knows no transport. Thread-safe; may block.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/page_token.h"
#include "potok/router/v1/router.pb.h"
#include "router/domain/decision_text.h"

namespace potok::router {

class Explain {
 public:
  // Everything outlives it.
  Explain(pg::Pool& pool, ledger::Reference& reference, const rpc::PageTokens& page_tokens,
          const Clock& clock)
      : pool_(pool), reference_(reference), page_tokens_(page_tokens), clock_(clock) {}

  // Stored decisions newest first, those by hand among them; for a queued ticket the decision as it
  // would be made now comes first, so that "why does nobody take it" has an answer at any moment.
  absl::StatusOr<v1::ExplainAssignmentResponse> Assignment(
      const CallContext& call, const v1::ExplainAssignmentRequest& q) const;
  absl::StatusOr<v1::ListQueueResponse> Queue(const CallContext& call,
                                              const v1::ListQueueRequest& q) const;
  absl::StatusOr<v1::ListAgentLoadsResponse> Loads(const CallContext& call,
                                                   const v1::ListAgentLoadsRequest& q) const;

 private:
  // The flow, for those who belong to it; NOT_FOUND or PERMISSION_DENIED for others.
  absl::StatusOr<const desk::Flow*> FlowFor(const CallContext& call,
                                            const ledger::ReferenceSnapshot& reference,
                                            const std::string& id) const;

  pg::Pool& pool_;
  ledger::Reference& reference_;
  const rpc::PageTokens& page_tokens_;
  const Clock& clock_;
};

// Shows names of the directory.
NameOf NamesFrom(std::shared_ptr<const ledger::ReferenceSnapshot> reference);

}  // namespace potok::router
