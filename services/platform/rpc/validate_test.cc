#include "platform/rpc/validate.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "probe.pb.h"

namespace potok::rpc {
namespace {

using ::potok::probe::v1::ChangeRequest;
using ::potok::probe::v1::EchoRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

EchoRequest Good() {
  EchoRequest request;
  request.set_text("текст");
  return request;
}

std::vector<std::string> BadFieldsOf(const google::protobuf::Message& request) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FindViolations(request)) fields.push_back(violation.field);
  return fields;
}

TEST(Validate, AGoodRequestPasses) { EXPECT_THAT(BadFieldsOf(Good()), ElementsAre()); }

TEST(Validate, LengthIsCountedInCharactersAndBothLimitsAreNamed) {
  EchoRequest request = Good();
  request.set_text("десятьбукв");  // 10 characters, 20 bytes.
  EXPECT_THAT(BadFieldsOf(request), ElementsAre());
  request.set_text("десятьбукв!");
  const auto found = FindViolations(request);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].field, "text");
  EXPECT_THAT(found[0].en, HasSubstr("at most 10 characters, has 11"));
  EXPECT_THAT(found[0].ru, HasSubstr("не длиннее 10 знаков, сейчас 11"));
  request.set_text("я");
  EXPECT_THAT(BadFieldsOf(request), ElementsAre("text"));
  request.clear_text();
  EXPECT_THAT(FindViolations(request)[0].en, HasSubstr("must be set"));
}

TEST(Validate, EachRuleNamesItsField) {
  EchoRequest request = Good();
  request.set_code("ABC");
  request.set_uid("7f9c2ba4");
  request.set_kind(static_cast<probe::v1::Kind>(7));
  request.set_size(6);
  request.set_blob(std::string(9, '\0'));
  request.set_ratio(0.25);
  EXPECT_THAT(BadFieldsOf(request), ElementsAre("code", "uid", "kind", "size", "blob", "ratio"));
}

TEST(Validate, APresentZeroIsCheckedAndAnAbsentOneIsNot) {
  EchoRequest request = Good();
  EXPECT_THAT(BadFieldsOf(request), ElementsAre());
  request.set_ratio(0);
  EXPECT_THAT(BadFieldsOf(request), ElementsAre("ratio"));
}

TEST(Validate, ListsMapsAndNestedMessagesAreWalked) {
  EchoRequest request = Good();
  request.add_items("ok");
  request.add_items("too long");
  (*request.mutable_labels())["colour"] = "too long";
  request.mutable_inner()->mutable_next()->set_note("four");
  request.add_inners();
  request.add_inners()->set_note("four");
  EXPECT_THAT(BadFieldsOf(request),
              ElementsAre("items[1]", "inner.next.note", "labels[colour]", "inners[1].note"));
  request.add_items("three");
  EXPECT_THAT(BadFieldsOf(request)[0], "items");
}

TEST(Validate, TheCharacterNoColumnCanHoldIsRefused) {
  EchoRequest request = Good();
  request.set_text(std::string("a\0b", 3));
  const auto found = FindViolations(request);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].field, "text");
  EXPECT_THAT(found[0].en, HasSubstr("U+0000"));
}

TEST(Validate, TheCharacterNoColumnCanHoldIsRefusedInAKeyToo) {
  EchoRequest request = Good();
  (*request.mutable_labels())[std::string("a\0b", 3)] = "x";
  EXPECT_THAT(BadFieldsOf(request), ElementsAre("labels (a key)"));
}

TEST(Validate, AnInstantIsOneThatEveryTableAndLanguageTakes) {
  EchoRequest request = Good();
  for (const int64_t seconds : {int64_t{-62135596800}, int64_t{0}, int64_t{253402300799}}) {
    request.mutable_at()->set_seconds(seconds);
    EXPECT_THAT(BadFieldsOf(request), ElementsAre()) << seconds;
  }
  for (const int64_t seconds :
       {int64_t{-62135596801}, int64_t{253402300800}, INT64_MAX, INT64_MIN}) {
    request.mutable_at()->set_seconds(seconds);
    EXPECT_THAT(BadFieldsOf(request), ElementsAre("at")) << seconds;
  }
  request.mutable_at()->set_seconds(0);
  for (const int32_t nanos : {-1, 1000000000, INT32_MAX}) {
    request.mutable_at()->set_nanos(nanos);
    EXPECT_THAT(BadFieldsOf(request), ElementsAre("at")) << nanos;
  }
}

TEST(Validate, ADurationIsBoundedAndOfOneSign) {
  EchoRequest request = Good();
  const auto add = [&](int64_t seconds, int32_t nanos) {
    request.add_waits()->set_seconds(seconds);
    request.mutable_waits(request.waits_size() - 1)->set_nanos(nanos);
  };
  add(3600, 999999999);
  add(-1, -5);
  add(0, -5);
  add(315576000001, 0);
  add(1, -1);
  add(INT64_MIN, 0);
  add(0, 1000000000);
  EXPECT_THAT(BadFieldsOf(request), ElementsAre("waits[3]", "waits[4]", "waits[5]", "waits[6]"));
}

TEST(Validate, TextThatIsNotUtf8IsNamed) {
  EchoRequest request = Good();
  request.mutable_inner()->set_note("\xff");
  const auto found = FindViolations(request);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].field, "inner.note");
  EXPECT_THAT(found[0].en, HasSubstr("UTF-8"));
}

TEST(Validate, TheNumberOfViolationsIsBounded) {
  EchoRequest request = Good();
  for (int i = 0; i < 1000; ++i) request.add_inners()->set_note("four");
  EXPECT_EQ(FindViolations(request).size(), 32u);
}

TEST(Validate, AMutatingRequestNeedsAUuidAsRequestId) {
  ChangeRequest request;
  EXPECT_EQ(GetErrorDetail(Validate(request, true)).reason, "REQUEST_ID_MISSING");
  EXPECT_EQ(GetErrorDetail(Validate(request, true)).fields[0].field, "request_id");
  request.set_request_id("1");
  EXPECT_EQ(GetErrorDetail(Validate(request, true)).fields[0].field, "request_id");
  request.set_request_id("7F9C2BA4-e88f-427d-8f64-8b3a1f2c4d5e");
  EXPECT_TRUE(Validate(request, true).ok());
}

TEST(CheckRules, FaultyDeclarationsAreFound) {
  EXPECT_TRUE(CheckRules(*EchoRequest::descriptor(), false).ok());
  EXPECT_THAT(std::string(CheckRules(*probe::v1::OpenRequest::descriptor(), true).message()),
              HasSubstr("request_id"));
  EXPECT_THAT(std::string(CheckRules(*probe::v1::MisruledRequest::descriptor(), false).message()),
              HasSubstr("MisruledRequest.text"));
}

TEST(ExplainUndecodable, FindsTheTextHoweverDeep) {
  EchoRequest request = Good();
  request.add_inners();
  request.add_inners()->mutable_next()->set_note("\xc3\x28");
  const absl::Status deep =
      ExplainUndecodable(*EchoRequest::descriptor(), request.SerializePartialAsString());
  EXPECT_EQ(GetErrorDetail(deep).reason, "INVALID_UTF8");
  EXPECT_EQ(GetErrorDetail(deep).fields[0].field, "inners[1].next.note");
  const absl::Status noise = ExplainUndecodable(*EchoRequest::descriptor(), "\x0a\xff\xff");
  EXPECT_EQ(GetErrorDetail(noise).reason, "REQUEST_MALFORMED");
}

TEST(IsUuid, OnlyTheCanonicalForm) {
  EXPECT_TRUE(IsUuid("7f9c2ba4-e88f-427d-8f64-8b3a1f2c4d5e"));
  EXPECT_FALSE(IsUuid("7f9c2ba4e88f427d8f648b3a1f2c4d5e"));
  EXPECT_FALSE(IsUuid("7f9c2ba4-e88f-427d-8f64-8b3a1f2c4d5g"));
  EXPECT_FALSE(IsUuid("{7f9c2ba4-e88f-427d-8f64-8b3a1f2c4d5}"));
}

}  // namespace
}  // namespace potok::rpc
