// The whole service as it runs in production, on a real database, spoken to as any client does.
#include "router/bind.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "platform/config/load.h"
#include "platform/testing/signal.h"
#include "platform/testing/status_matchers.h"
#include "potok/router/v1/router.grpc.pb.h"
#include "potok/router/v1/team.grpc.pb.h"
#include "router/sql.h"
#include "router/work/testing/routing_fixture.h"

namespace potok::router {
namespace {

using ::potok::testing::Eventually;
using ::potok::testing::IsOk;
using ::testing::HasSubstr;

class RouterProcessTest : public testing::RoutingTest {
 protected:
  void SetUp() override {
    desk::Flow flow = Draft("support", desk::DistributionMode::kRoundRobin, 1);
    flow.admins = {"boss"};
    Publish(flow);
    Hire("support", {"boss"});
    Say("boss", kOffline);
    auto config = config::Load("", {"listen=127.0.0.1:0", "auth.mode=MODE_DEV",
                                    absl::StrCat("postgres.dsn=", database_.dsn("potok_router")),
                                    absl::StrCat("redis.address=", redis_.address())});
    ASSERT_THAT(config, IsOk());
    auto process = app::Process::Start(*config, {Spec()}, "dev");
    ASSERT_THAT(process.status(), IsOk());
    process_ = *std::move(process);
    channel_ =
        grpc::CreateChannel(process_->addresses().front(), grpc::InsecureChannelCredentials());
  }

  static std::unique_ptr<grpc::ClientContext> As(const std::string& who) {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", absl::StrCat("Bearer dev:", who));
    return context;
  }

  ::potok::testing::TestRedis redis_;
  std::unique_ptr<app::Process> process_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(RouterProcessTest, WhoComesOnlineOverGrpcGetsTheWaitingTicketAndTheCallExplainsWhy) {
  const auto team = v1::TeamService::NewStub(channel_);
  const auto router = v1::RouterService::NewStub(channel_);
  EXPECT_TRUE(Eventually([&] { return process_->ready(); }));
  const std::string ticket = File("support");
  EXPECT_TRUE(Eventually([&] { return Reason(ticket) == "NO_AGENT_PRESENT"; }));

  v1::SetPresenceRequest online;
  online.set_name("employees/boss/presence");
  online.set_status(v1::Presence::STATUS_ONLINE);
  online.set_request_id(testing::Uuid());
  v1::Presence presence;
  EXPECT_EQ(team->SetPresence(As("").get(), online, &presence).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  const grpc::Status said = team->SetPresence(As("boss:agent").get(), online, &presence);
  ASSERT_TRUE(said.ok()) << said.error_message();
  EXPECT_TRUE(Eventually([&] { return Get(ticket).assignee == "boss"; }));

  v1::ExplainAssignmentRequest why;
  why.set_name("tickets/" + ticket);
  v1::ExplainAssignmentResponse explained;
  const grpc::Status answer =
      router->ExplainAssignment(As("zayavitel:requester").get(), why, &explained);
  ASSERT_TRUE(answer.ok()) << answer.error_message();
  ASSERT_EQ(explained.decisions_size(), 1);
  EXPECT_EQ(explained.decisions(0).agent(), "employees/boss");
  EXPECT_THAT(explained.decisions(0).summary().ru(), HasSubstr("подошла очередь"));
  EXPECT_EQ(router->ExplainAssignment(As("stranger:requester").get(), why, &explained).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);

  v1::ListQueueRequest queue;
  queue.set_parent("flows/support");
  v1::ListQueueResponse queued;
  const grpc::Status listed = router->ListQueue(As("boss:agent").get(), queue, &queued);
  EXPECT_TRUE(listed.ok()) << listed.error_message();
  EXPECT_EQ(queued.queue_entries_size(), 0);
  EXPECT_THAT(process_->metrics().Render(),
              HasSubstr("potok_router_assignments_total{strategy=\"round_robin\"} 1"));
  process_->Stop();
}

TEST_F(RouterProcessTest, EveryStatementFitsTheMigratedSchema) {
  EXPECT_THAT(::potok::testing::PrepareAll(database_, sql::kAllStatements), IsOk());
}

}  // namespace
}  // namespace potok::router
