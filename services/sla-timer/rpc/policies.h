// The work behind potok.sla_timer.v1.SlaPolicyService. Knows no transport: SlaPolicyRpc brings the
// calls, tests call it directly. Thread-safe; may block.
//
// What a new version does to clocks that run: nothing. They keep the term they were given; what is
// decided later (a reopening, another priority, the steps after a breach) takes the version in
// force then. Recomputing running clocks would be one more event type, decided like any other;
// nothing here would have to change for it.
#pragma once

#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/page_token.h"
#include "potok/sla_timer/v1/sla_policy.pb.h"
#include "sla-timer/store/definitions.h"

namespace potok::sla_timer {

class Policies {
 public:
  // Everything outlives it.
  Policies(pg::Pool& pool, ledger::Reference& reference, const rpc::PageTokens& page_tokens,
           const Clock& clock)
      : pool_(pool),
        store_(pool),
        reference_(reference),
        page_tokens_(page_tokens),
        clock_(clock) {}

  // Changes are idempotent by request_id.
  absl::StatusOr<v1::SlaPolicy> Create(const CallContext& call,
                                       const v1::CreateSlaPolicyRequest& request) const;
  absl::StatusOr<v1::SlaPolicy> Get(const CallContext& call,
                                    const v1::GetSlaPolicyRequest& request) const;
  absl::StatusOr<v1::ListSlaPoliciesResponse> List(const CallContext& call,
                                                   const v1::ListSlaPoliciesRequest& request) const;
  // A change that changes nothing publishes no version.
  absl::StatusOr<v1::SlaPolicy> Update(const CallContext& call,
                                       const v1::UpdateSlaPolicyRequest& request) const;

 private:
  absl::Status CheckCalendar(const std::string& calendar_id) const;
  absl::StatusOr<PublishedPolicy> Changed(const v1::UpdateSlaPolicyRequest& request,
                                          const PublishedPolicy& stored) const;

  pg::Pool& pool_;
  const Definitions store_;
  ledger::Reference& reference_;
  const rpc::PageTokens& page_tokens_;
  const Clock& clock_;
};

}  // namespace potok::sla_timer
