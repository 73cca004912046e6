#include "intake/bind.h"

#include <fstream>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "platform/config/load.h"
#include "platform/testing/signal.h"
#include "platform/testing/stack.h"
#include "potok/intake/v1/directory.grpc.pb.h"
#include "potok/intake/v1/flow.grpc.pb.h"
#include "potok/intake/v1/intake.grpc.pb.h"

namespace potok::intake {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// The whole service as it runs in production, on a real database and a real Redis, spoken to as any
// client does.
class IntakeProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ifstream in(absl::StrCat(POTOK_TESTDATA, "/standard_policy.sql"));
    ASSERT_TRUE(in);
    std::ostringstream policy;
    policy << in.rdbuf();
    database_.Query(policy.str());
    auto config = config::Load("", {"listen=127.0.0.1:0", "auth.mode=MODE_DEV",
                                    absl::StrCat("postgres.dsn=", database_.dsn("potok_intake")),
                                    absl::StrCat("redis.address=", redis_.address())});
    ASSERT_TRUE(config.ok()) << config.status();
    auto process = app::Process::Start(*config, {Spec()}, "dev");
    ASSERT_TRUE(process.ok()) << process.status();
    process_ = *std::move(process);
    channel_ =
        grpc::CreateChannel(process_->addresses().front(), grpc::InsecureChannelCredentials());
    MakeCompany();
  }

  void MakeCompany() {
    v1::BatchUpsertEmployeesRequest people;
    for (const char* id : {"ivanova", "petrov", "kuznetsova"}) {
      auto* employee = people.add_employees();
      employee->set_name(absl::StrCat("employees/", id));
      employee->set_display_name(id);
    }
    people.set_request_id(RequestId(1));
    v1::BatchUpsertEmployeesResponse stored;
    const auto directory = v1::DirectoryService::NewStub(channel_);
    const grpc::Status upserted =
        directory->BatchUpsertEmployees(As("admin:admin").get(), people, &stored);
    ASSERT_TRUE(upserted.ok()) << upserted.error_message();

    v1::CreateFlowRequest flow;
    flow.set_flow_id("certificates");
    flow.set_flow_template("flowTemplates/hr-certificates");
    flow.mutable_flow()->add_admins("employees/kuznetsova");
    flow.set_request_id(RequestId(2));
    v1::Flow made;
    const auto flows = v1::FlowService::NewStub(channel_);
    const grpc::Status created = flows->CreateFlow(As("admin:admin").get(), flow, &made);
    ASSERT_TRUE(created.ok()) << created.error_message();
  }

  static std::unique_ptr<grpc::ClientContext> As(const std::string& who) {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", absl::StrCat("Bearer dev:", who));
    return context;
  }
  static std::string RequestId(int n) {
    return absl::StrFormat("00000000-0000-4000-8000-%012d", n);
  }
  static v1::CreateTicketRequest IncomeCertificate(int n) {
    v1::CreateTicketRequest request;
    v1::Ticket* ticket = request.mutable_ticket();
    ticket->set_flow("flows/certificates");
    ticket->set_title("Справка 2-НДФЛ");
    auto& fields = *ticket->mutable_fields()->mutable_fields();
    fields["kind"].set_string_value("2-ndfl");
    fields["period"].set_string_value("2025-01-01/2025-12-31");
    fields["delivery"].set_string_value("printed");
    request.set_request_id(RequestId(n));
    return request;
  }

  testing::TestDatabase database_;
  testing::TestRedis redis_;
  std::unique_ptr<app::Process> process_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(IntakeProcessTest, ARequestIsFiledNumberedPromisedAndAnnounced) {
  const auto intake = v1::IntakeService::NewStub(channel_);
  v1::Ticket filed;
  const grpc::Status status =
      intake->CreateTicket(As("ivanova").get(), IncomeCertificate(10), &filed);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(filed.number(), "HR-000001");
  EXPECT_EQ(filed.state(), v1::Ticket::STATE_QUEUED);
  EXPECT_TRUE(filed.has_due_time());

  v1::GetTicketRequest get;
  get.set_name(filed.name());
  v1::Ticket seen;
  EXPECT_TRUE(intake->GetTicket(As("ivanova").get(), get, &seen).ok());
  EXPECT_TRUE(intake->GetTicket(As("kuznetsova").get(), get, &seen).ok()) << "admin of the flow";
  EXPECT_FALSE(intake->GetTicket(As("petrov").get(), get, &seen).ok()) << "a stranger";
  EXPECT_EQ(intake->GetTicket(As("").get(), get, &seen).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);

  // The relay gave the event its position in the log.
  EXPECT_TRUE(testing::Eventually([&] {
    return process_->metrics().Render().find("potok_log_entries_total 1") != std::string::npos;
  })) << process_->metrics().Render();
  EXPECT_THAT(process_->metrics().Render(), HasSubstr("potok_ledger_commands 1"));
}

TEST_F(IntakeProcessTest, SixtyFourCallersWithOneRequestIdFileOneTicket) {
  std::vector<v1::Ticket> answers(64);
  std::vector<std::thread> callers;
  for (v1::Ticket& answer : answers) {
    callers.emplace_back([&, this] {
      const auto intake = v1::IntakeService::NewStub(channel_);
      const grpc::Status status =
          intake->CreateTicket(As("ivanova").get(), IncomeCertificate(10), &answer);
      EXPECT_TRUE(status.ok()) << status.error_message();
    });
  }
  for (std::thread& each : callers) each.join();
  std::set<std::string> names;
  for (const v1::Ticket& each : answers) names.insert(each.name());
  EXPECT_EQ(names.size(), 1u);
  EXPECT_THAT(answers[0].number(), MatchesRegex("HR-00000."));
}

TEST_F(IntakeProcessTest, StoppingAndStartingAgainKeepsEverything) {
  v1::Ticket filed;
  ASSERT_TRUE(v1::IntakeService::NewStub(channel_)
                  ->CreateTicket(As("ivanova").get(), IncomeCertificate(10), &filed)
                  .ok());
  process_->Stop();
  process_.reset();
  auto config = config::Load("", {"listen=127.0.0.1:0", "auth.mode=MODE_DEV",
                                  absl::StrCat("postgres.dsn=", database_.dsn("potok_intake"))});
  ASSERT_TRUE(config.ok()) << config.status();
  // Without Redis this time: it carries no truth.
  auto process = app::Process::Start(*config, {Spec()}, "dev");
  ASSERT_TRUE(process.ok()) << process.status();
  process_ = *std::move(process);
  channel_ = grpc::CreateChannel(process_->addresses().front(), grpc::InsecureChannelCredentials());
  v1::Ticket again;
  const grpc::Status status = v1::IntakeService::NewStub(channel_)->CreateTicket(
      As("ivanova").get(), IncomeCertificate(10), &again);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(again.name(), filed.name());
}

}  // namespace
}  // namespace potok::intake
