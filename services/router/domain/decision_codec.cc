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

json ToJson(const desk::Candidate& candidate, const desk::CandidateVerdict* verdict) {
  json out;
  out["employee"] = candidate.employee;
  Put(out, "line", candidate.line, 1);
  Put(out, "present", candidate.present, false);
  Put(out, "presence", candidate.presence, std::string());
  Put(out, "on_leave", candidate.on_leave, false);
  Put(out, "in_working_hours", candidate.in_working_hours, true);
  out["active"] = candidate.active;
  out["cap"] = candidate.cap;
  if (candidate.total_active) out["total_active"] = *candidate.total_active;
  if (candidate.total_cap) out["total_cap"] = *candidate.total_cap;
  Put(out, "skills", candidate.skills, {});
  Put(out, "languages", candidate.languages, {});
  if (verdict != nullptr) {
    out["verdict"] = std::string(desk::Name(verdict->reason));
    Put(out, "score", verdict->score, int64_t{-1});
  }
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
  candidate.active = ReadAs<int>(in.at("active"));
  candidate.cap = ReadAs<int>(in.at("cap"));
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
  if (format > desk::kRoutingFactsVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "decision of format ", format, "; this binary knows up to ", desk::kRoutingFactsVersion));
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
  for (const json& each : in.at("candidates")) {
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
  out["format"] = desk::kRoutingFactsVersion;
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
  std::map<std::string, const desk::CandidateVerdict*> verdicts;
  for (const desk::CandidateVerdict& verdict : decision.verdicts) {
    verdicts[verdict.employee] = &verdict;
  }
  json candidates = json::array();
  for (const desk::Candidate& candidate : facts.candidates) {
    // Of two rows with one id only the first counts; the second keeps no verdict.
    const auto found = verdicts.find(candidate.employee);
    candidates.push_back(ToJson(candidate, found == verdicts.end() ? nullptr : found->second));
    if (found != verdicts.end()) verdicts.erase(found);
  }
  out["candidates"] = std::move(candidates);
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
