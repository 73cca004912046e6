#include "intake/domain/directory_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

#include "base/error.h"

namespace potok::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

EmployeeRow Employee(std::string id, std::string manager = "", std::string department = "") {
  EmployeeRow row;
  row.id = std::move(id);
  row.name = "Имя";
  row.manager = std::move(manager);
  row.department = std::move(department);
  return row;
}
DepartmentRow Department(std::string id, std::string parent = "", std::string head = "") {
  DepartmentRow row;
  row.id = std::move(id);
  row.name_ru = "Отдел";
  row.parent = std::move(parent);
  row.head = std::move(head);
  return row;
}
std::vector<std::string> FieldsOf(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const FieldViolation& each : GetErrorDetail(status).fields) fields.push_back(each.field);
  return fields;
}

TEST(CheckEmployees, AManagerMayComeLaterInTheSameBatchOrExistAlready) {
  EXPECT_THAT(FieldsOf(CheckEmployees({Employee("ivanova", "petrov"), Employee("petrov", "boss")},
                                      {"boss"}, {})),
              IsEmpty());
}

TEST(CheckEmployees, EachBadRowIsNamedByItsIndex) {
  EmployeeRow lost = Employee("zoe");
  lost.zone = "Mars/Olympus";
  EXPECT_THAT(FieldsOf(CheckEmployees({Employee("a", "nobody"), Employee("b", "", "nowhere"),
                                       Employee("a"), Employee("self", "self"), lost},
                                      {}, {"it"})),
              ElementsAre("employees[2].name", "employees[0].manager", "employees[1].department",
                          "employees[3].manager", "employees[4].time_zone"));
}

TEST(CheckEmployees, ATimeZoneIsAnIanaNameAndNoFileOfTheServer) {
  for (const char* zone : {"localtime", "/etc/localtime", "file:/etc/localtime", "../UTC"}) {
    EmployeeRow row = Employee("zoe");
    row.zone = zone;
    EXPECT_THAT(FieldsOf(CheckEmployees({row}, {}, {})), ElementsAre("employees[0].time_zone"))
        << zone;
  }
}

TEST(CheckEmployees, ManyBadRowsAreCountedAndNotAllSpelledOut) {
  std::vector<EmployeeRow> rows;
  for (int i = 0; i < 300; ++i) rows.push_back(Employee(absl::StrCat("e", i), "nobody"));
  const auto fields = FieldsOf(CheckEmployees(rows, {}, {}));
  ASSERT_THAT(fields, SizeIs(kMaxViolations + 1));
  EXPECT_EQ(fields.back(), "employees");
}

TEST(CheckDepartments, ACircleIsRefusedWhereverItRunsThrough) {
  // "it" moves under "net", which lies in "it" by what is stored.
  EXPECT_THAT(
      FieldsOf(CheckDepartments({Department("it", "net")}, {}, {{"it", ""}, {"net", "it"}})),
      ElementsAre("departments[0].parent_department"));
  EXPECT_THAT(FieldsOf(CheckDepartments({Department("it", "it")}, {}, {})),
              ElementsAre("departments[0].parent_department"));
  EXPECT_THAT(FieldsOf(CheckDepartments({Department("net", "it"), Department("it")}, {}, {})),
              IsEmpty());
}

TEST(CheckDepartments, ARowUnderACircleThatIsNotItsOwnStillEnds) {
  const auto fields =
      FieldsOf(CheckDepartments({Department("leaf", "a")}, {}, {{"a", "b"}, {"b", "a"}}));
  EXPECT_THAT(fields, ElementsAre("departments[0].parent_department"));
}

TEST(CheckDepartments, AnUnknownHeadAndAnUnknownParentAreNamed) {
  EXPECT_THAT(FieldsOf(CheckDepartments(
                  {Department("it", "", "ghost"), Department("hr", "nowhere")}, {"ivanova"}, {})),
              ElementsAre("departments[0].head", "departments[1].parent_department"));
}

TEST(CheckVersion, OnlyAGivenEtagIsCompared) {
  EXPECT_TRUE(CheckVersion("employees", 0, "ivanova", 0, 7).ok());
  EXPECT_TRUE(CheckVersion("employees", 0, "ivanova", 7, 7).ok());
  EXPECT_EQ(CheckVersion("employees", 0, "ivanova", 6, 7).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(CheckVersion("employees", 0, "ivanova", 1, std::nullopt).code(),
            absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace potok::intake
