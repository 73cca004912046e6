// Makes the company of a recorded log in Potok: calendar, promise, people, flows, members,
// presence.
#pragma once

#include "absl/status/status.h"

#include "connection.h"
#include "replay.h"
#include "replay_cast.h"

namespace potok::ctl {

// Head of the desk: admin of every flow, told of breaches.
inline constexpr char kDeskHead[] = "desk-head";

// What exists already stays as it is, so this may be repeated.
absl::Status SetUpCast(Connection& connection, const Cast& cast, const ReplayOptions& options);

}  // namespace potok::ctl
