#include "notifier/work/delivery_loop.h"

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status_macros.h"
#include "notifier/domain/audience.h"
#include "notifier/domain/notice_facts.h"
#include "notifier/domain/retry.h"
#include "platform/obs/log.h"

namespace potok::notifier {
namespace {

constexpr absl::Duration kPause = absl::Seconds(30);  // When the provider says 421.

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

Breaker::Permit SharedBreaker::Take(int wanted) {
  absl::MutexLock lock(&mu_);
  return breaker_.Take(Monotonic(), wanted);
}

void SharedBreaker::GiveBack(const Breaker::Permit& permit) {
  absl::MutexLock lock(&mu_);
  breaker_.GiveBack(permit);
}

bool SharedBreaker::Record(const SendOutcome& outcome) {
  absl::MutexLock lock(&mu_);
  const bool was_open = breaker_.open();
  if (outcome.result == SendOutcome::kPause) {
    breaker_.PauseUntil(Monotonic() + kPause);
  } else {
    breaker_.Record(Monotonic(), outcome.result != SendOutcome::kOutage);
  }
  if (breaker_.open() != was_open) {
    meters_.BreakerOpen(channel_, breaker_.open());
    obs::LogWarn("notify.breaker",
                 breaker_.open() ? "the channel fails and is only probed from now on"
                                 : "the channel works again",
                 {{"channel", Name(channel_)}, {"said", outcome.said}});
  }
  return breaker_.Wait(Monotonic()) == absl::ZeroDuration();
}

absl::Duration SharedBreaker::Wait() const {
  absl::MutexLock lock(&mu_);
  return breaker_.Wait(Monotonic());
}

DeliveryLoop::DeliveryLoop(DeliveryLoopOptions options, const DeliveryQueue& queue,
                           const Texts& texts, const Clock& clock, std::unique_ptr<Sender> sender,
                           SharedBreaker& breaker, DeliveryMeters& meters)
    : options_(std::move(options)),
      queue_(queue),
      texts_(texts),
      clock_(clock),
      sender_(std::move(sender)),
      breaker_(breaker),
      meters_(meters) {}

absl::StatusOr<absl::Duration> DeliveryLoop::Turn(std::stop_token stop) {
  POTOK_RETURN_IF_ERROR(PayDebts());
  const Breaker::Permit permit = breaker_.Take(options_.batch);
  if (permit.sends == 0) return std::max(breaker_.Wait(), absl::Milliseconds(10));
  const std::string token = NewToken();
  // Counted from before the claim, so that the lease in the database always ends later than here.
  claim_ends_ = Monotonic() + options_.lease;
  absl::StatusOr<std::vector<ClaimedDelivery>> claimed =
      queue_.Claim(options_.channel, permit.sends, token, options_.lease);
  if (!claimed.ok() || claimed->empty()) {
    breaker_.GiveBack(permit);
    if (!claimed.ok()) return claimed.status();
    return options_.poll;
  }

  for (size_t i = 0; i < claimed->size(); ++i) {
    const absl::Duration left = claim_ends_ - Monotonic();
    absl::StatusOr<bool> go_on = true;
    if (!stop.stop_requested() && left > sender_->longest()) {
      go_on = Deliver((*claimed)[i], token);
      if (go_on.ok() && *go_on) continue;
      ++i;
    }
    const absl::Status released = queue_.Release({claimed->begin() + i, claimed->end()}, token);
    for (; !released.ok() && i < claimed->size(); ++i) {
      debts_.push_back({std::move((*claimed)[i]), token, claim_ends_, {}, nullptr});
    }
    POTOK_RETURN_IF_ERROR(go_on.status());
    POTOK_RETURN_IF_ERROR(released);
    break;
  }
  return absl::ZeroDuration();
}

absl::StatusOr<bool> DeliveryLoop::Deliver(const ClaimedDelivery& delivery,
                                           const std::string& token) {
  if (!StillWanted(delivery.kind, delivery.role, delivery.recipient, delivery.ticket)) {
    POTOK_RETURN_IF_ERROR(Settle(delivery, token,
                                 {.state = DeliveryState::kSuppressed, .reason = "superseded"},
                                 "suppressed"));
    return true;
  }
  const absl::StatusOr<Mail> mail = Write(delivery);
  if (!mail.ok()) {
    obs::LogError("notify.text", "a message could not be written",
                  {{"delivery", delivery.id}, {"rule", delivery.rule}, {"error", mail.status()}});
    POTOK_RETURN_IF_ERROR(Settle(
        delivery, token,
        {.state = DeliveryState::kDead, .error = std::string(mail.status().message())}, "dead"));
    return true;
  }
  const SendOutcome outcome = sender_->Send(*mail);
  const bool go_on = breaker_.Record(outcome);
  Settlement settlement{.error = outcome.said, .title = mail->subject};
  const char* word = "retry";
  switch (outcome.result) {
    case SendOutcome::kSent:
      settlement.error.clear();
      POTOK_RETURN_IF_ERROR(Settle(delivery, token, settlement, "sent"));
      return go_on;
    case SendOutcome::kPermanent:
      settlement.state = DeliveryState::kDead;
      POTOK_RETURN_IF_ERROR(Settle(delivery, token, settlement, "dead"));
      return go_on;
    case SendOutcome::kRetry: break;
    case SendOutcome::kOutage: word = "outage"; break;
    case SendOutcome::kPause: word = "pause"; break;
  }
  // An outage says nothing about the message, so it costs the message none of its tries: a mail
  // server that is down for an evening loses nothing. The breaker sees to it that it is not
  // hammered meanwhile.
  settlement.uncounted = outcome.result != SendOutcome::kRetry;
  const double uniform = std::uniform_real_distribution<double>(0, 1)(random_);
  const std::optional<absl::Duration> again =
      NextTry(settlement.uncounted ? 1 : delivery.attempts, delivery.age, uniform);
  settlement.state = again ? DeliveryState::kPending : DeliveryState::kDead;
  settlement.again_in = again.value_or(absl::ZeroDuration());
  POTOK_RETURN_IF_ERROR(Settle(delivery, token, settlement, again ? word : "dead"));
  return go_on;
}

absl::Status DeliveryLoop::PayDebts() {
  for (auto debt = debts_.begin(); debt != debts_.end();) {
    // After its end whoever claims the row next decides.
    absl::Status status;
    if (Monotonic() < debt->until) {
      status = debt->outcome == nullptr
                   ? queue_.Release({debt->delivery}, debt->token)
                   : TrySettle(debt->delivery, debt->token, debt->settlement, debt->outcome);
    }
    // Each of the others would wait as long for a database that is away.
    if (absl::IsUnavailable(status)) return status;
    // What the database refuses of one delivery must not stand in the way of others.
    debt = status.ok() ? debts_.erase(debt) : debt + 1;
  }
  return absl::OkStatus();
}

absl::Status DeliveryLoop::Settle(const ClaimedDelivery& delivery, const std::string& token,
                                  const Settlement& settlement, const char* outcome) {
  const absl::Status status = TrySettle(delivery, token, settlement, outcome);
  if (!status.ok()) debts_.push_back({delivery, token, claim_ends_, settlement, outcome});
  return status;
}

absl::Status DeliveryLoop::TrySettle(const ClaimedDelivery& delivery, const std::string& token,
                                     const Settlement& settlement, const char* outcome) {
  const absl::StatusOr<absl::Duration> latency = queue_.Settle(delivery, token, settlement);
  if (absl::IsNotFound(latency.status())) {
    // We were slower than our lease. Whoever holds the row now decides.
    meters_.Attempt(options_.channel, "lost");
    return absl::OkStatus();
  }
  POTOK_RETURN_IF_ERROR(latency.status());
  meters_.Attempt(options_.channel, outcome);
  if (settlement.state == DeliveryState::kSent) meters_.Delivered(options_.channel, *latency);
  if (settlement.state == DeliveryState::kDead) {
    obs::LogWarn(
        "notify.dead", "a delivery was given up",
        {{"delivery", delivery.id}, {"attempts", delivery.attempts}, {"error", settlement.error}});
  }
  return absl::OkStatus();
}

absl::StatusOr<Mail> DeliveryLoop::Write(const ClaimedDelivery& delivery) const {
  const absl::Time now = clock_.Now();
  POTOK_ASSIGN_OR_RETURN(Text text,
                         texts_.Render(delivery.rule, delivery.locale,
                                       ValuesOf(delivery.facts, delivery.locale, delivery.words,
                                                options_.portal_url, now)));
  Mail mail;
  mail.from = options_.from;
  mail.to = {delivery.facts.name, delivery.address};
  mail.subject = std::move(text.title);
  mail.text = std::move(text.body);
  mail.date = now;
  mail.message_id = delivery.message_id;
  mail.thread_id = absl::StrCat("<ticket.", delivery.ticket_id, "@", options_.mail_domain, ">");
  mail.ticket = absl::StrCat("tickets/", delivery.ticket_id);
  mail.cause = absl::StrCat(mail.ticket, "/events/", delivery.version);
  // Composed here too, so that what can never be sent never reaches the provider.
  POTOK_RETURN_IF_ERROR(ComposeMail(mail).status());
  return mail;
}

std::string DeliveryLoop::NewToken() {
  const uint64_t high = random_(), low = random_();
  return absl::StrFormat("%08x-%04x-4%03x-a%03x-%012x", high >> 32, (high >> 16) & 0xffff,
                         high & 0xfff, low >> 52, low & 0xffffffffffffull);
}

}  // namespace potok::notifier
