#include "desk/filter/order_by.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "base/error.h"
#include "desk/filter/test_catalog.h"

namespace potok::desk {
namespace {

using ::testing::HasSubstr;

TEST(ParseOrderBy, TakesSortableFieldsInTheGivenOrder) {
  const FieldCatalog catalog = TestCatalog();
  EXPECT_TRUE(ParseOrderBy("", catalog)->empty());
  EXPECT_TRUE(ParseOrderBy("  ", catalog)->empty());
  const auto terms = ParseOrderBy(" due_time  desc,create_time , priority asc", catalog);
  ASSERT_TRUE(terms.ok()) << terms.status();
  EXPECT_EQ(*terms, (std::vector<OrderTerm>{
                        {"due_time", true}, {"create_time", false}, {"priority", false}}));
  EXPECT_EQ(CanonicalText(*terms), "due_time desc, create_time, priority");
  EXPECT_EQ(*ParseOrderBy(CanonicalText(*terms), catalog), *terms);
}

TEST(ParseOrderBy, RefusesEverythingElseAndListsWhatIsAllowed) {
  for (const std::string text : {"title", "colour", "due_time DESC", "due_time desc desc",
                                 "due_time,,rating", ",", "due_time,", "due_time, due_time desc",
                                 "due_time; DROP TABLE x", "due_time--", "\xff", "t.due_at"}) {
    const auto terms = ParseOrderBy(text, TestCatalog());
    ASSERT_EQ(terms.status().code(), absl::StatusCode::kInvalidArgument) << text;
    const ErrorDetail detail = GetErrorDetail(terms.status());
    EXPECT_EQ(detail.reason, "ORDER_INVALID");
    ASSERT_EQ(detail.fields.size(), 1u);
    EXPECT_EQ(detail.fields[0].field, "order_by");
    EXPECT_THAT(detail.fields[0].en, HasSubstr("priority, rating, due_time, create_time"));
    EXPECT_THAT(detail.fields[0].ru, HasSubstr("сортировать"));
  }
  EXPECT_FALSE(ParseOrderBy(std::string(600, ' '), TestCatalog()).ok());
}

}  // namespace
}  // namespace potok::desk
