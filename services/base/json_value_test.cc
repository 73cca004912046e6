#include "base/json_value.h"

#include "gtest/gtest.h"

namespace potok {
namespace {

using nlohmann::json;

TEST(WholeNumber, IsReadWhenItFits) {
  EXPECT_EQ(WholeNumber<int>(json::parse("7")), 7);
  EXPECT_EQ(WholeNumber<int>(json::parse("-2147483648")), INT32_MIN);
  EXPECT_EQ(WholeNumber<int64_t>(json::parse("9223372036854775807")), INT64_MAX);
  EXPECT_EQ(WholeNumber<int64_t>(json::parse("-9223372036854775808")), INT64_MIN);
}

TEST(WholeNumber, IsNeitherCutNorGuessed) {
  for (const char* text : {"2147483648", "-2147483649", "1e300", "7.0", "true", "null", "\"7\"",
                           "[7]", "18446744073709551615"}) {
    EXPECT_EQ(WholeNumber<int>(json::parse(text)), std::nullopt) << text;
    EXPECT_THROW(ReadAs<int>(json::parse(text)), std::exception) << text;
  }
  EXPECT_EQ(WholeNumber<int64_t>(json::parse("9223372036854775808")), std::nullopt);
}

TEST(ReadAs, ReadsOtherTypesAsTheLibraryDoes) {
  EXPECT_EQ(ReadAs<std::string>(json::parse("\"x\"")), "x");
  EXPECT_TRUE(ReadAs<bool>(json::parse("true")));
  EXPECT_THROW(ReadAs<bool>(json::parse("1")), std::exception);
}

}  // namespace
}  // namespace potok
