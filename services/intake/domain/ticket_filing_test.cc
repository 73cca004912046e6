#include "intake/domain/ticket_filing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "intake/domain/ticket_content_hash.h"

namespace potok::intake {
namespace {

using absl::StatusCode;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;

desk::Flow Certificates() {
  desk::Flow flow;
  flow.id = "hr-certificates";
  flow.name_ru = "Справки";
  flow.version = 4;
  flow.form.fields = {
      {.name = "kind",
       .type = desk::FormField::kEnum,
       .label_ru = "Вид",
       .label_en = "Kind",
       .required = true,
       .options = {{"2ndfl", "2-НДФЛ", "2-NDFL"}, {"work", "С места работы", "Work"}}},
      {.name = "for_whom", .type = desk::FormField::kEmployee, .label_en = "For whom"},
      {.name = "scan", .type = desk::FormField::kFile, .label_en = "Scan"}};
  return flow;
}

Filing Good() {
  Filing filing;
  filing.flow_id = "hr-certificates";
  filing.title = "Справка 2-НДФЛ";
  filing.answers = {{"kind", std::string("2ndfl")}};
  return filing;
}

Caller Employee(std::vector<std::string> roles = {"requester"}) {
  return {.principal = "users/ivanova",
          .employee = "ivanova",
          .on_behalf_of = "",
          .roles = std::move(roles),
          .scope = ""};
}

Requester Ivanova() { return {"ivanova", "sales", true, true}; }

absl::StatusOr<desk::TicketOrigin> Accept(const Filing& filing,
                                          const desk::Flow& flow = Certificates(),
                                          const Requester& requester = Ivanova()) {
  desk::Answers answers;
  return AcceptFiling(filing, Employee(), requester, flow, answers);
}

std::vector<FieldViolation> Fields(const absl::Status& status) {
  return GetErrorDetail(status).fields;
}

TEST(TicketFiling, GoodOneBecomesADraftOfTheFlowsVersionWithTheRequestersDepartment) {
  const auto draft = Accept(Good());
  ASSERT_TRUE(draft.ok()) << draft.status();
  EXPECT_EQ(draft->flow_version, 4);
  EXPECT_EQ(draft->requester, "ivanova");
  EXPECT_EQ(draft->department, "sales");
  EXPECT_EQ(draft->caller, "users/ivanova");
}

TEST(TicketFiling, EachBadWordIsNamedWithTheWayOut) {
  struct Case {
    const char* what;
    std::function<void(Filing&)> spoil;
    const char* field;
    const char* says;
  };
  const Case cases[] = {
      {"blank title", [](Filing& f) { f.title = " \t "; }, "ticket.title", "at least a word"},
      {"two lines", [](Filing& f) { f.title = "a\nb"; }, "ticket.title", "one line"},
      {"NUL", [](Filing& f) { f.description = std::string("a\0b", 3); }, "ticket.description",
       "U+0000"},
      {"long", [](Filing& f) { f.description = std::string(65537, 'x'); }, "ticket.description",
       "65536"},
      {"no reason", [](Filing& f) { f.needed_today = true; }, "ticket.needed_today_reason",
       "blank"},
      {"reason alone", [](Filing& f) { f.needed_today_reason = "виза"; },
       "ticket.needed_today_reason", "needed_today"},
      {"form", [](Filing& f) { f.answers["kind"] = std::string("3ndfl"); }, "ticket.fields.kind",
       ""},
      {"missing", [](Filing& f) { f.answers.clear(); }, "ticket.fields.kind", ""},
      {"file", [](Filing& f) { f.answers["scan"] = std::vector<std::string>{"attachments/1"}; },
       "ticket.fields.scan", "does not exist"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    Filing filing = Good();
    c.spoil(filing);
    const auto draft = Accept(filing);
    ASSERT_EQ(draft.status().code(), StatusCode::kInvalidArgument) << draft.status();
    EXPECT_THAT(Fields(draft.status()), Contains(Field(&FieldViolation::field, c.field)));
    EXPECT_THAT(Fields(draft.status())[0].en, HasSubstr(c.says));
    EXPECT_FALSE(Fields(draft.status())[0].ru.empty());
  }
}

TEST(TicketFiling, AllBadWordsAreNamedAtOnce) {
  Filing filing = Good();
  filing.title = "";
  filing.needed_today = true;
  EXPECT_EQ(Fields(Accept(filing).status()).size(), 2u);
}

TEST(TicketFiling, WhoMayNotFileIsRefusedBeforeTheFormIsLookedAt) {
  desk::Flow flow = Certificates();
  flow.who_may_file = {.all = false, .departments = {"legal"}, .employees = {}};
  Filing filing = Good();
  filing.answers.clear();
  EXPECT_EQ(Accept(filing, flow).status().code(), StatusCode::kPermissionDenied);
  flow.who_may_file.departments = {"sales"};
  EXPECT_TRUE(Accept(Good(), flow).ok());
}

TEST(TicketFiling, UnknownAndDepartedRequestersCannotFile) {
  EXPECT_EQ(Accept(Good(), Certificates(), {"ivanova", "", false, false}).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(Accept(Good(), Certificates(), {"ivanova", "", true, false}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(TicketFiling, OnlyAgentsAdminsAndServicesFileForSomebodyElse) {
  Filing filing = Good();
  EXPECT_EQ(*RequesterOf(filing, Employee()), "ivanova");
  filing.requester = "petrov";
  EXPECT_EQ(RequesterOf(filing, Employee()).status().code(), StatusCode::kPermissionDenied);
  for (const char* role : {"agent", "admin", "service"}) {
    EXPECT_EQ(*RequesterOf(filing, Employee({"requester", role})), "petrov");
  }
  filing.requester.clear();
  Caller service;
  service.principal = "serviceAccounts/portal";
  service.roles = {"service"};
  EXPECT_EQ(RequesterOf(filing, service).status().code(), StatusCode::kInvalidArgument);
}

TEST(TicketFiling, EmployeesNamedInTheFormAreHandedOutForALookUp) {
  const desk::Answers answers = {{"for_whom", std::string("employees/petrov")}};
  EXPECT_THAT(EmployeesNamed(Certificates().form, answers),
              ::testing::ElementsAre(
                  std::pair<std::string, std::string>("ticket.fields.for_whom", "petrov")));
}

TEST(ContentHash, IsOfTheListAndNotOfItsBytesRunTogether) {
  EXPECT_EQ(ContentHash().Add("a", "1").Hex(), ContentHash().Add("a", "1").Hex());
  EXPECT_NE(ContentHash().Add("a", "12").Hex(), ContentHash().Add("a1", "2").Hex());
  EXPECT_NE(ContentHash().Add("a", "1").Add("b", "").Hex(),
            ContentHash().Add("a", "").Add("b", "1").Hex());
  // The digest of the SHA-256 standard for the empty message.
  EXPECT_EQ(ContentHash().Hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace potok::intake
