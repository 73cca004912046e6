// Sends the deliveries of one channel: claims some, sends them outside of any transaction, settles
// each.
//
// A worker that dies between send and settle leaves its rows to whoever claims them when the lease
// ends: the message goes out again under the same Message-ID. What is left of a lease is always
// longer than the longest send, so a live worker never sends what another may have claimed.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <stop_token>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "notifier/domain/breaker.h"
#include "notifier/domain/sender.h"
#include "notifier/domain/texts.h"
#include "notifier/store/delivery_queue.h"
#include "notifier/work/delivery_meters.h"
#include "platform/clock/clock.h"

namespace potok::notifier {

// The breaker that the workers of a channel share. Thread-safe; time is the steady clock.
class SharedBreaker {
 public:
  SharedBreaker(Channel channel, DeliveryMeters& meters) : channel_(channel), meters_(meters) {}

  Breaker::Permit Take(int wanted);
  void GiveBack(const Breaker::Permit& permit);
  // Whether sending may go on.
  bool Record(const SendOutcome& outcome);
  absl::Duration Wait() const;

 private:
  const Channel channel_;
  DeliveryMeters& meters_;
  mutable absl::Mutex mu_;
  Breaker breaker_ ABSL_GUARDED_BY(mu_);
};

struct DeliveryLoopOptions {
  Channel channel = Channel::kEmail;
  Mailbox from;
  std::string mail_domain = "potok.invalid";
  std::string portal_url;
  int batch = 50;
  absl::Duration lease = absl::Seconds(30);
  absl::Duration poll =
      absl::Milliseconds(500);  // Between looks when nothing is due and nobody wakes us.
};

// One worker; of one thread.
class DeliveryLoop {
 public:
  // `queue`, `texts`, `clock`, `breaker` and `meters` outlive it.
  DeliveryLoop(DeliveryLoopOptions options, const DeliveryQueue& queue, const Texts& texts,
               const Clock& clock, std::unique_ptr<Sender> sender, SharedBreaker& breaker,
               DeliveryMeters& meters);

  // Sends one claim; returns how long to rest before the next. An error is one of the database;
  // what it kept from being written down is written in a later turn, as long as the claim lasts:
  // a mail that was sent is not sent again because the database was away for a moment.
  absl::StatusOr<absl::Duration> Turn(std::stop_token stop);

  // From any thread: see Sender.
  void Hurry(absl::Duration left) { sender_->Hurry(left); }

 private:
  // What became of a claimed delivery and is not written down yet.
  struct Debt {
    ClaimedDelivery delivery;
    std::string token;
    absl::Duration until;  // End of the claim, by the monotonic clock.
    Settlement settlement;
    const char* outcome = nullptr;  // nullptr: nothing, it is to be given back.
  };

  absl::Status PayDebts();
  absl::StatusOr<bool> Deliver(const ClaimedDelivery& delivery, const std::string& token);
  absl::Status Settle(const ClaimedDelivery& delivery, const std::string& token,
                      const Settlement& settlement, const char* outcome);
  absl::Status TrySettle(const ClaimedDelivery& delivery, const std::string& token,
                         const Settlement& settlement, const char* outcome);
  absl::StatusOr<Mail> Write(const ClaimedDelivery& delivery) const;
  std::string NewToken();

  const DeliveryLoopOptions options_;
  const DeliveryQueue& queue_;
  const Texts& texts_;
  const Clock& clock_;
  const std::unique_ptr<Sender> sender_;
  SharedBreaker& breaker_;
  DeliveryMeters& meters_;
  absl::Duration claim_ends_;  // Of the latest claim.
  std::vector<Debt> debts_;
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace potok::notifier
