#include "desk/access/permissions.h"

#include <algorithm>
#include <iterator>

namespace potok::desk {
namespace {

struct Grant {
  absl::string_view permission;
  // Roles beside admin, which has every permission.
  absl::string_view roles;
};

// Everyone signed in has the role requester. What touches one ticket is narrowed again by
// visibility.
constexpr Grant kGrants[] = {
    {"tickets.create", "requester service"},
    {"tickets.read", "requester agent flowAdmin departmentHead analyst auditor service"},
    {"tickets.update", "requester agent flowAdmin"},
    {"tickets.work", "agent flowAdmin"},
    {"tickets.comment", "requester agent flowAdmin"},
    {"tickets.rate", "requester"},
    {"tickets.assign", "flowAdmin agent"},
    {"tickets.claim", "agent"},
    {"flows.read", "requester agent flowAdmin departmentHead analyst auditor service"},
    {"flows.write", "flowAdmin"},
    {"employees.read", "requester agent flowAdmin departmentHead analyst auditor service"},
    {"employees.write", ""},
    {"members.read", "agent flowAdmin departmentHead analyst auditor"},
    {"members.write", "flowAdmin"},
    {"presence.write", "agent flowAdmin"},
    {"decisions.read", "requester agent flowAdmin departmentHead analyst auditor"},
    {"queue.read", "agent flowAdmin departmentHead analyst auditor"},
    {"sla.read", "requester agent flowAdmin departmentHead analyst auditor service"},
    {"sla.write", "flowAdmin"},
    {"inbox.read", "requester agent flowAdmin departmentHead analyst auditor"},
    {"inbox.write", "requester agent flowAdmin departmentHead"},
    {"deliveries.read", "flowAdmin auditor"},
    {"board.read", "agent flowAdmin departmentHead analyst auditor"},
    {"admin.verify", "auditor"},
    {"admin.read", "auditor"},
    {"admin.write", ""},
};

bool HasWord(absl::string_view words, absl::string_view word) {
  while (!words.empty()) {
    const size_t space = words.find(' ');
    if (words.substr(0, space) == word) return true;
    if (space == absl::string_view::npos) return false;
    words.remove_prefix(space + 1);
  }
  return false;
}

const Grant* Find(absl::string_view permission) {
  const auto* it = std::find_if(std::begin(kGrants), std::end(kGrants),
                                [&](const Grant& grant) { return grant.permission == permission; });
  return it == std::end(kGrants) ? nullptr : it;
}

}  // namespace

bool Allowed(const std::vector<std::string>& roles, absl::string_view permission) {
  const Grant* grant = Find(permission);
  if (grant == nullptr) return false;
  return std::any_of(roles.begin(), roles.end(), [&](const std::string& role) {
    return role == "admin" || HasWord(grant->roles, role);
  });
}

bool IsKnownPermission(absl::string_view permission) { return Find(permission) != nullptr; }

}  // namespace potok::desk
