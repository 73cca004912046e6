#include "platform/obs/metrics.h"

#include <exception>
#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>
#include <utility>

#include "absl/strings/str_cat.h"

namespace potok::obs {

// What the exposer collects from: runs the hooks, then reads the registry.
class Metrics::Source : public prometheus::Collectable {
 public:
  explicit Source(Metrics* metrics) : metrics_(metrics) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    {
      const absl::MutexLock lock(&metrics_->hooks_mutex_);
      for (const auto& hook : metrics_->hooks_) hook();
    }
    return metrics_->registry_->Collect();
  }

 private:
  Metrics* const metrics_;
};

std::vector<double> CallBuckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      source_(std::make_shared<Source>(this)) {}

Metrics::~Metrics() { exposer_.reset(); }

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help,
                                      const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help,
                                  const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Histogram& Metrics::Histogram(const std::string& name, const std::string& help,
                                          const Labels& labels,
                                          const std::vector<double>& buckets) {
  return prometheus::BuildHistogram()
      .Name(name)
      .Help(help)
      .Register(*registry_)
      .Add(labels, buckets);
}

Metrics::Hook Metrics::BeforeScrape(std::function<void()> hook) {
  const absl::MutexLock lock(&hooks_mutex_);
  hooks_.push_back(std::move(hook));
  return Hook(this, std::prev(hooks_.end()));
}

Metrics::Hook::Hook(Hook&& other) noexcept
    : metrics_(std::exchange(other.metrics_, nullptr)), at_(other.at_) {}

Metrics::Hook& Metrics::Hook::operator=(Hook&& other) noexcept {
  std::swap(metrics_, other.metrics_);
  std::swap(at_, other.at_);
  return *this;
}

Metrics::Hook::~Hook() {
  if (metrics_ == nullptr) return;
  const absl::MutexLock lock(&metrics_->hooks_mutex_);
  metrics_->hooks_.erase(at_);
}

absl::StatusOr<std::string> Metrics::Expose(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("metrics address '", address, "' is not host:port, such as 127.0.0.1:0"));
  }
  // The exposer reports a taken port by an exception of its HTTP library.
  try {
    exposer_ = std::make_unique<prometheus::Exposer>(address, /*num_threads=*/1);
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat("cannot serve metrics on ", address, ": ", error.what()));
  }
  exposer_->RegisterCollectable(source_);
  const std::vector<int> ports = exposer_->GetListeningPorts();
  if (ports.empty()) return absl::UnavailableError(absl::StrCat("no metrics port on ", address));
  return absl::StrCat(address.substr(0, colon), ":", ports.front());
}

std::string Metrics::Render() { return prometheus::TextSerializer().Serialize(source_->Collect()); }

}  // namespace potok::obs
