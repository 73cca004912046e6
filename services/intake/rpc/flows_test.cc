#include "intake/rpc/flows.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <set>
#include <thread>

#include "base/error.h"
#include "intake/rpc/directory.h"
#include "intake/rpc/reference_fixture.h"

namespace potok::intake {
namespace {

using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FlowsTest : public ReferenceFixture {
 protected:
  FlowsTest()
      : directory_(pool_, *reference_, tokens_, clock_),
        flows_(pool_, *reference_, tokens_, clock_) {
    v1::BatchUpsertEmployeesRequest people;
    for (const char* id : {"ivanova", "petrov", "sidorov"}) {
      auto* employee = people.add_employees();
      employee->set_name(absl::StrCat("employees/", id));
      employee->set_display_name(id);
    }
    people.set_request_id(RequestId(1));
    EXPECT_THAT(directory_.UpsertEmployees(Admin("people"), people), IsOk());
  }

  static v1::CreateFlowRequest FromTemplate(int n, const std::string& id) {
    v1::CreateFlowRequest request;
    request.set_flow_id(id);
    request.set_flow_template("flowTemplates/hr-certificates");
    request.mutable_flow()->add_admins("employees/ivanova");
    request.set_request_id(RequestId(n));
    return request;
  }
  absl::StatusOr<v1::Flow> Create(const v1::CreateFlowRequest& request) {
    return flows_.Create(Admin("CreateFlow"), request);
  }
  absl::StatusOr<v1::Flow> Update(const v1::UpdateFlowRequest& request) {
    return flows_.Update(Admin("UpdateFlow"), request);
  }

  Directory directory_;
  Flows flows_;
};

TEST_F(FlowsTest, AFlowFromATemplateIsPublishedAndSeenAtOnce) {
  v1::CreateFlowRequest request = FromTemplate(10, "certificates");
  request.mutable_flow()->set_prefix("CERT");
  request.mutable_flow()->mutable_options()->set_max_active(2);
  ASSERT_OK_AND_ASSIGN(const v1::Flow made, Create(request));
  EXPECT_EQ(made.name(), "flows/certificates");
  EXPECT_EQ(made.version(), 1);
  EXPECT_EQ(made.prefix(), "CERT");
  EXPECT_EQ(made.etag(), "\"1\"");
  EXPECT_EQ(made.options().max_active(), 2);
  EXPECT_EQ(made.form_fields(0).options(0).label().ru(), "2-НДФЛ");

  v1::GetFlowRequest get;
  get.set_name("flows/certificates");
  ASSERT_OK_AND_ASSIGN(const v1::Flow read, flows_.Get(Admin("GetFlow"), get));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read, made));
  const auto snapshot = reference_->Snapshot();
  ASSERT_NE(snapshot->Flow("certificates"), nullptr);
  EXPECT_NE(snapshot->PolicyOf(*snapshot->Flow("certificates")), nullptr);
}

TEST_F(FlowsTest, ARepeatGetsTheFirstAnswerAndOtherContentIsRefused) {
  ASSERT_OK_AND_ASSIGN(const v1::Flow first, Create(FromTemplate(10, "certificates")));
  clock_.Advance(absl::Hours(1));
  ASSERT_OK_AND_ASSIGN(const v1::Flow again, Create(FromTemplate(10, "certificates")));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(again, first));
  EXPECT_THAT(Create(FromTemplate(10, "another")),
              StatusIs(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED"));
  EXPECT_THAT(Create(FromTemplate(11, "certificates")),
              StatusIs(absl::StatusCode::kAlreadyExists, "ALREADY_EXISTS"));
  EXPECT_EQ(reference_->Snapshot()->flows.size(), 1u);
}

TEST_F(FlowsTest, ARefusedCallLeavesItsRequestIdFree) {
  v1::CreateFlowRequest request = FromTemplate(10, "certificates");
  request.set_flow_template("flowTemplates/teleportation");
  EXPECT_THAT(Create(request), StatusIs(absl::StatusCode::kNotFound, "TEMPLATE_NOT_FOUND"));
  EXPECT_THAT(Create(FromTemplate(10, "certificates")), IsOk());
}

TEST_F(FlowsTest, SixteenTwinsAtOnceMakeOneFlow) {
  std::vector<absl::StatusOr<v1::Flow>> answers(16, absl::UnknownError("not run"));
  std::vector<std::thread> callers;
  for (auto& answer : answers) {
    callers.emplace_back([&] { answer = Create(FromTemplate(10, "certificates")); });
  }
  for (std::thread& each : callers) each.join();
  std::set<std::string> seen;
  for (const auto& answer : answers) {
    ASSERT_THAT(answer, IsOk());
    seen.insert(answer->SerializeAsString());
  }
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_EQ(reference_->Snapshot()->flow_versions.size(), 1u);
}

TEST_F(FlowsTest, AnUpdatePublishesAVersionAndAStaleEtagIsAborted) {
  ASSERT_OK_AND_ASSIGN(const v1::Flow made, Create(FromTemplate(10, "certificates")));
  v1::UpdateFlowRequest request;
  request.mutable_flow()->set_name(made.name());
  request.mutable_flow()->set_etag(made.etag());
  request.mutable_flow()->set_description("Ждите два дня.");
  request.mutable_update_mask()->add_paths("description");
  request.set_request_id(RequestId(11));
  ASSERT_OK_AND_ASSIGN(const v1::Flow changed, Update(request));
  EXPECT_EQ(changed.version(), 2);
  EXPECT_EQ(changed.description(), "Ждите два дня.");
  EXPECT_EQ(changed.form_fields_size(), made.form_fields_size());

  request.set_request_id(RequestId(12));
  EXPECT_THAT(Update(request), StatusIs(absl::StatusCode::kAborted, "ETAG_MISMATCH"));
  request.mutable_flow()->set_etag(changed.etag());
  ASSERT_OK_AND_ASSIGN(const v1::Flow same, Update(request));
  EXPECT_EQ(same.version(), 2) << "a change that changes nothing publishes nothing";

  const auto snapshot = reference_->Snapshot();
  EXPECT_EQ(snapshot->FlowVersion("certificates", 1)->description, made.description());
  EXPECT_EQ(snapshot->Flow("certificates")->version, 2);
}

TEST_F(FlowsTest, UpdatesAtOnceAllBecomeVersions) {
  ASSERT_OK_AND_ASSIGN(const v1::Flow made, Create(FromTemplate(10, "certificates")));
  std::vector<std::thread> callers;
  std::vector<absl::Status> results(8);
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      v1::UpdateFlowRequest request;
      request.mutable_flow()->set_name(made.name());
      request.mutable_flow()->set_description(absl::StrCat("number ", i));
      request.set_request_id(RequestId(20 + i));
      results[i] = Update(request).status();
    });
  }
  for (std::thread& each : callers) each.join();
  for (const absl::Status& each : results) EXPECT_THAT(each, IsOk());
  EXPECT_EQ(reference_->Snapshot()->Flow("certificates")->version, 9);
  EXPECT_EQ(reference_->Snapshot()->flow_versions.size(), 9u);
}

TEST_F(FlowsTest, WhatAFlowNamesMustExist) {
  v1::CreateFlowRequest request = FromTemplate(10, "certificates");
  request.mutable_flow()->add_admins("employees/ghost");
  request.mutable_flow()->set_manager("employees/nobody");
  request.mutable_flow()->set_sla_policy("slaPolicies/imaginary");
  request.mutable_flow()->mutable_filing_access()->add_departments("departments/none");
  const absl::Status refused = Create(request).status();
  std::vector<std::string> fields;
  for (const FieldViolation& each : GetErrorDetail(refused).fields) fields.push_back(each.field);
  EXPECT_THAT(fields, ElementsAre("flow.admins[1]", "flow.manager",
                                  "flow.filing_access.departments[0]", "flow.sla_policy"));
}

TEST_F(FlowsTest, TwoFlowsCannotShareAPrefixAndItNeverChanges) {
  ASSERT_OK_AND_ASSIGN(const v1::Flow made, Create(FromTemplate(10, "certificates")));
  const absl::Status clash = Create(FromTemplate(11, "other-certificates")).status();
  EXPECT_THAT(clash, StatusIs(absl::StatusCode::kAlreadyExists, "ALREADY_EXISTS"));
  EXPECT_EQ(GetErrorDetail(clash).metadata["field"], "flow.prefix");

  v1::UpdateFlowRequest request;
  request.mutable_flow()->set_name(made.name());
  request.mutable_flow()->set_prefix("NEW");
  request.set_request_id(RequestId(12));
  EXPECT_THAT(Update(request), StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));
}

TEST_F(FlowsTest, OnlyItsAdminsManagerAndAdministratorsChangeAFlow) {
  v1::CreateFlowRequest create = FromTemplate(10, "certificates");
  create.mutable_flow()->set_manager("employees/petrov");
  ASSERT_OK_AND_ASSIGN(const v1::Flow made, Create(create));
  int n = 30;
  const auto update = [&](const CallContext& call) {
    v1::UpdateFlowRequest request;
    request.mutable_flow()->set_name(made.name());
    request.mutable_flow()->set_description(absl::StrCat("by ", ++n));
    request.set_request_id(RequestId(n));
    return flows_.Update(call, request).status();
  };
  EXPECT_THAT(update(As("ivanova", {"flowAdmin"})), IsOk());
  EXPECT_THAT(update(As("petrov", {"flowAdmin"})), IsOk());
  EXPECT_THAT(update(As("sidorov", {"flowAdmin"}, "certificates")), IsOk());
  EXPECT_THAT(update(As("sidorov", {"flowAdmin"})),
              StatusIs(absl::StatusCode::kPermissionDenied, "PERMISSION_DENIED"));
  EXPECT_THAT(update(As("sidorov", {"admin"}, "another-flow")),
              StatusIs(absl::StatusCode::kPermissionDenied, "PERMISSION_DENIED"));
  // Asked about a flow that does not exist, a stranger learns no more than about one that does.
  v1::UpdateFlowRequest missing;
  missing.mutable_flow()->set_name("flows/not-there");
  missing.set_request_id(RequestId(99));
  EXPECT_THAT(flows_.Update(As("sidorov", {"flowAdmin"}), missing).status(),
              StatusIs(absl::StatusCode::kPermissionDenied, "PERMISSION_DENIED"));
  EXPECT_THAT(Update(missing), StatusIs(absl::StatusCode::kNotFound, "FLOW_NOT_FOUND"));
}

TEST_F(FlowsTest, ValidateOnlyAnswersAndStoresNothing) {
  v1::CreateFlowRequest request = FromTemplate(10, "certificates");
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const v1::Flow preview, Create(request));
  EXPECT_EQ(preview.display_name().en(), "HR certificates");
  ASSERT_OK_AND_ASSIGN(const auto stored, flows_.List(Admin("ListFlows"), {}));
  EXPECT_EQ(stored.flows_size(), 0);
}

TEST_F(FlowsTest, PagesTogetherAreTheWholeList) {
  int n = 10;
  for (const char* each : {"accounting", "hr-certificates", "it-support", "leave", "passes"}) {
    v1::CreateFlowRequest request;
    request.set_flow_id(each);
    request.set_flow_template(absl::StrCat("flowTemplates/", each));
    request.set_request_id(RequestId(++n));
    ASSERT_THAT(Create(request), IsOk());
  }
  std::vector<std::string> names;
  v1::ListFlowsRequest request;
  request.set_page_size(2);
  do {
    ASSERT_OK_AND_ASSIGN(const v1::ListFlowsResponse page,
                         flows_.List(Admin("ListFlows"), request));
    for (const v1::Flow& flow : page.flows()) names.push_back(flow.name());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("flows/accounting", "flows/hr-certificates", "flows/it-support",
                                 "flows/leave", "flows/passes"));

  v1::ListFlowTemplatesRequest templates;
  templates.set_page_size(4);
  ASSERT_OK_AND_ASSIGN(const auto first,
                       flows_.ListTemplates(Admin("ListFlowTemplates"), templates));
  EXPECT_EQ(first.flow_templates_size(), 4);
  templates.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto second,
                       flows_.ListTemplates(Admin("ListFlowTemplates"), templates));
  EXPECT_EQ(second.flow_templates_size(), 2);
  EXPECT_EQ(second.next_page_token(), "");
}

}  // namespace
}  // namespace potok::intake
