// Who is calling: credentials in, Caller out. The one place that makes a Caller.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/call_context.h"

namespace potok::rpc {

// Implementations are thread-safe and do not block: they run on a thread that gRPC shares among all
// connections. What needs the network (keys of an issuer) is fetched beforehand by another thread.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // `authorization` is the whole metadata value, "" when absent. Fails with UNAUTHENTICATED and one
  // of the reasons CREDENTIALS_MISSING, _MALFORMED, _INVALID, _EXPIRED.
  virtual absl::StatusOr<Caller> Authenticate(absl::string_view authorization) const = 0;
};

// Whether a caller's roles carry a permission. Thread-safe and does not block.
using Authorizer = std::function<bool(const Caller&, absl::string_view permission)>;

// Believes "Bearer dev:EMPLOYEE[:role[+role...][@scope]]"; without roles the caller is a requester.
// The role `service` makes a service account instead of an employee. Whoever can reach the port can
// be anyone, which is why CheckDevAuthAllowed stands before it.
class DevAuthenticator final : public Authenticator {
 public:
  absl::StatusOr<Caller> Authenticate(absl::string_view authorization) const override;
};

// OK when every listener is loopback or a unix socket and `potok_env` (the variable POTOK_ENV) is
// "dev".
absl::Status CheckDevAuthAllowed(const std::vector<std::string>& listeners,
                                 absl::string_view potok_env);

// True for "127.x.y.z:port", "localhost:port", "[::1]:port" and "unix:...".
bool IsLocalAddress(absl::string_view address);

// The caller that results when `portal` acts for `principal` ("users/ivanova"): the employee as a
// plain requester, with the portal kept for the audit. The permission to do so is checked by the
// caller of this.
absl::StatusOr<Caller> ActFor(const Caller& portal, absl::string_view principal);

}  // namespace potok::rpc
