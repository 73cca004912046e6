#include "platform/rpc/server.h"

#include <grpcpp/generic/generic_stub.h>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"

#include "base/error.h"
#include "platform/rpc/client.h"
#include "platform/rpc/probe_server.h"
#include "platform/rpc/trace.h"

namespace potok::rpc {
namespace {

using grpc::StatusCode;
using probe::v1::EchoRequest;
using probe::v1::EchoResponse;
using ::testing::HasSubstr;

// --- who may call ---

TEST_F(ProbeServerTest, ACallWithoutTokenIsUnauthenticated) {
  const grpc::Status status = Echo(Text("hello"), "");
  EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Reason(status), "CREDENTIALS_MISSING");
}

TEST_F(ProbeServerTest, APermissionTheRolesLackIsDeniedBeforeTheRequestIsLookedAt) {
  grpc::ClientContext context;
  Fill(context, "dev:ivanova", {});
  probe::v1::ChangeResponse answer;
  const grpc::Status status = stub_->Change(&context, {}, &answer);
  EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Reason(status), "PERMISSION_DENIED");
  EXPECT_EQ(Get<google::rpc::ErrorInfo>(status).metadata().at("permission"), "probe.write");
}

TEST_F(ProbeServerTest, APublicMethodNeedsNoToken) {
  grpc::ClientContext context;
  probe::v1::OpenResponse answer;
  EXPECT_TRUE(stub_->Open(&context, {}, &answer).ok());
}

TEST_F(ProbeServerTest, OnlyAPortalMayActForAnEmployee) {
  EchoResponse answer;
  const Headers behalf = {{"x-potok-on-behalf-of", "users/petrov"}};
  EXPECT_EQ(Reason(Echo(Text("hello"), "dev:ivanova", behalf)), "IMPERSONATION_DENIED");
  ASSERT_TRUE(Echo(Text("hello"), &answer, "dev:portal:service", behalf).ok());
  EXPECT_EQ(answer.principal(), "users/petrov");
  EXPECT_EQ(answer.on_behalf_of(), "serviceAccounts/portal");
}

// --- what is a valid request ---

TEST_F(ProbeServerTest, EachBrokenRuleNamesItsField) {
  EXPECT_TRUE(Echo(Text("hello")).ok());
  EXPECT_EQ(BadField(Echo(Text(""))), "text");
  EXPECT_EQ(BadField(Echo(Text("far too long"))), "text");
  EchoRequest request = Text("hello");
  request.set_code("ABC");
  EXPECT_EQ(BadField(Echo(request)), "code");
  request = Text("hello");
  request.set_kind(static_cast<probe::v1::Kind>(9));
  EXPECT_EQ(BadField(Echo(request)), "kind");
  request = Text("hello");
  request.set_uid("not-a-uuid");
  const grpc::Status status = Echo(request);
  EXPECT_EQ(BadField(status), "uid");
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Reason(status), "INVALID_FIELD");
}

TEST_F(ProbeServerTest, AMegabyteOfTitleIsRefusedWithTheLimit) {
  const grpc::Status status = Echo(Text(std::string(1 << 20, 'x')));
  EXPECT_EQ(BadField(status), "text");
  EXPECT_THAT(status.error_message(), HasSubstr("at most 10 characters"));
  EXPECT_LT(status.error_details().size(), 4096u);
}

// The limit of a message is four mebibytes; gRPC alone would keep all of the 64 before it looks.
TEST_F(ProbeServerTest, AMessageOfManyMegabytesIsRefusedByTheLimitAndTheConnectionLivesOn) {
  for (const size_t bytes : {size_t{5} << 20, size_t{64} << 20}) {
    const grpc::Status status = Echo(Text(std::string(bytes, 'x')));
    EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("(4194305 vs. 4194304)"));
    EXPECT_TRUE(Echo(Text("hello")).ok());
  }
}

TEST_F(ProbeServerTest, AMutatingCallWithoutRequestIdIsRefused) {
  grpc::ClientContext context;
  Fill(context, "dev:petrov:agent", {});
  probe::v1::ChangeResponse answer;
  const grpc::Status status = stub_->Change(&context, {}, &answer);
  EXPECT_EQ(Reason(status), "REQUEST_ID_MISSING");
  EXPECT_EQ(BadField(status), "request_id");
}

// Sends bytes that no generated client would send.
class RawCall {
 public:
  static grpc::Status Send(const std::shared_ptr<grpc::Channel>& channel, const std::string& bytes,
                           const std::string& token, const char* method) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer answer;
    grpc::Status status;
    absl::Notification done;
    stub.UnaryCall(&context, method, {}, &request, &answer, [&](grpc::Status s) {
      status = std::move(s);
      done.Notify();
    });
    done.WaitForNotification();
    return status;
  }
};

constexpr char kEcho[] = "/potok.probe.v1.ProbeService/Echo";

TEST_F(ProbeServerTest, TextThatIsNotUtf8IsNamedByItsPath) {
  EchoRequest request = Text("hello");
  request.add_inners();
  request.add_inners()->set_note("\xff\xfe");
  const grpc::Status status =
      RawCall::Send(channel_, request.SerializePartialAsString(), "dev:ivanova", kEcho);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_EQ(Reason(status), "INVALID_UTF8");
  EXPECT_EQ(BadField(status), "inners[1].note");
}

TEST_F(ProbeServerTest, BytesThatAreNoMessageAreRefusedAndTheServerLivesOn) {
  for (int i = 0; i < 50; ++i) {
    const grpc::Status status =
        RawCall::Send(channel_, std::string("\x0a\xff\xff\xff\xff\x0f", 6), "dev:ivanova", kEcho);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(Reason(status), "REQUEST_MALFORMED");
  }
  EXPECT_EQ(Reason(RawCall::Send(channel_, "\x0a", "", kEcho)), "CREDENTIALS_MISSING")
      << "nobody learns about fields before saying who they are";
  EXPECT_EQ(
      Reason(RawCall::Send(channel_, "\x0a", "dev:ivanova", "/potok.probe.v1.ProbeService/Watch")),
      "REQUEST_MALFORMED");
  EXPECT_TRUE(Echo(Text("hello")).ok());
}

// --- context ---

TEST_F(ProbeServerTest, ErrorsSpeakTheCallersLanguage) {
  const Headers russian = {{"accept-language", "ru-RU,ru;q=0.9,en;q=0.8"}};
  const auto ru = Echo(Text(""), "dev:ivanova", russian);
  EXPECT_EQ(Get<google::rpc::LocalizedMessage>(ru).locale(), "ru");
  EXPECT_THAT(Get<google::rpc::LocalizedMessage>(ru).message(), HasSubstr("обязательное поле"));
  EXPECT_THAT(Get<google::rpc::BadRequest>(ru).field_violations(0).description(),
              HasSubstr("обязательное поле"));
  const auto en = Echo(Text(""), "dev:ivanova", {{"accept-language", "de, en"}});
  EXPECT_EQ(Get<google::rpc::LocalizedMessage>(en).locale(), "en");
  EXPECT_THAT(Get<google::rpc::LocalizedMessage>(en).message(), HasSubstr("must be set"));
}

TEST_F(ProbeServerTest, RequestIdAndTraceComeInAndGoOut) {
  EchoResponse answer;
  grpc::ClientContext context;
  Fill(context, "dev:ivanova",
       {{"x-request-id", "portal-77"},
        {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  ASSERT_TRUE(stub_->Echo(&context, Text("hello"), &answer).ok());
  EXPECT_EQ(answer.request_id(), "portal-77");
  EXPECT_THAT(answer.traceparent(), HasSubstr("4bf92f3577b34da6a3ce929d0e0e4736"));
  const auto& trailing = context.GetServerTrailingMetadata();
  ASSERT_EQ(trailing.count("x-request-id"), 1u);
  EXPECT_EQ(trailing.find("x-request-id")->second, "portal-77");

  ASSERT_TRUE(Echo(Text("hello"), &answer, "dev:ivanova", {{"x-request-id", "bad id"}}).ok());
  EXPECT_TRUE(IsRequestId(answer.request_id()));
  EXPECT_TRUE(ParseTraceparent(answer.traceparent()));
  EXPECT_EQ(Get<google::rpc::RequestInfo>(Echo(Text(""), "dev:ivanova", {{"x-request-id", "p-1"}}))
                .request_id(),
            "p-1");
}

TEST_F(ProbeServerTest, AMissingDeadlineBecomesThirtySecondsAndALongOneTwoMinutes) {
  EchoResponse answer;
  ASSERT_TRUE(Echo(Text("hello"), &answer).ok());
  EXPECT_GT(answer.remaining_ms(), 25'000);
  EXPECT_LE(answer.remaining_ms(), 30'000);
  grpc::ClientContext context;
  Fill(context, "dev:ivanova", {});
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
  ASSERT_TRUE(stub_->Echo(&context, Text("hello"), &answer).ok());
  EXPECT_GT(answer.remaining_ms(), 110'000);
  EXPECT_LE(answer.remaining_ms(), 120'000);
}

TEST_F(ProbeServerTest, APeerSendsDeadlineTraceAndToken) {
  CallContext call;
  call.request_id = "outer-1";
  call.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  call.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  const Peer peer({.target = server_.addresses()[0], .token = "dev:intake:service"});
  server_.SetReady(true);  // The channel watches health.
  const auto stub = ProbeService::NewStub(peer.channel());
  EchoResponse answer;
  const auto context = peer.Child(call, absl::Seconds(60));
  ASSERT_TRUE(stub->Echo(context.get(), Text("hello"), &answer).ok());
  EXPECT_EQ(answer.principal(), "serviceAccounts/intake");
  EXPECT_EQ(answer.request_id(), "outer-1");
  EXPECT_LE(answer.remaining_ms(), 3000);
  EXPECT_THAT(answer.traceparent(), HasSubstr("4bf92f3577b34da6a3ce929d0e0e4736"));
}

// --- load ---

TEST_F(ProbeServerTest, WhenTheQueueIsFullTheNextCallIsToldToComeBack) {
  absl::Notification go, running;
  std::atomic<int> calls{0};
  rpc_.echo = [&](const CallContext&, const EchoRequest&) -> absl::StatusOr<EchoResponse> {
    if (++calls == 1) running.Notify();
    go.WaitForNotification();
    return EchoResponse();
  };
  std::thread first([&] { EXPECT_TRUE(Echo(Text("hello")).ok()); });
  running.WaitForNotification();
  std::thread second([&] { EXPECT_TRUE(Echo(Text("hello")).ok()); });
  while (metrics_.Render().find("potok_pool_queue_depth 1") == std::string::npos) {
    std::this_thread::yield();
  }
  const grpc::Status status = Echo(Text("hello"));
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(status), "OVERLOADED");
  EXPECT_GT(Get<google::rpc::RetryInfo>(status).retry_delay().nanos(), 0);
  go.Notify();
  first.join();
  second.join();
}

TEST_F(ProbeServerTest, WorkWhoseCallerLeftIsNeverStarted) {
  absl::Notification go, running;
  std::atomic<int> calls{0};
  rpc_.echo = [&](const CallContext&, const EchoRequest&) -> absl::StatusOr<EchoResponse> {
    if (++calls == 1) running.Notify();
    go.WaitForNotification();
    return EchoResponse();
  };
  std::thread first([&] { EXPECT_TRUE(Echo(Text("hello")).ok()); });
  running.WaitForNotification();
  grpc::ClientContext context;
  Fill(context, "dev:ivanova", {});
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
  EchoResponse answer;
  EXPECT_EQ(stub_->Echo(&context, Text("hello"), &answer).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  go.Notify();
  first.join();
  EXPECT_TRUE(Echo(Text("hello")).ok())
      << "the thread is free again, so the late call has been seen";
  EXPECT_EQ(calls, 2);
}

// --- the server itself ---

TEST_F(ProbeServerTest, HealthTellsLivenessFromReadiness) {
  const auto health = grpc::health::v1::Health::NewStub(channel_);
  const auto serving = [&](const std::string& name) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    grpc::health::v1::HealthCheckResponse answer;
    EXPECT_TRUE(health->Check(&context, request, &answer).ok()) << name;
    return answer.status() == grpc::health::v1::HealthCheckResponse::SERVING;
  };
  EXPECT_TRUE(serving("liveness"));
  EXPECT_FALSE(serving("readiness"));
  server_.SetReady(true);
  EXPECT_TRUE(serving("readiness"));
  EXPECT_TRUE(serving(""));
  EXPECT_TRUE(serving("potok.probe.v1.ProbeService"));
}

// gRPC answers CANCELLED to calls that are on their way when a server shuts down, so UNAVAILABLE
// alone is not enough to repeat on.
TEST(RetryPolicy, HidesThatTheServersBehindAChannelStopAndStartAllTheTime) {
  obs::Metrics metrics;
  WorkerPool pool({.threads = 2, .queue_bound = 1000}, metrics);
  DevAuthenticator authenticator;
  std::vector<std::unique_ptr<Front>> fronts;
  std::vector<std::unique_ptr<ProbeRpc>> services;
  std::vector<std::unique_ptr<Server>> servers(2);
  std::vector<std::string> addresses = {"127.0.0.1:0", "127.0.0.1:0"};
  const auto start = [&](size_t i) {
    fronts.push_back(std::make_unique<Front>(
        FrontOptions{}, authenticator, [](const Caller&, absl::string_view) { return true; },
        pool));
    services.push_back(std::make_unique<ProbeRpc>(*fronts.back()));
    servers[i] =
        std::make_unique<Server>(ServerOptions{.listen = {addresses[i]}}, *fronts.back(), metrics);
    servers[i]->Add<ProbeService>(services.back().get());
    const absl::Status started = servers[i]->Start();
    ASSERT_TRUE(started.ok()) << started;
    addresses[i] = servers[i]->addresses()[0];
    servers[i]->SetReady(true);
  };
  start(0);
  start(1);
  const Peer peer(
      {.target = "ipv4:" + addresses[0] + "," + addresses[1], .token = "dev:intake:service"});
  std::atomic<bool> over{false};
  std::atomic<int> calls{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      const auto stub = ProbeService::NewStub(peer.channel());
      EchoRequest request;
      request.set_text("hello");
      while (!over) {
        const auto context = peer.Own(absl::Seconds(20));
        EchoResponse answer;
        const grpc::Status status = stub->Echo(context.get(), request, &answer);
        EXPECT_TRUE(status.ok()) << status.error_code() << " " << status.error_message();
        ++calls;
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    const int before = calls;
    while (calls < before + 100) std::this_thread::yield();
    const size_t i = static_cast<size_t>(round) % 2;
    servers[i]->SetReady(false);
    servers[i]->Shutdown(std::chrono::seconds(20));
    start(i);
  }
  over = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_GE(calls, 2000);
  for (const auto& server : servers) server->Shutdown(std::chrono::seconds(20));
  pool.Stop();
}

TEST_F(ProbeServerTest, AServiceThatForgetsAnOptionDoesNotStart) {
  probe::v1::ForgottenService::CallbackService forgotten;
  Server one({.listen = {"127.0.0.1:0"}}, front_, metrics_);
  one.Add<probe::v1::ForgottenService>(&forgotten);
  EXPECT_THAT(std::string(one.Start().message()),
              HasSubstr("potok.probe.v1.ForgottenService.Open"));

  probe::v1::UnrepeatableService::CallbackService unrepeatable;
  Server two({.listen = {"127.0.0.1:0"}}, front_, metrics_);
  two.Add<probe::v1::UnrepeatableService>(&unrepeatable);
  EXPECT_THAT(std::string(two.Start().message()), HasSubstr("request_id"));

  probe::v1::MisruledService::CallbackService misruled;
  Server three({.listen = {"127.0.0.1:0"}}, front_, metrics_);
  three.Add<probe::v1::MisruledService>(&misruled);
  EXPECT_THAT(std::string(three.Start().message()), HasSubstr("MisruledRequest.text"));
}

TEST_F(ProbeServerTest, ATakenPortAndARemoteAddressAreRefused) {
  Server taken({.listen = {server_.addresses()[0]}}, front_, metrics_);
  EXPECT_EQ(taken.Start().code(), absl::StatusCode::kUnavailable);
  Server remote({.listen = {"0.0.0.0:0"}}, front_, metrics_);
  EXPECT_EQ(remote.Start().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ProbeServerTest, AUnixSocketWorksToo) {
  const std::string address = "unix:" + ::testing::TempDir() + "potok-probe.sock";
  ProbeRpc rpc(front_);
  Server server({.listen = {address}}, front_, metrics_);
  server.Add<ProbeService>(&rpc);
  ASSERT_TRUE(server.Start().ok());
  const auto stub =
      ProbeService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  probe::v1::OpenResponse answer;
  const grpc::Status status = stub->Open(&context, {}, &answer);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

}  // namespace
}  // namespace potok::rpc
