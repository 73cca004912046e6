#include "notifier/domain/delivery.h"

#include "absl/strings/str_cat.h"

#include "desk/ticket/ids.h"

namespace potok::notifier {

std::string DeliveryIdOf(int part, absl::Time at, const std::string& ticket_id, int64_t version,
                         const std::string& recipient, Channel channel) {
  // FNV-1a, spelled out because std::hash may differ from one build to the next, and a delivery
  // planned again by a newer release must keep its Message-ID.
  uint64_t hash = 14695981039346656037ull;
  for (const char c : absl::StrCat(ticket_id, "/", version, "/", recipient, "/", Name(channel))) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ull;
  }
  return desk::MakeTicketId(at, part, hash);
}

}  // namespace potok::notifier
