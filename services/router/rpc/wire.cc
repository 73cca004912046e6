#include "router/rpc/wire.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "ledger/history.h"

namespace potok::router {
namespace {

void SetWords(const Words& words, api::v1::LocalizedText* out) {
  out->set_ru(words.ru);
  out->set_en(words.en);
}

api::v1::DistributionMode ModeOfHow(absl::string_view how) {
  return how == "self_pick" ? api::v1::DISTRIBUTION_MODE_SELF_PICK
                            : api::v1::DISTRIBUTION_MODE_MANUAL;
}

// Places after the one served last, over the sorted ids of all candidates.
int RingPosition(size_t index, const std::vector<desk::CandidateVerdict>& verdicts,
                 absl::string_view last) {
  const auto next = std::upper_bound(
      verdicts.begin(), verdicts.end(), last,
      [](absl::string_view id, const desk::CandidateVerdict& v) { return id < v.employee; });
  const size_t start = next == verdicts.end() ? 0 : static_cast<size_t>(next - verdicts.begin());
  return static_cast<int>(index >= start ? index - start : index + verdicts.size() - start);
}

}  // namespace

std::string TicketName(absl::string_view id) { return absl::StrCat("tickets/", id); }
std::string EmployeeName(absl::string_view id) {
  return id.empty() ? std::string() : absl::StrCat("employees/", id);
}
std::string FlowName(absl::string_view id) { return absl::StrCat("flows/", id); }

std::string PartOfName(absl::string_view name, size_t n) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return n < parts.size() ? std::string(parts[n]) : std::string();
}

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t micros = absl::ToUnixMicros(time);
  int64_t seconds = micros / 1000000, rest = micros % 1000000;
  if (rest < 0) {
    --seconds;
    rest += 1000000;
  }
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(rest) * 1000);
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

api::v1::QueueReason ToWire(desk::QueueReason reason) {
  switch (reason) {
    case desk::QueueReason::kReady: return api::v1::QUEUE_REASON_READY;
    case desk::QueueReason::kNoAgentPresent: return api::v1::QUEUE_REASON_NO_AGENT_PRESENT;
    case desk::QueueReason::kAllAtCap: return api::v1::QUEUE_REASON_ALL_AT_CAP;
    case desk::QueueReason::kOutOfHours: return api::v1::QUEUE_REASON_OUT_OF_HOURS;
    case desk::QueueReason::kManual: return api::v1::QUEUE_REASON_MANUAL;
    case desk::QueueReason::kSelfPick: return api::v1::QUEUE_REASON_SELF_PICK;
    case desk::QueueReason::kAllDeclined: return api::v1::QUEUE_REASON_ALL_DECLINED;
    case desk::QueueReason::kNoMembers: return api::v1::QUEUE_REASON_NO_MEMBERS;
  }
  return api::v1::QUEUE_REASON_UNSPECIFIED;
}

api::v1::DistributionMode ToWire(desk::DistributionMode mode) {
  switch (mode) {
    case desk::DistributionMode::kRoundRobin: return api::v1::DISTRIBUTION_MODE_ROUND_ROBIN;
    case desk::DistributionMode::kLeastLoaded: return api::v1::DISTRIBUTION_MODE_LEAST_LOADED;
    case desk::DistributionMode::kManual: return api::v1::DISTRIBUTION_MODE_MANUAL;
    case desk::DistributionMode::kSelfPick: return api::v1::DISTRIBUTION_MODE_SELF_PICK;
    case desk::DistributionMode::kRules: return api::v1::DISTRIBUTION_MODE_RULES;
  }
  return api::v1::DISTRIBUTION_MODE_UNSPECIFIED;
}

v1::ExclusionReason ToWire(desk::VerdictReason reason) {
  switch (reason) {
    case desk::VerdictReason::kChosen:
    case desk::VerdictReason::kNotChosen: return v1::EXCLUSION_REASON_UNSPECIFIED;
    case desk::VerdictReason::kWrongLine: return v1::EXCLUSION_REASON_OTHER_LINE;
    case desk::VerdictReason::kDeclined: return v1::EXCLUSION_REASON_DECLINED;
    case desk::VerdictReason::kMissingSkill: return v1::EXCLUSION_REASON_MISSING_SKILL;
    case desk::VerdictReason::kMissingLanguage: return v1::EXCLUSION_REASON_MISSING_LANGUAGE;
    case desk::VerdictReason::kOnLeave: return v1::EXCLUSION_REASON_ON_LEAVE;
    case desk::VerdictReason::kOutOfHours: return v1::EXCLUSION_REASON_OUT_OF_HOURS;
    case desk::VerdictReason::kNotPresent: return v1::EXCLUSION_REASON_NOT_PRESENT;
    case desk::VerdictReason::kAtTotalCap:
    case desk::VerdictReason::kAtCap: return v1::EXCLUSION_REASON_AT_CAP;
  }
  return v1::EXCLUSION_REASON_UNSPECIFIED;
}

v1::Presence::Status PresenceToWire(absl::string_view status) {
  if (status == kOnline) return v1::Presence::STATUS_ONLINE;
  if (status == kAway) return v1::Presence::STATUS_AWAY;
  return v1::Presence::STATUS_OFFLINE;
}

std::string PresenceFromWire(v1::Presence::Status status) {
  switch (status) {
    case v1::Presence::STATUS_ONLINE: return kOnline;
    case v1::Presence::STATUS_AWAY: return kAway;
    case v1::Presence::STATUS_OFFLINE: return kOffline;
    default: return "";
  }
}

v1::Placement PlacementOf(const desk::Ticket& ticket, desk::QueueReason reason) {
  v1::Placement out;
  out.set_ticket(TicketName(ticket.id));
  out.set_number(ticket.number);
  out.set_flow(FlowName(ticket.flow_id));
  out.set_line(ticket.line);
  out.set_assignee(EmployeeName(ticket.assignee));
  if (ticket.state == desk::State::kQueued) out.set_queue_reason(ToWire(reason));
  out.set_ticket_version(ticket.version);
  out.set_etag(ledger::EtagOf(ticket.version));
  return out;
}

v1::Decision ToWire(const StoredDecision& stored, int64_t version, int flow_version,
                    const NameOf& name_of) {
  const desk::Decision& decision = stored.decision;
  v1::Decision out;
  const std::string last = version == 0 ? "now" : absl::StrCat(version);
  out.set_name(absl::StrCat(TicketName(decision.ticket), "/decisions/", last));
  SetTimestamp(decision.at, out.mutable_decide_time());
  out.set_flow(FlowName(stored.facts.flow.flow));
  out.set_flow_version(flow_version);
  out.set_policy_version(decision.policy_version);
  out.set_distribution_mode(ToWire(decision.mode));
  const int line = stored.facts.tickets[0].line;
  out.set_line(line);
  out.set_agent(EmployeeName(decision.chosen));
  if (decision.chosen.empty()) out.set_queue_reason(ToWire(decision.queue_reason));
  out.set_actor("system");
  for (size_t i = 0; i < decision.verdicts.size(); ++i) {
    const desk::CandidateVerdict& verdict = decision.verdicts[i];
    if (verdict.eligible) {
      v1::Candidate& candidate = *out.add_candidates();
      candidate.set_agent(EmployeeName(verdict.employee));
      candidate.set_active_count(verdict.active);
      candidate.set_max_active(verdict.cap);
      // Least loaded compares millionths of the cap; people read shares.
      candidate.set_score(decision.mode == desk::DistributionMode::kLeastLoaded
                              ? static_cast<double>(verdict.score) / 1e6
                              : static_cast<double>(verdict.score));
      candidate.set_ring_position(
          RingPosition(i, decision.verdicts, decision.cursor_before.Last(line)));
      candidate.set_chosen(verdict.reason == desk::VerdictReason::kChosen);
      continue;
    }
    v1::Exclusion& exclusion = *out.add_exclusions();
    exclusion.set_agent(EmployeeName(verdict.employee));
    exclusion.set_reason(ToWire(verdict.reason));
    const auto facts =
        std::find_if(stored.facts.candidates.begin(), stored.facts.candidates.end(),
                     [&](const desk::Candidate& c) { return c.employee == verdict.employee; });
    if (facts != stored.facts.candidates.end()) {
      SetWords(DetailsOf(verdict.reason, *facts), exclusion.mutable_details());
    }
  }
  std::stable_sort(out.mutable_candidates()->begin(), out.mutable_candidates()->end(),
                   [](const v1::Candidate& a, const v1::Candidate& b) {
                     if (a.chosen() != b.chosen()) return a.chosen();
                     if (a.score() != b.score()) return a.score() < b.score();
                     return a.ring_position() < b.ring_position();
                   });
  out.set_cursor_before(EmployeeName(decision.cursor_before.Last(line)));
  out.set_cursor_after(EmployeeName(decision.cursor_after.Last(line)));
  SetWords(SummaryOf(stored, name_of), out.mutable_summary());
  out.set_ticket_version(version);
  return out;
}

v1::Decision HandDecision(const desk::Ticket& ticket, const desk::Event& event,
                          const NameOf& name_of) {
  const std::string how = event.type == desk::EventType::kTransferred ? "transferred" : event.how;
  v1::Decision out;
  out.set_name(absl::StrCat(TicketName(ticket.id), "/decisions/", event.version));
  SetTimestamp(event.at, out.mutable_decide_time());
  out.set_flow(FlowName(ticket.flow_id));
  out.set_flow_version(ticket.flow_version);
  out.set_distribution_mode(ModeOfHow(how));
  out.set_agent(EmployeeName(event.agent));
  out.set_actor(event.actor);
  const absl::string_view person =
      absl::string_view(event.actor).substr(event.actor.rfind('/') + 1);
  SetWords(SummaryOfHand(how, name_of(event.agent), name_of(std::string(person))),
           out.mutable_summary());
  out.set_ticket_version(event.version);
  return out;
}

v1::Member ToWire(const std::string& flow, const MemberRow& row, absl::Time now) {
  v1::Member out;
  out.set_name(absl::StrCat(FlowName(flow), "/members/", row.employee));
  out.set_employee(EmployeeName(row.employee));
  out.set_line(row.line);
  if (row.max_active.has_value()) out.set_max_active(*row.max_active);
  for (const std::string& skill : row.skills) out.add_skills(skill);
  for (const std::string& language : row.languages) out.add_languages(language);
  if (!row.calendar.empty()) out.set_calendar(absl::StrCat("calendars/", row.calendar));
  out.set_active_count(row.active);
  out.set_presence_status(PresenceToWire(PresenceAt(row.presence, row.until, now)));
  out.set_etag(ledger::EtagOf(row.version));
  return out;
}

absl::StatusOr<std::optional<int64_t>> VersionOf(const std::string& field,
                                                 const std::string& etag) {
  if (etag.empty()) return std::nullopt;
  const std::optional<int64_t> version = ledger::VersionOfEtag(etag);
  if (version.has_value()) return version;
  return BadField(
      field, "must be an etag as a read gives it, such as \"\\\"7\\\"\"; empty: no check",
      "должно быть таким, как его даёт чтение, например \"\\\"7\\\"\"; пустое - без проверки");
}

absl::Time TokenTime(const Clock& clock) {
  return absl::UnixEpoch() + clock.ToReal(clock.Now() - absl::UnixEpoch());
}

absl::Status NoSuchFlow(const std::string& flow) {
  ErrorDetail detail;
  detail.metadata["flow"] = FlowName(flow);
  detail.ru = absl::StrCat("Потока ", FlowName(flow), " нет. Какие есть, скажет ListFlows.");
  return MakeError(absl::StatusCode::kNotFound, "FLOW_NOT_FOUND",
                   absl::StrCat("no flow ", FlowName(flow), "; ListFlows names them all"),
                   std::move(detail));
}

absl::Status NoSuchEmployee(const std::string& field, const std::string& employee) {
  ErrorDetail detail;
  detail.metadata["employee"] = EmployeeName(employee);
  detail.fields = {
      {field, absl::StrCat(EmployeeName(employee), " is not in the directory, or has left"),
       absl::StrCat(EmployeeName(employee), " нет в справочнике, или уже не работает")}};
  detail.ru = absl::StrCat("Сотрудника ", EmployeeName(employee),
                           " нет, или он уже не работает. Кто есть, скажет ListEmployees.");
  return MakeError(absl::StatusCode::kNotFound, "EMPLOYEE_NOT_FOUND",
                   absl::StrCat("no employee ", EmployeeName(employee),
                                " works here; ListEmployees names them all"),
                   std::move(detail));
}

absl::Status StaleEtag(const std::string& name, int64_t current) {
  ErrorDetail detail;
  detail.metadata = {{"name", name}, {"current_etag", ledger::EtagOf(current)}};
  detail.ru =
      absl::StrCat(name, " изменился с тех пор, как вы его читали; прочитайте снова и повторите.");
  return MakeError(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                   absl::StrCat(name, " has changed since you read it; read it again and repeat"),
                   std::move(detail));
}

absl::Status AlreadyTaken(const desk::Ticket& ticket) {
  ErrorDetail detail;
  detail.metadata = {{"assignee", EmployeeName(ticket.assignee)},
                     {"current_etag", ledger::EtagOf(ticket.version)}};
  detail.preconditions = {
      {"STATE", TicketName(ticket.id), absl::StrCat("is held by ", EmployeeName(ticket.assignee))}};
  detail.ru =
      absl::StrCat("Заявку ", ticket.number, " уже ведёт ", EmployeeName(ticket.assignee),
                   ". Возьмите другую (ClaimNext) или попросите передать (TransferTicket).");
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "ALREADY_TAKEN",
      absl::StrCat("ticket ", ticket.number, " is held by ", EmployeeName(ticket.assignee),
                   "; take another one (ClaimNext) or have it handed over "
                   "(TransferTicket)"),
      std::move(detail));
}

absl::Status SelfPickOff(const std::string& flow) {
  ErrorDetail detail;
  detail.metadata["flow"] = FlowName(flow);
  detail.ru =
      absl::StrCat("В потоке ", FlowName(flow),
                   " заявки не берут сами: режим потока другой. Назначить может администратор "
                   "потока (AssignTicket).");
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "SELF_PICK_OFF",
      absl::StrCat("agents of ", FlowName(flow),
                   " do not pick tickets themselves: its mode is another one; the flow's "
                   "admin may assign (AssignTicket)"),
      std::move(detail));
}

}  // namespace potok::router
