// What a list of tickets can be filtered and sorted by, and where one of its pages ends. Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "desk/filter/filter.h"
#include "desk/filter/order_by.h"
#include "desk/ticket/ticket.h"

namespace potok::intake {

// Fields and functions as ListTicketsRequest.filter documents them. store/list_tickets.cc has a
// column for each; a test holds the two together.
const desk::FieldCatalog& TicketFields();

// Parses and puts the caller in the place of `me`.
absl::StatusOr<desk::Filter> ParseTicketFilter(absl::string_view text, const std::string& employee);

// "due_time, priority desc"; empty: create_time desc. The id decides between equals, always
// ascending, so the order is total and a cursor names exactly one place.
absl::StatusOr<std::vector<desk::OrderTerm>> ParseTicketOrder(absl::string_view order_by);

// The last ticket of a page. Times are microseconds; a ticket without a due time comes last in
// ascending order, as if due at the end of time.
struct TicketCursor {
  static constexpr int64_t kNever = INT64_MAX;

  absl::Time now;  // Business time of the first page: "overdue" means the same on every page.
  std::vector<int64_t> keys;
  std::string id;

  bool operator==(const TicketCursor&) const = default;
};

TicketCursor CursorAt(const desk::Ticket& ticket, const std::vector<desk::OrderTerm>& order,
                      absl::Time now);

std::string FormatTicketCursor(const TicketCursor& cursor);
// PAGE_TOKEN_INVALID for a text that FormatTicketCursor did not make for `terms` order terms.
absl::StatusOr<TicketCursor> ParseTicketCursor(absl::string_view text, size_t terms);

}  // namespace potok::intake
