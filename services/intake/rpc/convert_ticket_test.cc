#include "intake/rpc/convert_ticket.h"

#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "intake/rpc/convert_event.h"

namespace potok::intake {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1767225600);

desk::Ticket Sample() {
  desk::Ticket ticket;
  ticket.id = "0190a1b2-c3d4-7005-8000-00000000002a";
  ticket.number = "HR-000007";
  ticket.flow_id = "hr-certificates";
  ticket.requester = "ivanova";
  ticket.caller = "users/ivanova";
  ticket.title = "Справка";
  ticket.description = "для банка";
  ticket.fields_json = R"({"kind":"2ndfl","copies":2,"urgent":true,"marks":["a","b"]})";
  ticket.created_at = ticket.updated_at = kNow;
  ticket.version = 3;
  return ticket;
}

TEST(ConvertTicket, EveryStateAndEventHasItsNameOnTheWire) {
  for (const desk::State state : desk::kAllStates) {
    EXPECT_EQ(v1::Ticket::State_Name(StateToWire(state)),
              absl::StrCat("STATE_", std::string(desk::Name(state))));
  }
  for (const desk::EventType type : desk::kAllEventTypes) {
    desk::Event event;
    event.type = type;
    EXPECT_EQ(v1::TicketEvent::Type_Name(ToWire("id", event).type()),
              absl::StrCat("TYPE_", absl::AsciiStrToUpper(std::string(desk::Name(type)))));
  }
}

TEST(ConvertTicket, EveryQueueReasonHasItsNameOnTheWire) {
  for (int i = 0; i <= static_cast<int>(desk::QueueReason::kNoMembers); ++i) {
    const auto reason = static_cast<desk::QueueReason>(i);
    const v1::Ticket wire = ToWire(Sample(), v1::TICKET_VIEW_BASIC, kNow, reason);
    EXPECT_EQ(api::v1::QueueReason_Name(wire.queue_reason()),
              absl::StrCat("QUEUE_REASON_", std::string(desk::Name(reason))));
  }
}

TEST(ConvertTicket, BasicViewLeavesTheLongWordsOut) {
  const v1::Ticket basic = ToWire(Sample(), v1::TICKET_VIEW_BASIC, kNow, {});
  EXPECT_EQ(basic.description(), "");
  EXPECT_FALSE(basic.has_fields());
  const v1::Ticket full = ToWire(Sample(), v1::TICKET_VIEW_FULL, kNow, {});
  EXPECT_EQ(full.description(), "для банка");
  EXPECT_EQ(full.name(), "tickets/0190a1b2-c3d4-7005-8000-00000000002a");
  EXPECT_EQ(full.etag(), "\"3\"");
  EXPECT_EQ(full.fields().fields().at("copies").number_value(), 2);
}

TEST(ConvertTicket, WhatWasFilledInComesBack) {
  v1::Ticket wire = ToWire(Sample(), v1::TICKET_VIEW_FULL, kNow, {});
  wire.set_channel(api::v1::CHANNEL_WALK_IN);
  wire.set_urgency(api::v1::DEGREE_UNSPECIFIED);
  const auto filing = FilingFromWire(wire);
  ASSERT_TRUE(filing.ok());
  EXPECT_EQ(filing->flow_id, "hr-certificates");
  EXPECT_EQ(filing->requester, "ivanova");
  EXPECT_EQ(filing->channel, "walk_in");
  EXPECT_EQ(filing->urgency, 2);
  EXPECT_EQ(filing->answers.at("copies"), desk::FieldValue(2.0));
  EXPECT_EQ(filing->answers.at("marks"), desk::FieldValue(std::vector<std::string>{"a", "b"}));
}

TEST(ConvertTicket, AnswersOfNoKnownShapeAreNamed) {
  v1::Ticket wire;
  (*(*wire.mutable_fields()->mutable_fields())["kind"]
        .mutable_struct_value()
        ->mutable_fields())["x"];
  const auto filing = FilingFromWire(wire);
  ASSERT_EQ(filing.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GetErrorDetail(filing.status()).fields[0].field, "ticket.fields.kind");
}

TEST(ConvertTicket, OverdueIsJudgedByTheEndOfWorkAndNotByTheReadersClock) {
  desk::Ticket ticket = Sample();
  EXPECT_FALSE(IsOverdue(ticket, kNow));
  ticket.sla.due_at = kNow;
  EXPECT_FALSE(IsOverdue(ticket, kNow));
  EXPECT_TRUE(IsOverdue(ticket, kNow + absl::Seconds(1)));
  ticket.resolved_at = kNow - absl::Seconds(1);
  EXPECT_FALSE(IsOverdue(ticket, kNow + absl::Hours(1)));
  ticket.breached_at = kNow;
  EXPECT_TRUE(IsOverdue(ticket, kNow));
}

TEST(ConvertTicket, ARatingOfAnEarlierClosureIsNotTheRatingOfThisOne) {
  desk::Ticket ticket = Sample();
  ticket.rating = 4;
  ticket.closure_no = ticket.rated_closure = 1;
  EXPECT_EQ(ToWire(ticket, v1::TICKET_VIEW_BASIC, kNow, {}).rating(), 4);
  ticket.closure_no = 2;
  EXPECT_EQ(ToWire(ticket, v1::TICKET_VIEW_BASIC, kNow, {}).rating(), 0);
}

TEST(ConvertTicket, TimesSurviveToTheMicrosecondAlsoBeforeTheEpoch) {
  for (const int64_t micros : {int64_t{1767225600123456}, int64_t{-1}, int64_t{-1000001}}) {
    google::protobuf::Timestamp wire;
    SetTimestamp(absl::FromUnixMicros(micros), &wire);
    EXPECT_GE(wire.nanos(), 0);
    EXPECT_EQ(absl::ToUnixMicros(*TimeFromWire("t", wire)), micros);
  }
  google::protobuf::Timestamp wrong;
  wrong.set_nanos(-1);
  EXPECT_FALSE(TimeFromWire("due_time", wrong).ok());
}

TEST(ConvertEvent, TellsTheFactsOfItsTypeAndNoOthers) {
  desk::Event event;
  event.type = desk::EventType::kAssigned;
  event.agent = "petrov";
  event.how = "round_robin";
  event.from_agent = "sidorov";
  const v1::TicketEvent wire = ToWire("id", event);
  EXPECT_EQ(wire.details().size(), 2u);
  EXPECT_EQ(wire.details().at("agent"), "employees/petrov");
}

TEST(ConvertEvent, InternalNotesAreForThoseWhoWorkOnTheTicket) {
  desk::Event note;
  note.type = desk::EventType::kCommented;
  note.how = "internal";
  desk::Relation requester;
  requester.sees = requester.requester = true;
  EXPECT_FALSE(MaySee(note, requester));
  note.how = "public";
  EXPECT_TRUE(MaySee(note, requester));
  desk::Relation team = requester;
  team.sees_internal = true;
  note.how = "internal";
  EXPECT_TRUE(MaySee(note, team));
  EXPECT_FALSE(MaySee(note, desk::Relation()));
}

}  // namespace
}  // namespace potok::intake
