#include "desk/ticket/decide.h"

#include <random>

#include "gtest/gtest.h"

#include "base/error.h"
#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"

namespace potok::desk {
namespace {

absl::Time At(const char* text) {
  absl::Time t;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &t, &error)) << error;
  return t;
}

// A flow of two lines with a two-day term, one escalation step an hour after the breach.
class DecideTest : public testing::Test {
 protected:
  DecideTest() {
    calendar_ = *Calendar::Compile(RussianProductionCalendar("ru", "Europe/Moscow"), 2025, 2028);
    flow_.id = "hr";
    flow_.prefix = "HR";
    flow_.lines = 2;
    flow_.admins = {"boss"};
    policy_.id = "standard";
    policy_.calendar_id = "ru";
    policy_.fallback.resolution = Target{Target::kWorkingDays, 2};
    policy_.fallback.first_response = Target{Target::kWorkingHours, 2};
    policy_.steps = {{1, absl::Hours(1), EscalationStep::kNextLine}};
    facts_.flow = &flow_;
    facts_.policy = &policy_;
    facts_.calendar = calendar_.get();
    facts_.loads = {{"anna", {0, 3}}, {"boris", {3, 3}}, {"vera", {0, 3}}};
    requester_.principal = "users/petrov";
    requester_.employee = "petrov";
    holder_.principal = "users/anna";
    holder_.employee = "anna";
    holder_.flows_served = {"hr"};
    admin_.principal = "users/boss";
    admin_.employee = "boss";
    admin_.flows_administered = {"hr"};
    stranger_.principal = "users/other";
    stranger_.employee = "other";
  }

  absl::StatusOr<Ticket> Do(const Viewer& viewer, Action action) {
    Command command;
    command.viewer = viewer;
    command.action = std::move(action);
    const bool born = std::holds_alternative<CreateTicket>(command.action);
    absl::StatusOr<Event> event = Decide(facts_, born ? nullptr : &ticket_, command, now_);
    if (!event.ok()) return event.status();
    const std::optional<State> from = born ? std::nullopt : std::optional<State>(ticket_.state);
    EXPECT_TRUE(IsLegal(event->type, from, event->state_after)) << Name(event->type);
    if (born) ticket_ = Unborn(std::get<CreateTicket>(command.action).draft);
    EXPECT_EQ(event->version, ticket_.version + 1);
    ticket_ = Apply(ticket_, *event);
    CheckShape();
    return ticket_;
  }

  void File(bool needed_today = false) {
    CreateTicket create;
    create.draft.id = MakeTicketId(now_, 3, 42);
    create.draft.flow_id = "hr";
    create.draft.requester = "petrov";
    create.draft.title = "Справка 2-НДФЛ";
    create.draft.needed_today = needed_today;
    create.draft.created_at = now_;
    ASSERT_TRUE(Do(requester_, create).ok());
  }
  void FileAndStart() {
    File();
    ASSERT_TRUE(Do(SystemViewer(), AssignTicket{"anna", "round_robin"}).ok());
    ASSERT_TRUE(Do(holder_, StartTicket{}).ok());
  }

  // What the table's CHECK constraints demand of every row, and what timers may be armed.
  void CheckShape() const {
    EXPECT_EQ(IsHeld(ticket_.state), !ticket_.assignee.empty()) << Name(ticket_.state);
    EXPECT_EQ(ticket_.state == State::kQueued, ticket_.queued_at.has_value());
    EXPECT_EQ(IsFinal(ticket_.state), ticket_.closed_at.has_value());
    for (const Timer& timer : TimersOf(ticket_, facts_)) {
      if (timer.kind == TimerKind::kAutoClose) {
        EXPECT_EQ(ticket_.state, State::kResolved);
      } else {
        EXPECT_TRUE(ticket_.state == State::kQueued || ticket_.state == State::kAssigned ||
                    ticket_.state == State::kInProgress)
            << Name(timer.kind) << " armed in " << Name(ticket_.state);
      }
    }
  }

  std::optional<Timer> Armed(TimerKind kind) const {
    for (const Timer& timer : TimersOf(ticket_, facts_)) {
      if (timer.kind == kind) return timer;
    }
    return std::nullopt;
  }
  static std::string ReasonOf(const absl::Status& status) { return GetErrorDetail(status).reason; }

  std::shared_ptr<const Calendar> calendar_;
  Flow flow_;
  SlaPolicy policy_;
  Facts facts_;
  Ticket ticket_;
  absl::Time now_ = At("2026-11-16T10:00:00+03:00");
  Viewer requester_, holder_, admin_, stranger_;
};

TEST_F(DecideTest, ANewTicketPromisesTwoWorkingDays) {
  File();
  EXPECT_EQ(ticket_.state, State::kQueued);
  EXPECT_EQ(ticket_.priority, 3);
  EXPECT_EQ(*ticket_.sla.due_at, At("2026-11-18T10:00:00+03:00"));
  EXPECT_EQ(Armed(TimerKind::kHalf)->due_at, At("2026-11-17T10:00:00+03:00"));
  EXPECT_EQ(*ticket_.first_response_due, At("2026-11-16T12:00:00+03:00"));
}

TEST_F(DecideTest, NeededTodayRaisesThePriorityAndCutsTheTermToFourHours) {
  File(/*needed_today=*/true);
  EXPECT_EQ(ticket_.priority, 2);
  EXPECT_EQ(*ticket_.sla.due_at, At("2026-11-16T15:00:00+03:00"));  // Lunch is not counted.
}

TEST_F(DecideTest, AWholeLifeReachesClosedWithARating) {
  FileAndStart();
  now_ += absl::Hours(1);
  ASSERT_TRUE(Do(holder_, WaitTicket{"За какой период?"}).ok());
  EXPECT_FALSE(Armed(TimerKind::kBreach));
  now_ += absl::Hours(24);
  ASSERT_TRUE(Do(requester_, ResumeTicket{"За 2025 год"}).ok());
  // One working hour was consumed before the pause; fifteen of sixteen remain.
  EXPECT_EQ(ticket_.sla.consumed, absl::Hours(1));
  EXPECT_EQ(*ticket_.sla.due_at, At("2026-11-19T10:00:00+03:00"));
  ASSERT_TRUE(Do(holder_, ResolveTicket{"Готово"}).ok());
  EXPECT_EQ(Armed(TimerKind::kAutoClose)->due_at, At("2026-11-20T11:00:00+03:00"));
  ASSERT_TRUE(Do(requester_, SendBackTicket{"Не тот год"}).ok());
  EXPECT_EQ(ticket_.assignee, "anna");
  ASSERT_TRUE(Do(holder_, ResolveTicket{"Исправлено"}).ok());
  ASSERT_TRUE(Do(requester_, ConfirmTicket{}).ok());
  ASSERT_TRUE(Do(requester_, RateTicket{5, "спасибо"}).ok());
  EXPECT_EQ(ReasonOf(Do(requester_, RateTicket{4, ""}).status()), "ALREADY_RATED");
  ASSERT_TRUE(Do(requester_, ReopenTicket{"снова"}).ok());
  EXPECT_EQ(ticket_.state, State::kQueued);
  EXPECT_EQ(ticket_.return_count, 1);
}

TEST_F(DecideTest, SentBackToAFullHolderGoesToTheFrontOfTheQueue) {
  FileAndStart();
  ASSERT_TRUE(Do(holder_, ResolveTicket{"Готово"}).ok());
  facts_.loads["anna"] = {3, 3};
  ASSERT_TRUE(Do(requester_, SendBackTicket{"нет"}).ok());
  EXPECT_EQ(ticket_.state, State::kQueued);
  EXPECT_TRUE(ticket_.queue_front);
  EXPECT_EQ(ticket_.sticky_agent, "anna");
}

TEST_F(DecideTest, NobodyTakesATicketOverTheCap) {
  File();
  EXPECT_EQ(ReasonOf(Do(SystemViewer(), AssignTicket{"boris", "manual"}).status()), "AGENT_AT_CAP");
  EXPECT_EQ(ReasonOf(Do(SystemViewer(), AssignTicket{"nobody", "manual"}).status()),
            "NOT_ELIGIBLE");
  facts_.loads["gone"] = {0, 0};
  EXPECT_EQ(ReasonOf(Do(SystemViewer(), AssignTicket{"gone", "manual"}).status()), "NOT_ELIGIBLE");
  ASSERT_TRUE(Do(SystemViewer(), AssignTicket{"anna", "manual"}).ok());
  EXPECT_EQ(ReasonOf(Do(admin_, TransferTicket{"boris", ""}).status()), "AGENT_AT_CAP");
}

TEST_F(DecideTest, WhoDeclinedDoesNotGetItAgainUnlessAPersonInsists) {
  File();
  ASSERT_TRUE(Do(SystemViewer(), AssignTicket{"anna", "round_robin"}).ok());
  ASSERT_TRUE(Do(holder_, DeclineTicket{"не мой вопрос"}).ok());
  EXPECT_EQ(ReasonOf(Do(SystemViewer(), AssignTicket{"anna", "round_robin"}).status()),
            "NOT_ELIGIBLE");
  EXPECT_TRUE(Do(admin_, AssignTicket{"anna", "manual"}).ok());
}

TEST_F(DecideTest, AStrangerIsToldNothingAndARequesterDoesNotDoTheWork) {
  FileAndStart();
  EXPECT_EQ(ReasonOf(Do(stranger_, AddComment{"?", false}).status()), "TICKET_NOT_VISIBLE");
  EXPECT_EQ(ReasonOf(Do(requester_, ResolveTicket{"сам"}).status()), "NOT_YOURS");
  EXPECT_EQ(ReasonOf(Do(requester_, AddComment{"секрет", true}).status()), "NOT_YOURS");
  EXPECT_EQ(ReasonOf(Do(holder_, ConfirmTicket{}).status()), "NOT_YOURS");
}

TEST_F(DecideTest, AStaleEtagIsRefusedWithThePresentOne) {
  FileAndStart();
  Command command;
  command.viewer = holder_;
  command.expected_version = 1;
  command.action = ResolveTicket{"x"};
  const absl::Status status = Decide(facts_, &ticket_, command, now_).status();
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_EQ(GetErrorDetail(status).metadata.at("current_etag"), "\"3\"");
}

TEST_F(DecideTest, ATimerFiresOnceAndOnlyWhenItIsDue) {
  FileAndStart();
  const Timer breach = *Armed(TimerKind::kBreach);
  EXPECT_EQ(ReasonOf(Do(SystemViewer(), FireTimer{breach.kind, breach.gen}).status()),
            "STALE_TIMER");
  now_ = breach.due_at;
  ASSERT_TRUE(Do(SystemViewer(), FireTimer{breach.kind, breach.gen}).ok());
  EXPECT_EQ(ticket_.breached_at, breach.due_at);
  EXPECT_EQ(ReasonOf(Do(SystemViewer(), FireTimer{breach.kind, breach.gen}).status()),
            "STALE_TIMER");
  EXPECT_FALSE(Armed(TimerKind::kHalf));  // Obsolete once the term ran out.
}

TEST_F(DecideTest, ABreachThatStandsMovesTheTicketToTheNextLineOnce) {
  FileAndStart();
  now_ = Armed(TimerKind::kBreach)->due_at;
  ASSERT_TRUE(Do(SystemViewer(), FireTimer{TimerKind::kBreach, ticket_.sla.gen}).ok());
  const Timer step = *Armed(TimerKind::kEscalate);
  EXPECT_EQ(step.due_at, now_ + absl::Hours(1));
  now_ = step.due_at;
  ASSERT_TRUE(Do(SystemViewer(), FireTimer{step.kind, step.gen}).ok());
  EXPECT_EQ(ticket_.pending_line, 2);
  ASSERT_TRUE(Do(SystemViewer(), ChangeLine{0, "escalation"}).ok());
  EXPECT_EQ(ticket_.line, 2);
  EXPECT_EQ(ticket_.state, State::kQueued);
  EXPECT_FALSE(Armed(TimerKind::kEscalate));
}

// What an escalation asked for under a promise that no longer stands is not done later on.
TEST_F(DecideTest, ANewPromiseForgetsTheLineMoveOfTheOldOne) {
  const auto escalated = [&] {
    FileAndStart();
    now_ = Armed(TimerKind::kBreach)->due_at;
    ASSERT_TRUE(Do(SystemViewer(), FireTimer{TimerKind::kBreach, ticket_.sla.gen}).ok());
    const Timer step = *Armed(TimerKind::kEscalate);
    now_ = step.due_at;
    ASSERT_TRUE(Do(SystemViewer(), FireTimer{step.kind, step.gen}).ok());
    ASSERT_EQ(ticket_.pending_line, 2);
  };
  escalated();
  ASSERT_TRUE(Do(holder_, ResolveTicket{"Готово"}).ok());
  ASSERT_TRUE(Do(requester_, ConfirmTicket{}).ok());
  ASSERT_TRUE(Do(requester_, ReopenTicket{"снова"}).ok());
  EXPECT_EQ(ticket_.pending_line, 0);
  escalated();
  ASSERT_TRUE(Do(holder_, WaitTicket{"?"}).ok());
  ASSERT_TRUE(Do(admin_, ExtendDeadline{now_ + absl::Hours(240), "договорились"}).ok());
  EXPECT_EQ(ticket_.pending_line, 0);
  // Without a new promise it stands, also through a pause.
  escalated();
  ASSERT_TRUE(Do(holder_, WaitTicket{"?"}).ok());
  ASSERT_TRUE(Do(requester_, ResumeTicket{"!"}).ok());
  EXPECT_EQ(ticket_.pending_line, 2);
}

TEST_F(DecideTest, AQueuedTicketThatChangesItsLineComesToItsFront) {
  File();
  ASSERT_TRUE(Do(admin_, ChangeLine{2, "сложный случай"}).ok());
  EXPECT_EQ(ticket_.state, State::kQueued);
  EXPECT_TRUE(ticket_.queue_front);
}

TEST_F(DecideTest, AnExtendedDeadlineKeepsWhatWasConsumed) {
  FileAndStart();
  now_ += absl::Hours(2);
  EXPECT_EQ(ReasonOf(Do(holder_, ExtendDeadline{now_ + absl::Hours(240), "ждём"}).status()),
            "NOT_YOURS");
  ASSERT_TRUE(Do(admin_, ExtendDeadline{At("2026-11-19T10:00:00+03:00"), "ждём"}).ok());
  EXPECT_EQ(*ticket_.sla.due_at, At("2026-11-19T10:00:00+03:00"));
  EXPECT_EQ(*ticket_.sla.term, absl::Hours(24));
}

// Any sequence of any commands by anyone keeps the shape of the row (Do checks it), and the fold of
// the events is the ticket.
TEST_F(DecideTest, RandomLivesKeepTheShapeAndFoldToTheSameTicket) {
  std::mt19937 random(20261122);
  int accepted = 0, refused = 0;
  for (int life = 0; life < 300; ++life) {
    File();
    for (int step = 0; step < 40; ++step) {
      now_ += absl::Minutes(random() % 500);
      const Viewer viewers[] = {requester_, holder_, admin_, stranger_, SystemViewer()};
      const Viewer& viewer = viewers[random() % 5];
      const TimerKind kind = kAllTimerKinds[random() % 5];
      const std::optional<Timer> timer = Armed(kind);
      const std::string agent = random() % 2 ? "anna" : "vera";
      const Action actions[] = {AssignTicket{agent, "manual"},
                                StartTicket{},
                                WaitTicket{"?"},
                                ResumeTicket{"!", random() % 4 == 0},
                                ResolveTicket{"r"},
                                ConfirmTicket{},
                                SendBackTicket{"no"},
                                RateTicket{static_cast<int>(random() % 7), ""},
                                CancelTicket{"c"},
                                ReopenTicket{"o"},
                                DeclineTicket{"d"},
                                ReturnTicket{"t", random() % 2 == 0},
                                TransferTicket{agent, "x"},
                                ChangeLine{0, "l"},
                                AddComment{"w", random() % 2 == 0},
                                ExtendDeadline{now_ + absl::Hours(random() % 100), "e"},
                                ChangePriority{static_cast<int>(random() % 6), "p"},
                                FireTimer{kind, timer ? timer->gen : 1}};
      const Action& action = actions[random() % 18];
      const Ticket before = ticket_;
      if (Do(viewer, action).ok()) {
        ++accepted;
        EXPECT_EQ(ticket_.version, before.version + 1);
        EXPECT_GE(ticket_.sla.consumed, absl::ZeroDuration());
      } else {
        ++refused;
        EXPECT_EQ(ticket_.version, before.version);
      }
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(Ids, ATicketIdCarriesItsPartAndSortsByTime) {
  const absl::Time now = absl::FromUnixSeconds(1763280000);
  const std::string id = MakeTicketId(now, 13, 0xfedcba9876543210ull);
  EXPECT_TRUE(IsUuid(id)) << id;
  EXPECT_EQ(PartOfTicketId(id), 13);
  EXPECT_LT(id, MakeTicketId(now + absl::Milliseconds(1), 0, 0));
  EXPECT_FALSE(PartOfTicketId("6f1c1c5e-7a50-4c3c-9d0e-0a4f6b1d2c3e"));  // Version 4: not ours.
  for (int i = 0; i < 1000; ++i) {
    const int part = PartOf("users/petrov", std::to_string(i));
    EXPECT_TRUE(part >= 0 && part < kParts);
  }
}

}  // namespace
}  // namespace potok::desk
