#include "router/rpc/team.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/ticket/refusal.h"
#include "ledger/reference_idem.h"
#include "ledger/reference_write.h"
#include "platform/obs/log.h"
#include "router/rpc/wire.h"

namespace potok::router {
namespace {

constexpr int kUsualPage = 50;

absl::Status NoSuchCalendar(const std::string& field, const std::string& calendar) {
  ErrorDetail detail;
  detail.metadata["calendar"] = calendar;
  detail.fields = {{field, absl::StrCat("no calendar ", calendar),
                    absl::StrCat("календаря ", calendar, " нет")}};
  detail.ru = absl::StrCat("Календаря ", calendar, " нет. Какие есть, скажет ListCalendars.");
  return MakeError(absl::StatusCode::kNotFound, "CALENDAR_NOT_FOUND",
                   absl::StrCat("no calendar ", calendar, "; ListCalendars names them all"),
                   std::move(detail));
}

absl::Status NoSuch(const std::string& name) {
  ErrorDetail detail;
  detail.metadata["name"] = name;
  detail.ru = absl::StrCat(name, " нет.");
  return MakeError(absl::StatusCode::kNotFound, "NOT_FOUND", absl::StrCat("there is no ", name),
                   std::move(detail));
}

pg::TxOptions ReadUntil(const CallContext& call) {
  pg::TxOptions options;
  options.read_only = true;
  options.deadline = call.deadline;
  return options;
}

bool Contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string KindFromWire(v1::Absence::Kind kind) {
  switch (kind) {
    case v1::Absence::KIND_LEAVE: return "leave";
    case v1::Absence::KIND_SICK: return "sick";
    case v1::Absence::KIND_DAY_OFF: return "day_off";
    default: return "";
  }
}

v1::Absence::Kind KindToWire(absl::string_view kind) {
  if (kind == "sick") return v1::Absence::KIND_SICK;
  if (kind == "day_off") return v1::Absence::KIND_DAY_OFF;
  return v1::Absence::KIND_LEAVE;
}

v1::Absence ToWire(const std::string& employee, const AbsenceRow& row) {
  v1::Absence out;
  out.set_name(absl::StrCat(EmployeeName(employee), "/absences/", row.id));
  out.set_kind(KindToWire(row.kind));
  SetTimestamp(row.starts_at, out.mutable_start_time());
  SetTimestamp(row.ends_at, out.mutable_end_time());
  out.set_comment(row.comment);
  return out;
}

v1::Presence ToWire(const std::string& employee, const PresenceRow& row, absl::Time now) {
  v1::Presence out;
  out.set_name(absl::StrCat(EmployeeName(employee), "/presence"));
  if (row.status.empty()) {
    out.set_status(v1::Presence::STATUS_UNSPECIFIED);
  } else {
    out.set_status(PresenceToWire(PresenceAt(row.status, row.until, now)));
  }
  if (row.until) SetTimestamp(*row.until, out.mutable_until_time());
  if (row.updated_at) SetTimestamp(*row.updated_at, out.mutable_update_time());
  if (!row.absence.empty()) {
    out.set_absence(absl::StrCat(EmployeeName(employee), "/absences/", row.absence));
  }
  return out;
}

}  // namespace

std::shared_ptr<const ledger::ReferenceSnapshot> Team::KnowingFlow(const std::string& flow) const {
  auto reference = reference_.Snapshot();
  if (reference->Flow(flow) != nullptr || !reference_.Refresh().ok()) return reference;
  return reference_.Snapshot();
}

std::shared_ptr<const ledger::ReferenceSnapshot> Team::KnowingEmployee(
    const std::string& id) const {
  auto reference = reference_.Snapshot();
  if (reference->FindEmployee(id) != nullptr || !reference_.Refresh().ok()) return reference;
  return reference_.Snapshot();
}

absl::Status Team::MayAdminister(const CallContext& call,
                                 const ledger::ReferenceSnapshot& reference,
                                 const std::string& flow) const {
  const desk::Viewer viewer = reference.ViewerOf(call.caller);
  if (viewer.admin || Contains(viewer.flows_administered, flow)) return absl::OkStatus();
  return desk::Forbidden("change the team of this flow", "the flow's admin",
                         "администратор потока");
}

absl::Status Team::MaySpeakFor(const CallContext& call, const ledger::ReferenceSnapshot& reference,
                               const std::string& employee) const {
  const desk::Viewer viewer = reference.ViewerOf(call.caller);
  if (viewer.admin || (!viewer.employee.empty() && viewer.employee == employee)) {
    return absl::OkStatus();
  }
  const ledger::Employee* known = reference.FindEmployee(employee);
  if (known != nullptr && !viewer.employee.empty() && known->manager == viewer.employee) {
    return absl::OkStatus();
  }
  for (const std::string& flow : viewer.flows_administered) {
    const auto team = reference.members.find(flow);
    if (team == reference.members.end()) continue;
    if (std::any_of(team->second.begin(), team->second.end(),
                    [&](const ledger::Member& each) { return each.employee == employee; })) {
      return absl::OkStatus();
    }
  }
  return desk::Forbidden("say this of another employee",
                         "they themselves, their manager, the admin of a flow they work in",
                         "сам сотрудник, его руководитель, администратор потока, где он работает");
}

void Team::Changed(const std::vector<std::string>& flows) const {
  if (const absl::Status status = reference_.Refresh(); !status.ok()) {
    obs::LogWarn("reference.stale", "a change is stored but not yet seen here",
                 {{"error", status}});
  }
  for (const std::string& flow : flows) bell_.Wake(flow);
}

absl::StatusOr<std::vector<MemberDraft>> Team::DraftsOf(const v1::BatchUpsertMembersRequest& q,
                                                        const ledger::ReferenceSnapshot& reference,
                                                        const desk::Flow& flow) const {
  std::vector<MemberDraft> drafts;
  std::vector<FieldViolation> wrong;
  std::set<std::string> named;
  for (int i = 0; i < q.members_size(); ++i) {
    const v1::Member& member = q.members(i);
    const std::string path = absl::StrCat("members[", i, "].");
    MemberDraft draft;
    draft.employee = PartOfName(member.employee(), 1);
    draft.line = member.line() == 0 ? 1 : member.line();
    if (member.has_max_active()) draft.max_active = member.max_active();
    draft.calendar = PartOfName(member.calendar(), 1);
    draft.skills.assign(member.skills().begin(), member.skills().end());
    draft.languages.assign(member.languages().begin(), member.languages().end());
    if (!member.name().empty() &&
        member.name() != absl::StrCat(q.parent(), "/members/", draft.employee)) {
      wrong.push_back(
          {path + "name",
           "must name the same flow and employee as the other fields; or leave it empty",
           "должно называть тот же поток и сотрудника; или оставьте пустым"});
    }
    if (!named.insert(draft.employee).second) {
      wrong.push_back({path + "employee", "is named twice in this call; name each employee once",
                       "назван дважды в этом вызове; назовите каждого один раз"});
    }
    if (draft.line > flow.lines) {
      wrong.push_back(
          {path + "line",
           absl::StrCat("must be 1 to ", flow.lines, ", the lines of this flow, not ", draft.line),
           absl::StrCat("от 1 до ", flow.lines, " (столько линий в потоке), а не ", draft.line)});
    }
    const ledger::Employee* employee = reference.FindEmployee(draft.employee);
    if (employee == nullptr || !employee->active) {
      return NoSuchEmployee(path + "employee", draft.employee);
    }
    if (!draft.calendar.empty() && reference.calendars.count(draft.calendar) == 0) {
      return NoSuchCalendar(path + "calendar", member.calendar());
    }
    drafts.push_back(std::move(draft));
  }
  if (!wrong.empty()) return BadFields(std::move(wrong));
  return drafts;
}

absl::StatusOr<v1::BatchUpsertMembersResponse> Team::UpsertMembers(
    const CallContext& call, const v1::BatchUpsertMembersRequest& q) const {
  const std::string flow_id = PartOfName(q.parent(), 1);
  // People and calendars may be as new as the flow: they are written in one go by whoever sets a
  // company up.
  (void)reference_.Refresh();
  const auto reference = KnowingFlow(flow_id);
  const desk::Flow* flow = reference->Flow(flow_id);
  if (flow == nullptr) return NoSuchFlow(flow_id);
  POTOK_RETURN_IF_ERROR(MayAdminister(call, *reference, flow_id));
  POTOK_ASSIGN_OR_RETURN(const std::vector<MemberDraft> drafts, DraftsOf(q, *reference, *flow));
  std::vector<std::string> employees;
  std::map<std::string, int64_t> expected;
  for (int i = 0; i < q.members_size(); ++i) {
    employees.push_back(drafts[i].employee);
    POTOK_ASSIGN_OR_RETURN(const std::optional<int64_t> version,
                           VersionOf(absl::StrCat("members[", i, "].etag"), q.members(i).etag()));
    if (version) expected[drafts[i].employee] = *version;
  }
  const absl::Time now = clock_.Now();
  const auto write = [&](pg::Tx& tx) -> absl::StatusOr<v1::BatchUpsertMembersResponse> {
    std::map<std::string, int64_t> present;
    for (const MemberVersion& each : LockMembers(tx, flow_id, employees)) {
      if (each.present) present[each.employee] = each.version;
    }
    for (const auto& [employee, version] : expected) {
      const auto found = present.find(employee);
      const int64_t current = found == present.end() ? 0 : found->second;
      if (current != version) {
        return StaleEtag(absl::StrCat(q.parent(), "/members/", employee), current);
      }
    }
    router::UpsertMembers(tx, flow_id, flow->options.max_active, drafts);
    ledger::BumpEpoch(tx, ledger::kMemberKind);
    std::map<std::string, v1::Member> stored;
    for (const MemberRow& row : ReadMembers(tx, flow_id, "", q.members_size(), employees)) {
      stored[row.employee] = ToWire(flow_id, row, now);
    }
    v1::BatchUpsertMembersResponse answer;
    for (const std::string& employee : employees) *answer.add_members() = stored[employee];
    return answer;
  };
  POTOK_ASSIGN_OR_RETURN(v1::BatchUpsertMembersResponse answer,
                         ledger::WriteOnce<v1::BatchUpsertMembersResponse>(pool_, call, q, write));
  Changed({flow_id});
  return answer;
}

absl::StatusOr<v1::ListMembersResponse> Team::ListMembers(const CallContext& call,
                                                          const v1::ListMembersRequest& q) const {
  const std::string flow = PartOfName(q.parent(), 1);
  if (KnowingFlow(flow)->Flow(flow) == nullptr) return NoSuchFlow(flow);
  const std::string arguments = absl::StrCat("members\n", call.caller.principal, "\n", q.parent());
  std::string after;
  if (!q.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(after, page_tokens_.Open(q.page_token(), arguments, TokenTime(clock_)));
  }
  const int size = q.page_size() == 0 ? kUsualPage : q.page_size();
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<MemberRow> rows,
      pg::InAutocommit(pool_, ReadUntil(call),
                       [&](pg::Tx& tx) -> absl::StatusOr<std::vector<MemberRow>> {
                         return ReadMembers(tx, flow, after, size + 1, std::nullopt);
                       }));
  v1::ListMembersResponse answer;
  const int shown = std::min(size, static_cast<int>(rows.size()));
  for (int i = 0; i < shown; ++i) *answer.add_members() = ToWire(flow, rows[i], clock_.Now());
  if (static_cast<int>(rows.size()) > shown) {
    answer.set_next_page_token(
        page_tokens_.Seal(rows[shown - 1].employee, arguments, TokenTime(clock_)));
  }
  return answer;
}

absl::StatusOr<google::protobuf::Empty> Team::DeleteMember(const CallContext& call,
                                                           const v1::DeleteMemberRequest& q) const {
  const std::string flow = PartOfName(q.name(), 1);
  const std::string employee = PartOfName(q.name(), 3);
  const auto reference = KnowingFlow(flow);
  if (reference->Flow(flow) == nullptr) return NoSuchFlow(flow);
  POTOK_RETURN_IF_ERROR(MayAdminister(call, *reference, flow));
  POTOK_ASSIGN_OR_RETURN(const std::optional<int64_t> version, VersionOf("etag", q.etag()));
  const auto write = [&](pg::Tx& tx) -> absl::StatusOr<google::protobuf::Empty> {
    const std::vector<MemberVersion> found = LockMembers(tx, flow, {employee});
    if (found.empty() || !found[0].present) return NoSuch(q.name());
    if (!RemoveMember(tx, flow, employee, version)) return StaleEtag(q.name(), found[0].version);
    ledger::BumpEpoch(tx, ledger::kMemberKind);
    return google::protobuf::Empty();
  };
  POTOK_ASSIGN_OR_RETURN(google::protobuf::Empty answer,
                         ledger::WriteOnce<google::protobuf::Empty>(pool_, call, q, write));
  Changed({flow});
  bell_.SweepSoon();  // What they hold goes back to the queue now.
  return answer;
}

absl::StatusOr<v1::Presence> Team::SetPresence(const CallContext& call,
                                               const v1::SetPresenceRequest& q) const {
  const std::string employee = PartOfName(q.name(), 1);
  const auto reference = KnowingEmployee(employee);
  const ledger::Employee* known = reference->FindEmployee(employee);
  if (known == nullptr || !known->active) return NoSuchEmployee("name", employee);
  POTOK_RETURN_IF_ERROR(MaySpeakFor(call, *reference, employee));
  const std::string status = PresenceFromWire(q.status());
  if (status.empty()) {
    return BadField("status", "must be STATUS_ONLINE, STATUS_AWAY or STATUS_OFFLINE",
                    "должно быть STATUS_ONLINE, STATUS_AWAY или STATUS_OFFLINE");
  }
  const absl::Time now = clock_.Now();
  std::optional<absl::Time> until;
  if (q.has_until_time()) until = TimeOf(q.until_time());
  std::vector<std::string> flows;
  const auto write = [&](pg::Tx& tx) -> absl::StatusOr<v1::Presence> {
    // Here, and not before: a late retry of a call that was in time gets its answer.
    if (until && *until <= now) {
      return BadField("until_time", "must be in the future; leave it unset for no end",
                      "должно быть в будущем; без него - без срока");
    }
    WritePresence(tx, employee, status, until, now, call.caller.principal);
    flows = ReadFlowsOfMember(tx, employee);
    return ToWire(employee, ReadPresence(tx, employee, now), now);
  };
  POTOK_ASSIGN_OR_RETURN(v1::Presence answer,
                         ledger::WriteOnce<v1::Presence>(pool_, call, q, write));
  for (const std::string& flow : flows) bell_.Wake(flow);
  return answer;
}

absl::StatusOr<v1::Presence> Team::GetPresence(const CallContext& call,
                                               const v1::GetPresenceRequest& q) const {
  const std::string employee = PartOfName(q.name(), 1);
  if (KnowingEmployee(employee)->FindEmployee(employee) == nullptr) {
    return NoSuchEmployee("name", employee);
  }
  const absl::Time now = clock_.Now();
  return pg::InAutocommit(pool_, ReadUntil(call), [&](pg::Tx& tx) -> absl::StatusOr<v1::Presence> {
    return ToWire(employee, ReadPresence(tx, employee, now), now);
  });
}

absl::StatusOr<v1::Absence> Team::CreateAbsence(const CallContext& call,
                                                const v1::CreateAbsenceRequest& q) const {
  const std::string employee = PartOfName(q.parent(), 1);
  const auto reference = KnowingEmployee(employee);
  const ledger::Employee* known = reference->FindEmployee(employee);
  if (known == nullptr || !known->active) return NoSuchEmployee("parent", employee);
  POTOK_RETURN_IF_ERROR(MaySpeakFor(call, *reference, employee));
  AbsenceRow row;
  row.kind = KindFromWire(q.absence().kind());
  row.starts_at = TimeOf(q.absence().start_time());
  row.ends_at = TimeOf(q.absence().end_time());
  row.comment = q.absence().comment();
  std::vector<FieldViolation> wrong;
  if (row.kind.empty()) {
    wrong.push_back({"absence.kind", "must be KIND_LEAVE, KIND_SICK or KIND_DAY_OFF",
                     "должно быть KIND_LEAVE, KIND_SICK или KIND_DAY_OFF"});
  }
  if (row.ends_at <= row.starts_at) {
    wrong.push_back({"absence.end_time", "must be later than absence.start_time",
                     "должно быть позже absence.start_time"});
  }
  if (!wrong.empty()) return BadFields(std::move(wrong));
  const absl::Time now = clock_.Now();
  std::vector<std::string> flows;
  const auto write = [&](pg::Tx& tx) -> absl::StatusOr<v1::Absence> {
    row.id = InsertAbsence(tx, employee, row, now, call.caller.principal);
    flows = ReadFlowsOfMember(tx, employee);
    return ToWire(employee, row);
  };
  POTOK_ASSIGN_OR_RETURN(v1::Absence answer, ledger::WriteOnce<v1::Absence>(pool_, call, q, write));
  for (const std::string& flow : flows) bell_.Wake(flow);
  if (row.starts_at <= now) bell_.SweepSoon();  // It has begun: their work goes back to the queue.
  return answer;
}

absl::StatusOr<v1::ListAbsencesResponse> Team::ListAbsences(
    const CallContext& call, const v1::ListAbsencesRequest& q) const {
  const std::string employee = PartOfName(q.parent(), 1);
  if (KnowingEmployee(employee)->FindEmployee(employee) == nullptr) {
    return NoSuchEmployee("parent", employee);
  }
  const std::string arguments = absl::StrCat("absences\n", call.caller.principal, "\n", q.parent());
  std::optional<absl::Time> after;
  std::string after_id;
  if (!q.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::string payload,
                           page_tokens_.Open(q.page_token(), arguments, TokenTime(clock_)));
    const std::vector<std::string> words = absl::StrSplit(payload, ' ');
    int64_t micros = 0;
    if (words.size() != 2 || !absl::SimpleAtoi(words[0], &micros)) {
      return absl::InternalError("unreadable page token");
    }
    after = absl::FromUnixMicros(micros);
    after_id = words[1];
  }
  const int size = q.page_size() == 0 ? kUsualPage : q.page_size();
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<AbsenceRow> rows,
      pg::InAutocommit(pool_, ReadUntil(call),
                       [&](pg::Tx& tx) -> absl::StatusOr<std::vector<AbsenceRow>> {
                         return ReadAbsences(tx, employee, after, after_id, size + 1);
                       }));
  v1::ListAbsencesResponse answer;
  const int shown = std::min(size, static_cast<int>(rows.size()));
  for (int i = 0; i < shown; ++i) *answer.add_absences() = ToWire(employee, rows[i]);
  if (static_cast<int>(rows.size()) > shown) {
    answer.set_next_page_token(page_tokens_.Seal(
        absl::StrCat(absl::ToUnixMicros(rows[shown - 1].starts_at), " ", rows[shown - 1].id),
        arguments, TokenTime(clock_)));
  }
  return answer;
}

absl::StatusOr<google::protobuf::Empty> Team::DeleteAbsence(
    const CallContext& call, const v1::DeleteAbsenceRequest& q) const {
  const std::string employee = PartOfName(q.name(), 1);
  POTOK_RETURN_IF_ERROR(MaySpeakFor(call, *KnowingEmployee(employee), employee));
  std::vector<std::string> flows;
  const auto write = [&](pg::Tx& tx) -> absl::StatusOr<google::protobuf::Empty> {
    if (!router::DeleteAbsence(tx, employee, PartOfName(q.name(), 3))) return NoSuch(q.name());
    flows = ReadFlowsOfMember(tx, employee);
    return google::protobuf::Empty();
  };
  POTOK_ASSIGN_OR_RETURN(google::protobuf::Empty answer,
                         ledger::WriteOnce<google::protobuf::Empty>(pool_, call, q, write));
  for (const std::string& flow : flows) bell_.Wake(flow);
  return answer;
}

}  // namespace potok::router
