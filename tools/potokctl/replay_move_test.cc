#include "replay_move.h"

#include "gmock/gmock.h"

namespace potok::ctl {
namespace {

using intake::v1::Ticket;
using intake::v1::TicketEvent;
using Kind = RecordedStep::Kind;

constexpr Kind kKinds[] = {Kind::kStart, Kind::kWait,     Kind::kResume, Kind::kResolve,
                           Kind::kClose, Kind::kSendBack, Kind::kCancel};

// Where each call leads from where it is allowed; the state machine of the ticket in short.
Ticket::State After(ReplayMove move) {
  switch (move) {
    case ReplayMove::kStart:
    case ReplayMove::kResume:
    case ReplayMove::kSendBack: return Ticket::STATE_IN_PROGRESS;
    case ReplayMove::kWait: return Ticket::STATE_WAITING;
    case ReplayMove::kResolve: return Ticket::STATE_RESOLVED;
    case ReplayMove::kConfirm: return Ticket::STATE_CLOSED;
    case ReplayMove::kHolder: return Ticket::STATE_ASSIGNED;
    case ReplayMove::kReopen: return Ticket::STATE_QUEUED;
    default: return Ticket::STATE_CANCELLED;
  }
}

TEST(NextMove, EveryWayEndsWithinThreeCalls) {
  for (int state = Ticket::STATE_QUEUED; state <= Ticket::STATE_CANCELLED; ++state) {
    for (const Kind kind : kKinds) {
      auto at = static_cast<Ticket::State>(state);
      int calls = 0;
      ReplayMove move = NextMove(at, kind);
      for (; move != ReplayMove::kNone && move != ReplayMove::kImpossible;
           move = NextMove(at, kind)) {
        at = After(move);
        ASSERT_LE(++calls, 3) << Ticket::State_Name(state) << " " << static_cast<int>(kind);
      }
    }
  }
}

TEST(NextMove, AResultNeedsAHolderAStartAndIsThenGiven) {
  EXPECT_EQ(NextMove(Ticket::STATE_QUEUED, Kind::kResolve), ReplayMove::kHolder);
  EXPECT_EQ(NextMove(Ticket::STATE_ASSIGNED, Kind::kResolve), ReplayMove::kStart);
  EXPECT_EQ(NextMove(Ticket::STATE_WAITING, Kind::kResolve), ReplayMove::kResume);
  EXPECT_EQ(NextMove(Ticket::STATE_IN_PROGRESS, Kind::kResolve), ReplayMove::kResolve);
  EXPECT_EQ(NextMove(Ticket::STATE_RESOLVED, Kind::kResolve), ReplayMove::kNone);
}

TEST(NextMove, WhatClosedByItselfIsReopenedRatherThanSentBack) {
  EXPECT_EQ(NextMove(Ticket::STATE_RESOLVED, Kind::kSendBack), ReplayMove::kSendBack);
  EXPECT_EQ(NextMove(Ticket::STATE_CLOSED, Kind::kSendBack), ReplayMove::kReopen);
  EXPECT_EQ(NextMove(Ticket::STATE_CLOSED, Kind::kClose), ReplayMove::kNone);
  EXPECT_EQ(NextMove(Ticket::STATE_CANCELLED, Kind::kStart), ReplayMove::kImpossible);
}

RecordedCase With(std::vector<Kind> kinds) {
  RecordedCase c;
  for (const Kind kind : kinds) c.steps.push_back({kind, absl::UnixEpoch(), ""});
  return c;
}

std::vector<TicketEvent> Events(std::vector<TicketEvent::Type> types) {
  std::vector<TicketEvent> events(types.size());
  for (size_t i = 0; i < types.size(); ++i) events[i].set_type(types[i]);
  return events;
}

TEST(StepsDone, AHistoryTellsHowFarAnEarlierRunCame) {
  const RecordedCase c =
      With({Kind::kStart, Kind::kWait, Kind::kResume, Kind::kResolve, Kind::kClose});
  EXPECT_EQ(StepsDone(c, Events({TicketEvent::TYPE_CREATED})), 0u);
  EXPECT_EQ(StepsDone(c, Events({TicketEvent::TYPE_CREATED, TicketEvent::TYPE_ASSIGNED,
                                 TicketEvent::TYPE_STARTED})),
            1u);
  EXPECT_EQ(StepsDone(c, Events({TicketEvent::TYPE_CREATED, TicketEvent::TYPE_ASSIGNED,
                                 TicketEvent::TYPE_STARTED, TicketEvent::TYPE_HALF_REMINDED,
                                 TicketEvent::TYPE_WAITING, TicketEvent::TYPE_RESUMED})),
            3u);
  EXPECT_EQ(StepsDone(c, Events({TicketEvent::TYPE_CREATED, TicketEvent::TYPE_ASSIGNED,
                                 TicketEvent::TYPE_STARTED, TicketEvent::TYPE_WAITING,
                                 TicketEvent::TYPE_RESUMED, TicketEvent::TYPE_RESOLVED,
                                 TicketEvent::TYPE_AUTO_CLOSED})),
            5u);
}

TEST(StepsDone, CallsOnTheWayAreNotTakenForSteps) {
  // Recorded New > Resolved: the start in between is Potok's.
  const RecordedCase c = With({Kind::kResolve, Kind::kClose});
  EXPECT_EQ(StepsDone(c, Events({TicketEvent::TYPE_CREATED, TicketEvent::TYPE_ASSIGNED,
                                 TicketEvent::TYPE_STARTED})),
            0u);
  // A result that is sent back is in work at once: the recorded start leaves no event.
  const RecordedCase back = With({Kind::kResolve, Kind::kSendBack, Kind::kStart, Kind::kResolve});
  EXPECT_EQ(StepsDone(back, Events({TicketEvent::TYPE_STARTED, TicketEvent::TYPE_RESOLVED,
                                    TicketEvent::TYPE_SENT_BACK, TicketEvent::TYPE_RESOLVED})),
            4u);
  // A recorded wait that was resolved without a resume of its own.
  const RecordedCase waits = With({Kind::kWait, Kind::kResolve, Kind::kClose});
  EXPECT_EQ(StepsDone(waits, Events({TicketEvent::TYPE_WAITING, TicketEvent::TYPE_RESUMED})), 1u);
}

}  // namespace
}  // namespace potok::ctl
