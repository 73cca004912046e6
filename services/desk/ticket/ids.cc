#include "desk/ticket/ids.h"

#include <cctype>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace potok::desk {

int PartOf(absl::string_view caller, absl::string_view request_id) {
  uint64_t hash = 14695981039346656037ull;
  const auto mix = [&hash](absl::string_view text) {
    for (const char c : text) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 1099511628211ull;
    }
    hash ^= 0xff;  // Keeps ("ab","c") apart from ("a","bc").
    hash *= 1099511628211ull;
  };
  mix(caller);
  mix(request_id);
  return static_cast<int>((hash >> 32) % kParts);
}

std::string MakeTicketId(absl::Time now, int part, uint64_t random) {
  const uint64_t millis = static_cast<uint64_t>(absl::ToUnixMillis(now)) & 0xffffffffffffull;
  const uint64_t variant = (random & 0x3fffffffffffffffull) | 0x8000000000000000ull;
  return absl::StrFormat("%08x-%04x-7%03x-%04x-%012x", millis >> 16, millis & 0xffff, part & 0xfff,
                         variant >> 48, variant & 0xffffffffffffull);
}

bool IsUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return false;
      continue;
    }
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (!std::isdigit(c) && !(c >= 'a' && c <= 'f')) return false;
  }
  return true;
}

std::optional<int> PartOfTicketId(absl::string_view id) {
  if (!IsUuid(id) || id[14] != '7') return std::nullopt;
  uint32_t part = 0;
  if (!absl::SimpleHexAtoi(id.substr(15, 3), &part) || part >= kParts) return std::nullopt;
  return static_cast<int>(part);
}

Topic TopicOf(EventType type) {
  switch (type) {
    // The router must act: something is to be given away, or somebody became free.
    case EventType::kCreated:
    case EventType::kDeclined:
    case EventType::kReturned:
    case EventType::kReopened:
    case EventType::kSentBack:
    case EventType::kResumed:  // Into the queue when its holder has left meanwhile.
    case EventType::kResolved:
    case EventType::kCancelled:
    case EventType::kLineChanged:
    case EventType::kAssigned:
    case EventType::kTransferred: return Topic::kAssignment;
    case EventType::kHalfReminded:
    case EventType::kBreached:
    case EventType::kFirstResponseBreached:
    case EventType::kEscalated: return Topic::kEscalation;
    default: return Topic::kLifecycle;
  }
}

}  // namespace potok::desk
