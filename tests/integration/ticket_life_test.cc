// A ticket from filing to the end, by every verb of the IntakeService.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "integration/suite.h"
#include "platform/testing/signal.h"
#include "platform/testing/status_matchers.h"

namespace potok::testing {
namespace {

using namespace intake::v1;  // NOLINT: a test of exactly these messages.
using ::testing::ElementsAre;

constexpr char kAgent[] = "sidorov:requester+agent";
constexpr char kAdmin[] = "belov:requester+flowAdmin";

class TicketLife : public ::testing::Test {
 protected:
  using Stub = IntakeService::Stub;

  template <class Request, class Answer>
  Answer Ok(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
            const std::string& who, const Request& request) {
    Answer answer;
    const grpc::Status status = (suite_.intake().*method)(Suite::As(who).get(), request, &answer);
    EXPECT_TRUE(status.ok()) << status.error_code() << " " << status.error_message();
    return answer;
  }
  template <class Request>
  Request On(const Ticket& ticket) {
    Request request;
    request.set_name(ticket.name());
    request.set_request_id(Uuid());
    return request;
  }

  Ticket File(const CreateTicketRequest& request = SupportRequest()) {
    return Ok(&Stub::CreateTicket, "ivanova", request);
  }
  Ticket Assigned(const CreateTicketRequest& request = SupportRequest()) {
    const Ticket ticket = File(request);
    EXPECT_THAT(suite_.Assign(ticket.name(), "sidorov"), IsOk());
    return Get(ticket);
  }
  Ticket Get(const Ticket& ticket, const std::string& who = "ivanova") {
    GetTicketRequest request;
    request.set_name(ticket.name());
    return Ok(&Stub::GetTicket, who, request);
  }
  Ticket Start(const Ticket& ticket) {
    return Ok(&Stub::StartTicket, kAgent, On<StartTicketRequest>(ticket));
  }
  Ticket Resolve(const Ticket& ticket) {
    auto request = On<ResolveTicketRequest>(ticket);
    request.set_result("Заменили картридж");
    return Ok(&Stub::ResolveTicket, kAgent, request);
  }
  AddCommentResponse Say(const Ticket& ticket, const std::string& who, const std::string& text,
                         bool internal = false) {
    auto request = On<AddCommentRequest>(ticket);
    request.set_text(text);
    request.set_internal(internal);
    return Ok(&Stub::AddComment, who, request);
  }
  std::vector<TicketEvent> History(const Ticket& ticket, const std::string& who,
                                   int page_size = 0) {
    std::vector<TicketEvent> events;
    ListTicketEventsRequest request;
    request.set_parent(ticket.name());
    request.set_page_size(page_size);
    do {
      const ListTicketEventsResponse page = Ok(&Stub::ListTicketEvents, who, request);
      events.insert(events.end(), page.events().begin(), page.events().end());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return events;
  }
  static std::vector<std::string> Types(const std::vector<TicketEvent>& events) {
    std::vector<std::string> types;
    for (const TicketEvent& event : events) {
      types.push_back(TicketEvent::Type_Name(event.type()).substr(5));
    }
    return types;
  }

  Suite suite_;
};

TEST_F(TicketLife, IsNumberedPromisedWorkedSentBackAcceptedRatedReopenedAndWithdrawn) {
  CreateTicketRequest filing = SupportRequest("Принтер не печатает");
  filing.mutable_ticket()->set_description("Третий этаж");
  const Ticket filed = File(filing);
  EXPECT_EQ(filed.number(), "IT-000001");
  EXPECT_EQ(filed.state(), Ticket::STATE_QUEUED);
  EXPECT_EQ(filed.queue_reason(), api::v1::QUEUE_REASON_READY);
  EXPECT_EQ(filed.requester(), "employees/ivanova");
  EXPECT_EQ(filed.opened_by(), "users/ivanova");
  EXPECT_EQ(filed.priority(), 3);
  EXPECT_EQ(filed.term().seconds(), 16 * 3600);  // Two working days.
  EXPECT_GT(filed.due_time().seconds(), filed.create_time().seconds());
  EXPECT_TRUE(filed.has_first_response_due_time());
  EXPECT_EQ(filed.etag(), "\"1\"");
  EXPECT_EQ(Get(filed).DebugString(), filed.DebugString());

  ASSERT_THAT(suite_.Assign(filed.name(), "sidorov"), IsOk());
  const Ticket started = Start(filed);
  EXPECT_EQ(started.state(), Ticket::STATE_IN_PROGRESS);
  EXPECT_EQ(started.assignee(), "employees/sidorov");
  EXPECT_TRUE(started.has_first_response_time());

  auto wait = On<WaitTicketRequest>(filed);
  wait.set_question("Какой кабинет?");
  const Ticket waiting = Ok(&Stub::WaitTicket, kAgent, wait);
  EXPECT_EQ(waiting.state(), Ticket::STATE_WAITING);
  EXPECT_FALSE(waiting.has_due_time());
  const AddCommentResponse reply = Say(filed, "ivanova", "Кабинет 312");
  EXPECT_EQ(reply.event().type(), TicketEvent::TYPE_RESUMED);
  EXPECT_EQ(reply.event().text(), "Кабинет 312");
  EXPECT_EQ(reply.ticket().state(), Ticket::STATE_IN_PROGRESS);
  EXPECT_TRUE(reply.ticket().has_due_time());

  const Ticket resolved = Resolve(filed);
  EXPECT_EQ(resolved.state(), Ticket::STATE_RESOLVED);
  EXPECT_EQ(resolved.result(), "Заменили картридж");
  auto back = On<SendBackTicketRequest>(filed);
  back.set_reason("Печатает полосами");
  const Ticket returned = Ok(&Stub::SendBackTicket, "ivanova", back);
  EXPECT_EQ(returned.state(), Ticket::STATE_IN_PROGRESS);
  EXPECT_EQ(returned.assignee(), "employees/sidorov");
  EXPECT_EQ(returned.return_count(), 1);

  Resolve(filed);
  const Ticket closed = Ok(&Stub::ConfirmTicket, "ivanova", On<ConfirmTicketRequest>(filed));
  EXPECT_EQ(closed.state(), Ticket::STATE_CLOSED);
  EXPECT_EQ(closed.closure_no(), 1);
  auto rate = On<RateTicketRequest>(filed);
  rate.set_score(5);
  rate.set_comment("Спасибо!");
  EXPECT_EQ(Ok(&Stub::RateTicket, "ivanova", rate).rating(), 5);

  auto reopen = On<ReopenTicketRequest>(filed);
  reopen.set_reason("Опять");
  const Ticket reopened = Ok(&Stub::ReopenTicket, "ivanova", reopen);
  EXPECT_EQ(reopened.state(), Ticket::STATE_QUEUED);
  EXPECT_TRUE(reopened.has_due_time());
  EXPECT_FALSE(reopened.has_close_time());
  auto cancel = On<CancelTicketRequest>(filed);
  cancel.set_reason("Купили новый");
  EXPECT_EQ(Ok(&Stub::CancelTicket, "ivanova", cancel).state(), Ticket::STATE_CANCELLED);

  const std::vector<TicketEvent> events = History(filed, "ivanova", 3);
  EXPECT_THAT(Types(events),
              ElementsAre("CREATED", "ASSIGNED", "STARTED", "WAITING", "RESUMED", "RESOLVED",
                          "SENT_BACK", "RESOLVED", "CONFIRMED", "RATED", "REOPENED", "CANCELLED"));
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].version(), static_cast<int64_t>(i + 1));
    EXPECT_EQ(events[i].name(), absl::StrCat(filed.name(), "/events/", i + 1));
  }
  EXPECT_EQ(events[3].text(), "Какой кабинет?");
  EXPECT_EQ(events[1].details().at("agent"), "employees/sidorov");
  EXPECT_EQ(suite_.database().Query("SELECT count(*) FROM ledger.sla_timer WHERE state = 'armed'"),
            "0");
  EXPECT_EQ(suite_.database().Query("SELECT sum(active) FROM ledger.agent_load"), "0");
}

TEST_F(TicketLife, NeededTodayRaisesThePriorityCutsTheTermAndKeepsTheReason) {
  CreateTicketRequest filing = CertificateRequest();
  const Ticket usual = File(filing);
  filing.set_request_id(Uuid());
  filing.mutable_ticket()->set_needed_today(true);
  filing.mutable_ticket()->set_needed_today_reason("Виза, запись на завтра");
  const Ticket today = File(filing);
  EXPECT_EQ(today.priority(), usual.priority() - 1);
  EXPECT_EQ(today.term().seconds(), 4 * 3600);
  EXPECT_EQ(today.needed_today_reason(), "Виза, запись на завтра");
  EXPECT_EQ(today.number(), "HR-000002");
}

TEST_F(TicketLife, ValidateOnlyPromisesTheSameAndStoresNothing) {
  CreateTicketRequest filing = CertificateRequest();
  filing.set_validate_only(true);
  const Ticket promise = File(filing);
  EXPECT_EQ(promise.name(), "");
  EXPECT_EQ(promise.number(), "");
  EXPECT_EQ(promise.etag(), "");
  EXPECT_TRUE(promise.has_due_time());
  EXPECT_EQ(promise.fields().fields().at("kind").string_value(), "2ndfl");
  EXPECT_EQ(suite_.database().Query("SELECT count(*) FROM ledger.ticket"), "0");
  EXPECT_EQ(suite_.database().Query("SELECT count(*) FROM ledger.idem"), "0");
  // The same request may then be filed in earnest.
  filing.set_validate_only(false);
  const Ticket filed = File(filing);
  EXPECT_EQ(filed.term().seconds(), promise.term().seconds());
  EXPECT_EQ(filed.priority(), promise.priority());
}

TEST_F(TicketLife, AFlowWithoutReviewClosesAtOnce) {
  CreateTicketRequest filing = SupportRequest();
  filing.mutable_ticket()->set_flow("flows/quick");
  const Ticket ticket = Assigned(filing);
  Start(ticket);
  EXPECT_EQ(Resolve(ticket).state(), Ticket::STATE_CLOSED);
}

TEST_F(TicketLife, AnAgentFilesForACallerWhoThenSeesIt) {
  CreateTicketRequest filing = SupportRequest();
  filing.mutable_ticket()->set_requester("employees/petrov");
  filing.mutable_ticket()->set_channel(api::v1::CHANNEL_PHONE);
  const Ticket ticket = Ok(&Stub::CreateTicket, kAgent, filing);
  EXPECT_EQ(ticket.requester(), "employees/petrov");
  EXPECT_EQ(ticket.opened_by(), "users/sidorov");
  EXPECT_EQ(ticket.channel(), api::v1::CHANNEL_PHONE);
  EXPECT_EQ(Get(ticket, "petrov").number(), ticket.number());
}

TEST_F(TicketLife, AFlowPublishedAMomentAgoIsFoundAtOnce) {
  File();
  // As another process would: the epoch moves with the rows, and nobody tells this one.
  suite_.database().Query(
      "INSERT INTO intake.flow_version SELECT 'fresh', 1, jsonb_set(jsonb_set(definition, '{id}', "
      "'\"fresh\"'),"
      " '{prefix}', '\"FR\"'), 'test', now() FROM intake.flow_version WHERE flow_id = 'quick';"
      "INSERT INTO intake.flow VALUES ('fresh', 1, 'FR', now());"
      "UPDATE ledger.reference_epoch SET epoch = epoch + 1 WHERE kind = 'flow'");
  CreateTicketRequest filing = SupportRequest();
  filing.mutable_ticket()->set_flow("flows/fresh");
  EXPECT_EQ(File(filing).number(), "FR-000001");
}

TEST_F(TicketLife, InternalNotesAreForTheDeskAlone) {
  const Ticket ticket = Assigned();
  Say(ticket, kAgent, "Опять этот принтер", true);
  Say(ticket, kAgent, "Иду к вам");
  EXPECT_THAT(Types(History(ticket, "ivanova")), ElementsAre("CREATED", "ASSIGNED", "COMMENTED"));
  EXPECT_THAT(Types(History(ticket, "ivanova", 1)),
              ElementsAre("CREATED", "ASSIGNED", "COMMENTED"));
  EXPECT_THAT(Types(History(ticket, kAgent)),
              ElementsAre("CREATED", "ASSIGNED", "COMMENTED", "COMMENTED"));
  // The head of the department sees the ticket but is not of the desk.
  EXPECT_EQ(History(ticket, "zaitsev:requester+departmentHead").size(), 3u);
}

TEST_F(TicketLife, OnlyTheRequestersPublicWordEndsTheWait) {
  const Ticket ticket = Assigned();
  auto wait = On<WaitTicketRequest>(ticket);
  wait.set_question("Какой кабинет?");
  Ok(&Stub::WaitTicket, kAgent, wait);
  EXPECT_EQ(Say(ticket, kAgent, "Жду ответа").ticket().state(), Ticket::STATE_WAITING);
  EXPECT_EQ(Say(ticket, kAdmin, "Ждём").ticket().state(), Ticket::STATE_WAITING);
  EXPECT_EQ(Say(ticket, "ivanova", "312").ticket().state(), Ticket::STATE_IN_PROGRESS);
  Ok(&Stub::WaitTicket, kAgent, [&] {
    auto again = On<WaitTicketRequest>(ticket);
    again.set_question("А этаж?");
    return again;
  }());
  EXPECT_EQ(Ok(&Stub::ResumeTicket, kAgent, On<ResumeTicketRequest>(ticket)).state(),
            Ticket::STATE_IN_PROGRESS);
}

TEST_F(TicketLife, AReplyAfterTheHolderHasGoneSendsTheTicketToTheQueue) {
  for (const char* gone : {"UPDATE intake.employee SET active = false WHERE id = 'sidorov'",
                           "UPDATE router.member SET removed_at = now() WHERE employee = 'sidorov'",
                           "INSERT INTO router.absence (employee, kind, starts_at, ends_at, "
                           "created_by, created_at) VALUES"
                           " ('sidorov', 'sick', now() - interval '1 hour', now() + interval '1 "
                           "day', 'users/belov', now())"}) {
    SCOPED_TRACE(gone);
    const Ticket ticket = Assigned();
    auto wait = On<WaitTicketRequest>(ticket);
    wait.set_question("Какой кабинет?");
    Ok(&Stub::WaitTicket, kAgent, wait);
    suite_.database().Query(gone);
    EXPECT_EQ(Say(ticket, "ivanova", "312").ticket().state(), Ticket::STATE_QUEUED);
    EXPECT_EQ(suite_.database().Query("SELECT sum(active) FROM ledger.agent_load"), "0");
    suite_.database().Query(
        "UPDATE intake.employee SET active = true WHERE id = 'sidorov';"
        "UPDATE router.member SET removed_at = NULL WHERE employee = 'sidorov'");
  }
}

TEST_F(TicketLife, TheHolderMovesTheDeadlineWhereTheFlowAllowsIt) {
  const Ticket ticket = Start(Assigned());
  auto request = On<ExtendDeadlineRequest>(ticket);
  request.mutable_due_time()->set_seconds(ticket.due_time().seconds() + 7 * 24 * 3600);
  request.set_reason("Ждём деталь");
  const Ticket extended = Ok(&Stub::ExtendDeadline, kAgent, request);
  EXPECT_GT(extended.due_time().seconds(), ticket.due_time().seconds());
  EXPECT_LE(extended.due_time().seconds(), request.due_time().seconds());
}

TEST_F(TicketLife, AnEtagLetsOneOfTwoThrough) {
  const Ticket ticket = File();
  Say(ticket, "ivanova", "Ещё и скрипит");
  auto cancel = On<CancelTicketRequest>(ticket);
  cancel.set_reason("не надо");
  cancel.set_etag(ticket.etag());
  Ticket answer;
  EXPECT_EQ(suite_.intake().CancelTicket(Suite::As("ivanova").get(), cancel, &answer).error_code(),
            grpc::ABORTED);
  cancel.set_etag(Get(ticket).etag());
  cancel.set_request_id(Uuid());
  EXPECT_EQ(Ok(&Stub::CancelTicket, "ivanova", cancel).state(), Ticket::STATE_CANCELLED);
}

}  // namespace
}  // namespace potok::testing
