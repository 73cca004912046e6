#include "router/domain/decision_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace potok::router {
namespace {

using desk::QueueReason;
using desk::VerdictReason;

// Beyond this many names a sentence is no sentence any more.
constexpr size_t kNamesInSummary = 5;

Words Presence(const std::string& presence) {
  if (presence == "away") return {"отошёл(ла) от рабочего места", "away"};
  return {"не на связи", "offline"};
}

// "Иванова (3 из 3 активных заявок)" of everybody who was passed over.
Words PassedOver(const StoredDecision& stored, const NameOf& name_of) {
  std::vector<std::string> ru, en;
  size_t others = 0;
  for (const desk::CandidateVerdict& verdict : stored.decision.verdicts) {
    if (verdict.eligible || verdict.reason == VerdictReason::kWrongLine) continue;
    if (ru.size() == kNamesInSummary) {
      ++others;
      continue;
    }
    const auto candidate =
        std::find_if(stored.facts.candidates.begin(), stored.facts.candidates.end(),
                     [&](const desk::Candidate& c) { return c.employee == verdict.employee; });
    if (candidate == stored.facts.candidates.end()) continue;
    const Words why = DetailsOf(verdict.reason, *candidate);
    const std::string name = name_of(verdict.employee);
    ru.push_back(absl::StrCat(name, " (", why.ru, ")"));
    en.push_back(absl::StrCat(name, " (", why.en, ")"));
  }
  if (ru.empty()) return {};
  Words out{absl::StrCat("; не могли взять: ", absl::StrJoin(ru, ", ")),
            absl::StrCat("; passed over: ", absl::StrJoin(en, ", "))};
  if (others > 0) {
    absl::StrAppend(&out.ru, " и ещё ", others);
    absl::StrAppend(&out.en, " and ", others, " more");
  }
  return out;
}

Words ByRule(const desk::Decision& decision) {
  if (decision.chosen_by == "rule")
    return {"так велит правило потока", "a rule of the flow names them"};
  if (decision.chosen_by == "sticky") {
    return {"заявка вернулась к прежнему исполнителю", "the ticket came back to its former holder"};
  }
  if (decision.chosen_by == "load") return {"меньше всех загружен(а)", "least loaded"};
  return {"подошла очередь", "next in turn"};
}

}  // namespace

Words DetailsOf(VerdictReason reason, const desk::Candidate& c) {
  switch (reason) {
    case VerdictReason::kChosen: return {"получил(а) заявку", "got the ticket"};
    case VerdictReason::kNotChosen: return {"мог(ла) взять", "could have got it"};
    case VerdictReason::kWrongLine:
      return {absl::StrCat("работает на линии ", c.line), absl::StrCat("works on line ", c.line)};
    case VerdictReason::kDeclined:
      return {"отказался(лась) от этой заявки", "declined this ticket"};
    case VerdictReason::kMissingSkill: return {"нет нужного навыка", "lacks a skill it needs"};
    case VerdictReason::kMissingLanguage:
      return {"не владеет нужным языком", "lacks the language it needs"};
    case VerdictReason::kOnLeave:
      return {"отсутствует: отпуск, болезнь или выходной", "absent: on leave, ill or on a day off"};
    case VerdictReason::kOutOfHours: return {"сейчас не рабочее время", "outside working hours"};
    case VerdictReason::kNotPresent: return Presence(c.presence);
    case VerdictReason::kAtTotalCap:
      return {absl::StrCat(c.total_active.value_or(0), " из ", c.total_cap.value_or(0),
                           " активных заявок во всех потоках"),
              absl::StrCat(c.total_active.value_or(0), " of ", c.total_cap.value_or(0),
                           " active tickets over all flows")};
    case VerdictReason::kAtCap:
      return {absl::StrCat(c.active, " из ", c.cap, " активных заявок"),
              absl::StrCat(c.active, " of ", c.cap, " active tickets")};
  }
  return {};
}

Words WhyWaiting(QueueReason reason) {
  switch (reason) {
    case QueueReason::kReady: return {"ждёт ближайшего распределения", "waits for the next pass"};
    case QueueReason::kNoAgentPresent:
      return {"никого из исполнителей нет на месте", "no agent is present"};
    case QueueReason::kAllAtCap:
      return {"все присутствующие заняты до предела", "everybody present is at their cap"};
    case QueueReason::kOutOfHours:
      return {"сейчас не рабочее время исполнителей", "it is outside everybody's working hours"};
    case QueueReason::kManual:
      return {"в этом потоке заявки раздаёт администратор", "the flow's admin assigns by hand"};
    case QueueReason::kSelfPick:
      return {"в этом потоке исполнители берут заявки сами",
              "agents of this flow pick for themselves"};
    case QueueReason::kAllDeclined:
      return {"все исполнители отказались; нужен администратор потока",
              "everybody declined; the flow's admin has to step in"};
    case QueueReason::kNoMembers:
      return {"на этой линии нет исполнителей", "the line has no members"};
  }
  return {};
}

Words SummaryOf(const StoredDecision& stored, const NameOf& name_of) {
  const desk::Decision& decision = stored.decision;
  const Words over = PassedOver(stored, name_of);
  if (decision.chosen.empty()) {
    const Words why = WhyWaiting(decision.queue_reason);
    return {absl::StrCat("Никому не передана: ", why.ru, over.ru, "."),
            absl::StrCat("Given to nobody: ", why.en, over.en, ".")};
  }
  const Words rule = ByRule(decision);
  const std::string name = name_of(decision.chosen);
  return {absl::StrCat("Исполнитель - ", name, ": ", rule.ru, over.ru, "."),
          absl::StrCat("Given to ", name, ": ", rule.en, over.en, ".")};
}

Words SummaryOfHand(absl::string_view how, const std::string& agent, const std::string& actor) {
  if (how == "self_pick") {
    return {absl::StrCat(agent, " взял(а) заявку сам(а)."), absl::StrCat(agent, " took it.")};
  }
  if (how == "transferred") {
    return {absl::StrCat("Передана исполнителю ", agent, "; передал(а) ", actor, "."),
            absl::StrCat("Handed over to ", agent, " by ", actor, ".")};
  }
  return {absl::StrCat("Назначена вручную исполнителю ", agent, "; назначил(а) ", actor, "."),
          absl::StrCat("Assigned by hand to ", agent, " by ", actor, ".")};
}

}  // namespace potok::router
