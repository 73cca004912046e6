#include "sla-timer/rpc/clocks.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/access/visibility.h"
#include "desk/ticket/refusal.h"
#include "sla-timer/domain/clock_story.h"
#include "sla-timer/rpc/convert_clock.h"
#include "sla-timer/rpc/refusals.h"
#include "sla-timer/rpc/wire.h"

namespace potok::sla_timer {
namespace {

// Of MEDIUM urgency and impact.
constexpr int kUsualPriority = 3;

std::string ToText(const TimerPlace& place) {
  return absl::StrCat(absl::ToUnixMicros(place.due_at), "|", place.kind, "|", place.gen);
}

absl::StatusOr<TimerPlace> PlaceFromText(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '|');
  TimerPlace place;
  int64_t micros = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &micros) ||
      !absl::SimpleAtoi(parts[2], &place.gen)) {
    return absl::InternalError("unreadable page token");
  }
  place.due_at = absl::FromUnixMicros(micros);
  place.kind = parts[1];
  return place;
}

absl::Status NotThen(const char* en, const char* ru) { return BadField("as_of_time", en, ru); }

}  // namespace

absl::StatusOr<Clocks::Terms> Clocks::TermsOf(const std::string& flow_id, int version) const {
  for (const bool refreshed : {false, true}) {
    // A name nobody knows may have been written a moment ago by another process: look once more.
    if (refreshed) POTOK_RETURN_IF_ERROR(reference_.Refresh());
    Terms terms{reference_.Snapshot(), {}};
    terms.facts.flow = version == 0 ? terms.reference->Flow(flow_id)
                                    : terms.reference->FlowVersion(flow_id, version);
    if (terms.facts.flow == nullptr) continue;
    terms.facts.policy = terms.reference->PolicyOf(*terms.facts.flow);
    if (terms.facts.policy == nullptr) continue;
    terms.facts.calendar = terms.reference->CalendarOf(*terms.facts.policy);
    if (terms.facts.calendar != nullptr) return terms;
  }
  if (reference_.Snapshot()->Flow(flow_id) == nullptr) return NoSuchFlow(flow_id);
  return ReferenceNotReady(flow_id);
}

absl::StatusOr<v1::Clock> Clocks::GetClock(const CallContext& call,
                                           const v1::GetClockRequest& request) const {
  const std::string id = IdOf("tickets", request.name());
  const desk::Viewer viewer = reference_.Snapshot()->ViewerOf(call.caller);
  POTOK_ASSIGN_OR_RETURN(const std::optional<TicketHistory> history,
                         store_.History(id, call.deadline));
  if (!history) return NoSuchTicket(viewer, id);
  const desk::Ticket& ticket = history->ticket;
  if (!desk::RelationOf(viewer, ticket).sees) return desk::Hidden();
  // Another replica's clock may be microseconds ahead of ours; the story has its latest event all
  // the same.
  const absl::Time now = std::max(clock_.Now(), ticket.updated_at);
  absl::Time at = now;
  if (request.has_as_of_time()) {
    POTOK_ASSIGN_OR_RETURN(at, TimeFromWire("as_of_time", request.as_of_time()));
    if (at > now) {
      return NotThen("must not be in the future; leave it out for now",
                     "не может быть в будущем; не указывайте его, чтобы узнать о текущем моменте");
    }
    if (at < ticket.created_at) {
      return NotThen("must not be before the ticket was filed",
                     "не может быть раньше подачи заявки");
    }
  }
  POTOK_ASSIGN_OR_RETURN(const Terms terms, TermsOf(ticket.flow_id, ticket.flow_version));
  const ClockStory story = TellClock(ticket, history->events, terms.facts, at);
  return ToWire(story, *terms.facts.policy, *terms.facts.calendar, at, history->parked);
}

absl::StatusOr<v1::PreviewPromiseResponse> Clocks::Preview(
    const CallContext&, const v1::PreviewPromiseRequest& request) const {
  POTOK_ASSIGN_OR_RETURN(const Terms terms, TermsOf(IdOf("flows", request.flow()), 0));
  const desk::Facts& facts = terms.facts;
  absl::Time at = clock_.Now();
  if (request.has_create_time()) {
    POTOK_ASSIGN_OR_RETURN(at, TimeFromWire("create_time", request.create_time()));
  }
  int priority = request.priority() == 0 ? kUsualPriority : request.priority();
  // As filing does: being needed today is one step more urgent.
  if (request.needed_today()) priority = std::max(desk::kHighestPriority, priority - 1);

  v1::PreviewPromiseResponse response;
  if (const auto first = facts.policy->FirstResponseTerm(priority, *facts.calendar)) {
    SetTimestamp(facts.calendar->Add(at, *first), response.mutable_first_response_due_time());
  }
  const std::optional<absl::Duration> term =
      facts.policy->ResolutionTerm(priority, request.needed_today(), *facts.calendar);
  if (!term) return response;
  const absl::Time due = *desk::StartClock(*facts.calendar, at, term).due_at;
  if (due >= facts.calendar->end() || at < facts.calendar->begin()) {
    return CalendarExhausted(facts.calendar->definition().id);
  }
  SetDuration(*term, response.mutable_term());
  SetTimestamp(due, response.mutable_due_time());
  ToWire(facts.calendar->Explain(at, due), response.mutable_spans());
  return response;
}

absl::StatusOr<v1::ListTimersResponse> Clocks::ListTimers(
    const CallContext& call, const v1::ListTimersRequest& request) const {
  const std::string id = IdOf("tickets", request.parent());
  const desk::Viewer viewer = reference_.Snapshot()->ViewerOf(call.caller);
  POTOK_ASSIGN_OR_RETURN(const std::optional<desk::Ticket> ticket,
                         store_.Ticket(id, call.deadline));
  if (!ticket) return NoSuchTicket(viewer, id);
  if (!desk::RelationOf(viewer, *ticket).sees) return desk::Hidden();
  TimerPlace after;
  if (!request.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(
        const std::string text,
        page_tokens_.Open(request.page_token(), request.parent(), TokenTime(clock_)));
    POTOK_ASSIGN_OR_RETURN(after, PlaceFromText(text));
  }
  const int size = request.page_size() == 0 ? 50 : request.page_size();
  POTOK_ASSIGN_OR_RETURN(const std::vector<TimerLine> lines,
                         store_.Timers(*ticket, after, size + 1, call.deadline));
  v1::ListTimersResponse response;
  for (const TimerLine& line : lines) {
    if (response.timers_size() == size) {
      const TimerLine& last = lines[size - 1];
      response.set_next_page_token(
          page_tokens_.Seal(ToText({last.due_at, std::string(desk::Name(last.kind)), last.gen}),
                            request.parent(), TokenTime(clock_)));
      break;
    }
    *response.add_timers() = ToWire(id, line);
  }
  return response;
}

absl::StatusOr<v1::TimerStats> Clocks::Stats(const CallContext& call,
                                             const v1::GetTimerStatsRequest&) const {
  POTOK_ASSIGN_OR_RETURN(const TimerFigures figures, store_.Figures(call.deadline));
  return ToWire(figures);
}

}  // namespace potok::sla_timer
