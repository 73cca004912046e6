// JSON columns. The database is ours, but its rows are read by older and newer releases and mended
// by hand: a damaged one is told, never thrown, and a sound one reads back to itself. The first
// letter of the input says which column; the rest is its text.
#include <string>

#include "absl/strings/str_cat.h"

#include "desk/calendar/calendar.h"
#include "desk/sla/policy.h"
#include "desk/ticket/ticket.h"
#include "fuzz/target.h"
#include "ledger/definition_codec.h"
#include "ledger/event_codec.h"
#include "router/domain/decision_codec.h"

namespace potok::fuzz {
namespace {

void EventBody(const std::string& text) {
  desk::Event event;
  ledger::ReadBody(text, &event);
  const std::string body = ledger::BodyOf(event).dump(-1, ' ', false);
  desk::Event again;
  ledger::ReadBody(body, &again);
  FUZZ_CHECK(ledger::BodyOf(again).dump() == body, body);
}

void Calendar(const std::string& text) {
  const auto calendar = ledger::CalendarFromJson(text);
  if (!calendar.ok()) return;
  const std::string written = ledger::ToJson(*calendar);
  const auto again = ledger::CalendarFromJson(written);
  FUZZ_CHECK(again.ok() && ledger::ToJson(*again) == written, written);
  const absl::Status sound = desk::Validate(*calendar);
  if (!sound.ok()) return CheckRefusal(sound);
  // Two years are enough to meet every rule; thirty cost a millisecond each time.
  const auto compiled = desk::Calendar::Compile(*calendar, 2026, 2027);
  FUZZ_CHECK(compiled.ok(), compiled.status().ToString());
  const desk::Calendar& c = **compiled;
  const absl::Time start = c.begin() + absl::Hours(24 * 100 + text.size() % 200);
  const absl::Duration worked = c.Between(start, c.end());
  FUZZ_CHECK(worked >= absl::ZeroDuration() && worked <= c.end() - start, written);
  for (const absl::Duration term : {absl::ZeroDuration(), absl::Minutes(1), worked}) {
    if (term > worked) continue;
    const absl::Time due = c.Add(start, term);
    FUZZ_CHECK(due >= start && c.Between(start, due) == term, written);
  }
}

void Policy(const std::string& text) {
  const auto policy = ledger::PolicyFromJson(text);
  if (!policy.ok()) return;
  const std::string written = ledger::ToJson(*policy);
  const auto again = ledger::PolicyFromJson(written);
  FUZZ_CHECK(again.ok() && ledger::ToJson(*again) == written, written);
  const absl::Status sound = policy->Validate();
  if (!sound.ok()) return CheckRefusal(sound);
  static const auto& calendar = *new std::shared_ptr<const desk::Calendar>([] {
    desk::CalendarDefinition always{.id = "always", .version = 1, .name = "", .zone = "UTC"};
    for (auto& day : always.week) day = {{0, desk::kMinutesOfDay}};
    return *desk::Calendar::Compile(always, 2026, 2026);
  }());
  for (int priority = desk::kHighestPriority; priority <= desk::kLowestPriority; ++priority) {
    const auto term = policy->ResolutionTerm(priority, false, *calendar);
    const auto today = policy->ResolutionTerm(priority, true, *calendar);
    // A promise never shrinks to nothing, and haste never makes it longer.
    FUZZ_CHECK(!term || *term > absl::ZeroDuration(), written);
    FUZZ_CHECK(!term || (today && *today <= *term), written);
  }
}

void Decision(const std::string& text) {
  const auto decision = router::DecisionFromJson(text);
  if (!decision.ok()) return;
  const std::string written = router::ToJson(*decision);
  const auto again = router::DecisionFromJson(written);
  FUZZ_CHECK(again.ok() && *again == *decision, written);
  // Either verdict will do: what was read may not be what the policy would decide.
  (void)router::Replay(*decision);
}

}  // namespace

void FuzzStored(absl::string_view input) {
  if (input.empty()) return;
  const std::string text(input.substr(1));
  switch (input[0]) {
    case 'c': return Calendar(text);
    case 'p': return Policy(text);
    case 'd': return Decision(text);
    default: return EventBody(text);
  }
}

}  // namespace potok::fuzz
