#include "stage.h"

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"

namespace potok::ctl {

using google::protobuf::util::TimeUtil;
using Intake = intake::v1::IntakeService::Stub;

absl::CivilDay Stage::Day(int day) const {
  absl::CivilDay date = first_day;
  for (int passed = 0; passed < day;) {
    ++date;
    const absl::Weekday weekday = absl::GetWeekday(date);
    if (weekday != absl::Weekday::saturday && weekday != absl::Weekday::sunday) ++passed;
  }
  return date;
}

absl::Time Stage::At(int day, absl::string_view wall) const {
  int hour = 0, minute = 0;
  const size_t colon = wall.find(':');
  (void)absl::SimpleAtoi(wall.substr(0, colon), &hour);
  (void)absl::SimpleAtoi(wall.substr(colon + 1), &minute);
  const absl::CivilDay date = Day(day);
  return absl::FromCivil(absl::CivilMinute(date.year(), date.month(), date.day(), hour, minute),
                         Moscow());
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time));
}

absl::Duration SpanOf(const google::protobuf::Duration& duration) {
  return absl::Nanoseconds(TimeUtil::DurationToNanoseconds(duration));
}

bool MovedMeanwhile(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAborted(status) ||
         absl::IsPermissionDenied(status);
}

std::string Detail(const TicketEvent& event, const std::string& key) {
  const auto it = event.details().find(key);
  return it == event.details().end() ? "" : it->second;
}

std::string IdOf(absl::string_view employee) {
  return std::string(absl::StripPrefix(employee, "employees/"));
}

absl::StatusOr<Ticket> File(Connection& connection, const std::string& name,
                            const StoryRequest& request, absl::string_view needed_today_reason) {
  intake::v1::CreateTicketRequest create;
  Ticket* ticket = create.mutable_ticket();
  ticket->set_flow(absl::StrCat("flows/", request.flow));
  ticket->set_title(request.title);
  ticket->set_description(request.description);
  ticket->set_channel(api::v1::CHANNEL_PORTAL);
  if (request.hurts_many) {
    ticket->set_urgency(api::v1::DEGREE_HIGH);
    ticket->set_impact(api::v1::DEGREE_HIGH);
  }
  if (!needed_today_reason.empty()) {
    ticket->set_needed_today(true);
    ticket->set_needed_today_reason(std::string(needed_today_reason));
  }
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(request.fields, ticket->mutable_fields());
  if (!parsed.ok()) return absl::InternalError(absl::StrCat("fields of «", request.title, "»"));
  create.set_request_id(RequestIdFor(absl::StrCat("story/file/", name)));
  return connection.Call(*connection.intake, &Intake::CreateTicket, create,
                         Requester(request.requester));
}

absl::StatusOr<Ticket> Read(Connection& connection, const std::string& ticket) {
  intake::v1::GetTicketRequest request;
  request.set_name(ticket);
  return connection.Call(*connection.intake, &Intake::GetTicket, request, As{});
}

absl::StatusOr<Ticket> Start(Connection& connection, const Ticket& ticket,
                             const std::string& agent) {
  return Move(connection, &Intake::StartTicket, ticket, Agent(agent),
              intake::v1::StartTicketRequest());
}

absl::StatusOr<Ticket> Ask(Connection& connection, const Ticket& ticket, const std::string& agent,
                           const std::string& question) {
  intake::v1::WaitTicketRequest request;
  request.set_question(question);
  return Move(connection, &Intake::WaitTicket, ticket, Agent(agent), request);
}

absl::StatusOr<Ticket> Resolve(Connection& connection, const Ticket& ticket,
                               const std::string& agent, const std::string& result) {
  intake::v1::ResolveTicketRequest request;
  request.set_result(result);
  return Move(connection, &Intake::ResolveTicket, ticket, Agent(agent), request);
}

absl::StatusOr<Ticket> Confirm(Connection& connection, const Ticket& ticket) {
  return Move(connection, &Intake::ConfirmTicket, ticket, Requester(IdOf(ticket.requester())),
              intake::v1::ConfirmTicketRequest());
}

absl::StatusOr<Ticket> SendBack(Connection& connection, const Ticket& ticket,
                                const std::string& reason) {
  intake::v1::SendBackTicketRequest request;
  request.set_reason(reason);
  return Move(connection, &Intake::SendBackTicket, ticket, Requester(IdOf(ticket.requester())),
              request);
}

absl::StatusOr<Ticket> Rate(Connection& connection, const Ticket& ticket, int score,
                            const std::string& comment) {
  intake::v1::RateTicketRequest request;
  request.set_score(score);
  request.set_comment(comment);
  return Move(connection, &Intake::RateTicket, ticket, Requester(IdOf(ticket.requester())),
              request);
}

absl::StatusOr<Ticket> Cancel(Connection& connection, const Ticket& ticket,
                              const std::string& reason) {
  intake::v1::CancelTicketRequest request;
  request.set_reason(reason);
  return Move(connection, &Intake::CancelTicket, ticket, Requester(IdOf(ticket.requester())),
              request);
}

absl::StatusOr<Ticket> Comment(Connection& connection, const Ticket& ticket, const As& as,
                               const std::string& text) {
  intake::v1::AddCommentRequest request;
  request.set_name(ticket.name());
  request.set_text(text);
  request.set_request_id(RequestIdFor(
      absl::StrCat("story/comment/", ticket.uid(), "/", ticket.version(), "/", as.employee)));
  const auto answer = connection.Call(*connection.intake, &Intake::AddComment, request, as);
  if (!answer.ok()) return answer.status();
  return answer->ticket();
}

}  // namespace potok::ctl
