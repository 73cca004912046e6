#include "desk/ticket/decide.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/ticket/refusal.h"

namespace potok::desk {
namespace {

// Decides one command: the visitor of Action, with the facts at hand.
class Decider {
 public:
  Decider(const Facts& facts, const Ticket* ticket, const Viewer& viewer, absl::Time now)
      : facts_(facts), ticket_(ticket), viewer_(viewer), now_(now) {
    if (ticket != nullptr) relation_ = RelationOf(viewer, *ticket);
    event_.actor = viewer.principal;
    event_.at = now;
    event_.version = ticket == nullptr ? 1 : ticket->version + 1;
    if (ticket != nullptr) event_.state_after = ticket->state;
  }

  const Relation& relation() const { return relation_; }

  absl::StatusOr<Event> operator()(const CreateTicket& command) {
    event_.type = EventType::kCreated;
    const TicketOrigin& draft = command.draft;
    event_.state_after = State::kQueued;
    event_.priority = PriorityOf(draft.urgency, draft.impact, draft.needed_today);
    const std::optional<absl::Duration> term = Term(event_.priority, draft.needed_today);
    event_.sla = StartClock(*facts_.calendar, now_, term);
    if (const auto first = facts_.policy->FirstResponseTerm(event_.priority, *facts_.calendar)) {
      event_.first_response_due = facts_.calendar->Add(now_, *first);
    }
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const AssignTicket& command) {
    if (!relation_.system && !relation_.flow_admin &&
        !(command.how == "self_pick" && relation_.team)) {
      return Forbidden("assign this ticket", "the flow admin, or an agent of the flow who picks it",
                       "администратор потока или исполнитель потока, который берёт её сам");
    }
    POTOK_RETURN_IF_ERROR(Require(EventType::kAssigned));
    POTOK_RETURN_IF_ERROR(RoomFor(command.agent));
    const auto& excluded = ticket_->excluded;
    if (command.how != "manual" &&
        std::find(excluded.begin(), excluded.end(), command.agent) != excluded.end()) {
      return NotEligible(*ticket_, command.agent, "DECLINED");
    }
    event_.agent = command.agent;
    event_.how = command.how;
    event_.text = command.reason;
    event_.state_after = State::kAssigned;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const StartTicket&) {
    POTOK_RETURN_IF_ERROR(OnlyHolder("start work on this ticket"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kStarted));
    event_.state_after = State::kInProgress;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const WaitTicket& command) {
    POTOK_RETURN_IF_ERROR(OnlyHolder("ask the requester"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kWaiting));
    event_.state_after = State::kWaiting;
    event_.text = command.question;
    event_.sla = PauseClock(*facts_.calendar, ticket_->sla, now_);
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const ResumeTicket& command) {
    if (!relation_.requester && !relation_.holder && !relation_.flow_admin && !relation_.system) {
      return Forbidden("resume this ticket", "its requester, its holder or the flow admin",
                       "автор, исполнитель или администратор потока");
    }
    POTOK_RETURN_IF_ERROR(Require(EventType::kResumed));
    event_.text = command.text;
    event_.sla = ResumeClock(*facts_.calendar, ticket_->sla, now_);
    if (command.holder_left) {
      event_.from_agent = ticket_->assignee;
      event_.state_after = State::kQueued;
      event_.front = true;
    } else {
      event_.agent = ticket_->assignee;
      event_.state_after = State::kInProgress;
    }
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const ResolveTicket& command) {
    POTOK_RETURN_IF_ERROR(OnlyHolder("resolve this ticket"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kResolved));
    event_.text = command.result;
    event_.from_agent = ticket_->assignee;
    event_.sla = StopClock(*facts_.calendar, ticket_->sla, now_);
    if (facts_.flow->options.requester_accepts) {
      event_.state_after = State::kResolved;
      event_.autoclose_at = facts_.calendar->Add(
          now_, facts_.flow->options.autoclose_working_days * facts_.calendar->NormalDay());
    } else {
      event_.state_after = State::kClosed;
      event_.closure_no = ticket_->closure_no + 1;
    }
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const ConfirmTicket&) {
    POTOK_RETURN_IF_ERROR(OnlyRequester("accept the result"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kConfirmed));
    event_.state_after = State::kClosed;
    event_.closure_no = ticket_->closure_no + 1;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const SendBackTicket& command) {
    POTOK_RETURN_IF_ERROR(OnlyRequester("send the result back"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kSentBack));
    event_.text = command.reason;
    event_.sla = ResumeClock(*facts_.calendar, ticket_->sla, now_);
    const auto former = facts_.loads.find(ticket_->sticky_agent);
    if (former != facts_.loads.end() && former->second.HasRoom()) {
      event_.agent = ticket_->sticky_agent;
      event_.state_after = State::kInProgress;
    } else {
      event_.front = true;
      event_.state_after = State::kQueued;
    }
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const RateTicket& command) {
    POTOK_RETURN_IF_ERROR(OnlyRequester("rate this ticket"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kRated));
    if (command.score < 1 || command.score > 5) {
      return BadField("score", absl::StrCat("must be 1 to 5, not ", command.score),
                      absl::StrCat("от 1 до 5, а не ", command.score));
    }
    if (ticket_->rated_closure == ticket_->closure_no) return AlreadyRated(*ticket_);
    event_.score = command.score;
    event_.text = command.comment;
    event_.closure_no = ticket_->closure_no;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const CancelTicket& command) {
    if (!relation_.requester && !relation_.flow_admin) {
      return Forbidden("cancel this ticket", "its requester or the flow admin",
                       "автор или администратор потока");
    }
    POTOK_RETURN_IF_ERROR(Require(EventType::kCancelled));
    event_.text = command.reason;
    event_.from_agent = ticket_->assignee;
    event_.state_after = State::kCancelled;
    event_.sla = StopClock(*facts_.calendar, ticket_->sla, now_);
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const ReopenTicket& command) {
    if (!relation_.requester && !relation_.flow_admin) {
      return Forbidden("reopen this ticket", "its requester or the flow admin",
                       "автор или администратор потока");
    }
    POTOK_RETURN_IF_ERROR(Require(EventType::kReopened));
    const int days = facts_.flow->options.reopen_days;
    if (now_ > *ticket_->closed_at + absl::Hours(24 * days)) return WindowOver(*ticket_, days);
    event_.text = command.reason;
    event_.state_after = State::kQueued;
    event_.front = true;
    event_.closure_no = ticket_->closure_no;
    SlaClock fresh = StartClock(*facts_.calendar, now_, Term(ticket_->priority, false));
    fresh.gen = ticket_->sla.gen + 1;
    event_.sla = fresh;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const DeclineTicket& command) {
    POTOK_RETURN_IF_ERROR(OnlyHolder("decline this ticket"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kDeclined));
    event_.text = command.reason;
    event_.from_agent = ticket_->assignee;
    event_.state_after = State::kQueued;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const ReturnTicket& command) {
    if (!relation_.system) POTOK_RETURN_IF_ERROR(OnlyHolder("return this ticket to the queue"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kReturned));
    event_.text = command.reason;
    event_.how = command.leave ? "leave" : "holder";
    event_.from_agent = ticket_->assignee;
    event_.front = command.leave;
    event_.state_after = State::kQueued;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const TransferTicket& command) {
    POTOK_RETURN_IF_ERROR(OnlyHolder("transfer this ticket"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kTransferred));
    if (command.agent == ticket_->assignee) {
      return BadField("assignee", "already holds this ticket; name another agent",
                      "уже ведёт эту заявку; укажите другого исполнителя");
    }
    POTOK_RETURN_IF_ERROR(RoomFor(command.agent));
    event_.text = command.reason;
    event_.from_agent = ticket_->assignee;
    event_.agent = command.agent;
    event_.state_after = State::kAssigned;
    if (ticket_->state == State::kWaiting) {
      event_.sla = ResumeClock(*facts_.calendar, ticket_->sla, now_);
    }
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const ChangeLine& command) {
    if (!relation_.system) POTOK_RETURN_IF_ERROR(OnlyHolder("move this ticket to another line"));
    POTOK_RETURN_IF_ERROR(Require(EventType::kLineChanged));
    int line = command.line;
    if (line == 0) line = ticket_->pending_line > 0 ? ticket_->pending_line : ticket_->line + 1;
    if (line < 1 || line > facts_.flow->lines || std::abs(line - ticket_->line) != 1) {
      return BadField("line",
                      absl::StrCat("must be next to line ", ticket_->line, " and within 1..",
                                   facts_.flow->lines, ", not ", line),
                      absl::StrCat("линия должна быть соседней с ", ticket_->line,
                                   " и в пределах 1..", facts_.flow->lines, ", а не ", line));
    }
    event_.text = command.reason;
    event_.from_agent = ticket_->assignee;
    event_.line = line;
    event_.front = true;
    event_.state_after = State::kQueued;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const AddComment& command) {
    if (command.internal && !relation_.sees_internal) {
      return Forbidden("write an internal note", "the holder, the flow's team or the flow admin",
                       "исполнитель, команда или администратор потока");
    }
    if (!relation_.sees)
      return Forbidden("comment on this ticket", "those who may see it", "те, кто её видит");
    POTOK_RETURN_IF_ERROR(Require(EventType::kCommented));
    event_.text = command.text;
    event_.how = command.internal ? "internal" : "public";
    // A public word of the desk answers the requester: it stops the first-response clock.
    if (!command.internal && !relation_.requester && (relation_.holder || relation_.team)) {
      event_.agent = viewer_.employee;
    }
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const ExtendDeadline& command) {
    const bool holder_may = relation_.holder && facts_.flow->options.agent_may_extend;
    if (!holder_may && !relation_.flow_admin) {
      return Forbidden(
          "move the deadline", "the flow admin, and the holder where the flow's options allow it",
          "администратор потока, а исполнитель — если это разрешено настройками потока");
    }
    POTOK_RETURN_IF_ERROR(Require(EventType::kDeadlineExtended));
    if (!ticket_->sla.term) return NoTerm(*ticket_);
    // While the clock is paused there is no due instant: the term is measured as if it ran from now
    // on.
    const absl::Duration remaining = *RemainingAt(*facts_.calendar, ticket_->sla, now_);
    const absl::Duration added = facts_.calendar->Between(now_, command.due) - remaining;
    if (command.due <= now_ || added <= absl::ZeroDuration()) {
      return BadField("due_time", "must be later than the present deadline, in working time",
                      "должен быть позже нынешнего срока в рабочем времени");
    }
    event_.text = command.reason;
    event_.sla = RetargetClock(*facts_.calendar, ticket_->sla, now_, *ticket_->sla.term + added);
    event_.due_at = event_.sla->due_at;
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const ChangePriority& command) {
    if (!relation_.flow_admin && !relation_.system) {
      return Forbidden("change the priority", "the flow admin", "администратор потока");
    }
    POTOK_RETURN_IF_ERROR(Require(EventType::kPriorityChanged));
    if (command.priority < 1 || command.priority > 4) {
      return BadField("priority", "must be 1 (critical) to 4 (low)",
                      "от 1 (критично) до 4 (низко)");
    }
    event_.priority = command.priority;
    event_.text = command.reason;
    const std::optional<absl::Duration> term = Term(command.priority, ticket_->needed_today);
    if (term) event_.sla = RetargetClock(*facts_.calendar, ticket_->sla, now_, *term);
    return std::move(event_);
  }

  absl::StatusOr<Event> operator()(const FireTimer& command) {
    if (!relation_.system)
      return Forbidden("fire a timer", "the sla-timer service", "служба sla-timer");
    const std::vector<Timer> timers = TimersOf(*ticket_, facts_);
    const auto timer = std::find_if(timers.begin(), timers.end(), [&](const Timer& candidate) {
      return candidate.kind == command.kind && candidate.gen == command.gen;
    });
    if (timer == timers.end()) return StaleTimer(*ticket_, Name(command.kind));
    if (timer->due_at > now_) return StaleTimer(*ticket_, Name(command.kind));
    event_.timer = command.kind;
    event_.gen = command.gen;
    event_.due_at = timer->due_at;
    switch (command.kind) {
      case TimerKind::kHalf: event_.type = EventType::kHalfReminded; break;
      case TimerKind::kBreach: event_.type = EventType::kBreached; break;
      case TimerKind::kFirstResponse: event_.type = EventType::kFirstResponseBreached; break;
      case TimerKind::kAutoClose:
        event_.type = EventType::kAutoClosed;
        event_.state_after = State::kClosed;
        event_.closure_no = ticket_->closure_no + 1;
        break;
      case TimerKind::kEscalate: {
        event_.type = EventType::kEscalated;
        const EscalationStep& step = facts_.policy->steps[ticket_->escalation_level];
        event_.level = ticket_->escalation_level + 1;
        const bool moves =
            step.action == EscalationStep::kNextLine && ticket_->line < facts_.flow->lines;
        event_.how = moves ? "next_line" : "tell_manager";
        if (moves) event_.line = ticket_->line + 1;
        break;
      }
    }
    return std::move(event_);
  }

 private:
  absl::Status Require(EventType type) {
    event_.type = type;
    if (MayHappen(type, ticket_->state)) return absl::OkStatus();
    return IllegalMove(*ticket_, type);
  }
  absl::Status OnlyHolder(absl::string_view what) const {
    if (relation_.holder || relation_.flow_admin) return absl::OkStatus();
    return Forbidden(what, "its holder or the flow admin", "исполнитель или администратор потока");
  }
  absl::Status OnlyRequester(absl::string_view what) const {
    if (relation_.requester) return absl::OkStatus();
    return Forbidden(what, "its requester", "автор");
  }
  absl::Status RoomFor(const std::string& agent) const {
    const auto load = facts_.loads.find(agent);
    // Who left the team keeps a row without any slots.
    if (load == facts_.loads.end() || load->second.cap == 0) {
      return NotEligible(*ticket_, agent, "NOT_A_MEMBER");
    }
    if (!load->second.HasRoom()) return AtCap(*ticket_, agent, load->second);
    return absl::OkStatus();
  }
  std::optional<absl::Duration> Term(int priority, bool needed_today) const {
    return facts_.policy->ResolutionTerm(priority, needed_today, *facts_.calendar);
  }

  const Facts& facts_;
  const Ticket* ticket_;
  const Viewer& viewer_;
  const absl::Time now_;
  Relation relation_;
  Event event_;
};

}  // namespace

absl::StatusOr<Event> Decide(const Facts& facts, const Ticket* ticket, const Command& command,
                             absl::Time now) {
  Decider decider(facts, ticket, command.viewer, now);
  if (ticket != nullptr) {
    if (!decider.relation().sees) return Hidden();
    if (command.expected_version && *command.expected_version != ticket->version) {
      return EtagMismatch(*ticket, *command.expected_version);
    }
  }
  return std::visit(decider, command.action);
}

std::vector<Timer> TimersOf(const Ticket& ticket, const Facts& facts) {
  std::vector<Timer> timers;
  const int gen = ticket.sla.gen;
  const bool runs = ticket.sla.running_since.has_value();
  const bool counts = runs && (ticket.state == State::kQueued || ticket.state == State::kAssigned ||
                               ticket.state == State::kInProgress);
  if (counts && ticket.sla.due_at && !ticket.breached_at) {
    timers.push_back({TimerKind::kBreach, gen, *ticket.sla.due_at});
    if (ticket.sla.half_at && !ticket.half_reminded && facts.flow->options.half_term_reminder &&
        facts.policy->half_term_reminder) {
      timers.push_back({TimerKind::kHalf, gen, *ticket.sla.half_at});
    }
  }
  if (counts && ticket.first_response_due && !ticket.first_response_at &&
      !ticket.first_response_breached) {
    timers.push_back({TimerKind::kFirstResponse, 1, *ticket.first_response_due});
  }
  if (counts && ticket.breached_at &&
      ticket.escalation_level < static_cast<int>(facts.policy->steps.size())) {
    // One step at a time; the generation names the step of this round of the clock, so that a step
    // that fired before a pause is not fired again after it.
    const EscalationStep& step = facts.policy->steps[ticket.escalation_level];
    timers.push_back({TimerKind::kEscalate, gen * 16 + ticket.escalation_level,
                      facts.calendar->Add(*ticket.breached_at, step.after_breach)});
  }
  if (ticket.state == State::kResolved && ticket.autoclose_at) {
    timers.push_back({TimerKind::kAutoClose, ticket.closure_no * 1024 + ticket.return_count,
                      *ticket.autoclose_at});
  }
  return timers;
}

int PriorityOf(int urgency, int impact, bool needed_today) {
  // Urgency and impact 1..3 give the usual five sums; 2 is critical, 5 and 6 are low.
  static constexpr int kBySum[] = {0, 0, 1, 2, 3, 4, 4};
  const int priority = kBySum[std::clamp(urgency, 1, 3) + std::clamp(impact, 1, 3)];
  return needed_today ? std::max(1, priority - 1) : priority;
}

}  // namespace potok::desk
