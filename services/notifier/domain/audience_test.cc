#include "notifier/domain/audience.h"

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::notifier {
namespace {

using desk::Event;
using desk::EventType;
using desk::State;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// anna asks, boris holds (or held, where the event takes it from him), galya manages.
desk::Ticket Ticket(State state) {
  desk::Ticket ticket;
  ticket.id = "t";
  ticket.requester = "anna";
  ticket.state = state;
  ticket.line = 1;
  if (desk::IsHeld(state)) ticket.assignee = "boris";
  if (state == State::kResolved || state == State::kClosed) ticket.sticky_agent = "boris";
  return ticket;
}

struct Case {
  EventType type;
  State after;
  std::string actor;
  std::vector<std::string> told;  // "recipient rule"
  std::string how = "";
  int score = 0;
};

std::vector<std::string> Told(const std::vector<Notice>& notices) {
  std::vector<std::string> told;
  for (const Notice& notice : notices) {
    told.push_back(absl::StrCat(notice.recipient, " ", notice.rule->name));
  }
  return told;
}

std::vector<std::string> Audience(const Case& c) {
  Event event;
  event.type = c.type;
  event.actor = c.actor == "system" ? c.actor : "users/" + c.actor;
  event.state_after = c.after;
  event.how = c.how;
  event.score = c.score;
  desk::Ticket after = Ticket(c.after);
  switch (c.type) {
    case EventType::kAssigned: event.agent = "boris"; break;
    case EventType::kTransferred:
      event.agent = "boris";
      event.from_agent = "vera";
      break;
    case EventType::kCancelled:
    case EventType::kDeclined:
    case EventType::kReturned:
    case EventType::kLineChanged:
    case EventType::kResolved: event.from_agent = "boris"; break;
    case EventType::kReopened: after.sticky_agent = "boris"; break;
    default: break;
  }
  return Told(AudienceOf(after, event, {{"galya"}, Role::kManager, {"boris", "vera"}}));
}

const Case kCases[] = {
    {EventType::kCreated, State::kQueued, "anna", {"anna created_requester"}},
    {EventType::kCreated, State::kQueued, "portal", {"anna created_requester"}},
    {EventType::kAssigned,
     State::kAssigned,
     "system",
     {"boris assigned_assignee", "anna assigned_requester"}},
    {EventType::kAssigned, State::kAssigned, "boris", {"anna assigned_requester"}},
    {EventType::kStarted, State::kInProgress, "boris", {}},
    {EventType::kWaiting, State::kWaiting, "boris", {"anna waiting_requester"}},
    {EventType::kResumed, State::kInProgress, "anna", {"boris resumed_assignee"}},
    {EventType::kResumed, State::kInProgress, "boris", {}},
    {EventType::kResumed, State::kQueued, "anna", {}},
    {EventType::kResolved, State::kResolved, "boris", {"anna resolved_requester"}},
    {EventType::kResolved, State::kClosed, "boris", {"anna finished_requester"}},
    {EventType::kConfirmed, State::kClosed, "anna", {"boris confirmed_former_assignee"}},
    {EventType::kAutoClosed,
     State::kClosed,
     "system",
     {"anna auto_closed_requester", "boris auto_closed_former_assignee"}},
    {EventType::kSentBack, State::kInProgress, "anna", {"boris sent_back_assignee"}},
    {EventType::kSentBack, State::kQueued, "anna", {}},
    {EventType::kRated, State::kClosed, "anna", {"boris rated_former_assignee"}, "", 5},
    {EventType::kRated, State::kClosed, "anna", {"boris rated_former_assignee"}, "", 3},
    {EventType::kRated,
     State::kClosed,
     "anna",
     {"galya rated_low_responsible", "boris rated_former_assignee"},
     "",
     2},
    {EventType::kRated,
     State::kClosed,
     "anna",
     {"galya rated_low_responsible", "boris rated_former_assignee"},
     "",
     1},
    {EventType::kCancelled, State::kCancelled, "anna", {"boris cancelled_former_assignee"}},
    {EventType::kCancelled,
     State::kCancelled,
     "galya",
     {"boris cancelled_former_assignee", "anna cancelled_requester"}},
    {EventType::kReopened, State::kQueued, "anna", {"boris reopened_former_assignee"}},
    {EventType::kReopened,
     State::kQueued,
     "galya",
     {"boris reopened_former_assignee", "anna reopened_requester"}},
    {EventType::kDeclined, State::kQueued, "boris", {}},
    {EventType::kReturned, State::kQueued, "boris", {}},
    {EventType::kTransferred,
     State::kAssigned,
     "vera",
     {"boris transferred_assignee", "anna transferred_requester"}},
    {EventType::kTransferred,
     State::kAssigned,
     "galya",
     {"boris transferred_assignee", "vera transferred_former_assignee",
      "anna transferred_requester"}},
    {EventType::kLineChanged, State::kQueued, "boris", {}},
    {EventType::kLineChanged, State::kQueued, "system", {"boris line_changed_former_assignee"}},
    {EventType::kCommented, State::kInProgress, "anna", {"boris commented_assignee"}, "public"},
    {EventType::kCommented, State::kInProgress, "boris", {"anna commented_requester"}, "public"},
    {EventType::kCommented,
     State::kInProgress,
     "galya",
     {"boris commented_assignee", "anna commented_requester"},
     "public"},
    {EventType::kCommented, State::kQueued, "anna", {}, "public"},
    {EventType::kCommented, State::kResolved, "anna", {"boris commented_assignee"}, "public"},
    {EventType::kCommented, State::kInProgress, "galya", {"boris noted_assignee"}, "internal"},
    {EventType::kCommented, State::kInProgress, "boris", {}, "internal"},
    {EventType::kDeadlineExtended,
     State::kInProgress,
     "boris",
     {"anna deadline_extended_requester"}},
    {EventType::kDeadlineExtended,
     State::kInProgress,
     "galya",
     {"boris deadline_extended_assignee", "anna deadline_extended_requester"}},
    {EventType::kPriorityChanged, State::kInProgress, "galya", {"boris priority_changed_assignee"}},
    {EventType::kHalfReminded, State::kInProgress, "system", {"boris half_term_assignee"}},
    {EventType::kHalfReminded, State::kQueued, "system", {"galya half_term_responsible"}},
    {EventType::kBreached,
     State::kInProgress,
     "system",
     {"galya breached_responsible", "boris breached_assignee", "anna breached_requester"}},
    {EventType::kBreached,
     State::kQueued,
     "system",
     {"galya breached_responsible", "anna breached_requester"}},
    {EventType::kFirstResponseBreached,
     State::kAssigned,
     "system",
     {"galya first_response_responsible", "boris first_response_assignee"}},
    {EventType::kEscalated,
     State::kInProgress,
     "system",
     {"galya escalated_responsible", "boris escalated_assignee"}},
};

TEST(Audience, EachEventReachesWhomItConcerns) {
  std::set<EventType> covered;
  for (const Case& c : kCases) {
    covered.insert(c.type);
    EXPECT_EQ(Audience(c), c.told)
        << desk::Name(c.type) << " to " << desk::Name(c.after) << " by " << c.actor << " " << c.how;
  }
  for (const EventType type : desk::kAllEventTypes) {
    EXPECT_TRUE(covered.count(type)) << desk::Name(type) << " has no case";
  }
}

TEST(Audience, NobodyIsToldOfTheirOwnActExceptTheConfirmation) {
  for (const EventType type : desk::kAllEventTypes) {
    for (const State state : desk::kAllStates) {
      for (const char* actor : {"anna", "boris", "vera", "galya"}) {
        for (const char* how : {"public", "internal"}) {
          for (const std::string& told : Audience({type, state, actor, {}, how, 1})) {
            if (type == EventType::kCreated) continue;
            EXPECT_FALSE(absl::StartsWith(told, std::string(actor) + " ")) << told;
          }
        }
      }
    }
  }
}

TEST(Audience, TheRequesterNeverSeesAnInternalNote) {
  for (const State state : desk::kAllStates) {
    for (const char* actor : {"boris", "vera", "galya"}) {
      for (const std::string& told :
           Audience({EventType::kCommented, state, actor, {}, "internal"})) {
        EXPECT_EQ(told, "boris noted_assignee");
      }
    }
  }
}

TEST(Audience, APersonInTwoRolesHearsOnceAndAsTheManager) {
  Event event;
  event.type = EventType::kBreached;
  event.actor = "system";
  desk::Ticket ticket = Ticket(State::kInProgress);
  ticket.requester = "boris";
  const std::vector<Notice> notices = AudienceOf(ticket, event, {{"boris"}, Role::kManager, {}});
  ASSERT_THAT(Told(notices), ElementsAre("boris breached_responsible"));
  EXPECT_EQ(notices[0].role, Role::kManager);
}

TEST(Audience, AdminsStandInForAManagerUnderTheirOwnName) {
  Event event;
  event.type = EventType::kBreached;
  const std::vector<Notice> notices =
      AudienceOf(Ticket(State::kQueued), event, {{"dasha", "egor"}, Role::kFlowAdmin, {}});
  EXPECT_THAT(Told(notices),
              UnorderedElementsAre("dasha breached_responsible", "egor breached_responsible",
                                   "anna breached_requester"));
  EXPECT_EQ(notices[0].role, Role::kFlowAdmin);
}

TEST(Audience, ManagersHearWhenTheWholeLineDeclined) {
  Event event;
  event.type = EventType::kDeclined;
  event.actor = "users/vera";
  desk::Ticket ticket = Ticket(State::kQueued);
  const Surroundings around{{"galya"}, Role::kManager, {"boris", "vera"}};
  ticket.excluded = {"boris"};
  EXPECT_THAT(Told(AudienceOf(ticket, event, around)), IsEmpty());
  ticket.excluded = {"boris", "vera"};
  EXPECT_THAT(Told(AudienceOf(ticket, event, around)),
              ElementsAre("galya all_declined_responsible"));
}

TEST(Audience, OnlyRemindersAreOvertakenByEvents) {
  const TicketNow open{State::kInProgress, "boris", false};
  EXPECT_TRUE(StillWanted(Kind::kHalfTerm, Role::kAssignee, "boris", open));
  EXPECT_FALSE(StillWanted(Kind::kHalfTerm, Role::kAssignee, "vera", open));
  EXPECT_FALSE(StillWanted(Kind::kHalfTerm, Role::kManager, "galya", open));
  EXPECT_TRUE(StillWanted(Kind::kHalfTerm, Role::kManager, "galya", {State::kQueued, "", false}));
  EXPECT_FALSE(
      StillWanted(Kind::kHalfTerm, Role::kAssignee, "boris", {State::kInProgress, "boris", true}));
  for (const State state :
       {State::kResolved, State::kClosed, State::kCancelled, State::kArchived}) {
    const TicketNow finished{state, "", false};
    EXPECT_FALSE(StillWanted(Kind::kHalfTerm, Role::kAssignee, "boris", finished));
    EXPECT_FALSE(StillWanted(Kind::kEscalation, Role::kManager, "galya", finished));
    EXPECT_FALSE(StillWanted(Kind::kAllDeclined, Role::kManager, "galya", finished));
    for (const Kind kind : kAllKinds) {
      if (kind == Kind::kHalfTerm || kind == Kind::kEscalation || kind == Kind::kAllDeclined)
        continue;
      EXPECT_TRUE(StillWanted(kind, Role::kManager, "galya", finished)) << Name(kind);
    }
  }
}

TEST(Rules, NamesAreUniqueAndEveryRuleIsUsed) {
  std::set<std::string> used, names;
  for (const Case& c : kCases) {
    for (const std::string& told : c.told) used.insert(told.substr(told.find(' ') + 1));
  }
  used.insert("all_declined_responsible");
  for (const Rule& rule : Rules()) {
    EXPECT_TRUE(names.insert(std::string(rule.name)).second) << rule.name;
    EXPECT_TRUE(used.count(std::string(rule.name))) << rule.name;
    EXPECT_FALSE(rule.why_en.empty());
    EXPECT_FALSE(rule.why_ru.empty());
    EXPECT_EQ(FindRule(rule.name), &rule);
  }
  EXPECT_EQ(FindRule("of_a_newer_release"), nullptr);
}

TEST(Names, ReadBackAsWhatTheyName) {
  for (const Kind kind : kAllKinds) EXPECT_EQ(ParseKind(Name(kind)), kind);
  for (const Role role : kAllRoles) EXPECT_EQ(ParseRole(Name(role)), role);
  for (const Channel channel : kAllChannels) EXPECT_EQ(ParseChannel(Name(channel)), channel);
  for (const DeliveryState state : kAllDeliveryStates) {
    EXPECT_EQ(ParseDeliveryState(Name(state)), state);
  }
  EXPECT_FALSE(ParseKind("pigeon").has_value());
}

}  // namespace
}  // namespace potok::notifier
