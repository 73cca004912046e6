// The metrics of a process: one registry, and the page that Prometheus scrapes.
//
// Names follow Prometheus: snake_case, base units, `_total` for counters. Labels have few values;
// ids of tickets or people never become labels. A metric asked for twice with the same name and
// labels is the same metric, so wiring code may ask wherever it is convenient. Thread-safe.
// References stay valid as long as the Metrics object.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace prometheus {
class Exposer;
}

namespace potok::obs {

using Labels = std::map<std::string, std::string>;

// 0.5 ms to 30 s: from one look into memory to the longest call the server lets run.
std::vector<double> CallBuckets();

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `help` is a sentence that says what is counted and in which unit.
  prometheus::Counter& Counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                   const Labels& labels = {},
                                   const std::vector<double>& buckets = CallBuckets());

  // A value that costs something to know, or changes by itself (an age, a queue's depth), is set by
  // a hook that runs right before each scrape. Removed when the returned handle dies; a hook that
  // is running then is waited for. Hooks must not block and must not add or remove hooks.
  class Hook {
   public:
    Hook() = default;
    Hook(Hook&& other) noexcept;
    Hook& operator=(Hook&& other) noexcept;
    ~Hook();

   private:
    friend class Metrics;
    Hook(Metrics* metrics, std::list<std::function<void()>>::iterator at)
        : metrics_(metrics), at_(at) {}
    Metrics* metrics_ = nullptr;
    std::list<std::function<void()>>::iterator at_;
  };
  [[nodiscard]] Hook BeforeScrape(std::function<void()> hook);

  // Starts to serve GET /metrics on "host:port"; port 0 lets the kernel pick. Returns the real
  // address.
  absl::StatusOr<std::string> Expose(const std::string& address);

  // The page as text, for tests and for `--help`-like dumps.
  std::string Render();

 private:
  class Source;

  std::shared_ptr<prometheus::Registry> registry_;
  std::shared_ptr<Source> source_;
  std::unique_ptr<prometheus::Exposer> exposer_;
  absl::Mutex hooks_mutex_;
  std::list<std::function<void()>> hooks_ ABSL_GUARDED_BY(hooks_mutex_);
};

}  // namespace potok::obs
