// More is written than the transport can pass on: who is put off, who is not, and that it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "absl/strings/str_cat.h"
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "intake/bind.h"
#include "integration/suite.h"
#include "platform/testing/signal.h"
#include "potok/admin/v1/admin.grpc.pb.h"

namespace potok::testing {
namespace {

using intake::v1::CreateTicketRequest;
using intake::v1::Ticket;
using Admission = admin::v1::TransportStatus::Admission;

enum Kind { kNormal, kLow, kBulk };

CreateTicketRequest Request(Kind kind) {
  CreateTicketRequest request = SupportRequest();
  if (kind == kLow) {
    request.mutable_ticket()->set_urgency(api::v1::DEGREE_LOW);
    request.mutable_ticket()->set_impact(api::v1::DEGREE_LOW);
  }
  request.set_bulk(kind == kBulk);
  return request;
}

grpc::Status Create(Suite& suite, const CreateTicketRequest& request, Ticket* ticket = nullptr,
                    const std::string& locale = "en") {
  Ticket made;
  return suite.intake().CreateTicket(Suite::As("ivanova", locale).get(), request,
                                     ticket == nullptr ? &made : ticket);
}

Admission AdmissionOf(Suite& suite) {
  admin::v1::TransportStatus status;
  const auto stub = suite.Stub<admin::v1::AdminService>("intake");
  const grpc::Status answered =
      stub->GetTransportStatus(Suite::As("root:admin").get(), {}, &status);
  EXPECT_TRUE(answered.ok()) << answered.error_message();
  return status.admission();
}

bool Becomes(Suite& suite, Admission::State state) {
  return Eventually([&] { return AdmissionOf(suite).state() == state; });
}

// Refused as back-pressure is: with a reason, a time to come again, and words for people.
void ExpectPutOff(const grpc::Status& status, const std::string& admission,
                  const std::string& words) {
  ASSERT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  bool reason = false, retry = false, localized = false;
  for (const auto& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo again;
    google::rpc::LocalizedMessage message;
    if (any.UnpackTo(&info)) {
      reason = info.reason() == "CREATES_PAUSED" && info.metadata().at("admission") == admission;
    } else if (any.UnpackTo(&again)) {
      retry = again.retry_delay().seconds() >= 10;
    } else if (any.UnpackTo(&message)) {
      localized = message.message().find(words) != std::string::npos;
    }
  }
  EXPECT_TRUE(reason && retry && localized) << details.DebugString();
}

// Nobody moves the outbox: the leases of the relay are another's, who does nothing.
void StopRelay(Suite& suite) {
  suite.database().Query(
      "UPDATE ledger.lease SET owner = 'stuck', token = gen_random_uuid(), "
      "expires_at = clock_timestamp() + interval '1 hour' WHERE name LIKE 'relay:%';"
      "UPDATE ledger.part_head SET token = gen_random_uuid()");
}
void ReleaseRelay(Suite& suite) {
  suite.database().Query(
      "UPDATE ledger.lease SET expires_at = '-infinity' WHERE name LIKE 'relay:%'");
}

TEST(Backpressure, AGrowingBacklogPutsOffTheUnimportantThenAllAndEndsByItself) {
  Suite suite({.config = {{"intake",
                           {"ledger.outbox_soft_limit=5", "ledger.outbox_hard_limit=12",
                            "ledger.log_lag_limit_ms=3600000"}}}});
  Ticket early;
  ASSERT_TRUE(Create(suite, Request(kLow), &early).ok());
  EXPECT_TRUE(Becomes(suite, Admission::STATE_OPEN));
  StopRelay(suite);

  // Beyond the soft limit.
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(Create(suite, Request(kNormal)).ok());
  ASSERT_TRUE(Becomes(suite, Admission::STATE_SHEDDING_LOW));
  ExpectPutOff(Create(suite, Request(kLow)), "SHEDDING_LOW", "low priority");
  ExpectPutOff(Create(suite, Request(kBulk), nullptr, "ru"), "SHEDDING_LOW", "массовая подача");
  CreateTicketRequest probe = Request(kLow);
  probe.set_validate_only(true);
  EXPECT_TRUE(Create(suite, probe).ok()) << "it stores nothing";
  Ticket normal;
  EXPECT_TRUE(Create(suite, Request(kNormal), &normal).ok());

  // Beyond the hard one.
  for (int i = 0; i < 6; ++i) {
    // The state may change in between.
    (void)Create(suite, Request(kNormal));
  }
  ASSERT_TRUE(Becomes(suite, Admission::STATE_SHEDDING_ALL));
  const CreateTicketRequest waiting = Request(kNormal);
  ExpectPutOff(Create(suite, waiting), "SHEDDING_ALL", "no new requests");
  EXPECT_GT(AdmissionOf(suite).outbox_count(), 12);
  EXPECT_NE(suite.process("intake").metrics().Render().find("potok_admission_state 2"),
            std::string::npos);
  // Work on what is filed goes on.
  intake::v1::CancelTicketRequest cancel;
  cancel.set_name(normal.name());
  cancel.set_request_id(Uuid());
  cancel.set_reason("уже не нужно");
  Ticket cancelled;
  const grpc::Status done =
      suite.intake().CancelTicket(Suite::As("ivanova").get(), cancel, &cancelled);
  EXPECT_TRUE(done.ok()) << done.error_message();

  // The relay is back: the same requests are taken, each once.
  ReleaseRelay(suite);
  ASSERT_TRUE(Becomes(suite, Admission::STATE_OPEN));
  Ticket first, again;
  EXPECT_TRUE(Create(suite, waiting, &first).ok());
  EXPECT_TRUE(Create(suite, waiting, &again).ok());
  EXPECT_EQ(first.name(), again.name());
  EXPECT_TRUE(Create(suite, Request(kLow)).ok());
}

TEST(Backpressure, ConsumersThatFallBehindPutOffTheUnimportant) {
  // Nobody consumes: the first event is behind for good.
  Suite suite({.config = {{"intake", {"ledger.log_lag_limit_ms=1"}}}});
  ASSERT_TRUE(Create(suite, Request(kNormal)).ok());
  ASSERT_TRUE(Becomes(suite, Admission::STATE_SHEDDING_LOW));
  ExpectPutOff(Create(suite, Request(kBulk)), "SHEDDING_LOW", "in bulk");
  EXPECT_TRUE(Create(suite, Request(kNormal)).ok());
  // They catch up.
  ASSERT_TRUE(Eventually([&] {
    suite.database().Query(
        "UPDATE ledger.consumer_offset c SET pos = h.next_pos - 1 FROM ledger.part_head h "
        "WHERE h.topic = c.topic AND h.part = c.part");
    return AdmissionOf(suite).state() == Admission::STATE_OPEN;
  }));
  EXPECT_TRUE(Create(suite, Request(kBulk)).ok());
}

}  // namespace
}  // namespace potok::testing
