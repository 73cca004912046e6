// Potok as it runs in production: each service as processes of its own, several replicas of it, on
// a database of the test's own.
//
//   Fleet fleet({.replicas = 2});
//   auto intake = intake::v1::IntakeService::NewStub(fleet.Channel("intake"));
//   const Fleet::End end = fleet.Terminate("intake", 0);
//   fleet.Start("intake", 0);   // At the port it had.
//
// All processes end with the test program. Used from one thread, but for Channel and Target.
#pragma once

#include <functional>
#include <grpcpp/channel.h>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "platform/testing/stack.h"

namespace potok::testing {

struct FleetOptions {
  std::vector<std::string> services = {"intake", "router", "sla-timer", "notifier", "analytics"};
  int replicas = 1;
  // False: the services are told of a Redis where nobody answers.
  bool redis = true;
  // A mail sink (tools/sink) and a notifier that sends to it.
  bool mail = false;
  // "key=value" for --set, of every service.
  std::vector<std::string> config;
  // Adds to the company before anything starts.
  std::function<void(TestDatabase&)> found;
  // Before the command of every service: {"prlimit", "--nofile=256:256"}.
  std::vector<std::string> wrapper;
};

class Fleet {
 public:
  // Starts everything and waits until all are ready; a failure ends the test program with the
  // reason. The company of integration/company.h is founded first.
  explicit Fleet(FleetOptions options);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  TestDatabase& database() { return database_; }

  // All replicas of a service: "ipv4:127.0.0.1:4431,127.0.0.1:4432".
  std::string Target(const std::string& service) const;
  // A channel to all of them, made as the documentation asks clients to (platform/rpc/client.h).
  std::shared_ptr<grpc::Channel> Channel(const std::string& service) const;
  // The address of one of them.
  std::string Address(const std::string& service, int replica) const;

  struct End {
    absl::Duration took;
    std::string how;  // "exit 0"; "killed" when it had not ended in time.
  };
  // SIGTERM, and what came of it within ten seconds.
  End Terminate(const std::string& service, int replica);
  // Starts it again at the port it had, and waits until it is ready.
  void Start(const std::string& service, int replica);

  pid_t pid(const std::string& service, int replica) const;
  bool running(const std::string& service, int replica);
  int64_t rss_kib(const std::string& service, int replica) const;
  int descriptors(const std::string& service, int replica) const;
  // What the process has logged since its last start.
  std::string Log(const std::string& service, int replica) const;

  // Messages that have arrived at the sink.
  int64_t Mails() const;

  // The invariants of the ledger, asked of the service that offers the check, until they hold, or
  // patience ends: "" when they do, else what breaks them. For a moment when nobody calls any more.
  std::string Verify();

 private:
  struct Replica {
    std::string service;
    int number = 0;
    int port = 0;
    int starts = 0;
    std::string stem;  // Of its files.
    Process process;
  };

  Replica& Find(const std::string& service, int replica);
  const Replica& Find(const std::string& service, int replica) const;
  void StartSink();
  void Spawn(Replica& replica);
  void AwaitReady(Replica& replica);
  static std::string LogFile(const Replica& replica);

  const FleetOptions options_;
  std::string folder_;
  TestDatabase database_;
  std::unique_ptr<TestRedis> redis_;
  Process sink_;
  std::string sink_address_;
  std::vector<Replica> replicas_;
};

}  // namespace potok::testing
