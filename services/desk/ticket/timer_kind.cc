#include "desk/ticket/ticket.h"

namespace potok::desk {

absl::string_view Name(TimerKind kind) {
  switch (kind) {
    case TimerKind::kHalf: return "half";
    case TimerKind::kBreach: return "breach";
    case TimerKind::kFirstResponse: return "first_response";
    case TimerKind::kAutoClose: return "autoclose";
    case TimerKind::kEscalate: return "escalate";
  }
  return "";
}

std::optional<TimerKind> ParseTimerKind(absl::string_view name) {
  for (const TimerKind kind : kAllTimerKinds) {
    if (Name(kind) == name) return kind;
  }
  return std::nullopt;
}

}  // namespace potok::desk
