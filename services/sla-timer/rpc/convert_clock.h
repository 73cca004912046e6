// A ticket's clock, its spans and timers on the wire. Pure, thread-safe.
#pragma once

#include <google/protobuf/repeated_field.h>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "desk/calendar/calendar.h"
#include "desk/sla/policy.h"
#include "potok/sla_timer/v1/sla_timer.pb.h"
#include "sla-timer/domain/clock_story.h"
#include "sla-timer/store/timer_reads.h"

namespace potok::sla_timer {

// More spans than this are not sent; about a year of working days.
inline constexpr size_t kMostSpans = 2000;

v1::Clock ToWire(const ClockStory& story, const desk::SlaPolicy& policy,
                 const desk::Calendar& calendar, absl::Time at,
                 const std::vector<std::pair<desk::TimerKind, int>>& parked);
void ToWire(const std::vector<desk::CountedSpan>& spans,
            google::protobuf::RepeatedPtrField<v1::Span>* out);
v1::Timer ToWire(const std::string& ticket_id, const TimerLine& line);
v1::TimerStats ToWire(const TimerFigures& figures);

}  // namespace potok::sla_timer
