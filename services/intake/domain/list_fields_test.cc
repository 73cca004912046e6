#include "intake/domain/list_fields.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace potok::intake {
namespace {

constexpr char kId[] = "0190a1b2-c3d4-7005-8000-00000000002a";

TEST(TicketOrder, DefaultsToNewestFirst) {
  const auto order = ParseTicketOrder("");
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(*order, (std::vector<desk::OrderTerm>{{"create_time", true}}));
}

TEST(TicketOrder, TakesOnlySortableFields) {
  EXPECT_TRUE(ParseTicketOrder("due_time, priority desc").ok());
  const auto bad = ParseTicketOrder("title");
  EXPECT_EQ(GetErrorDetail(bad.status()).reason, "ORDER_INVALID");
}

TEST(TicketFilter, ReadsTheDocumentedFieldsAndFunctions) {
  for (const char* text :
       {"state = QUEUED AND due_time < \"2026-03-31T12:00:00Z\"", "flow = flows/it-support",
        "requester = me OR assignedTo(\"me\")", "overdue()", "overdue = true AND -assignee:*",
        "channel = EMAIL rating >= 4 line = 2 needed_today = false", "title:\"принтер\"",
        "number = \"IT-000123\"", "close_time > \"2026-01-01T00:00:00+03:00\""}) {
    EXPECT_TRUE(ParseTicketFilter(text, "ivanova").ok()) << text;
  }
  const auto unknown = ParseTicketFilter("salary > 5", "ivanova");
  EXPECT_EQ(GetErrorDetail(unknown.status()).reason, "FILTER_INVALID");
}

TEST(TicketCursor, SurvivesItsTextAndNothingElseIsOne) {
  desk::Ticket ticket;
  ticket.id = kId;
  ticket.created_at = absl::FromUnixMicros(1234567890123456);
  ticket.priority = 2;
  const std::vector<desk::OrderTerm> order = {{"due_time", false}, {"priority", true}};
  const TicketCursor cursor = CursorAt(ticket, order, absl::FromUnixMicros(42));
  EXPECT_EQ(cursor.keys, (std::vector<int64_t>{TicketCursor::kNever, 2}));
  const std::string text = FormatTicketCursor(cursor);
  const auto back = ParseTicketCursor(text, 2);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, cursor);
  for (const std::string& bad : {text + ";1", std::string(), std::string("1;2;3;4"), "x" + text}) {
    EXPECT_EQ(GetErrorDetail(ParseTicketCursor(bad, 2).status()).reason, "PAGE_TOKEN_INVALID")
        << bad;
  }
}

}  // namespace
}  // namespace potok::intake
