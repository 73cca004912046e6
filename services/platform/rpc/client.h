// Calls from one Potok service to another. Thread-safe.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <memory>
#include <string>

#include "absl/time/time.h"

#include "base/call_context.h"

namespace potok::rpc {

struct PeerOptions {
  std::string target;  // "127.0.0.1:4431", "unix:/path", "dns:///router-headless:8443"
  std::string token;   // Bearer token this process shows, without "Bearer ".
};

// A channel to one service, and the right context for each call on it.
//
// The channel spreads calls over all addresses of the target and repeats a call that failed with
// UNAVAILABLE up to three times. That is safe for writes too, because every mutating method of
// Potok carries a request_id.
class Peer {
 public:
  explicit Peer(PeerOptions options);

  // For the generated stub: IntakeService::NewStub(peer.channel()).
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // A context for one call made while serving `call`: its trace and request id go along, and the
  // deadline is the shorter of `budget` and what is left of the caller's. gRPC does not send a
  // deadline by itself; a call without one could outlive everybody who waits for it.
  std::unique_ptr<grpc::ClientContext> Child(const CallContext& call, absl::Duration budget) const;

  // A context for a call of a background loop, which serves nobody.
  std::unique_ptr<grpc::ClientContext> Own(absl::Duration budget) const;

 private:
  const PeerOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace potok::rpc
