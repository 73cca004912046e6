// Between a calendar of the desk and one on the wire. Pure, thread-safe.
#pragma once

#include "absl/status/statusor.h"

#include "desk/calendar/definition.h"
#include "potok/sla_timer/v1/calendar.pb.h"
#include "sla-timer/store/definitions.h"

namespace potok::sla_timer {

// The definition a request asks for: its template with what differs, or by hand. Checked;
// violations name the fields of the request. NOT_FOUND / TEMPLATE_NOT_FOUND for an unknown
// template.
absl::StatusOr<desk::CalendarDefinition> CalendarFromWire(const v1::CreateCalendarRequest& request);

v1::Calendar ToWire(const PublishedCalendar& calendar, bool with_exceptions);

}  // namespace potok::sla_timer
