#include "sla-timer/rpc/convert_clock.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "sla-timer/rpc/wire.h"

namespace potok::sla_timer {
namespace {

v1::Timer::Kind KindToWire(desk::TimerKind kind) {
  switch (kind) {
    case desk::TimerKind::kHalf: return v1::Timer::KIND_HALF;
    case desk::TimerKind::kBreach: return v1::Timer::KIND_BREACH;
    case desk::TimerKind::kFirstResponse: return v1::Timer::KIND_FIRST_RESPONSE;
    case desk::TimerKind::kAutoClose: return v1::Timer::KIND_AUTO_CLOSE;
    case desk::TimerKind::kEscalate: return v1::Timer::KIND_ESCALATE;
  }
  return v1::Timer::KIND_UNSPECIFIED;
}

// The wire spells enums like the stored names, in capitals and with the enum's prefix.
v1::Timer::State StateToWire(const std::string& stored) {
  v1::Timer::State state = v1::Timer::STATE_UNSPECIFIED;
  v1::Timer::State_Parse(absl::StrCat("STATE_", absl::AsciiStrToUpper(stored)), &state);
  return state;
}

v1::Span::Cause CauseToWire(const std::string& cause) {
  v1::Span::Cause wire = v1::Span::CAUSE_UNSPECIFIED;
  v1::Span::Cause_Parse(absl::StrCat("CAUSE_", absl::AsciiStrToUpper(cause)), &wire);
  return wire;
}

v1::Clock::State StateToWire(ClockState state) {
  switch (state) {
    case ClockState::kNoTerm: return v1::Clock::STATE_UNSPECIFIED;
    case ClockState::kRunning: return v1::Clock::STATE_RUNNING;
    case ClockState::kPaused: return v1::Clock::STATE_PAUSED;
    case ClockState::kStopped: return v1::Clock::STATE_STOPPED;
  }
  return v1::Clock::STATE_UNSPECIFIED;
}

}  // namespace

void ToWire(const std::vector<desk::CountedSpan>& spans,
            google::protobuf::RepeatedPtrField<v1::Span>* out) {
  for (size_t i = 0; i < std::min(spans.size(), kMostSpans); ++i) {
    const desk::CountedSpan& span = spans[i];
    v1::Span* wire = out->Add();
    SetTimestamp(span.start, wire->mutable_start_time());
    SetTimestamp(span.end, wire->mutable_end_time());
    wire->set_counted(span.counted);
    wire->set_cause(CauseToWire(span.cause));
    if (span.name_ru.empty() && span.name_en.empty()) continue;
    wire->mutable_display_name()->set_ru(span.name_ru);
    wire->mutable_display_name()->set_en(span.name_en);
  }
}

v1::Timer ToWire(const std::string& ticket_id, const TimerLine& line) {
  v1::Timer wire;
  wire.set_name(absl::StrCat("tickets/", ticket_id, "/timers/", std::string(desk::Name(line.kind)),
                             "-", line.gen));
  wire.set_kind(KindToWire(line.kind));
  wire.set_generation(line.gen);
  SetTimestamp(line.due_at, wire.mutable_due_time());
  wire.set_state(StateToWire(line.state));
  if (line.fired_at) SetTimestamp(*line.fired_at, wire.mutable_fire_time());
  return wire;
}

v1::Clock ToWire(const ClockStory& story, const desk::SlaPolicy& policy,
                 const desk::Calendar& calendar, absl::Time at,
                 const std::vector<std::pair<desk::TimerKind, int>>& parked) {
  const desk::Ticket& ticket = story.ticket;
  v1::Clock wire;
  wire.set_name(absl::StrCat("tickets/", ticket.id, "/clock"));
  SetTimestamp(at, wire.mutable_as_of_time());
  wire.set_state(StateToWire(story.state));
  if (ticket.sla.term) SetDuration(*ticket.sla.term, wire.mutable_term());
  SetDuration(story.consumed, wire.mutable_consumed());
  if (story.remaining) SetDuration(*story.remaining, wire.mutable_remaining());
  SetTimestamp(story.start, wire.mutable_start_time());
  if (ticket.sla.due_at) SetTimestamp(*ticket.sla.due_at, wire.mutable_due_time());
  // The timer may be milliseconds from saying so.
  const bool ran_out =
      story.state == ClockState::kRunning && ticket.sla.due_at && *ticket.sla.due_at <= at;
  if (ticket.breached_at || ran_out) {
    SetTimestamp(ticket.breached_at.value_or(ticket.sla.due_at.value_or(at)),
                 wire.mutable_breach_time());
  }
  wire.set_generation(ticket.sla.gen);
  wire.set_sla_policy(absl::StrCat("slaPolicies/", policy.id));
  wire.set_calendar(absl::StrCat("calendars/", calendar.definition().id));
  wire.set_calendar_version(calendar.definition().version);
  ToWire(story.spans, wire.mutable_spans());
  for (const ClockTimer& timer : story.timers) {
    const bool given_up =
        !timer.fired_at && std::find(parked.begin(), parked.end(),
                                     std::pair(timer.timer.kind, timer.timer.gen)) != parked.end();
    *wire.add_timers() = ToWire(ticket.id, {timer.timer.kind, timer.timer.gen, timer.timer.due_at,
                                            timer.fired_at ? "fired"
                                            : given_up     ? "parked"
                                                           : "armed",
                                            timer.fired_at});
  }
  return wire;
}

v1::TimerStats ToWire(const TimerFigures& figures) {
  v1::TimerStats wire;
  int64_t overdue = 0;
  for (const TimerFigures::Kind& kind : figures.kinds) {
    v1::TimerStats::KindStats* out = wire.add_kinds();
    out->set_kind(KindToWire(kind.kind));
    out->set_armed_count(kind.armed);
    out->set_fired_count(kind.fired);
    overdue += kind.overdue;
  }
  wire.set_overdue_count(overdue);
  if (figures.late_p50) SetDuration(*figures.late_p50, wire.mutable_lateness_p50());
  if (figures.late_p99) SetDuration(*figures.late_p99, wire.mutable_lateness_p99());
  if (figures.late_most) SetDuration(*figures.late_most, wire.mutable_lateness_max());
  wire.set_early_count(figures.early);
  return wire;
}

}  // namespace potok::sla_timer
