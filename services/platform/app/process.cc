#include <algorithm>
#include <atomic>
#include <chrono>
#include <sys/resource.h>
#include <thread>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "platform/app/run_service.h"
#include "platform/config/load.h"
#include "platform/obs/log.h"
#include "platform/rpc/worker_pool.h"

namespace potok::app {

using config::v1::ServiceConfig;

Loop& Parts::AddLoop(std::string name, Loop::Turn turn, Backoff backoff) {
  LoopOptions options;
  options.name = std::move(name);
  options.service = service;
  options.backoff = backoff;
  loops_.push_back(std::make_unique<Loop>(std::move(options), std::move(turn), metrics));
  return *loops_.back();
}

void Parts::AddReadiness(std::string name, std::function<absl::Status()> check) {
  checks_.emplace_back(std::move(name), std::move(check));
}

void Parts::OnDrain(std::function<void()> hand_over) {
  hand_overs_.push_back(std::move(hand_over));
}

void Parts::OnStop(std::function<void()> closer) { closers_.push_back(std::move(closer)); }

namespace {

absl::StatusOr<std::unique_ptr<rpc::Authenticator>> MakeAuthenticator(
    const ServiceConfig& config, const std::string& potok_env) {
  if (config.auth().mode() == config::v1::AuthConfig::MODE_DEV) {
    POTOK_RETURN_IF_ERROR(
        rpc::CheckDevAuthAllowed({config.listen().begin(), config.listen().end()}, potok_env));
    return std::make_unique<rpc::DevAuthenticator>();
  }
  return absl::UnimplementedError("auth.mode MODE_OIDC is not offered by this build; use MODE_DEV");
}

absl::StatusOr<rpc::PageTokens> MakePageTokens(const ServiceConfig& config) {
  POTOK_ASSIGN_OR_RETURN(const std::string key, config::ReadSecret(config.page_tokens().key()));
  return rpc::PageTokens::Create(key);
}

rpc::FrontOptions FrontOptionsOf(const ServiceConfig& config) {
  rpc::FrontOptions options;
  options.default_deadline = std::chrono::milliseconds(config.rpc().default_deadline_ms());
  options.max_deadline = std::chrono::milliseconds(config.rpc().max_deadline_ms());
  options.waiting_streams = static_cast<int>(config.workers().threads() / 4);
  options.access_lines_per_second = static_cast<int>(config.log().access_lines_per_second());
  return options;
}

// What the process itself needs: connections to Postgres for calls and for loops, log, sockets of
// Redis and of mail, epoll.
int MaxConnections(const ServiceConfig& config) {
  const auto own = 64 + 2 * static_cast<int64_t>(config.postgres().pool_size());
  rlimit descriptors{};
  int64_t room = config.rpc().max_connections();
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    room =
        std::min(room, static_cast<int64_t>(std::min<rlim_t>(descriptors.rlim_cur, 1 << 20)) - own);
  }
  return static_cast<int>(std::max<int64_t>(room, 16));
}

rpc::ServerOptions ServerOptionsOf(const ServiceConfig& config) {
  rpc::ServerOptions options;
  options.listen = {config.listen().begin(), config.listen().end()};
  options.max_connection_age_s = static_cast<int>(config.rpc().max_connection_age_s());
  options.memory_mib = static_cast<int>(config.rpc().memory_mib());
  options.max_connections = MaxConnections(config);
  return options;
}

}  // namespace

// Members in the order they are built; they die in the reverse order, after Stop has made them
// idle.
class Process::Impl {
 public:
  Impl(ServiceConfig config, std::vector<ServiceSpec> specs,
       std::unique_ptr<rpc::Authenticator> authenticator, rpc::PageTokens page_tokens)
      : config_(std::move(config)),
        specs_(std::move(specs)),
        authenticator_(std::move(authenticator)),
        page_tokens_(page_tokens),
        pool_({.threads = static_cast<int>(config_.workers().threads()),
               .queue_bound = config_.workers().queue_bound()},
              metrics_),
        front_(FrontOptionsOf(config_), *authenticator_, specs_.front().authorize, pool_),
        server_(ServerOptionsOf(config_), front_, metrics_) {}

  ~Impl() { Stop(); }

  absl::Status Start(const Listening& listening) {
    for (const ServiceSpec& spec : specs_) POTOK_RETURN_IF_ERROR(Bind(spec));
    if (!config_.metrics_listen().empty()) {
      POTOK_ASSIGN_OR_RETURN(metrics_address_, metrics_.Expose(config_.metrics_listen()));
    }
    POTOK_RETURN_IF_ERROR(server_.Start());
    if (listening) POTOK_RETURN_IF_ERROR(listening(addresses(), metrics_address_));
    for (const auto& parts : parts_) {
      for (const auto& loop : parts->loops_) loop->Start();
    }
    LoopOptions options;
    options.name = "readiness";
    readiness_ = std::make_unique<Loop>(
        std::move(options),
        [this](const std::stop_token&) -> absl::StatusOr<absl::Duration> {
          // Until ready, whoever waits for the start is kept waiting by this pause.
          return CheckReadiness() ? absl::Seconds(1) : absl::Milliseconds(100);
        },
        metrics_);
    CheckReadiness();
    readiness_->Start();
    return absl::OkStatus();
  }

  void Stop() {
    if (stopped_) return;
    stopped_ = true;
    const auto began = std::chrono::steady_clock::now();
    if (readiness_ != nullptr) {
      readiness_->Stop();
      server_.SetReady(false);
      ready_ = false;
    }
    // All are asked before any is waited for: the stop takes as long as the slowest, not as their
    // sum.
    for (const auto& parts : parts_) {
      for (const auto& loop : parts->loops_) loop->RequestStop();
    }
    HandOver();
    if (readiness_ != nullptr) {
      LogStep("work is handed over", began);
      // Load balancers learn late that we are not ready; calls that still come are served.
      std::this_thread::sleep_until(began + std::chrono::milliseconds(config_.drain().delay_ms()));
    }
    front_.EndStreams();
    server_.Shutdown(std::chrono::milliseconds(config_.drain().timeout_ms()));
    if (readiness_ != nullptr) LogStep("calls are answered", began);
    for (auto parts = parts_.rbegin(); parts != parts_.rend(); ++parts) {
      for (auto loop = (*parts)->loops_.rbegin(); loop != (*parts)->loops_.rend(); ++loop) {
        (*loop)->Stop();
      }
    }
    pool_.Stop();
    for (auto parts = parts_.rbegin(); parts != parts_.rend(); ++parts) {
      auto& closers = (*parts)->closers_;
      for (auto closer = closers.rbegin(); closer != closers.rend(); ++closer) (*closer)();
    }
    while (!bound_.empty()) bound_.pop_back();
  }

  const std::vector<std::string>& addresses() const { return server_.addresses(); }
  const std::string& metrics_address() const { return metrics_address_; }
  obs::Metrics& metrics() { return metrics_; }
  bool ready() const { return ready_; }

 private:
  absl::Status Bind(const ServiceSpec& spec) {
    const obs::LogScope scope({spec.name, "", ""});
    metrics_
        .Gauge("potok_build_info", "1, with the version as a label.",
               {{"service", spec.name}, {"version", spec.version}})
        .Set(1);
    auto parts =
        std::make_unique<Parts>(spec.name, config_, metrics_, front_, server_, page_tokens_);
    POTOK_ASSIGN_OR_RETURN(parts->peer_token, config::ReadSecret(config_.peers().token()));
    if (parts->peer_token.empty() && config_.auth().mode() == config::v1::AuthConfig::MODE_DEV) {
      parts->peer_token = absl::StrCat("dev:", spec.name, ":service");
    }
    Parts& given = *parts;
    parts_.push_back(std::move(parts));
    absl::StatusOr<std::unique_ptr<Bound>> bound = spec.bind(given);
    if (!bound.ok()) {
      return absl::Status(bound.status().code(),
                          absl::StrCat(spec.name, ": ", bound.status().message()));
    }
    bound_.push_back(*std::move(bound));
    return absl::OkStatus();
  }

  void HandOver() {
    std::vector<std::thread> services;
    for (const auto& parts : parts_) {
      services.emplace_back([&hand_overs = parts->hand_overs_] {
        for (auto each = hand_overs.rbegin(); each != hand_overs.rend(); ++each) (*each)();
      });
    }
    for (std::thread& service : services) service.join();
  }

  static void LogStep(absl::string_view what, std::chrono::steady_clock::time_point began) {
    obs::LogInfo("process.drain", what,
                 {{"after_ms", absl::FromChrono(std::chrono::steady_clock::now() - began)}});
  }

  bool CheckReadiness() {
    std::string failing;
    for (const auto& parts : parts_) {
      for (const auto& [name, check] : parts->checks_) {
        const absl::Status status = check();
        if (status.ok()) continue;
        failing = absl::StrCat(parts->service, "/", name, ": ", status.message());
        break;
      }
      if (!failing.empty()) break;
    }
    const bool ready = failing.empty();
    if (ready != ready_ || (!ready && failing != last_failing_)) {
      if (ready) {
        obs::LogInfo("process.ready", "all readiness checks pass");
      } else {
        obs::LogWarn("process.not_ready", "a readiness check fails", {{"check", failing}});
      }
    }
    last_failing_ = failing;
    ready_ = ready;
    server_.SetReady(ready);
    return ready;
  }

  const ServiceConfig config_;
  const std::vector<ServiceSpec> specs_;
  const std::unique_ptr<rpc::Authenticator> authenticator_;
  const rpc::PageTokens page_tokens_;
  obs::Metrics metrics_;
  std::string metrics_address_;
  rpc::WorkerPool pool_;
  rpc::Front front_;
  // After `server_`: what the services built serves its calls, so it goes first only once the
  // server has been shut down by Stop.
  std::vector<std::unique_ptr<Bound>> bound_;
  std::vector<std::unique_ptr<Parts>> parts_;
  rpc::Server server_;
  std::unique_ptr<Loop> readiness_;
  std::string last_failing_;
  std::atomic<bool> ready_{false};
  bool stopped_ = false;
};

Process::Process(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Process::~Process() = default;

absl::StatusOr<std::unique_ptr<Process>> Process::Start(ServiceConfig config,
                                                        std::vector<ServiceSpec> specs,
                                                        const std::string& potok_env,
                                                        const Listening& listening) {
  if (specs.empty()) return absl::InvalidArgumentError("no service to run");
  POTOK_ASSIGN_OR_RETURN(auto authenticator, MakeAuthenticator(config, potok_env));
  POTOK_ASSIGN_OR_RETURN(const rpc::PageTokens page_tokens, MakePageTokens(config));
  auto impl = std::make_unique<Impl>(std::move(config), std::move(specs), std::move(authenticator),
                                     page_tokens);
  POTOK_RETURN_IF_ERROR(impl->Start(listening));
  return std::unique_ptr<Process>(new Process(std::move(impl)));
}

const std::vector<std::string>& Process::addresses() const { return impl_->addresses(); }
const std::string& Process::metrics_address() const { return impl_->metrics_address(); }
obs::Metrics& Process::metrics() { return impl_->metrics(); }
bool Process::ready() const { return impl_->ready(); }
void Process::Stop() { impl_->Stop(); }

}  // namespace potok::app
