#include "platform/pg/param.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace potok::pg {
namespace {

TEST(Param, ScalarsUsePostgresTextFormat) {
  EXPECT_EQ(*ToParam(42), "42");
  EXPECT_EQ(*ToParam(std::int64_t{-7}), "-7");
  EXPECT_EQ(*ToParam(true), "t");
  EXPECT_EQ(*ToParam(false), "f");
  EXPECT_EQ(*ToParam(0.1), "0.10000000000000001");
  EXPECT_EQ(*ToParam("text"), "text");
  EXPECT_EQ(*ToParam(absl::string_view("view")), "view");
  EXPECT_EQ(*ToParam(Bytes{absl::string_view("\0\x7f", 2)}), "\\x007f");
}

TEST(Param, AbsentValuesAreNull) {
  EXPECT_FALSE(ToParam(nullptr).has_value());
  EXPECT_FALSE(ToParam(std::nullopt).has_value());
  EXPECT_FALSE(ToParam(std::optional<int>()).has_value());
  EXPECT_EQ(*ToParam(std::optional<std::string>("there")), "there");
}

TEST(Timestamp, IsUtcWithMicrosecondsRoundedDown) {
  const absl::Time instant = absl::FromUnixMicros(1'795'338'000'123'456) + absl::Nanoseconds(999);
  EXPECT_EQ(ToTimestamp(instant), "2026-11-22T09:00:00.123456Z");
  EXPECT_EQ(ToTimestamp(absl::InfiniteFuture()), "infinity");
  EXPECT_EQ(ToTimestamp(absl::InfinitePast()), "-infinity");
}

TEST(Arrays, QuoteWhatWouldChangeTheMeaning) {
  EXPECT_EQ(TextArray({}), "{}");
  EXPECT_EQ(TextArray({"a,b", "NULL", "say \"hi\"", "back\\slash", ""}),
            R"({"a,b","NULL","say \"hi\"","back\\slash",""})");
  EXPECT_EQ(NullableArray({"x", std::nullopt}), R"({"x",NULL})");
  EXPECT_EQ(IntArray(std::vector<int>{3, -1}), "{3,-1}");
  EXPECT_EQ(BoolArray({true, false}), "{t,f}");
  EXPECT_EQ(TimeArray({absl::UnixEpoch(), std::nullopt}), "{1970-01-01T00:00:00.000000Z,NULL}");
}

}  // namespace
}  // namespace potok::pg
