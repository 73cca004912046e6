// The work behind potok.sla_timer.v1.SlaTimerService: explaining promises. Knows no transport:
// SlaTimerRpc brings the calls, tests call it directly. Thread-safe; may block.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "desk/ticket/decide.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/page_token.h"
#include "potok/sla_timer/v1/sla_timer.pb.h"
#include "sla-timer/store/timer_reads.h"

namespace potok::sla_timer {

class Clocks {
 public:
  // Everything outlives it.
  Clocks(pg::Pool& pool, ledger::Reference& reference, const rpc::PageTokens& page_tokens,
         const Clock& clock)
      : store_(pool), reference_(reference), page_tokens_(page_tokens), clock_(clock) {}

  // Whoever may see the ticket may see its clock: PERMISSION_DENIED otherwise.
  absl::StatusOr<v1::Clock> GetClock(const CallContext& call,
                                     const v1::GetClockRequest& request) const;
  absl::StatusOr<v1::PreviewPromiseResponse> Preview(
      const CallContext& call, const v1::PreviewPromiseRequest& request) const;
  absl::StatusOr<v1::ListTimersResponse> ListTimers(const CallContext& call,
                                                    const v1::ListTimersRequest& request) const;
  absl::StatusOr<v1::TimerStats> Stats(const CallContext& call,
                                       const v1::GetTimerStatsRequest& request) const;

 private:
  // What a promise is made by, kept alive together with the snapshot it points into.
  struct Terms {
    std::shared_ptr<const ledger::ReferenceSnapshot> reference;
    desk::Facts facts;
  };
  // Version 0: the latest one.
  absl::StatusOr<Terms> TermsOf(const std::string& flow_id, int version) const;

  const TimerReads store_;
  ledger::Reference& reference_;
  const rpc::PageTokens& page_tokens_;
  const Clock& clock_;
};

}  // namespace potok::sla_timer
