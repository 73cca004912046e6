#include "notifier/domain/notice.h"

namespace potok::notifier {
namespace {

template <class E, size_t N>
std::optional<E> Parse(const E (&all)[N], absl::string_view name) {
  for (const E value : all) {
    if (Name(value) == name) return value;
  }
  return std::nullopt;
}

}  // namespace

absl::string_view Name(Kind kind) {
  switch (kind) {
    case Kind::kConfirmation: return "confirmation";
    case Kind::kAssigned: return "assigned";
    case Kind::kQuestion: return "question";
    case Kind::kAnswer: return "answer";
    case Kind::kComment: return "comment";
    case Kind::kResult: return "result";
    case Kind::kSentBack: return "sent_back";
    case Kind::kClosed: return "closed";
    case Kind::kCancelled: return "cancelled";
    case Kind::kReopened: return "reopened";
    case Kind::kHalfTerm: return "half_term";
    case Kind::kBreach: return "breach";
    case Kind::kEscalation: return "escalation";
    case Kind::kRatedLow: return "rated_low";
    case Kind::kAllDeclined: return "all_declined";
    case Kind::kOverload: return "overload";
    case Kind::kDeadlineExtended: return "deadline_extended";
    case Kind::kRated: return "rated";
    case Kind::kMoved: return "moved";
    case Kind::kPriorityChanged: return "priority_changed";
  }
  return "";
}

absl::string_view Name(Role role) {
  switch (role) {
    case Role::kRequester: return "requester";
    case Role::kAssignee: return "assignee";
    case Role::kFormerAssignee: return "former_assignee";
    case Role::kFlowAdmin: return "flow_admin";
    case Role::kManager: return "manager";
  }
  return "";
}

absl::string_view Name(Channel channel) {
  switch (channel) {
    case Channel::kInbox: return "inbox";
    case Channel::kEmail: return "email";
  }
  return "";
}

absl::string_view Name(DeliveryState state) {
  switch (state) {
    case DeliveryState::kPending: return "pending";
    case DeliveryState::kSending: return "sending";
    case DeliveryState::kSent: return "sent";
    case DeliveryState::kDead: return "dead";
    case DeliveryState::kSuppressed: return "suppressed";
  }
  return "";
}

std::optional<Kind> ParseKind(absl::string_view name) { return Parse(kAllKinds, name); }
std::optional<Role> ParseRole(absl::string_view name) { return Parse(kAllRoles, name); }
std::optional<Channel> ParseChannel(absl::string_view name) { return Parse(kAllChannels, name); }
std::optional<DeliveryState> ParseDeliveryState(absl::string_view name) {
  return Parse(kAllDeliveryStates, name);
}

}  // namespace potok::notifier
