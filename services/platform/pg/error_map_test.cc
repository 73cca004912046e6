#include "platform/pg/error_map.h"

#include <functional>
#include <memory>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/error.h"

namespace potok::pg {
namespace {

struct Case {
  std::string name;
  std::shared_ptr<std::exception> error;
  absl::StatusCode code;
  std::string reason;
  Disposition disposition;
  std::string state;
};

template <class E, class... A>
std::shared_ptr<std::exception> Make(A&&... args) {
  return std::make_shared<E>(std::forward<A>(args)...);
}

std::shared_ptr<std::exception> Sql(const char* state) {
  return Make<pqxx::sql_error>("refused", "SELECT secret", state);
}

std::vector<Case> Cases() {
  using absl::StatusCode;
  using enum Disposition;
  return {
      {"Unique",
       Make<pqxx::unique_violation>("duplicate key value violates unique constraint \"one_holder\"",
                                    "INSERT", "23505"),
       StatusCode::kAlreadyExists, "ALREADY_EXISTS", kFail, "23505"},
      {"ForeignKey", Make<pqxx::foreign_key_violation>("fk", "INSERT", "23503"),
       StatusCode::kFailedPrecondition, "STILL_IN_USE", kFail, "23503"},
      {"Check", Make<pqxx::check_violation>("check", "UPDATE", "23514"), StatusCode::kInternal,
       "INTERNAL", kFail, "23514"},
      {"NotNull", Make<pqxx::not_null_violation>("null", "UPDATE", "23502"), StatusCode::kInternal,
       "INTERNAL", kFail, "23502"},
      {"Serialization", Make<pqxx::serialization_failure>("conflict"), StatusCode::kAborted,
       "CONFLICT", kRetryBody, "40001"},
      {"Deadlock", Make<pqxx::deadlock_detected>("deadlock"), StatusCode::kAborted, "CONFLICT",
       kRetryBody, "40P01"},
      {"LockTimeout", Sql("55P03"), StatusCode::kAborted, "CONFLICT", kFail, "55P03"},
      {"Broken", Make<pqxx::broken_connection>("gone"), StatusCode::kUnavailable,
       "STORAGE_UNAVAILABLE", kDropSession, ""},
      {"TooMany", Make<pqxx::too_many_connections>("full"), StatusCode::kUnavailable,
       "STORAGE_UNAVAILABLE", kDropSession, ""},
      {"Shutdown", Sql("57P01"), StatusCode::kUnavailable, "STORAGE_UNAVAILABLE", kDropSession,
       "57P01"},
      {"IdleInTransaction", Sql("25P03"), StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
       kDropSession, "25P03"},
      {"DemotedPrimary", Sql("25006"), StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
       kDropSession, "25006"},
      {"StatementTimeout", Sql("57014"), StatusCode::kDeadlineExceeded, "DEADLINE_PASSED", kFail,
       "57014"},
      {"DiskFull", Make<pqxx::disk_full>("full", "INSERT", "53100"), StatusCode::kResourceExhausted,
       "OVERLOADED", kFail, "53100"},
      {"DiskFullByStateAlone", Sql("53100"), StatusCode::kResourceExhausted, "OVERLOADED", kFail,
       "53100"},
      {"DiskFails", Sql("58030"), StatusCode::kUnavailable, "STORAGE_UNAVAILABLE", kFail, "58030"},
      {"InDoubt", Make<pqxx::in_doubt_error>("lost"), StatusCode::kUnknown, "OUTCOME_UNKNOWN",
       kInDoubt, ""},
      {"CompletionUnknown", Make<pqxx::statement_completion_unknown>("lost"), StatusCode::kUnknown,
       "OUTCOME_UNKNOWN", kInDoubt, ""},
      {"Syntax", Make<pqxx::syntax_error>("syntax", "SELEC", "42601"), StatusCode::kInternal,
       "INTERNAL", kFail, "42601"},
      {"Conversion", Make<pqxx::conversion_error>("not a number"), StatusCode::kInternal,
       "INTERNAL", kFail, ""},
      {"Foreign", Make<std::runtime_error>("anything"), StatusCode::kInternal, "INTERNAL", kFail,
       ""},
  };
}

class ErrorMap : public ::testing::TestWithParam<Case> {};

TEST_P(ErrorMap, GivesCodeReasonAndDisposition) {
  const Case& c = GetParam();
  const MappedError mapped = MapError(*c.error);
  EXPECT_EQ(mapped.status.code(), c.code) << mapped.status;
  EXPECT_EQ(GetErrorDetail(mapped.status).reason, c.reason);
  EXPECT_EQ(mapped.disposition, c.disposition);
  EXPECT_EQ(SqlState(mapped.status), c.state);
  EXPECT_EQ(Cause(mapped.status), c.error->what());
  EXPECT_FALSE(GetErrorDetail(mapped.status).ru.empty());
}

TEST_P(ErrorMap, WhatMayPassLaterSaysWhen) {
  const absl::Status status = MapError(*GetParam().error).status;
  const bool later =
      absl::IsUnavailable(status) || absl::IsResourceExhausted(status) || absl::IsAborted(status);
  EXPECT_EQ(GetErrorDetail(status).retry_after.has_value(), later);
}

TEST_P(ErrorMap, KeepsSqlAndServerWordsOutOfTheMessage) {
  const Case& c = GetParam();
  const std::string message(MapError(*c.error).status.message());
  EXPECT_EQ(message.find("SELECT"), std::string::npos);
  EXPECT_EQ(message.find("constraint"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, ErrorMap, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

TEST(ErrorMapConstraint, NamesTheConstraintThatWasViolated) {
  EXPECT_EQ(Constraint(MapError(*Cases()[0].error).status), "one_holder");
  EXPECT_EQ(Constraint(absl::OkStatus()), "");
}

}  // namespace
}  // namespace potok::pg
