// From main() to a running service and back: flags, configuration, wiring, signals, ordered stop.
//
//   int main(int argc, char** argv) {
//     return potok::app::RunService(argc, argv, potok::intake::Spec());
//   }
//
// A service is a function that binds: it gets Parts, builds its classes by plain constructors, adds
// its gRPC services and loops, and returns what must stay alive. Because binding is a function,
// several services run in one process (allinone), and a test runs any of them (Process).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "platform/app/loop.h"
#include "platform/obs/metrics.h"
#include "platform/rpc/auth.h"
#include "platform/rpc/front.h"
#include "platform/rpc/page_token.h"
#include "platform/rpc/server.h"
#include "potok/config/v1/config.pb.h"

namespace potok::app {

// Whatever a service built and needs until the end. Destroyed after the server and all loops
// stopped, the last bound service first.
class Bound {
 public:
  virtual ~Bound() = default;
};

// What a service is given to bind with. Everything outlives its Bound.
class Parts {
 public:
  Parts(std::string service, const config::v1::ServiceConfig& config, obs::Metrics& metrics,
        rpc::Front& front, rpc::Server& server, const rpc::PageTokens& page_tokens)
      : service(std::move(service)),
        config(config),
        metrics(metrics),
        front(front),
        server(server),
        page_tokens(page_tokens) {}

  const std::string service;                // "intake"
  const config::v1::ServiceConfig& config;  // With defaults, checked.
  obs::Metrics& metrics;
  rpc::Front& front;
  rpc::Server& server;  // server.Add<potok::intake::v1::IntakeService>(&rpc)
  const rpc::PageTokens& page_tokens;

  // The bearer token this service shows to the others.
  std::string peer_token;

  // A thread that starts after everything is bound and is asked to end when the stop begins. The
  // reference stays valid as long as the Bound; use it to Wake the loop. A turn fails mostly
  // because the database is away, and the loop is to be at work again within two seconds of its
  // return.
  Loop& AddLoop(std::string name, Loop::Turn turn, Backoff backoff = {.cap = absl::Seconds(1)});

  // A check that must pass for the process to be ready; asked each second, from one thread, and may
  // take up to a second. `name` stands in the log when it fails.
  void AddReadiness(std::string name, std::function<absl::Status()> check);

  // Called once when a stop begins, while calls are still being served: gives to other replicas
  // what they can take over at once, that is, finishes what is in hand, begins nothing new,
  // releases leases. Those of one service are called one after another, the last one added first;
  // those of different services at the same time. A loop that works under a lease is stopped in
  // here.
  void OnDrain(std::function<void()> hand_over);

  // Called once while stopping, after the loops ended and running calls were answered; the last one
  // added is called first.
  void OnStop(std::function<void()> closer);

 private:
  friend class Process;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::pair<std::string, std::function<absl::Status()>>> checks_;
  std::vector<std::function<void()>> hand_overs_;
  std::vector<std::function<void()>> closers_;
};

struct ServiceSpec {
  std::string name;  // "intake"
  std::string version;
  // Whether a caller has a permission; the same for all services of a process (the first one's
  // counts).
  rpc::Authorizer authorize;
  std::function<absl::StatusOr<std::unique_ptr<Bound>>(Parts&)> bind;
};

// Everything between the flags and the signals. A test uses it directly; Start and Stop in one
// thread.
class Process {
 public:
  // Tells whoever started it where it listens; an error ends the start.
  using Listening = std::function<absl::Status(const std::vector<std::string>& addresses,
                                               const std::string& metrics_address)>;

  // Starts serving. `potok_env` is the value of POTOK_ENV. Logging must have been set up.
  // `listening` is called before readiness is asked for the first time: who is told that the
  // process is ready knows where.
  static absl::StatusOr<std::unique_ptr<Process>> Start(config::v1::ServiceConfig config,
                                                        std::vector<ServiceSpec> specs,
                                                        const std::string& potok_env,
                                                        const Listening& listening = nullptr);
  ~Process();  // Stops.

  const std::vector<std::string>& addresses() const;
  const std::string& metrics_address() const;  // Empty: no metrics page.
  obs::Metrics& metrics();

  // True once every readiness check has passed, at the last time of asking.
  bool ready() const;

  // Not ready -> loops are asked to end, leases are handed over -> drain delay -> streams end ->
  // running calls end or are cut -> loops have ended -> closers -> bound services go, last first.
  // Legal twice.
  //
  // Work is handed over first, not after the delay: another replica takes it within a second, and
  // calls need neither loops nor leases.
  void Stop();

 private:
  class Impl;
  explicit Process(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The whole main(): parses flags (--help explains them), runs until SIGTERM or SIGINT. A second
// signal ends the process at once. Returns 0 after an ordered stop, 1 when the start failed, 2 for
// wrong flags.
int RunService(int argc, char** argv, ServiceSpec spec);
int RunServices(int argc, char** argv, const std::string& program, std::vector<ServiceSpec> specs);

}  // namespace potok::app
