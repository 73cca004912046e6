// What everybody in the story acts with: the connection, the clock, the screen; and the calls they
// make.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "connection.h"
#include "narrator.h"
#include "story_clock.h"
#include "story_requests.h"

namespace potok::ctl {

using intake::v1::Ticket;
using intake::v1::TicketEvent;

// Lent to all threads of the story; each member is thread-safe.
struct Stage {
  Connection& connection;
  const StoryClock& clock;
  Narrator& narrator;
  Checks& checks;
  const absl::CivilDay first_day;

  // "09:12" of working day `day` of the story, 0 being the first.
  absl::Time At(int day, absl::string_view wall) const;
  absl::CivilDay Day(int day) const;
};

absl::Time TimeOf(const google::protobuf::Timestamp& time);
absl::Duration SpanOf(const google::protobuf::Duration& duration);

// True for the refusals that mean "somebody else was faster": read again and go on.
bool MovedMeanwhile(const absl::Status& status);

// Files the request as its requester. `name` makes the request_id.
absl::StatusOr<Ticket> File(Connection& connection, const std::string& name,
                            const StoryRequest& request,
                            absl::string_view needed_today_reason = "");
absl::StatusOr<Ticket> Read(Connection& connection, const std::string& ticket);

// One verb of IntakeService on `ticket` as it was last read. The request_id is made of the verb,
// the caller and the ticket's version: a repeat of the same intent doubles nothing, the next intent
// is another one.
template <class Q>
absl::StatusOr<Ticket> Move(
    Connection& connection,
    grpc::Status (intake::v1::IntakeService::Stub::*verb)(grpc::ClientContext*, const Q&, Ticket*),
    const Ticket& ticket, const As& as, Q request) {
  request.set_name(ticket.name());
  request.set_request_id(
      RequestIdFor(absl::StrCat("story/", Q::descriptor()->name(), "/", ticket.uid(), "/",
                                ticket.version(), "/", as.employee)));
  return connection.Call(*connection.intake, verb, request, as);
}

absl::StatusOr<Ticket> Start(Connection& connection, const Ticket& ticket,
                             const std::string& agent);
absl::StatusOr<Ticket> Ask(Connection& connection, const Ticket& ticket, const std::string& agent,
                           const std::string& question);
absl::StatusOr<Ticket> Resolve(Connection& connection, const Ticket& ticket,
                               const std::string& agent, const std::string& result);
absl::StatusOr<Ticket> Confirm(Connection& connection, const Ticket& ticket);
absl::StatusOr<Ticket> SendBack(Connection& connection, const Ticket& ticket,
                                const std::string& reason);
absl::StatusOr<Ticket> Rate(Connection& connection, const Ticket& ticket, int score,
                            const std::string& comment);
absl::StatusOr<Ticket> Cancel(Connection& connection, const Ticket& ticket,
                              const std::string& reason);
// A public comment; of the requester it is also the answer that ends WAITING.
absl::StatusOr<Ticket> Comment(Connection& connection, const Ticket& ticket, const As& as,
                               const std::string& text);

// A detail of an event, such as "agent"; empty when it has none of that name.
std::string Detail(const TicketEvent& event, const std::string& key);

// The id in "employees/ivanova".
std::string IdOf(absl::string_view employee);

}  // namespace potok::ctl
