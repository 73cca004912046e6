// Lists of tickets: who may see, what was asked for, in which order, from where on. Thread-safe;
// may block.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/access/visibility.h"
#include "desk/filter/filter.h"
#include "desk/filter/order_by.h"
#include "desk/filter/render_sql.h"
#include "intake/domain/list_fields.h"
#include "intake/domain/ticket_seen.h"
#include "platform/pg/pool.h"

namespace potok::intake {

struct TicketListQuery {
  absl::Time now;  // Business time: decides what is overdue.
  int page_size = 50;
  bool with_total = false;
  desk::Filter filter;                 // `me` already bound.
  std::vector<desk::OrderTerm> order;  // At least one.
  std::optional<TicketCursor> after;   // Behind this ticket; its keys are those of `order`.
};

struct TicketListPage {
  std::vector<TicketSeen> tickets;
  std::optional<TicketCursor> next;  // Where the next page starts; empty on the last one.
  int64_t total = 0;                 // Over all pages, of the same snapshot; 0 when not asked for.
};

class TicketLists {
 public:
  explicit TicketLists(pg::Pool& pool) : pool_(pool) {}

  absl::StatusOr<TicketListPage> List(const desk::Viewer& viewer, const TicketListQuery& query,
                                      std::chrono::steady_clock::time_point deadline) const;

 private:
  pg::Pool& pool_;
};

// The same rule as desk::RelationOf(...).sees, over columns of ledger.ticket t: rendered here so
// that a list costs one query however many tickets are hidden. A test compares the two on every
// relation. Placeholders start at `first`.
desk::SqlCondition VisibleTo(const desk::Viewer& viewer, int first);

}  // namespace potok::intake
