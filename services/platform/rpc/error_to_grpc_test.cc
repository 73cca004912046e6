#include "platform/rpc/error_to_grpc.h"

#include "gtest/gtest.h"
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "base/error.h"
#include "potok/api/v1/errors.pb.h"

namespace potok::rpc {
namespace {

template <class Detail>
Detail Get(const grpc::Status& status) {
  google::rpc::Status wire;
  EXPECT_TRUE(wire.ParseFromString(status.error_details()));
  Detail detail;
  for (const auto& any : wire.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  ADD_FAILURE() << "no " << Detail::descriptor()->full_name();
  return detail;
}

absl::Status IllegalMove() {
  ErrorDetail detail;
  detail.metadata = {{"state", "CLOSED"}};
  detail.preconditions = {{"STATE", "tickets/1", "is CLOSED; reopen it first"}};
  detail.retry_after = absl::Milliseconds(1500);
  detail.ru = "Заявка закрыта; сначала откройте её снова";
  return MakeError(absl::StatusCode::kFailedPrecondition, "ILLEGAL_MOVE",
                   "the ticket is closed; reopen it first", detail);
}

TEST(ToGrpc, CarriesEveryDetailInTheCallersLanguage) {
  const grpc::Status ru = ToGrpc(IllegalMove(), "ru", "req-1");
  EXPECT_EQ(ru.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ru.error_message(), "the ticket is closed; reopen it first");
  EXPECT_EQ(Get<google::rpc::ErrorInfo>(ru).reason(), "ILLEGAL_MOVE");
  EXPECT_EQ(Get<google::rpc::ErrorInfo>(ru).domain(), "potok");
  EXPECT_EQ(Get<google::rpc::ErrorInfo>(ru).metadata().at("state"), "CLOSED");
  EXPECT_EQ(Get<google::rpc::PreconditionFailure>(ru).violations(0).subject(), "tickets/1");
  EXPECT_EQ(Get<google::rpc::RetryInfo>(ru).retry_delay().seconds(), 1);
  EXPECT_EQ(Get<google::rpc::RetryInfo>(ru).retry_delay().nanos(), 500000000);
  EXPECT_EQ(Get<google::rpc::RequestInfo>(ru).request_id(), "req-1");
  EXPECT_EQ(Get<google::rpc::LocalizedMessage>(ru).locale(), "ru");
  EXPECT_EQ(Get<google::rpc::LocalizedMessage>(ru).message(),
            "Заявка закрыта; сначала откройте её снова");
  const grpc::Status en = ToGrpc(IllegalMove(), "en", "req-1");
  EXPECT_EQ(Get<google::rpc::LocalizedMessage>(en).message(),
            "the ticket is closed; reopen it first");
}

TEST(ToGrpc, TextsThatAreNotUtf8DoNotTakeTheDetailsAlong) {
  ErrorDetail detail;
  detail.metadata = {{"a\xff", "b\xc3"}};
  detail.ru = "\xd0";
  const grpc::Status status = ToGrpc(
      MakeError(absl::StatusCode::kAborted, "CONFLICT", "\xff of a library", detail), "ru", "r");
  EXPECT_EQ(status.error_message(), "\xEF\xBF\xBD of a library");
  const auto info = Get<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "CONFLICT");
  EXPECT_EQ(info.metadata().at("a\xEF\xBF\xBD"), "b\xEF\xBF\xBD");
  EXPECT_EQ(Get<google::rpc::LocalizedMessage>(status).message(), "\xEF\xBF\xBD");
}

TEST(ToGrpc, AFieldIsDescribedInTheCallersLanguage) {
  const absl::Status bad = BadField("title", "at most 200 characters", "не длиннее 200 знаков");
  EXPECT_EQ(Get<google::rpc::BadRequest>(ToGrpc(bad, "ru", "r")).field_violations(0).description(),
            "не длиннее 200 знаков");
  EXPECT_EQ(Get<google::rpc::BadRequest>(ToGrpc(bad, "en", "r")).field_violations(0).description(),
            "at most 200 characters");
}

TEST(ToGrpc, TheTextOfAnInternalErrorStaysInTheLog) {
  const grpc::Status wire = ToGrpc(absl::InternalError("SELECT secret FROM t"), "en", "req-9");
  EXPECT_EQ(wire.error_message().find("SELECT"), std::string::npos);
  EXPECT_NE(wire.error_message().find("req-9"), std::string::npos);
  EXPECT_EQ(wire.error_details().find("SELECT"), std::string::npos);
  EXPECT_EQ(Get<google::rpc::ErrorInfo>(wire).reason(), "INTERNAL");
}

TEST(ToGrpc, DetailsStayBelowFourKibibytesHoweverManyFieldsAreBad) {
  std::vector<FieldViolation> fields;
  for (int i = 0; i < 200; ++i) {
    fields.push_back({"field" + std::to_string(i), std::string(500, 'x'), std::string(1000, 'y')});
  }
  ErrorDetail detail;
  for (int i = 0; i < 3; ++i) detail.metadata["k" + std::to_string(i)] = std::string(1000, 'z');
  detail.fields = fields;
  detail.retry_after = absl::Seconds(1);
  const grpc::Status wire = ToGrpc(MakeError(absl::StatusCode::kInvalidArgument, "INVALID_FIELD",
                                             std::string(5000, 'm'), detail),
                                   "ru", "r");
  EXPECT_LT(wire.error_details().size(), 4096u);
  EXPECT_GE(Get<google::rpc::BadRequest>(wire).field_violations_size(), 1);
}

TEST(FromGrpc, AnErrorComesBackAsItWasSent) {
  const absl::Status back = FromGrpc(ToGrpc(IllegalMove(), "ru", "req-1"));
  EXPECT_EQ(back.code(), absl::StatusCode::kFailedPrecondition);
  const ErrorDetail detail = GetErrorDetail(back);
  EXPECT_EQ(detail.reason, "ILLEGAL_MOVE");
  EXPECT_EQ(detail.metadata.at("state"), "CLOSED");
  EXPECT_EQ(detail.retry_after, absl::Milliseconds(1500));
  EXPECT_EQ(detail.ru, "Заявка закрыта; сначала откройте её снова");
  EXPECT_EQ(FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone")).message(), "gone");
}

TEST(ReasonOf, EveryGeneralReasonIsRegistered) {
  for (int code = 1; code <= 16; ++code) {
    const std::string name =
        "ERROR_REASON_" + ReasonOf(absl::Status(static_cast<absl::StatusCode>(code), "x"));
    EXPECT_NE(potok::api::v1::ErrorReason_descriptor()->FindValueByName(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace potok::rpc
