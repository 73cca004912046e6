// Dead letters through the processes themselves: told and repaired at intake, carried out again by
// whoever owns the part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "absl/strings/str_cat.h"

#include "analytics/bind.h"
#include "intake/bind.h"
#include "integration/suite.h"
#include "notifier/bind.h"
#include "platform/testing/signal.h"
#include "potok/admin/v1/admin.grpc.pb.h"
#include "router/bind.h"
#include "sla-timer/bind.h"

namespace potok::testing {
namespace {

using namespace admin::v1;  // NOLINT: a test of exactly these messages.
using ::testing::HasSubstr;

class DeadLettersTest : public ::testing::Test {
 protected:
  DeadLettersTest()
      : suite_({.services = {intake::Spec(), router::Spec(), sla_timer::Spec(), notifier::Spec(),
                             analytics::Spec()}}),
        admin_(suite_.Stub<AdminService>("intake")) {}

  // A ticket with a life: filed, commented, assigned when somebody is there, cancelled.
  void File() {
    intake::v1::Ticket ticket;
    const grpc::Status filed =
        suite_.intake().CreateTicket(Suite::As("ivanova").get(), SupportRequest(), &ticket);
    ASSERT_TRUE(filed.ok()) << filed.error_message();
    intake::v1::AddCommentRequest comment;
    comment.set_name(ticket.name());
    comment.set_text("ещё и шумит");
    comment.set_request_id(Uuid());
    intake::v1::AddCommentResponse commented;
    EXPECT_TRUE(suite_.intake().AddComment(Suite::As("ivanova").get(), comment, &commented).ok());
    intake::v1::CancelTicketRequest cancel;
    cancel.set_name(ticket.name());
    cancel.set_reason("починилось само");
    cancel.set_request_id(Uuid());
    EXPECT_TRUE(suite_.intake().CancelTicket(Suite::As("ivanova").get(), cancel, &ticket).ok());
  }
  bool CaughtUp() {
    return Eventually([&] {
      return Query("SELECT count(*) FROM ledger.outbox") == "0" &&
             Query(
                 "SELECT count(*) FROM ledger.consumer_offset c JOIN ledger.part_head h "
                 "USING (topic, part) WHERE c.pos < h.next_pos - 1") == "0";
    });
  }
  std::string Query(const std::string& sql) { return suite_.database().Query(sql); }
  // What the four groups have made of the log, to the last row.
  std::string Effects() {
    std::string all;
    for (const char* table : {"notifier.delivery", "notifier.inbox", "notifier.inbox_head",
                              "notifier.planned", "analytics.ticket_fact", "analytics.rollup_day",
                              "analytics.rollup_total", "ledger.ticket_event", "ledger.ticket"}) {
      absl::StrAppend(
          &all, table, " ",
          Query(absl::StrCat("SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, "
                             "'|' ORDER BY t::text)), '') FROM ",
                             table, " t")),
          "\n");
    }
    return all;
  }

  Suite suite_;
  std::unique_ptr<AdminService::Stub> admin_;
};

TEST_F(DeadLettersTest, EveryHandlerBearsOldEntriesAfterNewerOnes) {
  for (int i = 0; i < 5; ++i) File();
  ASSERT_TRUE(CaughtUp());
  const std::string before = Effects();
  // Every entry that was handled is a dead letter of every group that handled it, and comes again
  // last of all.
  Query(
      "INSERT INTO ledger.dlq (grp, topic, part, pos, entity, version, type, attempts, reason, "
      "state) "
      "SELECT c.grp, l.topic, l.part, l.pos, l.entity, l.version, l.type, 5, 'INTERNAL: a bug', "
      "'parked' FROM ledger.event_log l JOIN ledger.consumer_offset c USING (topic, part)");
  const std::string letters = Query("SELECT count(*) FROM ledger.dlq");
  ASSERT_GT(std::stoi(letters), 4 * 5);

  ReplayDeadLettersRequest request;
  request.set_filter("state = PARKED");
  request.set_rate_per_second(1000);
  request.set_request_id(Uuid());
  ReplayDeadLettersResponse scheduled;
  const grpc::Status status =
      admin_->ReplayDeadLetters(Suite::As("root:admin").get(), request, &scheduled);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(absl::StrCat(scheduled.scheduled_count()), letters);
  ASSERT_TRUE(Eventually(
      [&] { return Query("SELECT count(*) FROM ledger.dlq WHERE state = 'replayed'") == letters; }))
      << Query(
             "SELECT string_agg(grp || ' ' || state || ' ' || reason, ', ') FROM ledger.dlq WHERE "
             "state <> 'replayed'");
  EXPECT_EQ(Effects(), before);
  for (const char* service : {"router", "sla-timer", "notifier", "analytics"}) {
    EXPECT_THAT(suite_.process(service).metrics().Render(),
                HasSubstr("potok_dead_letters_replayed_total{group="))
        << service;
  }
  VerifyLedgerRequest verify;
  VerifyLedgerResponse verified;
  ASSERT_TRUE(admin_->VerifyLedger(Suite::As("root:admin").get(), verify, &verified).ok());
  EXPECT_TRUE(verified.clean()) << verified.DebugString();
}

TEST_F(DeadLettersTest, ReadingIsForAuditorsRepairingForAdmins) {
  Query(
      "INSERT INTO ledger.dlq (grp, topic, part, pos, entity, version, type, attempts, reason, "
      "state) "
      "VALUES ('analytics', 1, 3, 17, gen_random_uuid(), 1, 'created', 5, 'INTERNAL: a bug', "
      "'parked')");
  ListDeadLettersResponse list;
  EXPECT_EQ(admin_->ListDeadLetters(Suite::As("ivanova").get(), {}, &list).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(admin_->ListDeadLetters(Suite::As("smirnov:auditor").get(), {}, &list).ok());
  ASSERT_EQ(list.dead_letters_size(), 1);
  const std::string name = "deadLetters/analytics-assignment-3-17";
  EXPECT_EQ(list.dead_letters(0).name(), name);

  DropDeadLettersRequest drop;
  drop.add_names(name);
  drop.set_reason("заявка учебная");
  drop.set_request_id(Uuid());
  DropDeadLettersResponse dropped;
  EXPECT_EQ(
      admin_->DropDeadLetters(Suite::As("smirnov:auditor").get(), drop, &dropped).error_code(),
      grpc::StatusCode::PERMISSION_DENIED);
  drop.clear_reason();
  EXPECT_EQ(admin_->DropDeadLetters(Suite::As("root:admin").get(), drop, &dropped).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT)
      << "a reason is mandatory";
  drop.set_reason("заявка учебная");
  ASSERT_TRUE(admin_->DropDeadLetters(Suite::As("root:admin").get(), drop, &dropped).ok());
  EXPECT_EQ(dropped.dropped_count(), 1);
  GetDeadLetterRequest get;
  get.set_name(name);
  DeadLetter letter;
  ASSERT_TRUE(admin_->GetDeadLetter(Suite::As("smirnov:auditor").get(), get, &letter).ok());
  EXPECT_EQ(letter.state(), DeadLetter::STATE_DROPPED);
  EXPECT_EQ(letter.drop_reason(), "заявка учебная");
  EXPECT_THAT(letter.requested_by(), HasSubstr("root"));
}

}  // namespace
}  // namespace potok::testing
