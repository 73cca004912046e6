#include "sla-timer/domain/clock_story.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/utf8.h"

namespace potok::sla_timer {
namespace {

using desk::CountedSpan;

// A question may be long; in an explanation of minutes and hours its beginning is enough.
constexpr size_t kMostQuestionBytes = 400;

ClockState StateOf(const desk::Ticket& ticket) {
  if (ticket.sla.running_since.has_value()) return ClockState::kRunning;
  return ticket.state == desk::State::kWaiting ? ClockState::kPaused : ClockState::kStopped;
}

// Builds the list of spans from the stretches between the events that touched the clock.
class SpanWriter {
 public:
  explicit SpanWriter(const desk::Calendar& calendar) : calendar_(calendar) {}

  void Add(absl::Time from, absl::Time to, ClockState state, absl::string_view question) {
    if (to <= from) return;
    if (state == ClockState::kRunning) {
      for (CountedSpan& span : calendar_.Explain(from, to)) Append(std::move(span));
      return;
    }
    CountedSpan span{.start = from, .end = to, .counted = false};
    if (state == ClockState::kPaused) {
      span.cause = "paused";
      span.name_ru = "Ожидание ответа автора";
      span.name_en = "Waiting for the requester";
      const absl::string_view words = Utf8Prefix(question, kMostQuestionBytes);
      if (!words.empty()) {
        absl::StrAppend(&span.name_ru, ": ", words);
        absl::StrAppend(&span.name_en, ": ", words);
      }
    } else {
      span.cause = "stopped";
      span.name_ru = "Работа была завершена";
      span.name_en = "The work was finished";
    }
    Append(std::move(span));
  }

  // The next span starts anew even if it is like the last one.
  void Cut() { cut_ = true; }
  void Clear() { spans_.clear(); }
  std::vector<CountedSpan> Take() { return std::move(spans_); }

 private:
  // An event in the middle of a working morning does not make two mornings of it.
  void Append(CountedSpan span) {
    if (!cut_ && !spans_.empty()) {
      CountedSpan& last = spans_.back();
      if (last.end == span.start && last.counted == span.counted && last.cause == span.cause &&
          last.name_ru == span.name_ru && last.name_en == span.name_en) {
        last.end = span.end;
        return;
      }
    }
    cut_ = false;
    spans_.push_back(std::move(span));
  }

  const desk::Calendar& calendar_;
  std::vector<CountedSpan> spans_;
  bool cut_ = false;
};

bool OfGeneration(const desk::Event& event, int gen) {
  switch (*event.timer) {
    case desk::TimerKind::kHalf:
    case desk::TimerKind::kBreach: return event.gen == gen;
    case desk::TimerKind::kEscalate: return event.gen / 16 == gen;
    case desk::TimerKind::kFirstResponse:
    case desk::TimerKind::kAutoClose: return true;
  }
  return false;
}

}  // namespace

ClockStory TellClock(const desk::Ticket& ticket, const std::vector<desk::Event>& events,
                     const desk::Facts& facts, absl::Time at) {
  const desk::Calendar& calendar = *facts.calendar;
  ClockStory story;
  story.ticket = desk::Unborn(ticket);
  story.start = ticket.created_at;
  SpanWriter spans(calendar);
  absl::Time since = story.start;
  ClockState state = ClockState::kRunning;
  std::string question;
  std::vector<const desk::Event*> fired;
  for (const desk::Event& event : events) {
    if (event.at > at) break;
    story.ticket = desk::Apply(std::move(story.ticket), event);
    if (event.timer) fired.push_back(&event);
    if (event.type == desk::EventType::kReopened) {
      // A new promise: what came before it belongs to the closure that was.
      spans.Clear();
      fired.clear();
      story.start = since = event.at;
      state = ClockState::kRunning;
      continue;
    }
    if (!event.sla) continue;
    spans.Add(since, event.at, state, question);
    since = event.at;
    state = StateOf(story.ticket);
    if (state == ClockState::kPaused && event.type == desk::EventType::kWaiting) {
      question = event.text;
    }
  }
  spans.Add(since, at, state, question);
  const desk::SlaClock& clock = story.ticket.sla;
  if (state == ClockState::kRunning && clock.due_at && *clock.due_at > at) {
    spans.Cut();
    spans.Add(at, *clock.due_at, state, question);
  }
  story.spans = spans.Take();
  story.state = clock.term ? state : ClockState::kNoTerm;
  story.consumed = desk::ConsumedAt(calendar, clock, at);
  story.remaining = desk::RemainingAt(calendar, clock, at);
  for (const desk::Event* event : fired) {
    if (!OfGeneration(*event, clock.gen)) continue;
    story.timers.push_back(
        {{*event->timer, event->gen, event->due_at.value_or(event->at)}, event->at});
  }
  for (const desk::Timer& timer : desk::TimersOf(story.ticket, facts)) {
    story.timers.push_back({timer, std::nullopt});
  }
  return story;
}

}  // namespace potok::sla_timer
