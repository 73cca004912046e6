#include "intake/rpc/directory.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"

#include "base/error.h"
#include "intake/rpc/reference_fixture.h"

namespace potok::intake {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;
using ::testing::ElementsAre;

class DirectoryTest : public ReferenceFixture {
 protected:
  DirectoryTest() : directory_(pool_, *reference_, tokens_, clock_) {}

  static v1::Employee* Add(v1::BatchUpsertEmployeesRequest& request, const std::string& id) {
    v1::Employee* employee = request.add_employees();
    employee->set_name(absl::StrCat("employees/", id));
    employee->set_display_name(absl::StrCat("Сотрудник ", id));
    return employee;
  }
  absl::StatusOr<v1::BatchUpsertEmployeesResponse> Upsert(
      const v1::BatchUpsertEmployeesRequest& request) {
    return directory_.UpsertEmployees(Admin("BatchUpsertEmployees"), request);
  }
  absl::StatusOr<v1::BatchUpsertDepartmentsResponse> Upsert(
      const v1::BatchUpsertDepartmentsRequest& request) {
    return directory_.UpsertDepartments(Admin("BatchUpsertDepartments"), request);
  }
  std::vector<std::string> List(const std::string& filter, int page_size = 0,
                                const std::string& me = "admin") {
    std::vector<std::string> names;
    v1::ListEmployeesRequest request;
    request.set_filter(filter);
    request.set_page_size(page_size);
    do {
      const auto page = directory_.ListEmployees(As(me, {"agent"}), request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      for (const v1::Employee& each : page->employees()) names.push_back(each.name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return names;
  }

  Directory directory_;
};

TEST_F(DirectoryTest, FiveThousandPeopleTwiceAreOneAnswerAndAnotherCallChangesNothing) {
  v1::BatchUpsertEmployeesRequest request;
  for (int i = 0; i < 5000; ++i) {
    v1::Employee* employee = Add(request, absl::StrFormat("e%04d", i));
    if (i > 0) employee->set_manager(absl::StrFormat("employees/e%04d", i / 10));
  }
  request.set_request_id(RequestId(1));
  ASSERT_OK_AND_ASSIGN(const auto first, Upsert(request));
  EXPECT_EQ(first.created_count(), 5000);
  EXPECT_EQ(first.employees_size(), 5000);
  EXPECT_EQ(first.employees(17).name(), "employees/e0017");
  EXPECT_EQ(reference_->Snapshot()->employees->size(), 5000u);

  clock_.Advance(absl::Hours(1));
  ASSERT_OK_AND_ASSIGN(const auto again, Upsert(request));
  EXPECT_TRUE(MessageDifferencer::Equals(again, first));

  request.set_request_id(RequestId(2));
  ASSERT_OK_AND_ASSIGN(const auto same, Upsert(request));
  EXPECT_EQ(same.created_count(), 0);
  EXPECT_EQ(same.updated_count(), 0);
  EXPECT_EQ(same.employees(17).etag(), first.employees(17).etag());

  request.mutable_employees(17)->set_job_title("Кассир");
  EXPECT_THAT(Upsert(request), StatusIs(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED"));
  request.set_request_id(RequestId(3));
  ASSERT_OK_AND_ASSIGN(const auto changed, Upsert(request));
  EXPECT_EQ(changed.updated_count(), 1);
  EXPECT_EQ(changed.employees(17).etag(), "\"2\"");
}

TEST_F(DirectoryTest, OneBadRowStopsTheBatchAndIsNamed) {
  v1::BatchUpsertEmployeesRequest request;
  Add(request, "ivanova");
  Add(request, "petrov")->set_department("departments/none");
  Add(request, "sidorov")->set_time_zone("Europe/Atlantis");
  request.set_request_id(RequestId(1));
  const absl::Status refused = Upsert(request).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));
  std::vector<std::string> fields;
  for (const FieldViolation& each : GetErrorDetail(refused).fields) fields.push_back(each.field);
  EXPECT_THAT(fields, ElementsAre("employees[1].department", "employees[2].time_zone"));
  EXPECT_THAT(List(""), ElementsAre());
}

TEST_F(DirectoryTest, AStaleEtagOfOneRowStopsTheBatch) {
  v1::BatchUpsertEmployeesRequest request;
  Add(request, "ivanova");
  request.set_request_id(RequestId(1));
  ASSERT_OK_AND_ASSIGN(const auto made, Upsert(request));
  request.mutable_employees(0)->set_job_title("Бухгалтер");
  request.mutable_employees(0)->set_etag(made.employees(0).etag());
  request.set_request_id(RequestId(2));
  ASSERT_THAT(Upsert(request), IsOk());
  request.mutable_employees(0)->set_job_title("Главный бухгалтер");
  request.set_request_id(RequestId(3));
  EXPECT_THAT(Upsert(request), StatusIs(absl::StatusCode::kAborted, "ETAG_MISMATCH"));
  request.mutable_employees(0)->set_etag("W/\"x\"");
  EXPECT_THAT(Upsert(request), StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));
}

TEST_F(DirectoryTest, AHeadSeesTheDepartmentsBelow) {
  v1::BatchUpsertEmployeesRequest people;
  Add(people, "boss");
  Add(people, "clerk");
  people.set_request_id(RequestId(1));
  ASSERT_THAT(Upsert(people), IsOk());
  v1::BatchUpsertDepartmentsRequest request;
  const auto add = [&](const std::string& id, const std::string& parent, const std::string& head) {
    v1::Department* department = request.add_departments();
    department->set_name(absl::StrCat("departments/", id));
    department->mutable_display_name()->set_ru(id);
    if (!parent.empty()) department->set_parent_department(absl::StrCat("departments/", parent));
    if (!head.empty()) department->set_head(absl::StrCat("employees/", head));
  };
  add("taxes", "accounting", "");
  add("accounting", "finance", "clerk");
  add("finance", "", "boss");
  request.set_request_id(RequestId(2));
  ASSERT_OK_AND_ASSIGN(const auto made, Upsert(request));
  EXPECT_EQ(made.created_count(), 3);
  EXPECT_EQ(made.departments(0).parent_department(), "departments/accounting");
  const auto snapshot = reference_->Snapshot();
  EXPECT_THAT(snapshot->ViewerOf(As("boss", {"requester"}).caller).departments_headed,
              ElementsAre("accounting", "finance", "taxes"));
  EXPECT_THAT(snapshot->ViewerOf(As("clerk", {"requester"}).caller).departments_headed,
              ElementsAre("accounting", "taxes"));

  // The top cannot move under the bottom.
  request.clear_departments();
  add("finance", "taxes", "boss");
  request.set_request_id(RequestId(3));
  EXPECT_THAT(Upsert(request), StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));

  ASSERT_OK_AND_ASSIGN(const auto all, directory_.ListDepartments(Admin("List"), {}));
  EXPECT_EQ(all.departments_size(), 3);
}

TEST_F(DirectoryTest, ListsAreFilteredAndPaged) {
  v1::BatchUpsertEmployeesRequest people;
  Add(people, "boss");
  for (int i = 0; i < 7; ++i) {
    v1::Employee* employee = Add(people, absl::StrCat("e", i));
    employee->set_manager("employees/boss");
    employee->set_state(i % 2 == 0 ? v1::Employee::STATE_ACTIVE : v1::Employee::STATE_LEFT);
  }
  people.set_request_id(RequestId(1));
  ASSERT_THAT(Upsert(people), IsOk());
  EXPECT_EQ(List("", 3).size(), 8u);
  EXPECT_THAT(List("manager = employees/boss AND state = LEFT", 2),
              ElementsAre("employees/e1", "employees/e3", "employees/e5"));
  EXPECT_THAT(List("manager = me AND display_name:\"e6\"", 0, "boss"), ElementsAre("employees/e6"));

  v1::ListEmployeesRequest request;
  request.set_filter("shoe_size = 44");
  EXPECT_THAT(directory_.ListEmployees(Admin("List"), request),
              StatusIs(absl::StatusCode::kInvalidArgument, "FILTER_INVALID"));
  request.set_filter("");
  request.set_page_token("forged");
  EXPECT_THAT(directory_.ListEmployees(Admin("List"), request),
              StatusIs(absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID"));

  v1::GetEmployeeRequest get;
  get.set_name("employees/e6");
  ASSERT_OK_AND_ASSIGN(const v1::Employee found, directory_.GetEmployee(Admin("Get"), get));
  EXPECT_EQ(found.manager(), "employees/boss");
  get.set_name("employees/ghost");
  EXPECT_THAT(directory_.GetEmployee(Admin("Get"), get),
              StatusIs(absl::StatusCode::kNotFound, "EMPLOYEE_NOT_FOUND"));
}

}  // namespace
}  // namespace potok::intake
