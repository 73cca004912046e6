#include "ledger/writer.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/ticket/ids.h"
#include "desk/ticket/refusal.h"
#include "ledger/event_codec.h"
#include "ledger/history.h"
#include "ledger/sql.h"

namespace potok::ledger {
namespace {

using desk::Command;
using desk::Ticket;

absl::Status RequestIdReused(const Command& command) {
  ErrorDetail detail;
  detail.metadata = {{"request_id", command.request_id}, {"method", command.method}};
  detail.fields = {{"request_id", "was used before with other content; send a new UUID",
                    "уже использован с другим содержимым; пришлите новый UUID"}};
  detail.ru = "Этот request_id уже использован с другим содержимым. Пришлите новый UUID.";
  return MakeError(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                   "request_id was used before with other content; send a new UUID",
                   std::move(detail));
}

}  // namespace

Writer::Writer(pg::Tx& tx, std::shared_ptr<const ReferenceSnapshot> reference, absl::Time now)
    : tx_(tx),
      reference_(std::move(reference)),
      // What the database keeps: the first answer and its replay must agree to the last digit.
      now_(absl::FromUnixMicros(absl::ToUnixMicros(now))) {}

absl::Time Writer::DatabaseNow(pg::Tx& tx) {
  return pg::FromTimestamp(tx.Run(sql::kBusinessNow)[0][0]);
}

std::string Writer::HolderOf(const Ticket& ticket) {
  return desk::IsHeld(ticket.state) ? ticket.assignee : "";
}

const Ticket* Writer::Find(const std::string& ticket_id) const {
  const auto it = tickets_.find(ticket_id);
  return it == tickets_.end() ? nullptr : &it->second;
}

const desk::AgentLoad* Writer::Load(const std::string& agent, const std::string& flow) const {
  const auto it = loads_.find({agent, flow});
  return it == loads_.end() ? nullptr : &it->second.load;
}

void Writer::FindAnswers(const std::vector<const Command*>& commands) {
  std::vector<int> parts;
  std::vector<std::string> callers, requests, methods;
  for (const Command* command : commands) {
    if (command->request_id.empty()) continue;
    const auto* create = std::get_if<desk::CreateTicket>(&command->action);
    const std::optional<int> part =
        create != nullptr ? create->draft.part : desk::PartOfTicketId(command->ticket_id);
    if (!part) continue;
    parts.push_back(*part);
    callers.push_back(command->viewer.principal);
    requests.push_back(command->request_id);
    methods.push_back(command->method);
  }
  if (parts.empty()) return;
  for (const auto& row : tx_.Run(sql::kFindAnswers, pg::IntArray(parts), pg::TextArray(callers),
                                 pg::TextArray(requests), pg::TextArray(methods))) {
    answers_[{row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::string>()}] = {
        row[3].as<std::string>(), row[4].as<std::string>(), row[5].as<int64_t>()};
  }
}

const Writer::Answer* Writer::AnswerTo(const Command& command) const {
  if (command.request_id.empty()) return nullptr;
  const auto it = answers_.find({command.viewer.principal, command.request_id, command.method});
  return it == answers_.end() ? nullptr : &it->second;
}

absl::StatusOr<std::optional<Outcome>> Writer::Replay(const Command& command) {
  const Answer* const earlier = AnswerTo(command);
  if (earlier == nullptr) return std::optional<Outcome>();
  const Answer& answer = *earlier;
  if (answer.body_hash != command.body_hash) return RequestIdReused(command);
  std::optional<Ticket> ticket = TicketAt(tx_, answer.ticket_id, answer.version);
  std::optional<desk::Event> event = FindEvent(tx_, answer.ticket_id, answer.version);
  if (!ticket || !event) return absl::InternalError("an answered ticket is missing");
  return std::optional<Outcome>(Outcome{*std::move(ticket), *std::move(event), true});
}

absl::StatusOr<desk::Facts> Writer::FactsFor(const std::string& flow_id, int flow_version) const {
  desk::Facts facts;
  facts.flow = reference_->FlowVersion(flow_id, flow_version);
  if (facts.flow != nullptr) facts.policy = reference_->PolicyOf(*facts.flow);
  if (facts.policy != nullptr) facts.calendar = reference_->CalendarOf(*facts.policy);
  if (facts.calendar == nullptr) {
    ErrorDetail detail;
    detail.metadata = {{"flow", flow_id}, {"flow_version", absl::StrCat(flow_version)}};
    detail.retry_after = absl::Seconds(1);
    detail.ru =
        absl::StrCat("Поток ", flow_id, " или его политика сроков ещё не прочитаны; повторите.");
    return MakeError(absl::StatusCode::kUnavailable, "REFERENCE_NOT_READY",
                     absl::StrCat("flow ", flow_id, " version ", flow_version,
                                  ", its SLA policy or calendar is not readable yet; try again"),
                     std::move(detail));
  }
  for (const auto& [key, row] : loads_) {
    if (key.second != flow_id) continue;
    desk::AgentLoad load = row.load;
    const auto total = loads_.find({key.first, ""});
    // The optional total over flows binds as tightly as the cap of the flow.
    if (total != loads_.end() && !total->second.load.HasRoom()) load.cap = load.active;
    facts.loads[key.first] = load;
  }
  return facts;
}

absl::StatusOr<Outcome> Writer::Stage(const Command& command) {
  POTOK_ASSIGN_OR_RETURN(std::optional<Outcome> earlier, Replay(command));
  if (earlier) return *std::move(earlier);
  absl::StatusOr<Outcome> decided = StageNew(command);
  if (decided.ok() || command.request_id.empty()) return decided;
  // A twin of the call may have done it in another process while this one waited for the ticket:
  // then it is that very change which stands in the way, and the caller is to hear of it as of its
  // own.
  FindAnswers({&command});
  POTOK_ASSIGN_OR_RETURN(earlier, Replay(command));
  if (earlier) return *std::move(earlier);
  return decided;
}

absl::StatusOr<Outcome> Writer::StageNew(const Command& command) {
  if (!command.refusal.ok()) return command.refusal;

  const auto* create = std::get_if<desk::CreateTicket>(&command.action);
  const Ticket* ticket = create == nullptr ? Find(command.ticket_id) : nullptr;
  if (create == nullptr && ticket == nullptr) {
    // Those who see everything may know that it is not there.
    if (command.viewer.sees_all) {
      ErrorDetail detail;
      detail.ru = absl::StrCat("Нет заявки tickets/", command.ticket_id, ".");
      return MakeError(absl::StatusCode::kNotFound, "TICKET_NOT_FOUND",
                       absl::StrCat("no ticket tickets/", command.ticket_id), std::move(detail));
    }
    return desk::Hidden();
  }
  POTOK_ASSIGN_OR_RETURN(const desk::Facts facts,
                         create != nullptr
                             ? FactsFor(create->draft.flow_id, create->draft.flow_version)
                             : FactsFor(ticket->flow_id, ticket->flow_version));
  // The clock of another replica may be microseconds ahead; a ticket's history never runs
  // backwards.
  const absl::Time at = ticket == nullptr ? now_ : std::max(now_, ticket->updated_at);
  POTOK_ASSIGN_OR_RETURN(desk::Event event, desk::Decide(facts, ticket, command, at));

  Change change;
  change.command = &command;
  if (ticket != nullptr) {
    change.before = *ticket;
    change.timers_before = desk::TimersOf(*ticket, facts);
  }
  desk::Ticket born = create != nullptr ? desk::Unborn(create->draft) : *ticket;
  if (create != nullptr) born.created_at = at;
  change.after = desk::Apply(std::move(born), event);
  change.timers_after = desk::TimersOf(change.after, facts);
  change.event = std::move(event);
  MoveSlots(change);
  tickets_[change.after.id] = change.after;
  changes_.push_back(std::move(change));
  const Change& staged = changes_.back();
  return Outcome{staged.after, staged.event, false};
}

void Writer::MoveSlots(Change& change) {
  const std::string from = change.before ? HolderOf(*change.before) : "";
  const std::string to = HolderOf(change.after);
  if (from == to) return;
  for (const std::string& flow : {change.after.flow_id, std::string()}) {
    if (const auto it = loads_.find({from, flow}); !from.empty() && it != loads_.end()) {
      --it->second.load.active;
      --it->second.delta;
    }
    if (const auto it = loads_.find({to, flow}); !to.empty() && it != loads_.end()) {
      ++it->second.load.active;
      ++it->second.delta;
      it->second.assigned = true;
      if (!flow.empty()) {
        change.active_after = it->second.load.active;
        change.cap_at_assign = it->second.load.cap;
      }
    }
  }
}

absl::Status Writer::WriteLoads() {
  std::vector<std::string> agents, flows;
  std::vector<int> deltas;
  std::vector<bool> assigned;
  for (const auto& [key, row] : loads_) {
    if (row.delta == 0 && !row.assigned) continue;
    agents.push_back(key.first);
    flows.push_back(key.second);
    deltas.push_back(row.delta);
    assigned.push_back(row.assigned);
  }
  if (agents.empty()) return absl::OkStatus();
  const pqxx::result done = tx_.Run(sql::kWriteLoads, pg::TextArray(agents), pg::TextArray(flows),
                                    pg::IntArray(deltas), pg::BoolArray(assigned), now_);
  if (done.affected_rows() != agents.size()) {
    return MakeError(absl::StatusCode::kAborted, "CAP_GUARD",
                     "a load row refused the slot: the cap guard held");
  }
  return absl::OkStatus();
}

void Writer::ReleaseAssignments() {
  std::vector<int> parts;
  std::vector<std::string> ids, types;
  std::vector<std::optional<absl::Time>> instants;
  for (const Change& change : changes_) {
    if (!change.before) continue;
    const std::string from = HolderOf(*change.before);
    if (from.empty() || from == HolderOf(change.after)) continue;
    parts.push_back(change.after.part);
    ids.push_back(change.after.id);
    types.push_back(std::string(desk::Name(change.event.type)));
    instants.push_back(change.event.at);
  }
  if (ids.empty()) return;
  tx_.Run(sql::kReleaseAssignments, pg::IntArray(parts), pg::TextArray(ids), pg::TextArray(types),
          pg::TimeArray(instants));
}

// The rows are compared with what the ticket wants now, not with what it wanted before: a policy
// that changed in between decides both anew, and the row is what an older one left.
void Writer::AlignTimers(const Change& first, const Change& last, PersistArguments* rows) const {
  const Ticket& t = last.after;
  std::vector<std::string> kept, fired;
  for (const desk::Timer& timer : last.timers_after) {
    kept.emplace_back(desk::Name(timer.kind));
    const auto& before = first.timers_before;
    const bool of_policy =
        timer.kind == desk::TimerKind::kHalf || timer.kind == desk::TimerKind::kEscalate;
    if (!of_policy && std::find(before.begin(), before.end(), timer) != before.end()) continue;
    rows->ArmTimer(t, timer, /*first=*/!first.before);
  }
  if (!first.before) return;
  for (const Change& change : changes_) {
    if (change.after.id == t.id && change.event.timer) {
      fired.emplace_back(desk::Name(*change.event.timer));
    }
  }
  rows->EndTimers(t, kept, fired);
}

absl::Status Writer::WriteRows() {
  PersistArguments rows;
  // Several events may have moved one ticket in this transaction: its row is written once, as it is
  // last.
  std::map<std::string, std::pair<const Change*, const Change*>> first_and_last;
  for (const Change& change : changes_) {
    auto& [first, last] = first_and_last[change.after.id];
    if (first == nullptr) first = &change;
    last = &change;
  }
  std::map<std::string, int> numbers;  // A flow takes, and has not given yet.
  for (const Change& change : changes_) {
    if (!change.before) ++numbers[change.after.flow_id];
  }
  for (const auto& [id, pair] : first_and_last) {
    const auto& [first, last] = pair;
    if (first->before) {
      rows.AddChangedTicket(last->after);
    } else if (first != last) {
      // Nobody can name it before its first answer.
      return absl::InternalError(absl::StrCat("ticket ", id, " moved while it was filed"));
    }
    AlignTimers(*first, *last, &rows);
  }
  for (const Change& change : changes_) {
    const Ticket& t = change.after;
    if (!change.before) {
      const desk::Flow* const flow = reference_->FlowVersion(t.flow_id, t.flow_version);
      rows.AddNewTicket(t, flow->prefix, -numbers[t.flow_id]--);
      rows.AddFirstEvent(t, change.event, *change.command);
      continue;
    }
    PersistArguments::Slot slot;
    const std::string to = HolderOf(t);
    if (!to.empty() && HolderOf(*change.before) != to) {
      slot = {to, change.active_after, change.cap_at_assign};
    }
    rows.AddEvent(t, change.event, *change.command, slot);
  }
  if (const std::vector<pg::Param> moved = rows.TakeMoved(); !moved.empty()) {
    if (tx_.RunBound(sql::kPersistMoved, moved)[0][0].as<int>() != rows.changed()) {
      return MakeError(absl::StatusCode::kAborted, "TICKET_MOVED", "a locked ticket row moved");
    }
  }
  if (std::vector<pg::Param> fired = rows.TakeFired(); !fired.empty()) {
    tx_.RunBound(sql::kPersistFired, fired);
  }
  // Last: everybody else who files into the flow waits for its counter until this transaction ends.
  if (const std::vector<pg::Param> filed = rows.TakeFiled(); !filed.empty()) {
    const pqxx::result done = tx_.RunWrite(sql::kPersistFiled, filed);
    // The statement refuses a ticket without a number, and all of them with it; it may have been
    // committed by now, so nothing that can happen may be found out here.
    if (static_cast<int>(done.size()) != 1 + rows.filed()) {
      return absl::InternalError("not every new ticket was written");
    }
    for (pqxx::result::size_type i = 1; i < done.size(); ++i) {
      tickets_[done[i]["id"].as<std::string>()].number = done[i]["number"].as<std::string>();
    }
  }
  return absl::OkStatus();
}

absl::Status Writer::Flush() {
  if (changes_.empty()) return absl::OkStatus();
  ReleaseAssignments();
  POTOK_RETURN_IF_ERROR(WriteLoads());
  return WriteRows();
}

}  // namespace potok::ledger
