#include "desk/ticket/state.h"

#include <set>

#include "gtest/gtest.h"

namespace potok::desk {
namespace {

TEST(StateMachine, EveryPairOfStatesIsLegalExactlyWhenTheTableSaysSo) {
  std::set<std::tuple<EventType, State, State>> table;
  for (const Move& move : Moves()) {
    if (move.from) table.emplace(move.event, *move.from, move.to);
  }
  int legal = 0, refused = 0;
  for (const EventType type : kAllEventTypes) {
    std::set<State> stays(StaysIn(type).begin(), StaysIn(type).end());
    for (const State from : kAllStates) {
      for (const State to : kAllStates) {
        const bool expected =
            from == to ? stays.count(from) > 0 : table.count({type, from, to}) > 0;
        EXPECT_EQ(IsLegal(type, from, to), expected)
            << Name(type) << ": " << Name(from) << " -> " << Name(to);
        (expected ? legal : refused)++;
      }
    }
  }
  EXPECT_EQ(legal + refused, 23 * 81);
  EXPECT_GT(legal, 40);
}

TEST(StateMachine, NothingLeavesCancelledOrArchived) {
  for (const EventType type : kAllEventTypes) {
    EXPECT_FALSE(MayHappen(type, State::kCancelled)) << Name(type);
    EXPECT_FALSE(MayHappen(type, State::kArchived)) << Name(type);
  }
}

TEST(StateMachine, OnlyATicketsBirthHasNoStateBefore) {
  for (const EventType type : kAllEventTypes) {
    EXPECT_EQ(IsLegal(type, std::nullopt, State::kQueued), type == EventType::kCreated);
  }
}

TEST(StateMachine, EveryNameReadsBack) {
  for (const State state : kAllStates) EXPECT_EQ(ParseState(Name(state)), state);
  for (const EventType type : kAllEventTypes) EXPECT_EQ(ParseEventType(Name(type)), type);
  EXPECT_FALSE(ParseState("nonsense"));
}

TEST(StateMachine, ThePictureHasOneArrowForEachMove) {
  const std::string picture = MermaidPicture();
  size_t arrows = 0;
  for (size_t at = picture.find("-->"); at != std::string::npos; at = picture.find("-->", at + 1)) {
    ++arrows;
  }
  EXPECT_EQ(arrows, Moves().size());
}

}  // namespace
}  // namespace potok::desk
