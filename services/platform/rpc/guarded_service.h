// Wraps a generated callback service before gRPC sees it.
//
// Two things gRPC 1.51 does not give a callback service are added here, through the same protected
// members of grpc::Service that generated code uses:
// - the handler learns which method it serves (MethodInScope);
// - a request that cannot be decoded reaches Front, which answers INVALID_ARGUMENT and names the
// field.
//   Left alone, gRPC answers UNIMPLEMENTED with an empty message.
#pragma once

#include <deque>
#include <google/protobuf/descriptor.h>
#include <grpcpp/impl/service_type.h>
#include <string>

#include "absl/status/status.h"

#include "platform/obs/metrics.h"
#include "platform/rpc/front.h"
#include "platform/rpc/method.h"

namespace potok::rpc {

class GuardedService final : public grpc::Service {
 public:
  // `inner`, `front` and `metrics` outlive this.
  GuardedService(grpc::Service& inner, const google::protobuf::ServiceDescriptor& descriptor,
                 Front& front, obs::Metrics& metrics);

  // Whether each method may be served: it says who may call it, its rules make sense, and a
  // mutating one can be repeated safely. The message names every method at fault.
  static absl::Status Check(const google::protobuf::ServiceDescriptor& descriptor);

 private:
  std::deque<Method> methods_;  // A deque: handlers keep references.
};

}  // namespace potok::rpc
