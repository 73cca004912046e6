// Lists of tickets: pages that add up to the whole under writes, filters that mean what they say,
// and nothing shown that GetTicket would refuse.
#include <algorithm>
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "integration/company.h"
#include "integration/suite.h"
#include "platform/testing/status_matchers.h"

namespace potok::testing {
namespace {

using namespace intake::v1;  // NOLINT: a test of exactly these messages.

class TicketList : public ::testing::Test {
 protected:
  Ticket File(const std::string& who, const std::string& title = "Принтер",
              const std::string& flow = "flows/it-support") {
    auto request = SupportRequest(title);
    request.mutable_ticket()->set_flow(flow);
    if (flow == "flows/hr-certificates") {
      (*request.mutable_ticket()->mutable_fields()->mutable_fields())["kind"].set_string_value(
          "work");
    }
    Ticket ticket;
    const grpc::Status status =
        suite_.intake().CreateTicket(Suite::As(who).get(), request, &ticket);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return ticket;
  }
  ListTicketsResponse Page(const std::string& who, const ListTicketsRequest& request) {
    ListTicketsResponse page;
    const grpc::Status status = suite_.intake().ListTickets(Suite::As(who).get(), request, &page);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return page;
  }
  std::vector<Ticket> All(const std::string& who, ListTicketsRequest request) {
    std::vector<Ticket> tickets;
    do {
      const ListTicketsResponse page = Page(who, request);
      tickets.insert(tickets.end(), page.tickets().begin(), page.tickets().end());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return tickets;
  }
  std::set<std::string> Titles(const std::string& who, const std::string& filter) {
    ListTicketsRequest request;
    request.set_filter(filter);
    std::set<std::string> titles;
    for (const Ticket& ticket : All(who, request)) titles.insert(ticket.title());
    return titles;
  }

  Suite suite_;
};

TEST_F(TicketList, TheUnionOfPagesIsTheWholeSetUnderConcurrentWrites) {
  std::set<std::string> before;
  for (int i = 0; i < 120; ++i) before.insert(File(i % 2 == 0 ? "ivanova" : "petrov").name());
  for (const char* order : {"", "create_time", "due_time desc, priority",
                            "priority, create_time desc", "update_time desc"}) {
    SCOPED_TRACE(order);
    std::atomic<bool> stop{false};
    // Bounded: an ascending list would otherwise chase the new ones for as long as they come.
    std::thread writer([&] {
      for (int i = 0; i < 60 && !stop; ++i) File("zaitsev", "Шум");
    });
    for (const int page_size : {3, 50}) {
      ListTicketsRequest request;
      request.set_order_by(order);
      request.set_page_size(page_size);
      std::map<std::string, int> seen;
      for (const Ticket& ticket : All("root:admin", request)) ++seen[ticket.name()];
      for (const std::string& name : before) {
        EXPECT_EQ(seen[name], 1) << name << " with pages of " << page_size;
      }
      for (const auto& [name, times] : seen) EXPECT_EQ(times, 1) << name << " came twice";
    }
    stop = true;
    writer.join();
  }
}

TEST_F(TicketList, OrderIsTotalInEveryDirection) {
  for (int i = 0; i < 9; ++i) {
    auto request = SupportRequest(absl::StrCat("Заявка ", i));
    request.mutable_ticket()->set_urgency(static_cast<api::v1::Degree>(1 + i % 3));
    Ticket ticket;
    ASSERT_TRUE(suite_.intake().CreateTicket(Suite::As("ivanova").get(), request, &ticket).ok());
  }
  ListTicketsRequest request;
  request.set_order_by("priority desc, create_time");
  request.set_page_size(2);
  const std::vector<Ticket> tickets = All("ivanova", request);
  ASSERT_EQ(tickets.size(), 9u);
  for (size_t i = 1; i < tickets.size(); ++i) {
    const Ticket& a = tickets[i - 1];
    const Ticket& b = tickets[i];
    EXPECT_TRUE(a.priority() > b.priority() ||
                (a.priority() == b.priority() &&
                 std::pair(a.create_time().seconds(), a.create_time().nanos()) <=
                     std::pair(b.create_time().seconds(), b.create_time().nanos())));
  }
}

TEST_F(TicketList, FiltersMeanWhatTheySay) {
  const Ticket plain = File("ivanova", "Принтер на третьем этаже");
  const Ticket held = File("petrov", "Монитор мигает");
  const Ticket late = File("ivanova", "Пропуск потерян");
  File("ivanova", "Справка", "flows/hr-certificates");
  ASSERT_THAT(suite_.Assign(held.name(), "sidorov"), IsOk());
  suite_.database().Query(
      "UPDATE ledger.ticket SET due_at = now() - interval '1 day' WHERE number = '" +
      late.number() + "'");
  const std::string agent = "sidorov:requester+agent";
  using S = std::set<std::string>;
  EXPECT_EQ(Titles(agent, "state = ASSIGNED"), S({"Монитор мигает"}));
  EXPECT_EQ(Titles(agent, "assignedTo(\"me\")"), S({"Монитор мигает"}));
  EXPECT_EQ(Titles(agent, "assignee = employees/sidorov"), S({"Монитор мигает"}));
  EXPECT_EQ(Titles(agent, "-assignee:*"), S({"Принтер на третьем этаже", "Пропуск потерян"}));
  EXPECT_EQ(Titles(agent, "overdue()"), S({"Пропуск потерян"}));
  EXPECT_EQ(Titles(agent, "overdue = false"), S({"Принтер на третьем этаже", "Монитор мигает"}));
  EXPECT_EQ(Titles(agent, "NOT overdue()"), S({"Принтер на третьем этаже", "Монитор мигает"}));
  EXPECT_EQ(Titles(agent, "title:\"ПРИНТЕР\""), S({"Принтер на третьем этаже"}));
  EXPECT_EQ(Titles(agent, "number = \"" + plain.number() + "\""), S({"Принтер на третьем этаже"}));
  EXPECT_EQ(Titles(agent, "requester = employees/petrov OR due_time < \"2001-01-01T00:00:00Z\""),
            S({"Монитор мигает"}));
  EXPECT_EQ(Titles("ivanova", "flow = flows/hr-certificates"), S({"Справка"}));
  EXPECT_EQ(
      Titles("ivanova", "requester = me AND state = QUEUED AND channel = PORTAL AND line = 1"),
      S({"Принтер на третьем этаже", "Пропуск потерян", "Справка"}));
  // Words of SQL are words like others: they are looked for, and nothing is found.
  EXPECT_EQ(Titles(agent, "title = \"x' OR TRUE --\""), S());
  EXPECT_EQ(Titles(agent, "\"'; DROP TABLE ledger.ticket; --\""), S());
  EXPECT_EQ(Titles(agent, "rating >= 1 OR needed_today = true OR close_time:*"), S());
}

TEST_F(TicketList, TheTotalIsOfAllPagesAndOnlyWhenAskedFor) {
  for (int i = 0; i < 5; ++i) File("ivanova");
  File("petrov");
  ListTicketsRequest request;
  request.set_page_size(2);
  EXPECT_EQ(Page("ivanova", request).total_size(), 0);
  request.set_with_total(true);
  const ListTicketsResponse first = Page("ivanova", request);
  EXPECT_EQ(first.total_size(), 5);
  request.set_page_token(first.next_page_token());
  EXPECT_EQ(Page("ivanova", request).total_size(), 5);
}

TEST_F(TicketList, BasicViewIsTheDefault) {
  auto request = SupportRequest();
  request.mutable_ticket()->set_description("Третий этаж");
  Ticket ticket;
  ASSERT_TRUE(suite_.intake().CreateTicket(Suite::As("ivanova").get(), request, &ticket).ok());
  ListTicketsRequest list;
  EXPECT_EQ(Page("ivanova", list).tickets(0).description(), "");
  list.set_view(TICKET_VIEW_FULL);
  EXPECT_EQ(Page("ivanova", list).tickets(0).DebugString(), ticket.DebugString());
}

TEST_F(TicketList, ShowsExactlyTheTicketsThatGetTicketShows) {
  std::vector<Ticket> tickets;
  for (const char* who : {"ivanova", "petrov", "volkov", "belov"}) {
    for (const char* flow : {"flows/it-support", "flows/hr-certificates", "flows/quick"}) {
      tickets.push_back(File(who, "Заявка", flow));
    }
  }
  ASSERT_THAT(suite_.Assign(tickets[0].name(), "orlova"), IsOk());
  for (const char* who :
       {"ivanova", "petrov", "volkov", "zaitsev:requester+departmentHead",
        "sidorov:requester+agent", "orlova:requester+agent", "kuzmina:requester+agent+flowAdmin",
        "belov:requester+flowAdmin", "sokolova:auditor", "root:admin", "portal:service", "gusev"}) {
    std::set<std::string> listed, readable;
    for (const Ticket& ticket : All(who, {})) listed.insert(ticket.name());
    for (const Ticket& ticket : tickets) {
      GetTicketRequest request;
      request.set_name(ticket.name());
      Ticket answer;
      if (suite_.intake().GetTicket(Suite::As(who).get(), request, &answer).ok()) {
        readable.insert(ticket.name());
      }
    }
    EXPECT_EQ(listed, readable) << who;
    ListTicketsRequest counted;
    counted.set_with_total(true);
    EXPECT_EQ(Page(who, counted).total_size(), static_cast<int64_t>(readable.size())) << who;
  }
}

TEST_F(TicketList, MyWorkIsWhatIHoldTheMostUrgentFirst) {
  const Ticket calm = File("ivanova", "Не спешит");
  auto urgent_request = SupportRequest("Срочно");
  urgent_request.mutable_ticket()->set_needed_today(true);
  urgent_request.mutable_ticket()->set_needed_today_reason("совещание");
  Ticket urgent;
  ASSERT_TRUE(
      suite_.intake().CreateTicket(Suite::As("ivanova").get(), urgent_request, &urgent).ok());
  const Ticket other = File("ivanova", "Чужая");
  ASSERT_THAT(suite_.Assign(calm.name(), "sidorov"), IsOk());
  ASSERT_THAT(suite_.Assign(urgent.name(), "sidorov"), IsOk());
  ASSERT_THAT(suite_.Assign(other.name(), "orlova"), IsOk());
  ListMyWorkRequest request;
  request.set_page_size(1);
  std::vector<std::string> titles;
  do {
    ListMyWorkResponse page;
    ASSERT_TRUE(suite_.intake().ListMyWork(Suite::As("sidorov:agent").get(), request, &page).ok());
    for (const Ticket& ticket : page.tickets()) titles.push_back(ticket.title());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(titles, ::testing::ElementsAre("Срочно", "Не спешит"));
}

TEST_F(TicketList, AQueuedTicketSaysWhyItWaits) {
  const Ticket ticket = File("ivanova");
  suite_.database().Query(
      "INSERT INTO router.queue_entry (part, ticket_id, flow_id, reason, since)"
      " SELECT part, id, flow_id, 'ALL_AT_CAP', now() FROM ledger.ticket");
  EXPECT_EQ(Page("ivanova", {}).tickets(0).queue_reason(), api::v1::QUEUE_REASON_ALL_AT_CAP);
  GetTicketRequest get;
  get.set_name(ticket.name());
  Ticket read;
  ASSERT_TRUE(suite_.intake().GetTicket(Suite::As("ivanova").get(), get, &read).ok());
  EXPECT_EQ(read.queue_reason(), api::v1::QUEUE_REASON_ALL_AT_CAP);
}

}  // namespace
}  // namespace potok::testing
