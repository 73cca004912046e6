#include "platform/rpc/server.h"

#include <grpc/support/time.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "platform/rpc/auth.h"
#include "platform/rpc/frame_meter.h"

namespace potok::rpc {
namespace {

constexpr int kMaxSend = 8 << 20;

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(FrameMeter::kMostMessageBytes);
  builder.SetMaxSendMessageSize(kMaxSend);
  builder.AddChannelArgument("grpc.max_metadata_size", 16384);
  builder.AddChannelArgument("grpc.max_concurrent_streams", 200);
  // Reconnecting is how a client notices replicas that came later.
  builder.AddChannelArgument("grpc.max_connection_age_ms", options.max_connection_age_s * 1000);
  builder.AddChannelArgument("grpc.max_connection_age_grace_ms", 60000);
  builder.AddChannelArgument("grpc.max_connection_idle_ms", 900000);
  // Until the client's first SETTINGS frame; 120 s by default, which is long for a half sentence.
  builder.AddChannelArgument("grpc.server_handshake_timeout_ms", 10000);
  builder.AddChannelArgument("grpc.keepalive_time_ms", 60000);
  builder.AddChannelArgument("grpc.keepalive_timeout_ms", 20000);
  builder.AddChannelArgument("grpc.keepalive_permit_without_calls", 1);
  builder.AddChannelArgument("grpc.http2.min_ping_interval_without_data_ms", 20000);
  builder.AddChannelArgument("grpc.http2.max_ping_strikes", 3);
  grpc::ResourceQuota quota("potok");
  quota.Resize(static_cast<size_t>(options.memory_mib) << 20);
  builder.SetResourceQuota(quota);
}

}  // namespace

Server::Server(ServerOptions options, Front& front, obs::Metrics& metrics)
    : options_(std::move(options)), front_(front), metrics_(metrics) {}

Server::~Server() { Shutdown(std::chrono::milliseconds(0)); }

void Server::AddByName(absl::string_view name, grpc::Service* implementation) {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(name));
  if (descriptor == nullptr) {
    faults_.push_back(absl::InternalError(absl::StrCat("no descriptor of service ", name)));
    return;
  }
  if (absl::Status fault = GuardedService::Check(*descriptor); !fault.ok()) {
    faults_.push_back(std::move(fault));
    return;
  }
  names_.emplace_back(name);
  services_.push_back(
      std::make_unique<GuardedService>(*implementation, *descriptor, front_, metrics_));
}

absl::Status Server::Start() {
  if (!faults_.empty()) {
    return absl::FailedPreconditionError(
        absl::StrJoin(faults_, "\n", [](std::string* out, const absl::Status& fault) {
          absl::StrAppend(out, fault.message());
        }));
  }
  for (const std::string& address : options_.listen) {
    if (!IsLocalAddress(address)) {
      return absl::FailedPreconditionError(
          absl::StrCat("will not listen on ", address,
                       ": without TLS only loopback addresses and unix sockets are safe"));
    }
  }
  POTOK_ASSIGN_OR_RETURN(acceptor_,
                         Acceptor::Listen({options_.listen, options_.max_connections}, metrics_));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetLimits(options_, builder);
  for (const auto& service : services_) builder.RegisterService(service.get());
  // Local credentials also make gRPC check that the peer really is on this machine.
  using Door = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  tcp_door_ = builder.experimental().AddExternalConnectionAcceptor(
      Door::FROM_FD, grpc::experimental::LocalServerCredentials(LOCAL_TCP));
  unix_door_ = builder.experimental().AddExternalConnectionAcceptor(
      Door::FROM_FD, grpc::experimental::LocalServerCredentials(UDS));
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("the gRPC server does not start");
  server_->GetHealthCheckService()->SetServingStatus("liveness", true);
  SetReady(false);
  acceptor_->Start([this](int fd, bool is_unix) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    (is_unix ? unix_door_ : tcp_door_)->HandleNewConnection(&connection);
  });
  return absl::OkStatus();
}

const std::vector<std::string>& Server::addresses() const {
  static const auto* none = new std::vector<std::string>();
  return acceptor_ == nullptr ? *none : acceptor_->addresses();
}

void Server::SetReady(bool ready) {
  if (server_ == nullptr) return;
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus("", ready);
  health->SetServingStatus("readiness", ready);
  for (const std::string& name : names_) health->SetServingStatus(name, ready);
}

void Server::Shutdown(std::chrono::milliseconds grace) {
  if (server_ == nullptr) return;
  acceptor_->Stop();
  front_.EndStreams();
  // By the clock that no correction of the time moves.
  server_->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                 gpr_time_from_millis(grace.count(), GPR_TIMESPAN)));
  server_->Wait();
  server_.reset();
}

}  // namespace potok::rpc
