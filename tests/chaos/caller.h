// A client of Potok as the documentation asks clients to be: it repeats a call that met
// UNAVAILABLE, or whose fate it does not know, with the same request_id, at the other replica,
// after a pause that grows and has jitter; it waits as long as RetryInfo says when it is told to;
// and it gives up when its patience ends.
#pragma once

#include <atomic>
#include <functional>
#include <grpcpp/grpcpp.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "chaos/choices.h"
#include "potok/admin/v1/admin.grpc.pb.h"
#include "potok/analytics/v1/analytics.grpc.pb.h"
#include "potok/intake/v1/directory.grpc.pb.h"
#include "potok/intake/v1/flow.grpc.pb.h"
#include "potok/intake/v1/intake.grpc.pb.h"
#include "potok/notifier/v1/notifier.grpc.pb.h"
#include "potok/router/v1/router.grpc.pb.h"
#include "potok/router/v1/team.grpc.pb.h"
#include "potok/sla_timer/v1/calendar.grpc.pb.h"
#include "potok/sla_timer/v1/sla_policy.grpc.pb.h"
#include "potok/sla_timer/v1/sla_timer.grpc.pb.h"

namespace potok::chaos {

// Everything one replica number serves.
struct Stubs {
  std::unique_ptr<intake::v1::IntakeService::Stub> intake;
  std::unique_ptr<intake::v1::FlowService::Stub> flows;
  std::unique_ptr<intake::v1::DirectoryService::Stub> directory;
  std::unique_ptr<admin::v1::AdminService::Stub> admin;
  std::unique_ptr<router::v1::RouterService::Stub> router;
  std::unique_ptr<router::v1::TeamService::Stub> team;
  std::unique_ptr<sla_timer::v1::CalendarService::Stub> calendars;
  std::unique_ptr<sla_timer::v1::SlaPolicyService::Stub> policies;
  std::unique_ptr<sla_timer::v1::SlaTimerService::Stub> clocks;
  std::unique_ptr<notifier::v1::NotifierService::Stub> notifier;
  std::unique_ptr<analytics::v1::AnalyticsService::Stub> analytics;
};

struct Patience {
  absl::Duration attempt = absl::Seconds(3);  // Deadline of one attempt.
  absl::Duration whole = absl::Seconds(40);
  absl::Duration first_pause = absl::Milliseconds(50);
  absl::Duration longest_pause = absl::Seconds(1);
};

// How a call ended for whoever made it.
struct Told {
  enum class Outcome {
    kOk,
    kRefused,  // Every attempt was answered with a definite no: nothing may have happened.
    kUnknown,  // The last answer, or an earlier one, leaves open what happened.
  };
  grpc::Status status;
  Outcome outcome = Outcome::kUnknown;
  int attempts = 0;
  bool ok() const { return outcome == Outcome::kOk; }
  // The client's own view: it asked as it was told to, and did not get an answer.
  bool failed() const;
};

// Who calls, as the development tokens say it: "dev:anna:requester+agent".
struct As {
  std::string employee = "root";
  std::string roles = "admin";
};

struct CallCounts {
  int64_t calls = 0;
  int64_t failed = 0;    // Told::failed().
  int64_t attempts = 0;  // These and the following also of calls that still go on.
  std::map<std::string, int64_t> bad_attempts;  // "CreateTicket UNAVAILABLE" -> how often.
  int64_t advised = 0;                          // Attempts that were told when to come again.
};

// Thread-safe.
class Caller {
 public:
  // One address a replica, by service: {"intake": {"unix:/a", "unix:/b"}, ...}.
  Caller(const std::map<std::string, std::vector<std::string>>& addresses, Patience patience);

  template <class Stub, class Q, class A>
  Told Call(std::unique_ptr<Stub> Stubs::*stub,
            grpc::Status (Stub::*method)(grpc::ClientContext*, const Q&, A*), const Q& request,
            const As& as, A* answer) {
    const std::string name = Q::descriptor()->name();
    return Repeat(name.substr(0, name.rfind("Request")), as,
                  [&](Stubs& replica, grpc::ClientContext& context) {
                    answer->Clear();
                    return ((*(replica.*stub)).*method)(&context, request, answer);
                  });
  }

  CallCounts counts() const;
  // No call begins another attempt from now on.
  void GiveUp() { give_up_ = true; }

 private:
  using Attempt = std::function<grpc::Status(Stubs&, grpc::ClientContext&)>;
  Told Repeat(const std::string& method, const As& as, const Attempt& attempt);

  const Patience patience_;
  std::vector<Stubs> replicas_;
  std::atomic<uint64_t> next_{0};
  std::atomic<bool> give_up_{false};
  mutable absl::Mutex mu_;
  CallCounts counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::chaos
