#include "ledger/event_codec.h"

#include "base/json_value.h"
#include "platform/pg/param.h"

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

json Timestamp(const std::optional<absl::Time>& t) {
  return t ? json(pg::ToTimestamp(*t)) : json(nullptr);
}

json TextOrNull(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

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

json RowOf(const desk::Ticket& t) {
  return {{"part", t.part},
          {"id", t.id},
          {"version", t.version},
          {"number", t.number},
          {"flow_id", t.flow_id},
          {"flow_version", t.flow_version},
          {"caller", t.caller},
          {"request_id", t.request_id},
          {"requester", t.requester},
          {"department", t.department},
          {"channel", t.channel},
          {"title", t.title},
          {"description", t.description},
          {"fields", json::parse(t.fields_json.empty() ? "{}" : t.fields_json)},
          {"urgency", t.urgency},
          {"impact", t.impact},
          {"needed_today", t.needed_today},
          {"needed_today_reason", t.needed_today_reason},
          {"created_at", Timestamp(t.created_at)},
          {"state", std::string(desk::Name(t.state))},
          {"assignee", TextOrNull(t.assignee)},
          {"sticky_agent", TextOrNull(t.sticky_agent)},
          {"line", t.line},
          {"pending_line", t.pending_line},
          {"priority", t.priority},
          {"queued_at", Timestamp(t.queued_at)},
          {"queued_seq", t.queued_seq},
          {"queue_front", t.queue_front},
          {"excluded", t.excluded},
          {"term_us", t.sla.term ? json(absl::ToInt64Microseconds(*t.sla.term)) : json(nullptr)},
          {"consumed_us", absl::ToInt64Microseconds(t.sla.consumed)},
          {"running_since", Timestamp(t.sla.running_since)},
          {"due_at", Timestamp(t.sla.due_at)},
          {"half_at", Timestamp(t.sla.half_at)},
          {"sla_gen", t.sla.gen},
          {"half_reminded", t.half_reminded},
          {"breached_at", Timestamp(t.breached_at)},
          {"escalation_level", t.escalation_level},
          {"first_response_due", Timestamp(t.first_response_due)},
          {"first_response_at", Timestamp(t.first_response_at)},
          {"first_response_breached", t.first_response_breached},
          {"resolved_at", Timestamp(t.resolved_at)},
          {"autoclose_at", Timestamp(t.autoclose_at)},
          {"closed_at", Timestamp(t.closed_at)},
          {"closure_no", t.closure_no},
          {"rated_closure", t.rated_closure},
          {"rating", t.rating ? json(*t.rating) : json(nullptr)},
          {"rating_comment", t.rating_comment},
          {"result", t.result},
          {"return_count", t.return_count},
          {"reopen_count", t.reopen_count},
          {"hops", t.hops},
          {"comment_count", t.comment_count},
          {"updated_at", Timestamp(t.updated_at)}};
}

}  // namespace potok::ledger
