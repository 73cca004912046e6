// One request_id, one effect: however many callers, however often, on whatever method.
#include <atomic>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "intake/bind.h"
#include "integration/suite.h"
#include "platform/testing/signal.h"
#include "platform/testing/status_matchers.h"

namespace potok::testing {
namespace {

using intake::v1::Ticket;

class Idempotency : public ::testing::Test {
 protected:
  Ticket File(const intake::v1::CreateTicketRequest& request) {
    Ticket ticket;
    const grpc::Status status =
        suite_.intake().CreateTicket(Suite::As("ivanova").get(), request, &ticket);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return ticket;
  }
  std::string Count(const std::string& table) {
    return suite_.database().Query("SELECT count(*) FROM ledger." + table);
  }

  Suite suite_;
};

// Runs `call` on `count` threads at once and gives their answers as bytes.
template <class Call>
std::vector<std::string> AtOnce(int count, const Call& call) {
  std::vector<std::string> answers(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] { answers[i] = call(); });
  }
  for (std::thread& thread : threads) thread.join();
  return answers;
}

TEST_F(Idempotency, SixtyFourCallersWithOneRequestIdGetOneTicketAndEqualAnswers) {
  const auto request = CertificateRequest();
  const std::vector<std::string> answers = AtOnce(64, [&] {
    Ticket ticket;
    const grpc::Status status =
        suite_.intake().CreateTicket(Suite::As("ivanova").get(), request, &ticket);
    if (!status.ok()) return absl::StrCat("failed: ", status.error_message());
    return ticket.ShortDebugString();
  });
  for (const std::string& answer : answers) EXPECT_EQ(answer, answers[0]);
  EXPECT_EQ(answers[0].find("failed"), std::string::npos) << answers[0];
  EXPECT_EQ(Count("ticket"), "1");
  EXPECT_EQ(Count("ticket_event"), "1");
  EXPECT_EQ(Count("idem"), "1");
  EXPECT_EQ(suite_.database().Query("SELECT next FROM ledger.flow_counter"), "2");
}

TEST_F(Idempotency, ARepeatGetsTheFirstAnswerAlsoAfterTheTicketHasMovedOn) {
  auto request = SupportRequest();
  const Ticket first = File(request);
  ASSERT_THAT(suite_.Assign(first.name(), "sidorov"), IsOk());
  EXPECT_EQ(File(request).DebugString(), first.DebugString());
  // A UUID is the same in capitals.
  request.set_request_id(absl::AsciiStrToUpper(request.request_id()));
  EXPECT_EQ(File(request).DebugString(), first.DebugString());
  EXPECT_EQ(Count("ticket"), "1");
}

// The form asks for more than it did, or the flow is gone for the filer: the first answer stands.
TEST_F(Idempotency, ARepeatGetsTheFirstAnswerAlsoAfterTheFlowHasChanged) {
  const auto request = SupportRequest();
  const Ticket first = File(request);
  suite_.database().Query(
      "INSERT INTO intake.flow_version (flow_id, version, definition, published_by, published_at) "
      "SELECT flow_id, version + 1, jsonb_set(definition, '{who_may_file}', "
      "'{\"all\": false, \"departments\": [], \"employees\": [\"nobody\"]}'), 'test', now() "
      "FROM intake.flow_version WHERE flow_id = 'it-support';"
      "UPDATE intake.flow SET version = version + 1 WHERE id = 'it-support';"
      "UPDATE ledger.reference_epoch SET epoch = epoch + 1 WHERE kind = 'flow'");
  Ticket refused;
  grpc::Status status;
  ASSERT_TRUE(Eventually([&] {
    status = suite_.intake().CreateTicket(Suite::As("ivanova").get(), SupportRequest(), &refused);
    return !status.ok();
  }));
  EXPECT_EQ(status.error_code(), grpc::PERMISSION_DENIED) << status.error_message();
  EXPECT_EQ(File(request).DebugString(), first.DebugString());
  auto other = request;
  other.mutable_ticket()->set_title("Другое");
  EXPECT_EQ(suite_.intake().CreateTicket(Suite::As("ivanova").get(), other, &refused).error_code(),
            grpc::ALREADY_EXISTS);
}

TEST_F(Idempotency, OneRequestIdOfTwoCallersIsTwoTickets) {
  const auto request = SupportRequest();
  File(request);
  Ticket ticket;
  EXPECT_TRUE(suite_.intake().CreateTicket(Suite::As("petrov").get(), request, &ticket).ok());
  EXPECT_EQ(Count("ticket"), "2");
}

TEST_F(Idempotency, OtherContentUnderTheSameRequestIdIsRefusedAndTheFirstAnswerStays) {
  auto request = SupportRequest();
  const Ticket first = File(request);
  auto other = request;
  other.mutable_ticket()->set_title("Другое");
  Ticket ticket;
  EXPECT_EQ(suite_.intake().CreateTicket(Suite::As("ivanova").get(), other, &ticket).error_code(),
            grpc::ALREADY_EXISTS);
  EXPECT_EQ(File(request).DebugString(), first.DebugString());
}

TEST_F(Idempotency, ARefusedCallDoesNotUseUpItsRequestId) {
  auto request = SupportRequest();
  request.mutable_ticket()->set_flow("flows/hr-certificates");
  Ticket ticket;
  EXPECT_FALSE(suite_.intake().CreateTicket(Suite::As("ivanova").get(), request, &ticket).ok());
  (*request.mutable_ticket()->mutable_fields()->mutable_fields())["kind"].set_string_value("work");
  File(request);
}

TEST_F(Idempotency, SixtyFourStartsWithOneRequestIdAreOneStart) {
  const Ticket ticket = File(SupportRequest());
  ASSERT_THAT(suite_.Assign(ticket.name(), "sidorov"), IsOk());
  intake::v1::StartTicketRequest request;
  request.set_name(ticket.name());
  request.set_request_id(Uuid());
  const std::vector<std::string> answers = AtOnce(64, [&] {
    Ticket started;
    const grpc::Status status =
        suite_.intake().StartTicket(Suite::As("sidorov:requester+agent").get(), request, &started);
    if (!status.ok()) return absl::StrCat("failed: ", status.error_message());
    return started.ShortDebugString();
  });
  for (const std::string& answer : answers) EXPECT_EQ(answer, answers[0]);
  EXPECT_EQ(Count("ticket_event"), "3");
}

TEST_F(Idempotency, ARepeatedCommentIsSaidOnce) {
  const Ticket ticket = File(SupportRequest());
  intake::v1::AddCommentRequest request;
  request.set_name(ticket.name());
  request.set_text("Ещё и скрипит");
  request.set_request_id(Uuid());
  std::string first;
  for (int i = 0; i < 3; ++i) {
    intake::v1::AddCommentResponse answer;
    ASSERT_TRUE(suite_.intake().AddComment(Suite::As("ivanova").get(), request, &answer).ok());
    if (i == 0) first = answer.DebugString();
    EXPECT_EQ(answer.DebugString(), first);
  }
  EXPECT_EQ(Count("event_text"), "1");
}

TEST_F(Idempotency, SixtyFourCallersWithTheirOwnRequestIdsGetSixtyFourNumbersWithoutAGap) {
  AtOnce(64, [&] { return File(SupportRequest()).number(); });
  EXPECT_EQ(suite_.database().Query(
                "SELECT count(DISTINCT number) || ' ' || min(number) || ' ' || max(number)"
                " FROM ledger.ticket"),
            "64 IT-000001 IT-000064");
}

TEST(IdempotencyOfReplicas, TwoReplicasGivenOneRequestIdMakeOneTicketAndAnswerAlike) {
  Suite suite({.services = {intake::Spec(), intake::Spec()}});
  const auto second = suite.Stub<intake::v1::IntakeService>("intake/2");
  for (int round = 0; round < 5; ++round) {
    const auto request = SupportRequest();
    std::atomic<int> turn{0};
    const std::vector<std::string> answers = AtOnce(64, [&] {
      Ticket ticket;
      auto& stub = turn++ % 2 == 0 ? suite.intake() : *second;
      const grpc::Status status = stub.CreateTicket(Suite::As("ivanova").get(), request, &ticket);
      if (!status.ok()) return absl::StrCat("failed: ", status.error_message());
      return ticket.ShortDebugString();
    });
    for (const std::string& answer : answers) EXPECT_EQ(answer, answers[0]);
    EXPECT_EQ(answers[0].find("failed"), std::string::npos) << answers[0];
    EXPECT_EQ(suite.database().Query("SELECT count(*) FROM ledger.ticket"),
              absl::StrCat(round + 1));
  }
}

}  // namespace
}  // namespace potok::testing
