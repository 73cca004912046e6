#include "ledger/event_codec.h"

#include "base/json_value.h"

namespace potok::ledger {
namespace {

using nlohmann::json;

json Micros(absl::Time t) { return absl::ToUnixMicros(t); }

json OptionalMicros(const std::optional<absl::Time>& t) { return t ? Micros(*t) : json(nullptr); }

// Reading never throws: a row that was damaged or mended by hand must not stop whoever reads the
// ticket. What has another type than ours, or does not fit it, keeps its default.
template <class Integer>
Integer NumberIn(const json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? 0 : WholeNumber<Integer>(*it).value_or(0);
}

std::string TextIn(const json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || !it->is_string() ? "" : it->get<std::string>();
}

std::optional<absl::Time> TimeIn(const json& object, const char* key) {
  const auto it = object.find(key);
  const auto micros = it == object.end() ? std::nullopt : WholeNumber<int64_t>(*it);
  if (!micros) return std::nullopt;
  return absl::FromUnixMicros(*micros);
}

json ClockJson(const desk::SlaClock& clock) {
  return {{"term_us", clock.term ? json(absl::ToInt64Microseconds(*clock.term)) : json(nullptr)},
          {"consumed_us", absl::ToInt64Microseconds(clock.consumed)},
          {"running_since", OptionalMicros(clock.running_since)},
          {"due_at", OptionalMicros(clock.due_at)},
          {"half_at", OptionalMicros(clock.half_at)},
          {"gen", clock.gen}};
}

desk::SlaClock ReadClock(const json& object) {
  desk::SlaClock clock;
  if (const auto it = object.find("term_us"); it != object.end()) {
    if (const auto term = WholeNumber<int64_t>(*it)) clock.term = absl::Microseconds(*term);
  }
  clock.consumed = absl::Microseconds(NumberIn<int64_t>(object, "consumed_us"));
  clock.running_since = TimeIn(object, "running_since");
  clock.due_at = TimeIn(object, "due_at");
  clock.half_at = TimeIn(object, "half_at");
  clock.gen = NumberIn<int>(object, "gen");
  return clock;
}

}  // namespace

json BodyOf(const desk::Event& event) {
  json body = json::object();
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) body[key] = value;
  };
  const auto number = [&](const char* key, int value) {
    if (value != 0) body[key] = value;
  };
  const auto time = [&](const char* key, const std::optional<absl::Time>& value) {
    if (value) body[key] = Micros(*value);
  };
  text("agent", event.agent);
  text("from_agent", event.from_agent);
  text("how", event.how);
  number("line", event.line);
  number("priority", event.priority);
  number("score", event.score);
  number("level", event.level);
  number("closure_no", event.closure_no);
  if (event.front) body["front"] = true;
  if (event.sla) body["sla"] = ClockJson(*event.sla);
  time("first_response_due", event.first_response_due);
  time("autoclose_at", event.autoclose_at);
  if (event.timer) body["timer"] = std::string(desk::Name(*event.timer));
  number("gen", event.gen);
  time("due_at", event.due_at);
  return body;
}

void ReadBody(const std::string& text, desk::Event* event) {
  const json body = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return;
  event->agent = TextIn(body, "agent");
  event->from_agent = TextIn(body, "from_agent");
  event->how = TextIn(body, "how");
  event->line = NumberIn<int>(body, "line");
  event->priority = NumberIn<int>(body, "priority");
  event->score = NumberIn<int>(body, "score");
  event->level = NumberIn<int>(body, "level");
  event->closure_no = NumberIn<int>(body, "closure_no");
  if (const auto it = body.find("front"); it != body.end()) event->front = *it == json(true);
  if (const auto it = body.find("sla"); it != body.end() && it->is_object()) {
    event->sla = ReadClock(*it);
  }
  event->first_response_due = TimeIn(body, "first_response_due");
  event->autoclose_at = TimeIn(body, "autoclose_at");
  event->timer = desk::ParseTimerKind(TextIn(body, "timer"));
  event->gen = NumberIn<int>(body, "gen");
  event->due_at = TimeIn(body, "due_at");
}

}  // namespace potok::ledger
