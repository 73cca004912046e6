#include "platform/rpc/trace.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace potok::rpc {
namespace {

constexpr char kGood[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, AValidOneKeepsItsTraceAndGetsANewSpan) {
  const auto trace = ParseTraceparent(kGood);
  ASSERT_TRUE(trace.has_value());
  EXPECT_TRUE(trace->sampled);
  EXPECT_EQ(FormatTraceparent(*trace), kGood);
  const TraceContext span = NewSpan(*trace);
  EXPECT_EQ(span.trace_id, trace->trace_id);
  EXPECT_NE(span.span_id, trace->span_id);
}

TEST(Traceparent, AnInvalidOneIsIgnored) {
  EXPECT_FALSE(ParseTraceparent(""));
  EXPECT_FALSE(ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"));
  EXPECT_FALSE(ParseTraceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(ParseTraceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(ParseTraceparent("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(ParseTraceparent(absl::StrCat(kGood, "-extra")));
  EXPECT_TRUE(ParseTraceparent(absl::StrCat("01", kGood + 2, "-extra")))
      << "a later version may append";
}

TEST(Traceparent, ANewTraceIsValid) {
  EXPECT_TRUE(ParseTraceparent(FormatTraceparent(NewTrace())));
}

TEST(RequestId, OnlySafeCharactersAndNotTooMany) {
  EXPECT_TRUE(IsRequestId("portal-7.a_B"));
  EXPECT_TRUE(IsRequestId(NewRequestId()));
  EXPECT_FALSE(IsRequestId(""));
  EXPECT_FALSE(IsRequestId("a b"));
  EXPECT_FALSE(IsRequestId("a\n{\"level\":\"error\"}"));
  EXPECT_FALSE(IsRequestId(std::string(65, 'a')));
}

}  // namespace
}  // namespace potok::rpc
