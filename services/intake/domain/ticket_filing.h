// From what somebody asks for to a draft the ledger may number: the rules of filing, pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/call_context.h"
#include "desk/flow/flow.h"
#include "desk/form/form.h"
#include "desk/ticket/ticket.h"

namespace potok::intake {

// Words of one ticket field or comment, in bytes of UTF-8: what the table of event texts keeps.
inline constexpr size_t kMaxTextBytes = 64 * 1024;

// What somebody asks for, as it came in.
struct Filing {
  std::string flow_id;
  std::string requester;  // Employee id; empty = the caller.
  std::string channel = "portal";
  std::string title;
  std::string description;
  int urgency = 2;  // 1 high .. 3 low.
  int impact = 2;   // 1 high .. 3 low.
  bool needed_today = false;
  std::string needed_today_reason;
  desk::Answers answers;
};

// Whom the directory knows under the requester's id.
struct Requester {
  std::string id;
  std::string department;
  bool known = false;
  bool active = false;
};

// Who the ticket is for: the caller, or another employee when the caller may file on behalf of one
// (agents write down calls, admins and services import). PERMISSION_DENIED otherwise.
absl::StatusOr<std::string> RequesterOf(const Filing& filing, const Caller& caller);

// Checks everything about a filing that needs no database and gives the draft: words within their
// limits, the form of `flow` answered, the requester known, active and allowed to file.
// Permission is judged before content, so that nobody probes a form that is not theirs.
// `answers` receives the normalised answers; the draft's fields_json, id, part and request_id are
// left to the caller.
absl::StatusOr<desk::TicketOrigin> AcceptFiling(const Filing& filing, const Caller& caller,
                                                const Requester& requester, const desk::Flow& flow,
                                                desk::Answers& answers);

// Employees the answers name, as (field path, employee id): whether they exist is the caller's to
// ask.
std::vector<std::pair<std::string, std::string>> EmployeesNamed(const desk::Form& form,
                                                                const desk::Answers& answers);

// Words people wrote: at most kMaxTextBytes, no U+0000, and more than blanks when `required`.
absl::Status CheckText(absl::string_view field, absl::string_view text, bool required);

// NOT_FOUND, FLOW_NOT_FOUND: names the way out.
absl::Status UnknownFlow(const std::string& flow_id);
// NOT_FOUND, EMPLOYEE_NOT_FOUND.
absl::Status UnknownEmployee(const std::string& field, const std::string& employee);

}  // namespace potok::intake
