// The calls a load is made of: what call number `i` of a kind sends, to whom and as whom.
#pragma once

#include <atomic>
#include <functional>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "connection.h"

namespace potok::ctl {

struct LoadOptions {
  std::string what;
  int callers = 32;
  int in_flight = 8;
  double seconds = 10;
  double warm_up = 1;
  double rate = 0;
  int64_t count = 0;
  std::vector<std::string> flows;  // Calls take them in turn.
  std::string filter;              // Of lists.
  int batch = 5000;                // Employees of one call.
  std::string to;                  // Where the calls go; empty: to the service that has the method.
  std::string json;                // File that gets the result; empty: none.
};

// "load-7": who makes call number `i`.
std::string LoadEmployee(int64_t i, int callers);

// Thread-safe but for Prepare.
class LoadCalls {
 public:
  using Done = std::function<void(const grpc::Status&)>;

  // `intake` and `analytics`: addresses of the services. `connection` outlives the calls.
  LoadCalls(Connection& connection, const LoadOptions& options, const std::string& intake,
            const std::string& analytics);

  // Before the first call: what the kind needs to know, such as which tickets there are.
  absl::Status Prepare();
  void Send(int64_t i, Done done);

  // Bytes of one request and one answer on the wire, without the frame; 0 before the first answer.
  int64_t request_bytes() const { return request_bytes_; }
  int64_t answer_bytes() const { return answer_bytes_; }

 private:
  template <class Stub, class Q, class A>
  void Start(std::vector<std::unique_ptr<Stub>>& stubs,
             void (Stub::async_interface::*method)(grpc::ClientContext*, const Q*, A*,
                                                   std::function<void(grpc::Status)>),
             int64_t i, const As& as, Q request, Done done);
  absl::Status FindTickets();
  const std::string& FlowOf(int64_t i) const;

  Connection& connection_;
  const LoadOptions& options_;
  std::vector<std::unique_ptr<intake::v1::IntakeService::StubInterface>> intake_;
  std::vector<std::unique_ptr<intake::v1::DirectoryService::StubInterface>> directory_;
  std::vector<std::unique_ptr<analytics::v1::AnalyticsService::StubInterface>> analytics_;
  const std::string salt_ = NewRequestId().substr(0, 8);
  std::vector<std::string> tickets_;
  std::atomic<int64_t> request_bytes_{0}, answer_bytes_{0};
};

}  // namespace potok::ctl
