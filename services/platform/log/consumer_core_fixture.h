// A consumer's core whose test answers for the database and Redis, and moves time by hand.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/consumer_core.h"

namespace potok::log {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Action = ConsumerAction;

constexpr Stream kA{1, 0}, kB{2, 0}, kC{1, 1};
const Held kPart0{0, "t0"}, kPart1{1, "t1"};

inline absl::Duration Ms(double n) { return absl::Milliseconds(n); }

// The test answers for the database and Redis, and moves time by hand.
class ConsumerCoreTest : public ::testing::Test {
 protected:
  static LogEntry Entry(Stream stream, std::int64_t pos) {
    return {.topic = stream.first,
            .part = stream.second,
            .pos = pos,
            .entity = absl::StrCat("e", pos),
            .version = 1,
            .type = "created",
            .at = {}};
  }
  static std::vector<LogEntry> Entries(Stream stream, std::int64_t from, std::int64_t to) {
    std::vector<LogEntry> entries;
    for (std::int64_t pos = from; pos <= to; ++pos) entries.push_back(Entry(stream, pos));
    return entries;
  }
  Action Next() { return core_.Next(now_); }
  void Hold(const std::vector<Held>& held) { core_.Hold(held, now_); }
  // Asks and answers until the core wants something of the log, or nothing more.
  Action Settle() {
    for (int i = 0; i < 20; ++i) {
      const Action action = Next();
      switch (action.kind) {
        case Action::kSweep: core_.Swept(places_, now_); break;
        case Action::kProbe: core_.Deaf(now_, 0.5); break;
        case Action::kUnnote: core_.Unnoted(); break;
        default: return action;
      }
    }
    ADD_FAILURE() << "it goes round in circles";
    return {};
  }
  // The same, and time passes where the core waits.
  Action NextTake() {
    for (int i = 0; i < 1000; ++i) {
      const Action action = Settle();
      if (action.kind != Action::kWait) return action;
      EXPECT_GT(action.until, now_) << "a wait that does not wait is a spin";
      now_ = action.until;
    }
    ADD_FAILURE() << "nothing came";
    return {};
  }
  // Holds part 0 and knows `places`; the next action is about them.
  void Begin(std::vector<StreamPlace> places) {
    places_ = std::move(places);
    Hold({kPart0, kPart1});
  }
  void Fail(const std::vector<LogEntry>& entries, bool hung = false) {
    core_.HandlerFailed(entries, "why", hung, now_, 0.5);
  }
  void Committed(const std::vector<LogEntry>& entries) {
    core_.Committed(entries, now_);
    for (const LogEntry& entry : entries) {
      for (StreamPlace& place : places_) {
        if (place.stream == Stream{entry.topic, entry.part}) place.offset = entry.pos;
      }
    }
  }

  absl::Duration now_ = absl::Seconds(1000);
  std::vector<StreamPlace> places_;
  ConsumerCore core_{{.batch = 10}};
};

}  // namespace potok::log
