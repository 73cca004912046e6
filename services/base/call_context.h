// Who calls, in which language, until when. Travels by const reference through every layer of one
// call.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace potok {

// An authenticated caller. Made only by platform/rpc/auth; everything else trusts it.
struct Caller {
  std::string principal;     // "users/ivanova" or "serviceAccounts/router".
  std::string employee;      // Employee id the caller acts as; empty for services.
  std::string on_behalf_of;  // Principal of the portal that acts for the employee; audited.
  std::vector<std::string>
      roles;          // requester agent flowAdmin departmentHead analyst auditor admin service
  std::string scope;  // Narrows the roles, such as a flow id; empty = everywhere.

  bool Has(absl::string_view role) const {
    return std::any_of(roles.begin(), roles.end(),
                       [&](const std::string& mine) { return mine == role; });
  }
};

struct CallContext {
  Caller caller;
  std::string locale = "en";  // "ru" or "en".
  std::string method;         // "/potok.intake.v1.IntakeService/GetTicket".
  std::string
      request_id;  // x-request-id: ties log lines of one call together; not the idempotency key.
  std::string traceparent;  // W3C trace context of this call.
  // Monotonic on purpose: a step of the wall clock must not cut or stretch a call.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();

  // Time left, never negative.
  std::chrono::milliseconds Remaining() const {
    const auto now = std::chrono::steady_clock::now();
    if (deadline <= now) return std::chrono::milliseconds(0);
    if (deadline - now > std::chrono::hours(24)) return std::chrono::hours(24);
    return std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now);
  }
};

}  // namespace potok
