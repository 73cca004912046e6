// People at work: an open loop of calls of every service, and streams that are followed, made as
// the documentation asks clients to (platform/rpc/client.h). Every call is one that must succeed.
#pragma once

#include <atomic>
#include <chrono>
#include <grpcpp/grpcpp.h>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "e2e/fleet.h"
#include "potok/analytics/v1/analytics.grpc.pb.h"
#include "potok/intake/v1/intake.grpc.pb.h"
#include "potok/notifier/v1/notifier.grpc.pb.h"
#include "potok/router/v1/router.grpc.pb.h"
#include "potok/router/v1/team.grpc.pb.h"
#include "potok/sla_timer/v1/sla_timer.grpc.pb.h"

namespace potok::testing {

// What came of the calls.
struct CrowdTally {
  int64_t calls = 0;
  int64_t asked_again = 0;               // Calls that failed through the channel's own repeats.
  std::map<std::string, int64_t> again;  // Why, "CreateTicket 14: message" -> how often.
  std::vector<std::string> failed;       // Calls that failed for whoever made them.
  std::vector<double> seconds;           // From when each should have been made to its answer.
  int64_t filed = 0;
  int64_t resolved = 0;
  int64_t streams_resumed = 0;
  std::vector<std::string> stream_faults;  // Gaps, repeats, ends that say nothing.
};

// The share `share` of `seconds`, sorted: 0.99 for the 99th percentile; in milliseconds.
double PercentileMs(std::vector<double> seconds, double share);

class Crowd {
 public:
  // The flow and the agents of the crowd, for FleetOptions::found.
  static void Found(TestDatabase& database);

  // Makes the agents come to work and opens the streams; nothing is called before Begin.
  explicit Crowd(Fleet& fleet);
  ~Crowd();

  void Begin(double calls_per_second);
  // Ends the calls, waits until the streams have brought everything, and tells.
  CrowdTally End();

 private:
  struct Watched;
  struct Agent {
    std::string name;
    absl::Mutex busy;
  };
  using Steady = std::chrono::steady_clock;

  void Work();
  void MakeCall(int64_t number, Steady::time_point due);
  void DoAgentsWork(Agent& agent, Steady::time_point due);
  void Page(Steady::time_point due);
  void Watch(Watched& watched);
  void WatchInbox();
  std::string SomeTicket(int64_t number);

  // Makes one call and writes down what came of it; false when it failed.
  template <class Stub, class Q, class A>
  bool Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Q&, A*),
            const std::string& who, const Q& request, A& answer, Steady::time_point due) {
    return Note(Q::descriptor()->name(), due, [&] {
      answer.Clear();
      return (stub.*method)(Context(who).get(), request, &answer);
    });
  }
  static std::unique_ptr<grpc::ClientContext> Context(const std::string& who);
  bool Note(const std::string& request_name, Steady::time_point due,
            const std::function<grpc::Status()>& attempt);
  void Fault(const std::string& what);

  Fleet& fleet_;
  std::unique_ptr<intake::v1::IntakeService::Stub> intake_;
  std::unique_ptr<router::v1::RouterService::Stub> router_;
  std::unique_ptr<router::v1::TeamService::Stub> team_;
  std::unique_ptr<sla_timer::v1::SlaTimerService::Stub> timers_;
  std::unique_ptr<notifier::v1::NotifierService::Stub> notifier_;
  std::unique_ptr<analytics::v1::AnalyticsService::Stub> analytics_;

  std::vector<std::unique_ptr<Agent>> agents_;
  std::vector<std::unique_ptr<Watched>> watched_;
  double rate_ = 0;
  Steady::time_point start_;
  std::atomic<int64_t> next_{0};
  std::atomic<bool> calls_end_{false}, streams_end_{false};
  std::vector<std::thread> workers_, watchers_;
  mutable absl::Mutex mu_;
  CrowdTally tally_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> tickets_ ABSL_GUARDED_BY(mu_);
  grpc::ClientContext* inbox_context_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace potok::testing
