// How potokctl talks to Potok: addresses of a stack, a token per caller, and calls that are timed.
#pragma once

#include <functional>
#include <grpcpp/grpcpp.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

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

namespace potok::ctl {

// Who makes a call. In development mode the token says it: "dev:ivanova:agent".
struct As {
  std::string employee = "admin";
  std::string roles = "admin";  // Joined by '+'; empty = requester.
};
inline As Requester(std::string employee) { return {std::move(employee), "requester"}; }
inline As Agent(std::string employee) { return {std::move(employee), "requester+agent"}; }
inline As FlowAdmin(std::string employee) {
  return {std::move(employee), "requester+agent+flowAdmin"};
}

// Durations of calls by method, for p50 and p99. Thread-safe.
class Latencies {
 public:
  struct Row {
    std::string method;
    size_t calls = 0;
    size_t failed = 0;
    absl::Duration p50, p99, max;
  };
  void Add(const std::string& method, absl::Duration elapsed, bool ok);
  // One row a method by name, and the last one over all methods, named "".
  std::vector<Row> Rows() const;

 private:
  mutable absl::Mutex mu_;
  std::map<std::string, std::vector<int64_t>> nanos_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, size_t> failed_ ABSL_GUARDED_BY(mu_);
};

// What the command line said about where Potok is.
struct Where {
  std::string
      stack;  // Directory of tools/dev with an `addresses` file, or that file; wins over the rest.
  std::map<std::string, std::string> targets;  // Service name (intake, router, ...) -> address.
  std::string token;  // Used instead of development tokens when set (POTOK_TOKEN).
};

// Thread-safe.
class Connection {
 public:
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Where& where);

  // A value of the stack's addresses file, such as "sink_dir"; empty when absent.
  std::string StackValue(const std::string& key) const;

  // Calls `method` of `stub`, by the retry policy of platform/rpc/client.h and for up to
  // `patience`: every mutating request carries its request_id, so a repeat is safe, and a service
  // that is being restarted is met with patience. The status of a failure carries the server's
  // message and details (see Describe).
  template <class Stub, class Q, class A>
  absl::StatusOr<A> Call(Stub& stub,
                         grpc::Status (Stub::*method)(grpc::ClientContext*, const Q&, A*),
                         const Q& request, const As& as,
                         absl::Duration patience = absl::Seconds(20)) {
    A answer;
    const absl::Status status =
        Timed(Q::descriptor()->name(), as, patience, [&](grpc::ClientContext& context) {
          answer.Clear();
          return (stub.*method)(&context, request, &answer);
        });
    if (!status.ok()) return status;
    return answer;
  }

  // A context with the caller's token, for streams.
  std::unique_ptr<grpc::ClientContext> Context(const As& as, absl::Duration budget) const;

  Latencies& latencies() { return latencies_; }

  std::unique_ptr<intake::v1::IntakeService::Stub> intake;
  std::unique_ptr<intake::v1::FlowService::Stub> flows;
  std::unique_ptr<intake::v1::DirectoryService::Stub> directory;
  std::unique_ptr<router::v1::RouterService::Stub> router;
  std::unique_ptr<router::v1::TeamService::Stub> team;
  std::unique_ptr<sla_timer::v1::CalendarService::Stub> calendars;
  std::unique_ptr<sla_timer::v1::SlaPolicyService::Stub> policies;
  std::unique_ptr<sla_timer::v1::SlaTimerService::Stub> clocks;
  std::unique_ptr<notifier::v1::NotifierService::Stub> notifier;
  std::unique_ptr<analytics::v1::AnalyticsService::Stub> analytics;
  std::unique_ptr<admin::v1::AdminService::Stub> admin;

 private:
  explicit Connection(const Where& where) : where_(where) {}
  using Attempt = std::function<grpc::Status(grpc::ClientContext&)>;
  absl::Status Timed(const std::string& request_name, const As& as, absl::Duration patience,
                     const Attempt& attempt);

  const Where where_;
  std::map<std::string, std::string> stack_values_;
  Latencies latencies_;
};

// A random UUID for request_id.
std::string NewRequestId();
// A UUID made of `name`: the same name gives the same id, so a run that is repeated doubles
// nothing.
std::string RequestIdFor(const std::string& name);

// A failure for people: code, message, each field violation, reason, and what to do.
std::string Describe(const grpc::Status& status);

}  // namespace potok::ctl
