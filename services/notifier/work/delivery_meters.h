// The figures of deliveries, in one place because two loops report them. Thread-safe.
#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"

#include "notifier/domain/notice.h"
#include "platform/obs/metrics.h"

namespace potok::notifier {

class DeliveryMeters {
 public:
  explicit DeliveryMeters(obs::Metrics& metrics) : metrics_(metrics) {}

  // `outcome`: sent, retry, dead, suppressed, outage, pause, lost.
  void Attempt(Channel channel, const char* outcome) {
    metrics_
        .Counter("potok_notify_attempts_total",
                 "Tries to deliver a notice, by channel and what came of them.",
                 {{"channel", std::string(Name(channel))}, {"outcome", outcome}})
        .Increment();
  }

  // `latency`: real time from the event to the channel.
  void Delivered(Channel channel, absl::Duration latency) {
    metrics_
        .Histogram("potok_notify_delivery_seconds",
                   "Real time from an event to the channel that took its notice.",
                   {{"channel", std::string(Name(channel))}}, Buckets())
        .Observe(absl::ToDoubleSeconds(latency));
  }

  void Waiting(Channel channel, int64_t waiting, absl::Duration oldest) {
    const obs::Labels labels = {{"channel", std::string(Name(channel))}};
    metrics_.Gauge("potok_notify_undelivered", "Deliveries that are not final.", labels)
        .Set(static_cast<double>(waiting));
    metrics_
        .Gauge("potok_notify_oldest_undelivered_seconds",
               "Real time since the event of the oldest delivery that is not final.", labels)
        .Set(absl::ToDoubleSeconds(oldest));
  }

  void BreakerOpen(Channel channel, bool open) {
    metrics_
        .Gauge("potok_notify_breaker_open",
               "1 while a channel fails so often that it is only probed.",
               {{"channel", std::string(Name(channel))}})
        .Set(open ? 1 : 0);
  }

 private:
  // From an inbox, which takes milliseconds, to a day of an unreachable server.
  static std::vector<double> Buckets() {
    return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86400};
  }

  obs::Metrics& metrics_;
};

}  // namespace potok::notifier
