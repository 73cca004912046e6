#include "router/domain/team_facts.h"

namespace potok::router {

std::string PresenceAt(const std::string& said, std::optional<absl::Time> until, absl::Time now) {
  return until.has_value() && *until <= now ? kOffline : said;
}

desk::Candidate CandidateOf(const MemberFacts& member, const desk::Calendar* hours,
                            absl::Time now) {
  desk::Candidate candidate;
  candidate.employee = member.employee;
  candidate.line = member.line;
  candidate.presence = PresenceAt(member.presence, member.until, now);
  candidate.present = candidate.presence == kOnline;
  candidate.on_leave = member.on_leave;
  candidate.in_working_hours = hours == nullptr || hours->IsWorking(now);
  candidate.active = member.active.value_or(0);
  // Without a load row there is nothing to lock, so nothing may be given.
  candidate.cap = member.cap.value_or(0);
  candidate.total_active = member.total_active;
  candidate.total_cap = member.total_cap;
  candidate.skills = member.skills;
  candidate.languages = member.languages;
  return candidate;
}

desk::FlowRouting RoutingOf(const desk::Flow& flow) {
  desk::FlowRouting routing;
  routing.flow = flow.id;
  routing.mode = flow.mode;
  routing.working_hours_only = flow.options.working_hours_only;
  return routing;
}

desk::WaitingTicket WaitingOf(const desk::Ticket& ticket) {
  desk::WaitingTicket waiting;
  waiting.id = ticket.id;
  waiting.number = ticket.number;
  waiting.line = ticket.line;
  waiting.priority = ticket.priority;
  waiting.queued_at = ticket.queued_at.value_or(ticket.updated_at);
  waiting.queued_seq = ticket.queued_seq;
  waiting.front = ticket.queue_front;
  waiting.excluded = ticket.excluded;
  if (ticket.queue_front) waiting.sticky_agent = ticket.sticky_agent;
  return waiting;
}

bool IsAvailable(const desk::Candidate& candidate, const desk::FlowRouting& flow) {
  desk::WaitingTicket any;
  any.line = candidate.line;
  return !desk::CheckEligible(candidate, any, flow).has_value();
}

bool AssignsByItself(desk::DistributionMode mode) {
  return mode == desk::DistributionMode::kRoundRobin ||
         mode == desk::DistributionMode::kLeastLoaded || mode == desk::DistributionMode::kRules;
}

std::vector<desk::QueueReason> ReasonsOf(const std::vector<QueueProfile>& profiles,
                                         const desk::FlowRouting& flow,
                                         const std::vector<desk::Candidate>& candidates,
                                         absl::Time now) {
  std::vector<desk::QueueReason> reasons;
  for (const QueueProfile& profile : profiles) {
    desk::WaitingTicket ticket;
    ticket.line = profile.line;
    ticket.excluded = profile.excluded;
    ticket.queued_at = now;
    // Each on its own: in one plan an earlier profile would take the slot a later one is asked
    // about.
    reasons.push_back(
        desk::MakePlan(flow, desk::Cursor{}, candidates, {ticket}, now).decisions[0].queue_reason);
  }
  return reasons;
}

}  // namespace potok::router
