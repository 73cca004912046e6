// How a client calls Potok: channels, contexts, and what to do when a call fails. Thread-safe.
//
// The retry policy, for clients in any language:
//
// 1. The channel's service config is protos/potok/api/retry_policy.json. gRPC then spreads calls
//    over all addresses of the target, sends none to a replica whose health service says that it is
//    draining, lets a call wait for a connection instead of failing at once, and repeats a call
//    that failed with UNAVAILABLE up to three times. CANCELLED is in that list because a server
//    that shuts down gives it to calls that were on their way; a call that its own caller has
//    cancelled is not repeated.
// 2. Every call has a deadline. Every mutating request carries a request_id, the same in each
//    repeat, so that a repeat of what has happened is answered with what happened.
// 3. A call that still fails is sent again, the same request, when MayRepeat says so: after the
//    time that RetryInfo names, else with growing pauses. DEADLINE_EXCEEDED and UNKNOWN mean "it
//    may have happened": the repeat tells.
// 4. A stream that ends with one of these is opened again from the last token it brought
//    (WatchTicket: the version of the last event, WatchInbox: the sequence number).
#pragma once

#include <functional>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"

#include "base/call_context.h"

namespace potok::rpc {

// The service config above, reconnecting within a second or two, and keepalive.
grpc::ChannelArguments ClientArguments();

// How long to wait before the same request is sent again; nothing when that would not help.
// `repeats`: how often it has been sent again already.
std::optional<absl::Duration> MayRepeat(const grpc::Status& status, int repeats);

// Sends `attempt` until it is answered, until repeating does not help, or until the next repeat
// would begin after `patience`. Returns the last status. `attempt` makes a context of its own.
grpc::Status CallPatiently(absl::Duration patience, const std::function<grpc::Status()>& attempt);

struct PeerOptions {
  std::string target;  // "127.0.0.1:4431", "unix:/path", "dns:///router-headless:8443"
  std::string token;   // Bearer token this process shows, without "Bearer ".
};

// A channel from one Potok service to another, and the right context for each call on it.
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
