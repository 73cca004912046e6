// What the server knows about one RPC method, and how a handler learns which method it serves.
#pragma once

#include <array>
#include <atomic>
#include <google/protobuf/descriptor.h>
#include <grpcpp/support/status_code_enum.h>
#include <string>

#include "platform/obs/metrics.h"

namespace potok::rpc {

struct Method {
  Method(const google::protobuf::MethodDescriptor& descriptor, obs::Metrics& metrics);

  // Counts a call that ended.
  void Handled(grpc::StatusCode code);

  const google::protobuf::MethodDescriptor& descriptor;
  const std::string path;        // "/potok.intake.v1.IntakeService/GetTicket"
  const std::string permission;  // Empty: the method declares none and must not be served.
  const bool mutating;
  const bool streaming;

  prometheus::Counter& started;
  prometheus::Gauge& in_flight;
  prometheus::Histogram& seconds;

 private:
  obs::Metrics& metrics_;
  // Made on first use: 17 codes for each method would be mostly zeros on the page.
  std::array<std::atomic<prometheus::Counter*>, 17> handled_{};
};

// The canonical name, such as "INVALID_ARGUMENT".
const char* CodeName(grpc::StatusCode code);

// gRPC 1.51 does not tell a callback handler which method it serves. The server sets this around
// the synchronous call of the handler; Front reads it there and nowhere else.
class MethodInScope {
 public:
  explicit MethodInScope(Method& method);
  ~MethodInScope();
  MethodInScope(const MethodInScope&) = delete;
  MethodInScope& operator=(const MethodInScope&) = delete;

  // Null outside a call that came through rpc::Server.
  static Method* Current();

 private:
  Method* const outer_;
};

}  // namespace potok::rpc
