#include "sla-timer/rpc/calendars.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "ledger/reference_idem.h"
#include "ledger/reference_write.h"
#include "sla-timer/rpc/convert_calendar.h"
#include "sla-timer/rpc/refusals.h"
#include "sla-timer/rpc/wire.h"

namespace potok::sla_timer {

absl::StatusOr<v1::Calendar> Calendars::Create(const CallContext& call,
                                               const v1::CreateCalendarRequest& request) const {
  // Judged before the transaction, answered inside it: a repeat gets its first answer whatever has
  // become of the templates since.
  const absl::StatusOr<desk::CalendarDefinition> draft = CalendarFromWire(request);
  const absl::Time now = clock_.Now();
  POTOK_ASSIGN_OR_RETURN(v1::Calendar made,
                         ledger::WriteOnce<v1::Calendar>(
                             pool_, call, request, [&](pg::Tx& tx) -> absl::StatusOr<v1::Calendar> {
                               POTOK_RETURN_IF_ERROR(draft.status());
                               if (!Publish(tx, *draft, call.caller.principal, now)) {
                                 return IdTaken("calendars", draft->id);
                               }
                               ledger::BumpEpoch(tx, ledger::kCalendarKind);
                               return ToWire({*draft, now, now}, /*with_exceptions=*/true);
                             }));
  CatchUp(reference_);
  return made;
}

absl::StatusOr<v1::Calendar> Calendars::Get(const CallContext& call,
                                            const v1::GetCalendarRequest& request) const {
  const std::string id = IdOf("calendars", request.name());
  POTOK_ASSIGN_OR_RETURN(const std::optional<PublishedCalendar> found,
                         store_.Calendar(id, call.deadline));
  if (!found) return NoSuchCalendar(id);
  return ToWire(*found, /*with_exceptions=*/true);
}

absl::StatusOr<v1::ListCalendarsResponse> Calendars::List(
    const CallContext& call, const v1::ListCalendarsRequest& request) const {
  std::string after;
  if (!request.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(after,
                           page_tokens_.Open(request.page_token(), "calendars", TokenTime(clock_)));
  }
  const int size = request.page_size() == 0 ? 50 : request.page_size();
  // One more than asked for tells whether there is a next page.
  POTOK_ASSIGN_OR_RETURN(const std::vector<PublishedCalendar> found,
                         store_.Calendars(after, size + 1, call.deadline));
  v1::ListCalendarsResponse response;
  for (const PublishedCalendar& each : found) {
    if (response.calendars_size() == size) {
      response.set_next_page_token(page_tokens_.Seal(
          IdOf("calendars", response.calendars(size - 1).name()), "calendars", TokenTime(clock_)));
      break;
    }
    *response.add_calendars() = ToWire(each, /*with_exceptions=*/false);
  }
  return response;
}

}  // namespace potok::sla_timer
