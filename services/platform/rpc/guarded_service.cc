#include "platform/rpc/guarded_service.h"

#include <grpc/byte_buffer.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/support/message_allocator.h>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "platform/rpc/validate.h"
#include "potok/api/v1/options.pb.h"

// The thread sanitizer's, which are there in its build only.
extern "C" void __tsan_acquire(void* name) __attribute__((weak));
extern "C" void __tsan_release(void* name) __attribute__((weak));

namespace potok::rpc {
namespace {

using ::google::protobuf::MethodDescriptor;
using ::grpc::internal::MethodHandler;
using ::grpc::internal::RpcMethod;
using ::grpc::internal::RpcServiceMethod;

RpcMethod::RpcType TypeOf(const MethodDescriptor& method) {
  if (method.client_streaming() && method.server_streaming()) return RpcMethod::BIDI_STREAMING;
  if (method.client_streaming()) return RpcMethod::CLIENT_STREAMING;
  if (method.server_streaming()) return RpcMethod::SERVER_STREAMING;
  return RpcMethod::NORMAL_RPC;
}

// gRPC gives handlers to its threads in code that TSan does not see, and such a thread may be older
// than the server: without a word everything that a handler finds would look like a race.
char handlers;  // Its address is their name.
void HandlerMade() {
  if (__tsan_release != nullptr) __tsan_release(&handlers);
}
void HandlerFound() {
  if (__tsan_acquire != nullptr) __tsan_acquire(&handlers);
}

class GuardedHandler final : public MethodHandler {
 public:
  GuardedHandler(MethodHandler& inner, Method& method, Front& front)
      : inner_(inner),
        method_(method),
        undecodable_([&front](grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                              grpc::ByteBuffer*) { return front.Undecodable(context, *bytes); }) {}

  void* Deserialize(grpc_call* call, grpc_byte_buffer* bytes, grpc::Status* status,
                    void** handler_data) override {
    HandlerFound();
    // Decoding consumes the buffer; the copy shares its slices.
    grpc_byte_buffer* copy = bytes == nullptr ? nullptr : grpc_byte_buffer_copy(bytes);
    void* request = inner_.Deserialize(call, bytes, status, handler_data);
    if (status->ok()) {
      if (copy != nullptr) grpc_byte_buffer_destroy(copy);
      return request;
    }
    // The half-read request lives in the memory of the call and will not be handed to the inner
    // handler, which would have destroyed it. The holder's base class is its first, so the address
    // is the same.
    if (*handler_data != nullptr) {
      static_cast<grpc::RpcAllocatorState*>(*handler_data)->~RpcAllocatorState();
      *handler_data = nullptr;
    }
    grpc::Status kept;  // `status` stays bad: that is how RunHandler knows which handler to run.
    return undecodable_.Deserialize(call, copy, &kept, handler_data);
  }

  void RunHandler(const HandlerParameter& p) override {
    HandlerFound();  // A stream's comes here first.
    const MethodInScope scope(method_);
    if (p.status.ok()) {
      inner_.RunHandler(p);
      return;
    }
    // Also for a stream: on the wire a stream that only fails is a call that only fails.
    undecodable_.RunHandler(HandlerParameter(p.call, p.server_context, p.request, grpc::Status::OK,
                                             p.internal_data, p.call_requester));
  }

 private:
  MethodHandler& inner_;
  Method& method_;
  grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer> undecodable_;
};

}  // namespace

GuardedService::GuardedService(grpc::Service& inner,
                               const google::protobuf::ServiceDescriptor& descriptor, Front& front,
                               obs::Metrics& metrics) {
  // A protected member of the base, reached for another object through a pointer to member.
  MethodHandler* (grpc::Service::*const handler_of)(int) = &GuardedService::GetHandler;
  for (int i = 0; i < descriptor.method_count(); ++i) {
    Method& method = methods_.emplace_back(*descriptor.method(i), metrics);
    AddMethod(new RpcServiceMethod(method.path.c_str(), TypeOf(method.descriptor), nullptr));
    MarkMethodCallback(i, new GuardedHandler(*(inner.*handler_of)(i), method, front));
    HandlerMade();
  }
}

absl::Status GuardedService::Check(const google::protobuf::ServiceDescriptor& descriptor) {
  std::vector<std::string> faults;
  for (int i = 0; i < descriptor.method_count(); ++i) {
    const MethodDescriptor& method = *descriptor.method(i);
    const auto& auth = method.options().GetExtension(potok::api::v1::auth);
    if (auth.permission().empty()) {
      faults.push_back(absl::StrCat(method.full_name(),
                                    ": no option (potok.api.v1.auth), so nobody may call it"));
    }
    const absl::Status rules = CheckRules(*method.input_type(), auth.mutating());
    if (!rules.ok()) faults.push_back(absl::StrCat(method.full_name(), ": ", rules.message()));
  }
  if (faults.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrJoin(faults, "\n"));
}

}  // namespace potok::rpc
