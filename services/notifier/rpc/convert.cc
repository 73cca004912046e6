#include "notifier/rpc/convert.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace potok::notifier {
namespace {

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t micros = absl::ToUnixMicros(time);
  int64_t seconds = micros / 1000000;
  int64_t rest = micros % 1000000;
  if (rest < 0) {
    rest += 1000000;
    --seconds;
  }
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(rest * 1000));
}

void SetDuration(absl::Duration duration, google::protobuf::Duration* out) {
  const int64_t micros = absl::ToInt64Microseconds(duration);
  out->set_seconds(micros / 1000000);
  out->set_nanos(static_cast<int32_t>(micros % 1000000 * 1000));
}

}  // namespace

// Same order on both sides, one apart for UNSPECIFIED; a test compares every name.
v1::NoticeKind ToWire(Kind kind) { return static_cast<v1::NoticeKind>(static_cast<int>(kind) + 1); }
v1::RecipientRole ToWire(Role role) {
  return static_cast<v1::RecipientRole>(static_cast<int>(role) + 1);
}
v1::NoticeChannel ToWire(Channel channel) {
  return static_cast<v1::NoticeChannel>(static_cast<int>(channel) + 1);
}
v1::Delivery::State ToWire(DeliveryState state) {
  return static_cast<v1::Delivery::State>(static_cast<int>(state) + 1);
}

v1::Notice ToWire(const InboxItem& item) {
  v1::Notice out;
  out.set_name(absl::StrCat("employees/", item.recipient, "/notices/", item.sequence));
  out.set_sequence(item.sequence);
  out.set_kind(ToWire(item.kind));
  out.set_ticket(absl::StrCat("tickets/", item.ticket_id));
  out.set_number(item.number);
  out.set_event_version(item.version);
  out.set_title(item.title);
  out.set_text(item.text);
  SetTimestamp(item.at, out.mutable_create_time());
  if (item.read_at) SetTimestamp(*item.read_at, out.mutable_read_time());
  out.set_delivery(absl::StrCat("deliveries/", item.delivery_id));
  return out;
}

v1::Delivery ToWire(const Delivery& d) {
  v1::Delivery out;
  out.set_name(absl::StrCat("deliveries/", d.id));
  out.set_kind(ToWire(d.kind));
  out.set_ticket(absl::StrCat("tickets/", d.ticket_id));
  out.set_flow(absl::StrCat("flows/", d.flow_id));
  out.set_event_version(d.version);
  out.set_recipient(absl::StrCat("employees/", d.recipient));
  out.set_recipient_role(ToWire(d.role));
  out.set_channel(ToWire(d.channel));
  out.set_address(d.address);
  out.set_locale(d.locale);
  out.set_title(d.title);
  out.set_state(ToWire(d.state));
  out.set_suppress_reason(d.reason);
  out.set_attempt_count(d.attempts);
  out.set_last_error(d.last_error);
  SetTimestamp(d.planned_at, out.mutable_create_time());
  if (d.next_at) SetTimestamp(*d.next_at, out.mutable_next_attempt_time());
  if (d.finished_at) SetTimestamp(*d.finished_at, out.mutable_finish_time());
  out.set_message_id(d.message_id);
  return out;
}

v1::DeliveryStats ToWire(const DeliveryFigures& figures) {
  v1::DeliveryStats out;
  for (const DeliveryFigures::Count& count : figures.counts) {
    v1::DeliveryStats::Count* each = out.add_counts();
    each->set_channel(ToWire(count.channel));
    each->set_state(ToWire(count.state));
    each->set_delivery_count(count.deliveries);
  }
  if (figures.oldest) SetDuration(*figures.oldest, out.mutable_oldest_undelivered_age());
  SetDuration(figures.p50, out.mutable_latency_p50());
  SetDuration(figures.p99, out.mutable_latency_p99());
  return out;
}

potok::intake::v1::TicketEvent CauseToWire(const std::string& ticket_id, const desk::Event& event) {
  using potok::intake::v1::Ticket;
  using potok::intake::v1::TicketEvent;
  TicketEvent out;
  out.set_name(absl::StrCat("tickets/", ticket_id, "/events/", event.version));
  out.set_version(event.version);
  TicketEvent::Type type = TicketEvent::TYPE_UNSPECIFIED;
  TicketEvent::Type_Parse(absl::StrCat("TYPE_", absl::AsciiStrToUpper(desk::Name(event.type))),
                          &type);
  out.set_type(type);
  out.set_actor(event.actor);
  SetTimestamp(event.at, out.mutable_event_time());
  Ticket::State state = Ticket::STATE_UNSPECIFIED;
  Ticket::State_Parse(absl::StrCat("STATE_", desk::Name(event.state_after)), &state);
  out.set_state_after(state);
  auto& details = *out.mutable_details();
  if (!event.agent.empty()) details["agent"] = absl::StrCat("employees/", event.agent);
  if (!event.from_agent.empty()) {
    details["from_agent"] = absl::StrCat("employees/", event.from_agent);
  }
  if (!event.how.empty()) details["how"] = event.how;
  if (event.line != 0) details["line"] = absl::StrCat(event.line);
  if (event.score != 0) details["score"] = absl::StrCat(event.score);
  if (event.level != 0) details["level"] = absl::StrCat(event.level);
  if (event.due_at) {
    details["due"] = absl::FormatTime(absl::RFC3339_full, *event.due_at, absl::UTCTimeZone());
  }
  return out;
}

}  // namespace potok::notifier
