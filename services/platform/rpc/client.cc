#include "platform/rpc/client.h"

#include <algorithm>
#include <chrono>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <utility>

#include "absl/strings/str_cat.h"

#include "platform/rpc/trace.h"

namespace potok::rpc {
namespace {

constexpr char kServiceConfig[] = R"({
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{
    "name": [{}],
    "retryPolicy": {
      "maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
})";

std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kServiceConfig);
  arguments.SetInt("grpc.keepalive_time_ms", 60000);
  arguments.SetInt("grpc.keepalive_timeout_ms", 20000);
  arguments.SetInt("grpc.dns_min_time_between_resolutions_ms", 10000);
  arguments.SetInt("grpc.initial_reconnect_backoff_ms", 200);
  arguments.SetInt("grpc.min_reconnect_backoff_ms", 200);
  arguments.SetInt("grpc.max_reconnect_backoff_ms", 10000);
  arguments.SetMaxReceiveMessageSize(8 << 20);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<grpc::ClientContext> WithDeadline(std::chrono::milliseconds left,
                                                  const std::string& token) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + left);
  if (!token.empty()) context->AddMetadata("authorization", absl::StrCat("Bearer ", token));
  return context;
}

}  // namespace

Peer::Peer(PeerOptions options)
    : options_(std::move(options)), channel_(Connect(options_.target)) {}

std::unique_ptr<grpc::ClientContext> Peer::Child(const CallContext& call,
                                                 absl::Duration budget) const {
  auto context =
      WithDeadline(std::min(call.Remaining(), absl::ToChronoMilliseconds(budget)), options_.token);
  // gRPC fills :authority and nothing of ours.
  if (!call.traceparent.empty()) context->AddMetadata("traceparent", call.traceparent);
  if (!call.request_id.empty()) context->AddMetadata("x-request-id", call.request_id);
  context->AddMetadata("accept-language", call.locale);
  return context;
}

std::unique_ptr<grpc::ClientContext> Peer::Own(absl::Duration budget) const {
  auto context = WithDeadline(absl::ToChronoMilliseconds(budget), options_.token);
  context->AddMetadata("traceparent", FormatTraceparent(NewTrace()));
  context->AddMetadata("x-request-id", NewRequestId());
  return context;
}

}  // namespace potok::rpc
