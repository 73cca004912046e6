// The words of the notifier: what a notice is about, for whom, through which channel, and how far
// it got. Plain values; their names are those of the columns, and their order is that of the wire's
// enums.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"

namespace potok::notifier {

enum class Kind {
  kConfirmation,
  kAssigned,
  kQuestion,
  kAnswer,
  kComment,
  kResult,
  kSentBack,
  kClosed,
  kCancelled,
  kReopened,
  kHalfTerm,
  kBreach,
  kEscalation,
  kRatedLow,
  kAllDeclined,
  kOverload,
  kDeadlineExtended,
  kRated,
  kMoved,
  kPriorityChanged,
};
inline constexpr Kind kAllKinds[] = {
    Kind::kConfirmation,     Kind::kAssigned, Kind::kQuestion,    Kind::kAnswer,
    Kind::kComment,          Kind::kResult,   Kind::kSentBack,    Kind::kClosed,
    Kind::kCancelled,        Kind::kReopened, Kind::kHalfTerm,    Kind::kBreach,
    Kind::kEscalation,       Kind::kRatedLow, Kind::kAllDeclined, Kind::kOverload,
    Kind::kDeadlineExtended, Kind::kRated,    Kind::kMoved,       Kind::kPriorityChanged};

// How the recipient stands to the ticket, as far as it made them a recipient.
enum class Role { kRequester, kAssignee, kFormerAssignee, kFlowAdmin, kManager };
inline constexpr Role kAllRoles[] = {Role::kRequester, Role::kAssignee, Role::kFormerAssignee,
                                     Role::kFlowAdmin, Role::kManager};

enum class Channel { kInbox, kEmail };
inline constexpr Channel kAllChannels[] = {Channel::kInbox, Channel::kEmail};

enum class DeliveryState {
  kPending,     // Waits for its turn or its next try.
  kSending,     // A worker holds it, at most until its lease ends.
  kSent,        // Final.
  kDead,        // Final: a permanent error, or no success in 12 tries or 24 hours.
  kSuppressed,  // Final: not sent on purpose.
};
inline constexpr DeliveryState kAllDeliveryStates[] = {
    DeliveryState::kPending, DeliveryState::kSending, DeliveryState::kSent, DeliveryState::kDead,
    DeliveryState::kSuppressed};

absl::string_view Name(Kind kind);
absl::string_view Name(Role role);
absl::string_view Name(Channel channel);
absl::string_view Name(DeliveryState state);

// nullopt for a name of a newer release.
std::optional<Kind> ParseKind(absl::string_view name);
std::optional<Role> ParseRole(absl::string_view name);
std::optional<Channel> ParseChannel(absl::string_view name);
std::optional<DeliveryState> ParseDeliveryState(absl::string_view name);

}  // namespace potok::notifier
