#include "desk/routing/facts.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace potok::desk {
namespace {

// A text is a sequence of items: bare words and quoted strings, separated by one space or newline.
class Writer {
 public:
  // Begins a new line with `word`.
  Writer& Line(absl::string_view word) {
    absl::StrAppend(&text_, text_.empty() ? "" : "\n", word);
    return *this;
  }
  Writer& Text(absl::string_view value) {
    absl::StrAppend(&text_, " \"", absl::Utf8SafeCEscape(value), "\"");
    return *this;
  }
  Writer& Number(int64_t value) {
    absl::StrAppend(&text_, " ", value);
    return *this;
  }
  Writer& Optional(std::optional<int> value) {
    absl::StrAppend(&text_, " ", value.has_value() ? absl::StrCat(*value) : "-");
    return *this;
  }
  Writer& Instant(absl::Time value) { return Number(absl::ToUnixMicros(value)); }
  Writer& List(const std::vector<std::string>& values) {
    Number(static_cast<int64_t>(values.size()));
    for (const std::string& value : values) Text(value);
    return *this;
  }
  std::string Finish() && {
    text_ += '\n';
    return std::move(text_);
  }

 private:
  std::string text_;
};

// Reads what Writer wrote. After the first fault every read returns an empty value, so callers
// check `ok()` once at the end.
class Reader {
 public:
  explicit Reader(absl::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool AtEnd() {
    SkipSpace();
    return rest_.empty();
  }

  std::string Word() {
    SkipSpace();
    const size_t end = std::min(rest_.find_first_of(" \n"), rest_.size());
    if (end == 0 || rest_[0] == '"') return Fail();
    std::string word(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return word;
  }
  std::string Text() {
    SkipSpace();
    if (rest_.empty() || rest_[0] != '"') return Fail();
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    std::string value;
    if (end >= rest_.size() || !absl::CUnescape(rest_.substr(1, end - 1), &value)) return Fail();
    rest_.remove_prefix(end + 1);
    return value;
  }
  int64_t Number() {
    int64_t value = 0;
    if (!absl::SimpleAtoi(Word(), &value)) Fail();
    return ok_ ? value : 0;
  }
  int Int() {
    const int64_t value = Number();
    if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) Fail();
    return ok_ ? static_cast<int>(value) : 0;
  }
  bool Flag() {
    const int64_t value = Number();
    if (value != 0 && value != 1) Fail();
    return value == 1;
  }
  std::optional<int> Optional() {
    SkipSpace();
    if (!rest_.empty() && rest_[0] == '-' &&
        (rest_.size() == 1 || rest_[1] == ' ' || rest_[1] == '\n')) {
      rest_.remove_prefix(1);
      return std::nullopt;
    }
    return Int();
  }
  absl::Time Instant() { return absl::FromUnixMicros(Number()); }
  std::vector<std::string> List() {
    std::vector<std::string> values;
    // A damaged count must not reserve memory: the loop ends at the first missing item.
    for (int64_t left = Number(); ok_ && left > 0; --left) values.push_back(Text());
    return values;
  }
  std::string Fail() {
    ok_ = false;
    rest_ = absl::string_view();
    return "";
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }

  absl::string_view rest_;
  bool ok_ = true;
};

absl::Status CheckVersion(Reader& in, absl::string_view kind) {
  const bool named = in.Word() == kind;
  const int64_t version = in.Number();
  if (!named || !in.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the text does not hold ", kind));
  }
  if (version != kRoutingFactsVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(kind, " of version ", version,
                     " cannot be read here; this program knows version ", kRoutingFactsVersion));
  }
  return absl::OkStatus();
}

absl::Status Damaged(absl::string_view kind) {
  return absl::InvalidArgumentError(absl::StrCat("the text of ", kind, " is damaged"));
}

VerdictReason ReadVerdict(Reader& in) {
  const std::string name = in.Word();
  for (int i = 0; i <= static_cast<int>(VerdictReason::kAtCap); ++i) {
    if (Name(static_cast<VerdictReason>(i)) == name) return static_cast<VerdictReason>(i);
  }
  in.Fail();
  return VerdictReason::kNotChosen;
}

DistributionMode ReadMode(Reader& in) {
  const std::optional<DistributionMode> mode = ParseDistributionMode(in.Word());
  if (!mode.has_value()) in.Fail();
  return mode.value_or(DistributionMode::kRoundRobin);
}

Candidate ReadCandidate(Reader& in) {
  Candidate out;
  out.employee = in.Text();
  out.line = in.Int();
  out.present = in.Flag();
  out.presence = in.Text();
  out.on_leave = in.Flag();
  out.in_working_hours = in.Flag();
  out.active = in.Int();
  out.cap = in.Int();
  out.total_active = in.Optional();
  out.total_cap = in.Optional();
  out.skills = in.List();
  out.languages = in.List();
  return out;
}

WaitingTicket ReadTicket(Reader& in) {
  WaitingTicket out;
  out.id = in.Text();
  out.number = in.Text();
  out.line = in.Int();
  out.priority = in.Int();
  out.queued_at = in.Instant();
  out.queued_seq = in.Number();
  out.front = in.Flag();
  out.excluded = in.List();
  out.sticky_agent = in.Text();
  out.rule_assignee = in.Text();
  out.required_skills = in.List();
  out.required_language = in.Text();
  return out;
}

}  // namespace

Plan MakePlan(const PlanFacts& facts) {
  return MakePlan(facts.flow, facts.cursor, facts.candidates, facts.tickets, facts.at);
}

PlanFacts FactsOfDecision(const PlanFacts& pass, const Plan& plan, size_t index) {
  const Decision& decision = plan.decisions[index];
  PlanFacts facts{pass.flow, decision.cursor_before, pass.candidates, {}, pass.at};
  std::map<std::string, int> taken;
  for (size_t i = 0; i < index; ++i) {
    if (!plan.decisions[i].chosen.empty()) ++taken[plan.decisions[i].chosen];
  }
  for (Candidate& candidate : facts.candidates) {
    const auto found = taken.find(candidate.employee);
    if (found == taken.end()) continue;
    candidate.active += found->second;
    if (candidate.total_active.has_value()) *candidate.total_active += found->second;
  }
  for (const WaitingTicket& ticket : pass.tickets) {
    if (ticket.id != decision.ticket) continue;
    facts.tickets.push_back(ticket);
    break;
  }
  return facts;
}

std::string EncodeFacts(const PlanFacts& facts) {
  Writer out;
  out.Line("routing-facts").Number(kRoutingFactsVersion);
  out.Line("flow").Text(facts.flow.flow);
  out.Line(Name(facts.flow.mode))
      .Number(facts.flow.working_hours_only ? 1 : 0)
      .Number(facts.flow.policy_version)
      .Number(absl::ToInt64Microseconds(facts.flow.ageing_step));
  out.Line("at").Instant(facts.at);
  out.Line("cursor").Text(facts.cursor.last_agent);
  for (const Candidate& candidate : facts.candidates) {
    out.Line("candidate")
        .Text(candidate.employee)
        .Number(candidate.line)
        .Number(candidate.present ? 1 : 0)
        .Text(candidate.presence)
        .Number(candidate.on_leave ? 1 : 0)
        .Number(candidate.in_working_hours ? 1 : 0)
        .Number(candidate.active)
        .Number(candidate.cap)
        .Optional(candidate.total_active)
        .Optional(candidate.total_cap)
        .List(candidate.skills)
        .List(candidate.languages);
  }
  for (const WaitingTicket& ticket : facts.tickets) {
    out.Line("ticket")
        .Text(ticket.id)
        .Text(ticket.number)
        .Number(ticket.line)
        .Number(ticket.priority)
        .Instant(ticket.queued_at)
        .Number(ticket.queued_seq)
        .Number(ticket.front ? 1 : 0)
        .List(ticket.excluded)
        .Text(ticket.sticky_agent)
        .Text(ticket.rule_assignee)
        .List(ticket.required_skills)
        .Text(ticket.required_language);
  }
  return std::move(out).Finish();
}

absl::StatusOr<PlanFacts> ParseFacts(absl::string_view text) {
  Reader in(text);
  POTOK_RETURN_IF_ERROR(CheckVersion(in, "routing-facts"));
  PlanFacts facts;
  if (in.Word() != "flow") in.Fail();
  facts.flow.flow = in.Text();
  facts.flow.mode = ReadMode(in);
  facts.flow.working_hours_only = in.Flag();
  facts.flow.policy_version = in.Int();
  facts.flow.ageing_step = absl::Microseconds(in.Number());
  if (in.Word() != "at") in.Fail();
  facts.at = in.Instant();
  if (in.Word() != "cursor") in.Fail();
  facts.cursor.last_agent = in.Text();
  while (in.ok() && !in.AtEnd()) {
    const std::string kind = in.Word();
    if (kind == "candidate") {
      facts.candidates.push_back(ReadCandidate(in));
    } else if (kind == "ticket") {
      facts.tickets.push_back(ReadTicket(in));
    } else {
      in.Fail();
    }
  }
  if (!in.ok()) return Damaged("routing-facts");
  return facts;
}

std::string EncodeDecision(const Decision& decision) {
  Writer out;
  out.Line("routing-decision").Number(kRoutingFactsVersion);
  out.Line("ticket").Text(decision.ticket);
  out.Line(Name(decision.mode)).Number(decision.policy_version);
  out.Line("at").Instant(decision.at);
  out.Line("chosen").Text(decision.chosen).Text(decision.chosen_by);
  out.Line(Name(decision.queue_reason));
  out.Line("cursor").Text(decision.cursor_before.last_agent).Text(decision.cursor_after.last_agent);
  for (const CandidateVerdict& verdict : decision.verdicts) {
    out.Line(Name(verdict.reason))
        .Text(verdict.employee)
        .Number(verdict.eligible ? 1 : 0)
        .Number(verdict.score)
        .Number(verdict.active)
        .Number(verdict.cap);
  }
  return std::move(out).Finish();
}

absl::StatusOr<Decision> ParseDecision(absl::string_view text) {
  Reader in(text);
  POTOK_RETURN_IF_ERROR(CheckVersion(in, "routing-decision"));
  Decision decision;
  if (in.Word() != "ticket") in.Fail();
  decision.ticket = in.Text();
  decision.mode = ReadMode(in);
  decision.policy_version = in.Int();
  if (in.Word() != "at") in.Fail();
  decision.at = in.Instant();
  if (in.Word() != "chosen") in.Fail();
  decision.chosen = in.Text();
  decision.chosen_by = in.Text();
  const std::optional<QueueReason> reason = ParseQueueReason(in.Word());
  if (!reason.has_value()) in.Fail();
  decision.queue_reason = reason.value_or(QueueReason::kReady);
  if (in.Word() != "cursor") in.Fail();
  decision.cursor_before.last_agent = in.Text();
  decision.cursor_after.last_agent = in.Text();
  while (in.ok() && !in.AtEnd()) {
    CandidateVerdict verdict;
    verdict.reason = ReadVerdict(in);
    verdict.employee = in.Text();
    verdict.eligible = in.Flag();
    verdict.score = in.Number();
    verdict.active = in.Int();
    verdict.cap = in.Int();
    decision.verdicts.push_back(std::move(verdict));
  }
  if (!in.ok()) return Damaged("routing-decision");
  return decision;
}

absl::StatusOr<Plan> Replay(absl::string_view facts) {
  POTOK_ASSIGN_OR_RETURN(const PlanFacts parsed, ParseFacts(facts));
  return MakePlan(parsed);
}

absl::Status VerifyDecision(absl::string_view facts, absl::string_view decision) {
  POTOK_ASSIGN_OR_RETURN(const Decision stored, ParseDecision(decision));
  POTOK_ASSIGN_OR_RETURN(const Plan plan, Replay(facts));
  for (const Decision& again : plan.decisions) {
    if (again.ticket != stored.ticket) continue;
    if (EncodeDecision(again) == decision) return absl::OkStatus();
    if (again.chosen != stored.chosen) {
      return absl::DataLossError(absl::StrCat("ticket ", stored.ticket, ": stored choice \"",
                                              stored.chosen, "\", replayed \"", again.chosen,
                                              "\""));
    }
    for (size_t i = 0; i < again.verdicts.size() && i < stored.verdicts.size(); ++i) {
      if (again.verdicts[i] == stored.verdicts[i]) continue;
      return absl::DataLossError(absl::StrCat(
          "ticket ", stored.ticket, ": candidate \"", again.verdicts[i].employee, "\" stored as ",
          Name(stored.verdicts[i].reason), ", replayed as ", Name(again.verdicts[i].reason)));
    }
    return absl::DataLossError(
        absl::StrCat("ticket ", stored.ticket, ": the choice is the same, the record differs"));
  }
  return absl::DataLossError(
      absl::StrCat("ticket ", stored.ticket, " is not among the facts of the pass"));
}

}  // namespace potok::desk
