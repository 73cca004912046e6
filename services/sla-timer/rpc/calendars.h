// The work behind potok.sla_timer.v1.CalendarService. Knows no transport: CalendarRpc brings the
// calls, tests call it directly. Thread-safe; may block.
#pragma once

#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/page_token.h"
#include "potok/sla_timer/v1/calendar.pb.h"
#include "sla-timer/store/definitions.h"

namespace potok::sla_timer {

class Calendars {
 public:
  // Everything outlives it.
  Calendars(pg::Pool& pool, ledger::Reference& reference, const rpc::PageTokens& page_tokens,
            const Clock& clock)
      : pool_(pool),
        store_(pool),
        reference_(reference),
        page_tokens_(page_tokens),
        clock_(clock) {}

  // Idempotent by request_id.
  absl::StatusOr<v1::Calendar> Create(const CallContext& call,
                                      const v1::CreateCalendarRequest& request) const;
  absl::StatusOr<v1::Calendar> Get(const CallContext& call,
                                   const v1::GetCalendarRequest& request) const;
  absl::StatusOr<v1::ListCalendarsResponse> List(const CallContext& call,
                                                 const v1::ListCalendarsRequest& request) const;

 private:
  pg::Pool& pool_;
  const Definitions store_;
  ledger::Reference& reference_;
  const rpc::PageTokens& page_tokens_;
  const Clock& clock_;
};

}  // namespace potok::sla_timer
