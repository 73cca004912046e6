#include "router/domain/decision_codec.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/json_value.h"

namespace potok::router {
namespace {

using nlohmann::json;

// 1 had an object a candidate; 2 has columns.
constexpr int kFormat = 2;

constexpr desk::VerdictReason kVerdicts[] = {
    desk::VerdictReason::kChosen,       desk::VerdictReason::kNotChosen,
    desk::VerdictReason::kWrongLine,    desk::VerdictReason::kDeclined,
    desk::VerdictReason::kMissingSkill, desk::VerdictReason::kMissingLanguage,
    desk::VerdictReason::kOnLeave,      desk::VerdictReason::kOutOfHours,
    desk::VerdictReason::kNotPresent,   desk::VerdictReason::kAtTotalCap,
    desk::VerdictReason::kAtCap};

template <class T>
void Put(json& to, const char* key, const T& value, const T& usual) {
  if (!(value == usual)) to[key] = value;
}

template <class T>
T Get(const json& from, const char* key, T usual) {
  const auto found = from.find(key);
  return found == from.end() ? usual : ReadAs<T>(*found);
}

// Candidates are stored by column: a team has one status, one cap and one line more often than not,
// and a pass over forty people would otherwise spend most of its time on names of keys. A column
// that everybody has at its default is left out; one whose value all share is that value.
template <class ValueOf, class T>
void PutColumn(json& to, const char* key, const std::vector<desk::Candidate>& team,
               const ValueOf& value_of, const T& usual) {
  if (team.empty()) return;
  const T first = value_of(team[0]);
  const bool shared = std::all_of(team.begin(), team.end(), [&](const desk::Candidate& each) {
    return value_of(each) == first;
  });
  if (shared && first == usual) return;
  json column = json::array();
  if (shared) {
    column = first;
  } else {
    for (const desk::Candidate& each : team) column.push_back(value_of(each));
  }
  to[key] = std::move(column);
}

// The same of lists, which are never shortened to the one that all share.
void PutLists(json& to, const char* key, const std::vector<desk::Candidate>& team,
              std::vector<std::string> desk::Candidate::*list) {
  const bool any = std::any_of(team.begin(), team.end(),
                               [&](const desk::Candidate& each) { return !(each.*list).empty(); });
  if (!any) return;
  json column = json::array();
  for (const desk::Candidate& each : team) column.push_back(each.*list);
  to[key] = std::move(column);
}

constexpr int kNone = -1;  // Nobody holds or may hold less than nothing.

json ColumnsOf(const std::vector<desk::Candidate>& team,
               const std::vector<desk::CandidateVerdict>& verdicts) {
  json out = json::object();
  json& employees = out["employee"] = json::array();
  for (const desk::Candidate& each : team) employees.push_back(each.employee);
  const auto put = [&](const char* key, auto member, auto usual) {
    PutColumn(
        out, key, team, [member](const desk::Candidate& each) { return each.*member; }, usual);
  };
  put("line", &desk::Candidate::line, 1);
  put("present", &desk::Candidate::present, false);
  put("presence", &desk::Candidate::presence, std::string());
  put("on_leave", &desk::Candidate::on_leave, false);
  put("in_working_hours", &desk::Candidate::in_working_hours, true);
  put("active", &desk::Candidate::active, 0);
  put("cap", &desk::Candidate::cap, 0);
  const auto put_optional = [&](const char* key, std::optional<int> desk::Candidate::*member) {
    PutColumn(
        out, key, team,
        [member](const desk::Candidate& each) { return (each.*member).value_or(kNone); }, kNone);
  };
  put_optional("total_active", &desk::Candidate::total_active);
  put_optional("total_cap", &desk::Candidate::total_cap);
  PutLists(out, "skills", team, &desk::Candidate::skills);
  PutLists(out, "languages", team, &desk::Candidate::languages);

  // Of two rows with one id only the first counts; the second keeps no verdict.
  std::map<std::string, const desk::CandidateVerdict*> by_employee;
  for (const desk::CandidateVerdict& verdict : verdicts) by_employee[verdict.employee] = &verdict;
  json names = json::array(), scores = json::array();
  bool scored = false;
  for (const desk::Candidate& each : team) {
    const auto found = by_employee.find(each.employee);
    const bool judged = found != by_employee.end();
    names.push_back(judged ? std::string(desk::Name(found->second->reason)) : std::string());
    scores.push_back(judged ? found->second->score : int64_t{-1});
    scored = scored || scores.back() != int64_t{-1};
    if (judged) by_employee.erase(found);
  }
  out["verdict"] = std::move(names);
  if (scored) out["score"] = std::move(scores);
  return out;
}

desk::Candidate CandidateFrom(const json& in) {
  desk::Candidate candidate;
  candidate.employee = in.at("employee").get<std::string>();
  candidate.line = Get(in, "line", 1);
  candidate.present = Get(in, "present", false);
  candidate.presence = Get(in, "presence", std::string());
  candidate.on_leave = Get(in, "on_leave", false);
  candidate.in_working_hours = Get(in, "in_working_hours", true);
  candidate.active = Get(in, "active", 0);
  candidate.cap = Get(in, "cap", 0);
  if (in.contains("total_active")) candidate.total_active = ReadAs<int>(in["total_active"]);
  if (in.contains("total_cap")) candidate.total_cap = ReadAs<int>(in["total_cap"]);
  candidate.skills = Get(in, "skills", std::vector<std::string>());
  candidate.languages = Get(in, "languages", std::vector<std::string>());
  return candidate;
}

// The verdict repeats the load that the candidate shows, so the load is stored once.
std::optional<desk::CandidateVerdict> VerdictFrom(const json& in,
                                                  const desk::Candidate& candidate) {
  if (!in.contains("verdict")) return std::nullopt;
  const std::string name = in["verdict"].get<std::string>();
  const auto* reason =
      std::find_if(std::begin(kVerdicts), std::end(kVerdicts),
                   [&](desk::VerdictReason each) { return desk::Name(each) == name; });
  if (reason == std::end(kVerdicts)) return std::nullopt;
  desk::CandidateVerdict verdict;
  verdict.employee = candidate.employee;
  verdict.reason = *reason;
  verdict.eligible =
      *reason == desk::VerdictReason::kChosen || *reason == desk::VerdictReason::kNotChosen;
  verdict.score = Get(in, "score", int64_t{-1});
  verdict.active = candidate.active;
  verdict.cap = candidate.cap;
  return verdict;
}

// Row `at` of columns as the object that format 1 stored.
json RowOf(const json& columns, size_t at) {
  json row = json::object();
  for (const auto& [key, column] : columns.items()) {
    json value = column.is_array() ? column.at(at) : column;
    if ((key == "total_active" || key == "total_cap") && value == kNone) continue;
    if (key == "verdict" && value == "") continue;
    row[key] = std::move(value);
  }
  return row;
}

json ToJson(const desk::WaitingTicket& ticket) {
  json out;
  out["id"] = ticket.id;
  Put(out, "number", ticket.number, std::string());
  Put(out, "line", ticket.line, 1);
  out["priority"] = ticket.priority;
  out["queued_us"] = absl::ToUnixMicros(ticket.queued_at);
  out["queued_seq"] = ticket.queued_seq;
  Put(out, "front", ticket.front, false);
  Put(out, "excluded", ticket.excluded, {});
  Put(out, "sticky_agent", ticket.sticky_agent, std::string());
  Put(out, "rule_assignee", ticket.rule_assignee, std::string());
  Put(out, "required_skills", ticket.required_skills, {});
  Put(out, "required_language", ticket.required_language, std::string());
  return out;
}

desk::WaitingTicket TicketFrom(const json& in) {
  desk::WaitingTicket ticket;
  ticket.id = in.at("id").get<std::string>();
  ticket.number = Get(in, "number", std::string());
  ticket.line = Get(in, "line", 1);
  ticket.priority = ReadAs<int>(in.at("priority"));
  ticket.queued_at = absl::FromUnixMicros(ReadAs<int64_t>(in.at("queued_us")));
  ticket.queued_seq = ReadAs<int64_t>(in.at("queued_seq"));
  ticket.front = Get(in, "front", false);
  ticket.excluded = Get(in, "excluded", std::vector<std::string>());
  ticket.sticky_agent = Get(in, "sticky_agent", std::string());
  ticket.rule_assignee = Get(in, "rule_assignee", std::string());
  ticket.required_skills = Get(in, "required_skills", std::vector<std::string>());
  ticket.required_language = Get(in, "required_language", std::string());
  return ticket;
}

absl::StatusOr<StoredDecision> Read(const json& in) {
  const int format = ReadAs<int>(in.at("format"));
  if (format > kFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("decision of format ", format, "; this binary knows up to ", kFormat));
  }
  StoredDecision stored;
  desk::PlanFacts& facts = stored.facts;
  const json& flow = in.at("flow");
  facts.flow.flow = flow.at("id").get<std::string>();
  const auto mode = desk::ParseDistributionMode(flow.at("mode").get<std::string>());
  const auto reason = desk::ParseQueueReason(Get(in, "queue_reason", std::string("READY")));
  if (!mode || !reason) return absl::DataLossError("decision with an unknown mode or reason");
  facts.flow.mode = *mode;
  facts.flow.working_hours_only = Get(flow, "working_hours_only", false);
  facts.flow.policy_version = ReadAs<int>(flow.at("policy_version"));
  facts.flow.ageing_step = absl::Microseconds(ReadAs<int64_t>(flow.at("ageing_step_us")));
  facts.at = absl::FromUnixMicros(ReadAs<int64_t>(in.at("at_us")));
  facts.cursor.last_agent = Get(in, "cursor_before", std::string());
  facts.tickets.push_back(TicketFrom(in.at("ticket")));

  desk::Decision& decision = stored.decision;
  decision.ticket = facts.tickets[0].id;
  decision.mode = *mode;
  decision.chosen = Get(in, "chosen", std::string());
  decision.chosen_by = Get(in, "chosen_by", std::string());
  decision.cursor_before = facts.cursor;
  decision.cursor_after.last_agent = Get(in, "cursor_after", std::string());
  decision.policy_version = facts.flow.policy_version;
  decision.at = facts.at;
  decision.queue_reason = *reason;
  const json& team = in.at("candidates");
  const size_t size = format == 1 ? team.size() : team.at("employee").size();
  for (size_t i = 0; i < size; ++i) {
    const json each = format == 1 ? team.at(i) : RowOf(team, i);
    facts.candidates.push_back(CandidateFrom(each));
    if (auto verdict = VerdictFrom(each, facts.candidates.back())) {
      decision.verdicts.push_back(*std::move(verdict));
    }
  }
  // Verdicts stand by employee id, whatever the order the candidates were read in.
  std::sort(decision.verdicts.begin(), decision.verdicts.end(),
            [](const auto& a, const auto& b) { return a.employee < b.employee; });
  return stored;
}

}  // namespace

std::string ToJson(const StoredDecision& stored) {
  const desk::PlanFacts& facts = stored.facts;
  const desk::Decision& decision = stored.decision;
  json out;
  out["format"] = kFormat;
  json flow;
  flow["id"] = facts.flow.flow;
  flow["mode"] = std::string(desk::Name(facts.flow.mode));
  Put(flow, "working_hours_only", facts.flow.working_hours_only, false);
  flow["policy_version"] = facts.flow.policy_version;
  flow["ageing_step_us"] = absl::ToInt64Microseconds(facts.flow.ageing_step);
  out["flow"] = std::move(flow);
  out["at_us"] = absl::ToUnixMicros(decision.at);
  Put(out, "cursor_before", decision.cursor_before.last_agent, std::string());
  Put(out, "cursor_after", decision.cursor_after.last_agent, std::string());
  out["ticket"] = ToJson(facts.tickets.at(0));
  Put(out, "chosen", decision.chosen, std::string());
  Put(out, "chosen_by", decision.chosen_by, std::string());
  Put(out, "queue_reason", std::string(desk::Name(decision.queue_reason)), std::string("READY"));
  out["candidates"] = ColumnsOf(facts.candidates, decision.verdicts);
  return out.dump();
}

absl::StatusOr<StoredDecision> DecisionFromJson(const std::string& text) {
  // The one border to nlohmann, whose getters throw on text of another shape.
  try {
    return Read(json::parse(text));
  } catch (const std::exception& fault) {
    return absl::DataLossError(absl::StrCat("stored decision cannot be read: ", fault.what()));
  }
}

absl::Status Replay(const StoredDecision& stored) {
  return desk::VerifyDecision(desk::EncodeFacts(stored.facts),
                              desk::EncodeDecision(stored.decision));
}

}  // namespace potok::router
