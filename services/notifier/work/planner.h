// Turns events into deliveries: the handler of the consumer group "notifier".
//
// A log entry only says that a ticket has news. All its events that are not planned yet are
// planned, in the order of the ticket, in the transaction that moves the consumer's offsets; a
// repeated, late or reordered entry finds nothing to do. Inbox notices are delivered by that same
// transaction.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

#include "ledger/reference.h"
#include "notifier/domain/texts.h"
#include "notifier/store/plan_store.h"
#include "notifier/work/delivery_meters.h"
#include "platform/clock/clock.h"
#include "platform/log/entry.h"
#include "platform/pg/transaction.h"

namespace potok::notifier {

struct PlannerOptions {
  std::string mail_domain = "potok.invalid";  // Right side of Message-IDs.
  std::string default_locale = "ru";
  std::string portal_url;
  bool mail_leaves = false;  // Somebody sends mail; otherwise it waits.
};

class Planner {
 public:
  // Everything outlives it.
  Planner(PlannerOptions options, const Texts& texts, ledger::Reference& reference,
          const Clock& clock, DeliveryMeters& meters);

  // The handler: called by one of the consumer's threads inside its transaction.
  absl::Status Plan(pg::Tx& tx, const std::vector<log::LogEntry>& entries);

  // After its commit: what was made counts from now on.
  void Committed();

 private:
  // Reference data new enough to know every flow and person of these tickets, if anybody does.
  std::shared_ptr<const ledger::ReferenceSnapshot> SnapshotFor(
      const std::vector<UnplannedTicket>& tickets);
  void PlanEvent(const ledger::ReferenceSnapshot& reference, const desk::Ticket& now,
                 const UnplannedEvent& unplanned, std::optional<absl::Time> caused_at,
                 std::vector<PlannedDelivery>* out) const;
  void Made(std::vector<MadeDelivery> made);
  void WriteNotice(PlannedDelivery* delivery, absl::string_view words) const;

  const PlannerOptions options_;
  const Texts& texts_;
  ledger::Reference& reference_;
  const Clock& clock_;
  DeliveryMeters& meters_;
  absl::Mutex mu_;
  // By the last handler run. One that was left behind may still be at it.
  std::vector<MadeDelivery> made_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::notifier
