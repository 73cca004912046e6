// Which role may call which method: the static table behind the (potok.api.v1.auth) option of each
// method. A permission opens the door of a method; desk/access/visibility.h then decides about the
// one ticket.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace potok::desk {

// True when any of `roles` grants `permission`. Unknown roles and permissions grant nothing.
bool Allowed(const std::vector<std::string>& roles, absl::string_view permission);

// Whether some role grants it at all: a method with a misspelt permission must not start a server.
bool IsKnownPermission(absl::string_view permission);

}  // namespace potok::desk
