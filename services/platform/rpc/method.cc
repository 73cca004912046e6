#include "platform/rpc/method.h"

#include "absl/strings/str_cat.h"

#include "potok/api/v1/options.pb.h"

namespace potok::rpc {
namespace {

thread_local Method* current = nullptr;

obs::Labels LabelsOf(const google::protobuf::MethodDescriptor& descriptor) {
  return {{"service", descriptor.service()->full_name()}, {"method", descriptor.name()}};
}

}  // namespace

Method::Method(const google::protobuf::MethodDescriptor& d, obs::Metrics& metrics)
    : descriptor(d),
      path(absl::StrCat("/", d.service()->full_name(), "/", d.name())),
      permission(d.options().GetExtension(potok::api::v1::auth).permission()),
      mutating(d.options().GetExtension(potok::api::v1::auth).mutating()),
      streaming(d.client_streaming() || d.server_streaming()),
      started(metrics.Counter("grpc_server_started_total", "Calls that arrived.", LabelsOf(d))),
      in_flight(metrics.Gauge("grpc_server_in_flight", "Calls that have arrived and not ended.",
                              LabelsOf(d))),
      seconds(metrics.Histogram("grpc_server_handling_seconds",
                                "Time from the arrival of a unary call to its answer.",
                                LabelsOf(d))),
      metrics_(metrics) {}

void Method::Handled(grpc::StatusCode code) {
  const size_t index = code >= 0 && code < 17 ? static_cast<size_t>(code) : 2;
  prometheus::Counter* counter = handled_[index].load(std::memory_order_acquire);
  if (counter == nullptr) {
    obs::Labels labels = LabelsOf(descriptor);
    labels["code"] = CodeName(static_cast<grpc::StatusCode>(index));
    counter =
        &metrics_.Counter("grpc_server_handled_total", "Calls that ended, by status code.", labels);
    handled_[index].store(counter, std::memory_order_release);
  }
  counter->Increment();
}

const char* CodeName(grpc::StatusCode code) {
  static constexpr const char* kNames[] = {"OK",
                                           "CANCELLED",
                                           "UNKNOWN",
                                           "INVALID_ARGUMENT",
                                           "DEADLINE_EXCEEDED",
                                           "NOT_FOUND",
                                           "ALREADY_EXISTS",
                                           "PERMISSION_DENIED",
                                           "RESOURCE_EXHAUSTED",
                                           "FAILED_PRECONDITION",
                                           "ABORTED",
                                           "OUT_OF_RANGE",
                                           "UNIMPLEMENTED",
                                           "INTERNAL",
                                           "UNAVAILABLE",
                                           "DATA_LOSS",
                                           "UNAUTHENTICATED"};
  return code >= 0 && code < 17 ? kNames[code] : "UNKNOWN";
}

MethodInScope::MethodInScope(Method& method) : outer_(current) { current = &method; }
MethodInScope::~MethodInScope() { current = outer_; }
Method* MethodInScope::Current() { return current; }

}  // namespace potok::rpc
