// Looking at deliveries: lists, one with its cause, figures. Thread-safe; may block.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/filter/filter.h"
#include "desk/ticket/ticket.h"
#include "notifier/domain/delivery.h"
#include "platform/pg/pool.h"

namespace potok::notifier {

// The last delivery of a page.
struct DeliveryCursor {
  absl::Time planned_at;
  std::string id;
};

struct DeliveryQuery {
  desk::Filter filter;
  std::optional<std::vector<std::string>> flows;  // Only of these; unset: of all.
  std::optional<DeliveryCursor> after;
  int page_size = 50;
  bool with_total = false;
};

struct DeliveryPage {
  std::vector<Delivery> deliveries;  // Newest first.
  bool more = false;
  int64_t total = 0;
};

struct DeliveryWithCause {
  Delivery delivery;
  std::optional<desk::Event> cause;
};

struct DeliveryFigures {
  struct Count {
    Channel channel = Channel::kInbox;
    DeliveryState state = DeliveryState::kPending;
    int64_t deliveries = 0;
  };
  std::vector<Count> counts;
  std::optional<absl::Duration> oldest;  // Business time, of those that are not final.
  absl::Duration p50, p99;               // Real, from the event to the channel.
};

class DeliveryLists {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  explicit DeliveryLists(pg::Pool& pool) : pool_(pool) {}

  absl::StatusOr<DeliveryPage> List(const DeliveryQuery& query, Deadline deadline) const;
  absl::StatusOr<std::optional<DeliveryWithCause>> Find(const std::string& id,
                                                        Deadline deadline) const;
  absl::StatusOr<DeliveryFigures> Figures(Deadline deadline) const;

 private:
  pg::Pool& pool_;
};

}  // namespace potok::notifier
