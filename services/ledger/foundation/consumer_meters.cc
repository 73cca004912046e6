#include "ledger/foundation/consumer_meters.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace potok::ledger {
namespace {

using log::ConsumerStats;

struct GaugeSpec {
  const char* name;
  const char* help;
  double (*value)(const ConsumerStats&);
};

constexpr GaugeSpec kGauges[] = {
    {"potok_stream_lag_entries",
     "Log entries a group has not consumed in the parts this process owns.",
     [](const ConsumerStats& s) { return static_cast<double>(s.lag); }},
    {"potok_consumer_parts", "Parts of the log this process consumes for a group.",
     [](const ConsumerStats& s) { return static_cast<double>(s.parts); }},
    {"potok_consumer_failing_streams", "Streams that stand at an entry whose handler fails.",
     [](const ConsumerStats& s) { return static_cast<double>(s.failing_streams); }},
    {"potok_consumer_left_behind",
     "Handler runs that were given up because they hang, and have not ended.",
     [](const ConsumerStats& s) { return static_cast<double>(s.left_behind); }},
    {"potok_consumer_standing_aside",
     "1 while a group has given its leases back because too many of its handler runs hang.",
     [](const ConsumerStats& s) { return s.standing_aside ? 1.0 : 0.0; }},
    {"potok_consumer_redis_up", "1 while Redis tells a group of its news; else Postgres is polled.",
     [](const ConsumerStats& s) { return s.redis_up ? 1.0 : 0.0; }},
};

struct CounterSpec {
  const char* name;
  const char* help;
  std::int64_t (*value)(const ConsumerStats&);
};

constexpr CounterSpec kCounters[] = {
    {"potok_consumer_handled_total", "Log entries whose effects were committed.",
     [](const ConsumerStats& s) { return s.handled; }},
    {"potok_consumer_failures_total", "Handler runs that failed, hangs among them.",
     [](const ConsumerStats& s) { return s.failures; }},
    {"potok_consumer_hangs_total", "Handler runs that were given up because they hang.",
     [](const ConsumerStats& s) { return s.hangs; }},
    {"potok_consumer_parked_total", "Log entries put aside in ledger.dlq.",
     [](const ConsumerStats& s) { return s.parked; }},
    {"potok_consumer_refused_total",
     "Attempts to take entries that changed nothing: the stream had another owner by then.",
     [](const ConsumerStats& s) { return s.refused; }},
    {"potok_consumer_deaths_total",
     "Entries during whose attempt the owner before this process vanished.",
     [](const ConsumerStats& s) { return s.deaths; }},
    {"potok_consumer_phantoms_total", "Entries of Redis that the log does not have.",
     [](const ConsumerStats& s) { return s.phantoms; }},
};

}  // namespace

ConsumerMeters::ConsumerMeters(obs::Metrics& metrics, const std::string& group,
                               std::function<ConsumerStats()> stats) {
  const obs::Labels labels = {{"group", group}};
  std::vector<prometheus::Gauge*> gauges;
  for (const GaugeSpec& each : kGauges) {
    gauges.push_back(&metrics.Gauge(each.name, each.help, labels));
  }
  std::vector<prometheus::Counter*> counters;
  for (const CounterSpec& each : kCounters) {
    counters.push_back(&metrics.Counter(each.name, each.help, labels));
  }
  hook_ = metrics.BeforeScrape([gauges = std::move(gauges), counters = std::move(counters),
                                stats = std::move(stats), last = ConsumerStats()]() mutable {
    const ConsumerStats now = stats();
    for (size_t i = 0; i < gauges.size(); ++i) gauges[i]->Set(kGauges[i].value(now));
    for (size_t i = 0; i < counters.size(); ++i) {
      const std::int64_t more = kCounters[i].value(now) - kCounters[i].value(last);
      counters[i]->Increment(static_cast<double>(more));
    }
    last = now;
  });
}

}  // namespace potok::ledger
