#include "notifier/work/planner.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "notifier/domain/audience.h"
#include "platform/obs/log.h"

namespace potok::notifier {
namespace {

using desk::Event;
using desk::EventType;
using desk::Ticket;
using ledger::Employee;
using ledger::ReferenceSnapshot;

// Somebody the directory does not know is told all the same, under the name of their id.
bool HasLeft(const ReferenceSnapshot& reference, const std::string& employee) {
  const Employee* known = reference.FindEmployee(employee);
  return known != nullptr && !known->active;
}

std::string NameOf(const ReferenceSnapshot& reference, const std::string& employee) {
  const Employee* known = reference.FindEmployee(employee);
  return known == nullptr || known->name.empty() ? employee : known->name;
}

std::string ActorName(const ReferenceSnapshot& reference, const std::string& principal) {
  if (principal == "system") return "Potok";
  return NameOf(reference, principal.substr(principal.rfind('/') + 1));
}

Surroundings SurroundingsOf(const ReferenceSnapshot& reference, const desk::Flow* flow,
                            const Ticket& ticket, EventType type) {
  Surroundings around;
  if (flow != nullptr) {
    if (!flow->manager.empty() && !HasLeft(reference, flow->manager)) {
      around.managers = {flow->manager};
    } else {
      around.managers_role = Role::kFlowAdmin;
      std::copy_if(flow->admins.begin(), flow->admins.end(), std::back_inserter(around.managers),
                   [&](const std::string& admin) { return !HasLeft(reference, admin); });
    }
  }
  if (type != EventType::kDeclined) return around;
  if (const auto team = reference.members.find(ticket.flow_id); team != reference.members.end()) {
    for (const ledger::Member& member : team->second) {
      if (member.line == ticket.line && !HasLeft(reference, member.employee)) {
        around.line.push_back(member.employee);
      }
    }
  }
  return around;
}

NoticeFacts FactsOf(const ReferenceSnapshot& reference, const desk::Flow* flow, const Ticket& after,
                    const Event& event) {
  NoticeFacts facts;
  facts.ticket_id = after.id;
  facts.number = after.number;
  facts.title = after.title;
  facts.flow_ru = flow == nullptr ? after.flow_id : flow->Name("ru");
  facts.flow_en = flow == nullptr ? after.flow_id : flow->Name("en");
  facts.requester = NameOf(reference, after.requester);
  if (!after.assignee.empty()) facts.holder = NameOf(reference, after.assignee);
  const std::string& former = event.from_agent.empty() ? after.sticky_agent : event.from_agent;
  if (!former.empty()) facts.former = NameOf(reference, former);
  facts.actor = ActorName(reference, event.actor);
  // A timer's event names its own instant, half way or a step after the end; people are told what
  // was promised.
  facts.due_at = event.type == EventType::kFirstResponseBreached ? event.due_at : after.sla.due_at;
  facts.closes_at = event.autoclose_at;
  facts.at = event.at;
  facts.score = event.score;
  facts.returns = after.return_count;
  facts.line = after.line;
  facts.next_line = event.type == EventType::kEscalated ? event.line : 0;
  facts.priority = after.priority;
  return facts;
}

}  // namespace

Planner::Planner(PlannerOptions options, const Texts& texts, ledger::Reference& reference,
                 const Clock& clock, DeliveryMeters& meters)
    : options_(std::move(options)),
      texts_(texts),
      reference_(reference),
      clock_(clock),
      meters_(meters) {}

std::shared_ptr<const ReferenceSnapshot> Planner::SnapshotFor(
    const std::vector<UnplannedTicket>& tickets) {
  std::shared_ptr<const ReferenceSnapshot> reference = reference_.Snapshot();
  const bool complete =
      std::all_of(tickets.begin(), tickets.end(), [&](const UnplannedTicket& ticket) {
        return reference->FlowVersion(ticket.now.flow_id, ticket.now.flow_version) != nullptr &&
               reference->FindEmployee(ticket.now.requester) != nullptr &&
               (ticket.now.assignee.empty() ||
                reference->FindEmployee(ticket.now.assignee) != nullptr);
      });
  if (complete) return reference;
  // Written a moment ago by another service, perhaps. What nobody knows costs one small statement.
  if (const absl::Status status = reference_.Refresh(); !status.ok()) {
    obs::LogWarn("notify.reference", "reference data could not be read anew", {{"error", status}});
  }
  return reference_.Snapshot();
}

absl::Status Planner::Plan(pg::Tx& tx, const std::vector<log::LogEntry>& entries) {
  const std::vector<UnplannedTicket> tickets = LoadUnplanned(tx, entries);
  if (tickets.empty()) {
    Made({});
    return absl::OkStatus();
  }
  std::map<std::pair<std::string, int64_t>, absl::Time> caused;
  for (const log::LogEntry& entry : entries) caused[{entry.entity, entry.version}] = entry.at;

  const std::shared_ptr<const ReferenceSnapshot> reference = SnapshotFor(tickets);
  std::vector<PlannedDelivery> deliveries;
  for (const UnplannedTicket& ticket : tickets) {
    for (const UnplannedEvent& unplanned : ticket.events) {
      const auto at = caused.find({ticket.now.id, unplanned.event.version});
      PlanEvent(*reference, ticket.now, unplanned,
                at == caused.end() ? std::nullopt : std::make_optional(at->second), &deliveries);
    }
  }
  Made(PersistPlan(tx, deliveries, tickets, options_.mail_leaves));
  return absl::OkStatus();
}

void Planner::Made(std::vector<MadeDelivery> made) {
  absl::MutexLock lock(&mu_);
  made_ = std::move(made);
}

void Planner::Committed() {
  std::vector<MadeDelivery> all;
  {
    absl::MutexLock lock(&mu_);
    all.swap(made_);
  }
  for (const MadeDelivery& made : all) {
    if (made.state == DeliveryState::kPending) continue;  // Counted when it is tried.
    const bool sent = made.state == DeliveryState::kSent;
    meters_.Attempt(made.channel, sent                                       ? "sent"
                                  : made.state == DeliveryState::kSuppressed ? "suppressed"
                                                                             : "dead");
    if (sent) meters_.Delivered(made.channel, made.latency);
  }
}

void Planner::PlanEvent(const ReferenceSnapshot& reference, const Ticket& now,
                        const UnplannedEvent& unplanned, std::optional<absl::Time> caused_at,
                        std::vector<PlannedDelivery>* out) const {
  const Ticket& after = unplanned.after;
  const Event& event = unplanned.event;
  const desk::Flow* flow = reference.FlowVersion(after.flow_id, after.flow_version);
  // Who is responsible is a question of today; what was promised is one of the version it was
  // opened under.
  const desk::Flow* latest = reference.Flow(after.flow_id);
  const std::vector<Notice> notices =
      AudienceOf(after, event,
                 SurroundingsOf(reference, latest == nullptr ? flow : latest, after, event.type));
  if (notices.empty()) return;

  const NoticeFacts facts = FactsOf(reference, flow, after, event);
  const TicketNow ticket_now{now.state, now.assignee, now.breached_at.has_value()};
  for (const Notice& notice : notices) {
    const Employee* person = reference.FindEmployee(notice.recipient);
    if (person != nullptr && !person->active) continue;
    PlannedDelivery planned;
    planned.part = after.part;
    planned.facts = facts;
    planned.facts.name = NameOf(reference, notice.recipient);
    planned.facts.zone = person == nullptr ? "Europe/Moscow" : person->zone;
    planned.caused_at = caused_at;
    Delivery& d = planned.delivery;
    d.ticket_id = after.id;
    d.version = event.version;
    d.flow_id = after.flow_id;
    d.rule = std::string(notice.rule->name);
    d.kind = notice.rule->kind;
    d.role = notice.role;
    d.recipient = notice.recipient;
    d.locale = person == nullptr ? options_.default_locale : person->locale;
    d.planned_at = event.at;
    const bool overtaken = !StillWanted(d.kind, d.role, d.recipient, ticket_now);

    for (const Channel channel : kAllChannels) {
      if (channel == Channel::kEmail &&
          (!notice.rule->by_mail || person == nullptr || person->email.empty())) {
        continue;
      }
      PlannedDelivery each = planned;
      each.delivery.channel = channel;
      each.delivery.id =
          DeliveryIdOf(after.part, event.at, after.id, event.version, notice.recipient, channel);
      if (channel == Channel::kEmail) {
        each.delivery.address = person->email;
        each.delivery.message_id =
            absl::StrCat("<", each.delivery.id, "@", options_.mail_domain, ">");
      }
      if (overtaken) {
        each.delivery.state = DeliveryState::kSuppressed;
        each.delivery.reason = "superseded";
      } else if (channel == Channel::kInbox) {
        WriteNotice(&each, event.text);
      }
      out->push_back(std::move(each));
    }
  }
}

void Planner::WriteNotice(PlannedDelivery* planned, absl::string_view words) const {
  Delivery& d = planned->delivery;
  absl::StatusOr<Text> text =
      texts_.Render(d.rule, d.locale,
                    ValuesOf(planned->facts, d.locale, words, options_.portal_url, clock_.Now()));
  if (!text.ok()) {
    // One text that cannot be written must not hold up the others; the row shows what is wrong.
    d.state = DeliveryState::kDead;
    d.last_error = std::string(text.status().message());
    obs::LogError("notify.text", "a notice could not be written",
                  {{"delivery", d.id}, {"rule", d.rule}, {"error", text.status()}});
    return;
  }
  d.state = DeliveryState::kSent;
  d.title = std::move(text->title);
  planned->body = std::move(text->body);
}

}  // namespace potok::notifier
