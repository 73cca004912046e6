#include "intake/rpc/convert_ticket.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include <google/protobuf/struct.pb.h>

#include "base/error.h"
#include "ledger/definition_codec.h"
#include "ledger/history.h"

namespace potok::intake {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

// The enums of the wire are spelt like the names of the desk, in capitals and with the enum's
// prefix.
std::string ChannelToStored(api::v1::Channel channel) {
  if (channel == api::v1::CHANNEL_UNSPECIFIED) channel = api::v1::CHANNEL_PORTAL;
  absl::string_view name = api::v1::Channel_Name(channel);
  absl::ConsumePrefix(&name, "CHANNEL_");
  return absl::AsciiStrToLower(name);
}

api::v1::Channel ChannelToWire(const std::string& stored) {
  api::v1::Channel channel = api::v1::CHANNEL_UNSPECIFIED;
  api::v1::Channel_Parse(absl::StrCat("CHANNEL_", absl::AsciiStrToUpper(stored)), &channel);
  return channel;
}

api::v1::QueueReason ReasonToWire(desk::QueueReason reason) {
  api::v1::QueueReason wire = api::v1::QUEUE_REASON_UNSPECIFIED;
  api::v1::QueueReason_Parse(absl::StrCat("QUEUE_REASON_", std::string(desk::Name(reason))), &wire);
  return wire;
}

// The wire counts degrees as the desk does, 1 high .. 3 low, and takes silence for medium.
int DegreeToDesk(api::v1::Degree degree) {
  return degree == api::v1::DEGREE_UNSPECIFIED ? 2 : static_cast<int>(degree);
}

Value ToValue(const desk::FieldValue& value) {
  Value out;
  if (const auto* flag = std::get_if<bool>(&value)) {
    out.set_bool_value(*flag);
  } else if (const auto* number = std::get_if<double>(&value)) {
    out.set_number_value(*number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out.set_string_value(*text);
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    ListValue* items = out.mutable_list_value();
    for (const std::string& item : *list) items->add_values()->set_string_value(item);
  } else {
    out.set_null_value(google::protobuf::NULL_VALUE);
  }
  return out;
}

absl::Status WrongShape(const std::string& name) {
  ErrorDetail detail;
  detail.fields = {
      {absl::StrCat("ticket.fields.", name),
       "must be a string, a number, a bool or a list of strings; ask FlowService.GetFlow "
       "for the form",
       "должно быть строкой, числом, логическим значением или списком строк; форму "
       "показывает FlowService.GetFlow"}};
  return MakeError(absl::StatusCode::kInvalidArgument, "FORM_FIELD_INVALID",
                   absl::StrCat("ticket.fields.", name, " is of a shape that no form field has"),
                   std::move(detail));
}

absl::StatusOr<desk::FieldValue> FromValue(const std::string& name, const Value& value) {
  switch (value.kind_case()) {
    case Value::kBoolValue: return desk::FieldValue(value.bool_value());
    case Value::kNumberValue: return desk::FieldValue(value.number_value());
    case Value::kStringValue: return desk::FieldValue(value.string_value());
    case Value::kListValue: {
      std::vector<std::string> items;
      for (const Value& item : value.list_value().values()) {
        if (item.kind_case() != Value::kStringValue) return WrongShape(name);
        items.push_back(item.string_value());
      }
      return desk::FieldValue(std::move(items));
    }
    case Value::kStructValue: return WrongShape(name);
    case Value::kNullValue:
    case Value::KIND_NOT_SET: return desk::FieldValue(std::monostate());
  }
  return WrongShape(name);
}

void SetDuration(absl::Duration duration, google::protobuf::Duration* out) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration - absl::Seconds(seconds))));
}

}  // namespace

v1::Ticket::State StateToWire(desk::State state) {
  // Same order on both sides, one apart for STATE_UNSPECIFIED; a test compares every name.
  return static_cast<v1::Ticket::State>(static_cast<int>(state) + 1);
}

std::string TicketName(absl::string_view id) { return absl::StrCat("tickets/", id); }
std::string FlowName(absl::string_view id) { return absl::StrCat("flows/", id); }
std::string EmployeeName(absl::string_view id) {
  return id.empty() ? "" : absl::StrCat("employees/", id);
}

std::string IdOf(absl::string_view collection, absl::string_view name) {
  if (!absl::ConsumePrefix(&name, collection) || !absl::ConsumePrefix(&name, "/")) return "";
  return std::string(name);
}

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out->set_seconds(seconds);
  out->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

absl::StatusOr<absl::Time> TimeFromWire(absl::string_view field,
                                        const google::protobuf::Timestamp& time) {
  // The range that google.protobuf.Timestamp documents: years 1 to 9999.
  constexpr int64_t kFirst = -62135596800, kLast = 253402300799;
  if (time.seconds() < kFirst || time.seconds() > kLast || time.nanos() < 0 ||
      time.nanos() > 999999999) {
    return BadField(std::string(field), "must be a valid instant between the years 1 and 9999",
                    "должно быть моментом времени между 1 и 9999 годом");
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

bool IsOverdue(const desk::Ticket& ticket, absl::Time now) {
  if (ticket.breached_at) return true;
  if (!ticket.sla.due_at) return false;
  const absl::Time end = ticket.resolved_at ? *ticket.resolved_at : ticket.closed_at.value_or(now);
  return *ticket.sla.due_at < end;
}

v1::Ticket ToWire(const desk::Ticket& ticket, v1::TicketView view, absl::Time now,
                  desk::QueueReason reason) {
  v1::Ticket out;
  out.set_name(TicketName(ticket.id));
  out.set_uid(ticket.id);
  out.set_number(ticket.number);
  out.set_flow(FlowName(ticket.flow_id));
  out.set_flow_version(ticket.flow_version);
  out.set_requester(EmployeeName(ticket.requester));
  out.set_assignee(EmployeeName(ticket.assignee));
  out.set_state(StateToWire(ticket.state));
  if (ticket.state == desk::State::kQueued) out.set_queue_reason(ReasonToWire(reason));
  out.set_line(ticket.line);
  out.set_priority(ticket.priority);
  out.set_urgency(static_cast<api::v1::Degree>(ticket.urgency));
  out.set_impact(static_cast<api::v1::Degree>(ticket.impact));
  out.set_channel(ChannelToWire(ticket.channel));
  out.set_title(ticket.title);
  out.set_needed_today(ticket.needed_today);
  out.set_needed_today_reason(ticket.needed_today_reason);
  out.set_opened_by(ticket.caller);
  if (ticket.sla.term) SetDuration(*ticket.sla.term, out.mutable_term());
  const auto set = [](const std::optional<absl::Time>& time, auto&& mutable_field) {
    if (time) SetTimestamp(*time, mutable_field());
  };
  set(ticket.sla.due_at, [&] { return out.mutable_due_time(); });
  out.set_overdue(IsOverdue(ticket, now));
  SetTimestamp(ticket.created_at, out.mutable_create_time());
  SetTimestamp(ticket.updated_at, out.mutable_update_time());
  set(ticket.queued_at, [&] { return out.mutable_queue_time(); });
  set(ticket.first_response_due, [&] { return out.mutable_first_response_due_time(); });
  set(ticket.first_response_at, [&] { return out.mutable_first_response_time(); });
  set(ticket.resolved_at, [&] { return out.mutable_resolve_time(); });
  set(ticket.closed_at, [&] { return out.mutable_close_time(); });
  out.set_closure_no(ticket.closure_no);
  out.set_return_count(ticket.return_count);
  out.set_hops(ticket.hops);
  if (ticket.rating && ticket.rated_closure == ticket.closure_no) {
    out.set_rating(*ticket.rating);
    out.set_rating_comment(ticket.rating_comment);
  }
  out.set_reopen_count(ticket.reopen_count);
  out.set_comment_count(ticket.comment_count);
  out.set_version(ticket.version);
  out.set_etag(ledger::EtagOf(ticket.version));
  if (view != v1::TICKET_VIEW_BASIC) {
    out.set_description(ticket.description);
    out.set_result(ticket.result);
    // What is stored was checked when it was filed; should it ever be unreadable, the ticket is
    // still worth showing without its answers.
    if (const auto answers = ledger::AnswersFromJson(ticket.fields_json); answers.ok()) {
      for (const auto& [name, value] : *answers) {
        (*out.mutable_fields()->mutable_fields())[name] = ToValue(value);
      }
    }
  }
  return out;
}

absl::StatusOr<Filing> FilingFromWire(const v1::Ticket& ticket) {
  Filing filing;
  filing.flow_id = IdOf("flows", ticket.flow());
  filing.requester = IdOf("employees", ticket.requester());
  filing.channel = ChannelToStored(ticket.channel());
  filing.title = ticket.title();
  filing.description = ticket.description();
  filing.urgency = DegreeToDesk(ticket.urgency());
  filing.impact = DegreeToDesk(ticket.impact());
  filing.needed_today = ticket.needed_today();
  filing.needed_today_reason = ticket.needed_today_reason();
  for (const auto& [name, value] : ticket.fields().fields()) {
    absl::StatusOr<desk::FieldValue> answer = FromValue(name, value);
    if (!answer.ok()) return answer.status();
    filing.answers[name] = *std::move(answer);
  }
  return filing;
}

}  // namespace potok::intake
