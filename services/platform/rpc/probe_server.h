// A real server over the test service of testdata/probe.proto, for the tests of this folder.
#pragma once

#include <functional>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "platform/obs/metrics.h"
#include "platform/rpc/front.h"
#include "platform/rpc/server.h"
#include "probe.grpc.pb.h"

namespace potok::rpc {

using probe::v1::ProbeService;

// Each method does what the test put into its function.
class ProbeRpc final : public ProbeService::CallbackService {
 public:
  using Echo_ = std::function<absl::StatusOr<probe::v1::EchoResponse>(
      const CallContext&, const probe::v1::EchoRequest&)>;
  using Later_ = std::function<void(Answer<probe::v1::LaterResponse>)>;
  using AtOnce_ = std::function<bool(const Answer<probe::v1::LaterResponse>&)>;
  using Watch_ = std::function<absl::Status(const probe::v1::WatchRequest&,
                                            std::shared_ptr<Stream<probe::v1::WatchResponse>>)>;

  explicit ProbeRpc(Front& front) : front_(front) {}

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* c, const probe::v1::EchoRequest* q,
                                 probe::v1::EchoResponse* a) override {
    return front_.Blocking(
        c, q, a,
        [this](const CallContext& call, const probe::v1::EchoRequest& q) { return echo(call, q); });
  }
  grpc::ServerUnaryReactor* Change(grpc::CallbackServerContext* c,
                                   const probe::v1::ChangeRequest* q,
                                   probe::v1::ChangeResponse* a) override {
    return front_.Blocking(
        c, q, a,
        [](const CallContext&, const probe::v1::ChangeRequest&)
            -> absl::StatusOr<probe::v1::ChangeResponse> { return probe::v1::ChangeResponse(); });
  }
  grpc::ServerUnaryReactor* Later(grpc::CallbackServerContext* c, const probe::v1::LaterRequest* q,
                                  probe::v1::LaterResponse* a) override {
    return front_.Prompt(
        c, q, a,
        [this](const CallContext&, const probe::v1::LaterRequest&,
               const Answer<probe::v1::LaterResponse>& done) { return at_once && at_once(done); },
        [this](const CallContext&, const probe::v1::LaterRequest&,
               Answer<probe::v1::LaterResponse> done) { later(std::move(done)); });
  }
  grpc::ServerUnaryReactor* Open(grpc::CallbackServerContext* c, const probe::v1::OpenRequest* q,
                                 probe::v1::OpenResponse* a) override {
    return front_.Blocking(
        c, q, a,
        [](const CallContext&, const probe::v1::OpenRequest&)
            -> absl::StatusOr<probe::v1::OpenResponse> { return probe::v1::OpenResponse(); });
  }
  grpc::ServerWriteReactor<probe::v1::WatchResponse>* Watch(
      grpc::CallbackServerContext* c, const probe::v1::WatchRequest* q) override {
    return front_.Streaming<probe::v1::WatchRequest, probe::v1::WatchResponse>(
        c, q,
        [this](const CallContext&, const probe::v1::WatchRequest& q,
               std::shared_ptr<Stream<probe::v1::WatchResponse>> stream) {
          return watch(q, std::move(stream));
        });
  }

  Echo_ echo = [](const CallContext& call, const probe::v1::EchoRequest& q) {
    probe::v1::EchoResponse a;
    a.set_text(q.text());
    a.set_principal(call.caller.principal);
    a.set_on_behalf_of(call.caller.on_behalf_of);
    a.set_request_id(call.request_id);
    a.set_traceparent(call.traceparent);
    a.set_remaining_ms(call.Remaining().count());
    return a;
  };
  AtOnce_ at_once;  // Of Later, before it.
  Later_ later;
  Watch_ watch;

 private:
  Front& front_;
};

class ProbeServerTest : public ::testing::Test {
 protected:
  ProbeServerTest()
      : pool_({.threads = 1, .queue_bound = 1}, metrics_),
        front_(
            {}, authenticator_,
            [](const Caller& caller, absl::string_view permission) {
              return permission == "probe.read" ||
                     (permission == "probe.write" && caller.Has("agent")) ||
                     (permission == "impersonate" && caller.Has("service"));
            },
            pool_),
        rpc_(front_),
        server_({.listen = {"127.0.0.1:0"}}, front_, metrics_) {}

  void SetUp() override {
    server_.Add<ProbeService>(&rpc_);
    const absl::Status started = server_.Start();
    ASSERT_TRUE(started.ok()) << started;
    channel_ = grpc::CreateChannel(server_.addresses()[0], grpc::InsecureChannelCredentials());
    stub_ = ProbeService::NewStub(channel_);
  }
  void TearDown() override {
    server_.Shutdown(std::chrono::seconds(5));
    pool_.Stop();
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  static void Fill(grpc::ClientContext& context, const std::string& token, const Headers& headers) {
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    for (const auto& [key, value] : headers) context.AddMetadata(key, value);
  }

  grpc::Status Echo(const probe::v1::EchoRequest& request, probe::v1::EchoResponse* answer,
                    const std::string& token = "dev:ivanova", const Headers& headers = {}) {
    grpc::ClientContext context;
    Fill(context, token, headers);
    return stub_->Echo(&context, request, answer);
  }
  grpc::Status Echo(const probe::v1::EchoRequest& request, const std::string& token = "dev:ivanova",
                    const Headers& headers = {}) {
    probe::v1::EchoResponse answer;
    return Echo(request, &answer, token, headers);
  }
  grpc::Status Later(probe::v1::LaterResponse* answer) {
    grpc::ClientContext context;
    Fill(context, "dev:ivanova", {});
    return stub_->Later(&context, {}, answer);
  }
  static probe::v1::EchoRequest Text(const std::string& text) {
    probe::v1::EchoRequest request;
    request.set_text(text);
    return request;
  }

  template <class Detail>
  static Detail Get(const grpc::Status& status) {
    google::rpc::Status wire;
    EXPECT_TRUE(wire.ParseFromString(status.error_details()));
    Detail detail;
    for (const auto& any : wire.details()) {
      if (any.UnpackTo(&detail)) return detail;
    }
    return detail;
  }
  static std::string Reason(const grpc::Status& status) {
    return Get<google::rpc::ErrorInfo>(status).reason();
  }
  static std::string BadField(const grpc::Status& status) {
    const auto bad = Get<google::rpc::BadRequest>(status);
    return bad.field_violations().empty() ? "" : bad.field_violations(0).field();
  }

  obs::Metrics metrics_;
  WorkerPool pool_;
  DevAuthenticator authenticator_;
  Front front_;
  ProbeRpc rpc_;
  Server server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<ProbeService::Stub> stub_;
};

}  // namespace potok::rpc
