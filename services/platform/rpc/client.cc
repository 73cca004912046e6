#include "platform/rpc/client.h"

#include <algorithm>
#include <chrono>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <thread>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

#include "base/backoff.h"
#include "platform/rpc/retry_policy.h"
#include "platform/rpc/trace.h"

namespace potok::rpc {
namespace {

// Between repeats of a whole call; the channel's own repeats come before and are quicker.
constexpr Backoff kBetweenRepeats{.initial = absl::Milliseconds(100), .cap = absl::Seconds(2)};

std::optional<absl::Duration> RetryInfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return std::nullopt;
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::RetryInfo info;
    if (any.UnpackTo(&info)) {
      return absl::Seconds(info.retry_delay().seconds()) +
             absl::Nanoseconds(info.retry_delay().nanos());
    }
  }
  return std::nullopt;
}

std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), ClientArguments());
}

std::unique_ptr<grpc::ClientContext> WithDeadline(std::chrono::milliseconds left,
                                                  const std::string& token) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + left);
  if (!token.empty()) context->AddMetadata("authorization", absl::StrCat("Bearer ", token));
  return context;
}

}  // namespace

grpc::ChannelArguments ClientArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kRetryPolicy);
  arguments.SetInt("grpc.keepalive_time_ms", 60000);
  arguments.SetInt("grpc.keepalive_timeout_ms", 20000);
  arguments.SetInt("grpc.dns_min_time_between_resolutions_ms", 10000);
  arguments.SetInt("grpc.initial_reconnect_backoff_ms", 100);
  arguments.SetInt("grpc.min_reconnect_backoff_ms", 1000);  // Also the patience of one connect.
  arguments.SetInt("grpc.max_reconnect_backoff_ms", 1000);
  arguments.SetMaxReceiveMessageSize(8 << 20);
  return arguments;
}

std::optional<absl::Duration> MayRepeat(const grpc::Status& status, int repeats) {
  if (status.ok()) return std::nullopt;
  if (const auto told = RetryInfoOf(status)) return told;
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DEADLINE_EXCEEDED: {
      thread_local absl::InsecureBitGen random;
      return kBetweenRepeats.Wait(repeats + 1, absl::Uniform<double>(random, 0.0, 1.0));
    }
    default: return std::nullopt;
  }
}

grpc::Status CallPatiently(absl::Duration patience, const std::function<grpc::Status()>& attempt) {
  const auto give_up = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(patience);
  for (int repeats = 0;; ++repeats) {
    const grpc::Status status = attempt();
    const std::optional<absl::Duration> pause = MayRepeat(status, repeats);
    if (!pause) return status;
    const auto next = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(*pause);
    if (next >= give_up) return status;
    std::this_thread::sleep_until(next);
  }
}

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
