#include "ledger/persist_arguments.h"

#include "absl/strings/string_view.h"

#include "desk/ticket/ids.h"
#include "ledger/event_codec.h"

namespace potok::ledger {
namespace {

std::optional<absl::string_view> NotEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<absl::string_view>(text);
}

// What is kept of a command, so that a repeat of it is answered: nothing when it has no request id.
struct Answer {
  explicit Answer(const desk::Command& command) {
    if (command.request_id.empty()) return;
    caller = command.viewer.principal;
    request_id = command.request_id;
    method = command.method;
    body_hash = command.body_hash;
  }
  std::optional<absl::string_view> caller, request_id, method, body_hash;
};

std::optional<int64_t> Micros(const std::optional<absl::Duration>& duration) {
  return duration ? std::optional(absl::ToInt64Microseconds(*duration)) : std::nullopt;
}

}  // namespace

void PersistArguments::AddNewTicket(const desk::Ticket& t, const std::string& prefix, int place) {
  ++filed_count_;
  new_.AddRow(t.part, t.id, prefix, place, t.flow_id, t.flow_version, t.caller, t.request_id,
              t.requester, t.department, t.channel, t.title, t.description,
              t.fields_json.empty() ? "{}" : t.fields_json, t.urgency, t.impact, t.needed_today,
              t.needed_today_reason, t.created_at, desk::Name(t.state), t.priority, t.queued_at,
              t.queued_seq, Micros(t.sla.term), t.sla.running_since, t.sla.due_at, t.sla.half_at,
              t.sla.gen, t.first_response_due);
}

void PersistArguments::AddChangedTicket(const desk::Ticket& t) {
  ++changed_count_;
  changed_.AddRow(t.part, t.id, t.version, desk::Name(t.state), NotEmpty(t.assignee),
                  NotEmpty(t.sticky_agent), t.line, t.pending_line, t.priority, t.queued_at,
                  t.queued_seq, t.queue_front, pg::TextArray(t.excluded), Micros(t.sla.term),
                  absl::ToInt64Microseconds(t.sla.consumed), t.sla.running_since, t.sla.due_at,
                  t.sla.half_at, t.sla.gen, t.half_reminded, t.breached_at, t.escalation_level,
                  t.first_response_due, t.first_response_at, t.first_response_breached,
                  t.resolved_at, t.autoclose_at, t.closed_at, t.closure_no, t.rated_closure,
                  t.rating, t.rating_comment, t.result, t.return_count, t.reopen_count, t.hops,
                  t.comment_count, t.updated_at);
}

void PersistArguments::AddFirstEvent(const desk::Ticket& t, const desk::Event& e,
                                     const desk::Command& command) {
  const Answer answer(command);
  first_events_.AddRow(t.part, t.id, desk::Name(e.type), e.actor, e.at, desk::Name(e.state_after),
                       BodyOf(e).dump(), static_cast<int>(desk::TopicOf(e.type)), answer.caller,
                       answer.request_id, answer.method, answer.body_hash);
}

void PersistArguments::AddEvent(const desk::Ticket& t, const desk::Event& e,
                                const desk::Command& command, const Slot& slot) {
  const Answer answer(command);
  const bool gives = !slot.agent.empty();
  events_.AddRow(t.part, t.id, e.version, desk::Name(e.type), e.actor, e.at,
                 desk::Name(e.state_after), BodyOf(e).dump(),
                 static_cast<int>(desk::TopicOf(e.type)), NotEmpty(e.text), answer.caller,
                 answer.request_id, answer.method, answer.body_hash, NotEmpty(slot.agent),
                 gives ? std::optional<absl::string_view>(t.flow_id) : std::nullopt,
                 gives ? std::optional(slot.active_after) : std::nullopt,
                 gives ? std::optional(slot.cap) : std::nullopt);
  if (!e.timer) return;
  any_fired_ = true;
  fired_.AddRow(t.part, t.id, desk::Name(*e.timer), e.gen, e.due_at, e.at, e.version);
}

void PersistArguments::ArmTimer(const desk::Ticket& ticket, const desk::Timer& timer, bool first) {
  (first ? first_timers_ : timers_)
      .AddRow(ticket.part, ticket.id, desk::Name(timer.kind), timer.gen, timer.due_at);
}

void PersistArguments::EndTimers(const desk::Ticket& ticket, const std::vector<std::string>& kept,
                                 const std::vector<std::string>& fired) {
  ends_.AddRow(ticket.part, ticket.id, pg::TextArray(kept), pg::TextArray(fired));
}

std::vector<pg::Param> PersistArguments::TakeFiled() {
  std::vector<pg::Param> out;
  if (filed_count_ == 0) return out;
  new_.TakeTo(&out);
  first_events_.TakeTo(&out);
  first_timers_.TakeTo(&out);
  return out;
}

std::vector<pg::Param> PersistArguments::TakeMoved() {
  std::vector<pg::Param> out;
  if (changed_count_ == 0) return out;
  changed_.TakeTo(&out);
  events_.TakeTo(&out);
  timers_.TakeTo(&out);
  ends_.TakeTo(&out);
  return out;
}

std::vector<pg::Param> PersistArguments::TakeFired() {
  std::vector<pg::Param> out;
  if (any_fired_) fired_.TakeTo(&out);
  return out;
}

}  // namespace potok::ledger
