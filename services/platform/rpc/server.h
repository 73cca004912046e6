// The gRPC server of a process: listeners, health, reflection, ordered shutdown.
//
// Connections are taken by an Acceptor, which bounds them. Health answers under "liveness" (the
// process runs), "readiness", "" and the name of each service (it can do its work: SetReady). Add
// everything, then Start once; not thread-safe except SetReady. A connection without any sign of
// HTTP/2 is closed after 10 s, one without calls after 15 minutes or when others need its place.
#pragma once

#include <chrono>
#include <google/protobuf/descriptor.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "platform/obs/metrics.h"
#include "platform/rpc/acceptor.h"
#include "platform/rpc/front.h"
#include "platform/rpc/guarded_service.h"

namespace potok::rpc {

struct ServerOptions {
  std::vector<std::string> listen;  // "127.0.0.1:0", "unix:/path"; all local, see Start.
  int max_connection_age_s = 600;
  int memory_mib = 128;
  int max_connections = 1024;
};

class Server {
 public:
  // `front` and `metrics` outlive the server.
  Server(ServerOptions options, Front& front, obs::Metrics& metrics);
  ~Server();  // Shuts down without grace if that has not been done.

  // Serves `implementation` as the service S: server.Add<potok::intake::v1::IntakeService>(&rpc).
  template <class S>
  void Add(grpc::Service* implementation) {
    AddByName(S::service_full_name(), implementation);
  }

  // Fails when a method may not be served (GuardedService::Check), when an address cannot be bound,
  // or when one is not local: this server speaks plaintext only.
  absl::Status Start();

  // Where it listens, with the real port numbers; in the order of the options.
  const std::vector<std::string>& addresses() const;

  void SetReady(bool ready);

  // No new connections and no new calls; running calls may end within `grace`, then they are
  // cancelled. Health says NOT_SERVING for good. Legal before Start and twice.
  //
  // A call that is on its way when this begins is answered CANCELLED by gRPC 1.51, not UNAVAILABLE:
  // clients that watch health have left by then (SetReady), the others' retry policy covers both
  // (see client.h).
  void Shutdown(std::chrono::milliseconds grace);

 private:
  void AddByName(absl::string_view name, grpc::Service* implementation);

  const ServerOptions options_;
  Front& front_;
  obs::Metrics& metrics_;
  std::vector<std::string> names_;
  std::vector<absl::Status> faults_;
  std::vector<std::unique_ptr<GuardedService>> services_;
  std::unique_ptr<Acceptor> acceptor_;
  // Where accepted sockets become connections of the server: over TCP, over unix sockets.
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> tcp_door_, unix_door_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace potok::rpc
