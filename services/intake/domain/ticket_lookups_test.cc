#include "intake/domain/ticket_lookups.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kNever = TicketLookups::Deadline::max();

// Reads what the test says, and only when it says so.
class TicketLookupsTest : public ::testing::Test {
 protected:
  absl::StatusOr<TicketLookups::Tickets> Read(const std::vector<std::string>& ids) {
    absl::Notification* gate = nullptr;
    {
      absl::MutexLock lock(&mu_);
      read_.push_back(ids);
      if (!gates_.empty()) {
        gate = gates_.back();
        gates_.pop_back();
      }
    }
    if (gate != nullptr) gate->WaitForNotification();
    if (!error_.ok()) return error_;
    if (std::find(ids.begin(), ids.end(), "damaged") != ids.end()) {
      return absl::InternalError("no such state");
    }
    if (std::find(ids.begin(), ids.end(), "throws") != ids.end()) throw std::bad_alloc();
    TicketLookups::Tickets tickets;
    for (const std::string& id : ids) {
      if (id == "none") continue;
      tickets[id].ticket.title = "title of " + id;
    }
    return tickets;
  }
  TicketLookups::Done Into(std::string* text) {
    return [text](absl::StatusOr<const TicketSeen*> seen) {
      *text = !seen.ok()         ? std::string(absl::StatusCodeToString(seen.status().code()))
              : *seen == nullptr ? "nobody"
                                 : (*seen)->ticket.title;
    };
  }
  std::vector<std::vector<std::string>> Statements() {
    absl::MutexLock lock(&mu_);
    return read_;
  }
  void WaitForStatements(size_t count) {
    const auto enough = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return read_.size() >= count; };
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&enough));
  }

  absl::Mutex mu_;
  std::vector<std::vector<std::string>> read_;
  std::vector<absl::Notification*> gates_;
  absl::Status error_;
  // Both readers wait in statements of their own until `go`; what is looked up meanwhile waits.
  void Occupy(absl::Notification* go) {
    gates_ = {go, go};
    for (size_t i = 1; i <= 2; ++i) {
      readers_.emplace_back(
          [this] { lookups_.Find("busy", kNever, [](absl::StatusOr<const TicketSeen*>) {}); });
      WaitForStatements(i);
    }
  }
  void Join() {
    for (std::thread& reader : readers_) reader.join();
    readers_.clear();
  }

  std::atomic<std::chrono::steady_clock::duration> passed_{};
  const TicketLookups::Deadline start_ = std::chrono::steady_clock::now();
  TicketLookups lookups_{
      [this](const std::vector<std::string>& ids, TicketLookups::Deadline) { return Read(ids); },
      [this] { return start_ + passed_.load(); }};
  std::vector<std::thread> readers_;
};

TEST_F(TicketLookupsTest, OneAloneGoesAtOnce) {
  std::string a, none;
  lookups_.Find("a", kNever, Into(&a));
  EXPECT_EQ(a, "title of a");
  lookups_.Find("none", kNever, Into(&none));
  EXPECT_EQ(none, "nobody");
  EXPECT_THAT(Statements(), ElementsAre(ElementsAre("a"), ElementsAre("none")));
}

TEST_F(TicketLookupsTest, WhatWaitsMeanwhileIsReadTogetherAndEachTicketOnce) {
  absl::Notification first, second;
  gates_ = {&second, &first};
  std::string a, b, c, again, none;
  std::thread one([&] { lookups_.Find("a", kNever, Into(&a)); });
  WaitForStatements(1);
  std::thread two([&] { lookups_.Find("b", kNever, Into(&b)); });
  WaitForStatements(2);
  // Both readers are at work: these leave their lookups and go.
  lookups_.Find("c", kNever, Into(&c));
  lookups_.Find("none", kNever, Into(&none));
  lookups_.Find("c", kNever, Into(&again));
  EXPECT_EQ(c, "");
  first.Notify();
  one.join();
  EXPECT_THAT(Statements(),
              ElementsAre(ElementsAre("a"), ElementsAre("b"), ElementsAre("c", "none")));
  EXPECT_EQ(a, "title of a");
  EXPECT_EQ(c, "title of c");
  EXPECT_EQ(again, "title of c");
  EXPECT_EQ(none, "nobody");
  second.Notify();
  two.join();
  EXPECT_EQ(b, "title of b");
}

TEST_F(TicketLookupsTest, AFailureIsToldToAllOfItsStatement) {
  absl::Notification first, second;
  gates_ = {&second, &first};
  std::string a, b, c, d;
  std::thread one([&] { lookups_.Find("a", kNever, Into(&a)); });
  WaitForStatements(1);
  std::thread two([&] { lookups_.Find("b", kNever, Into(&b)); });
  WaitForStatements(2);
  lookups_.Find("c", kNever, Into(&c));
  lookups_.Find("d", kNever, Into(&d));
  error_ = absl::UnavailableError("down");
  second.Notify();
  first.Notify();
  one.join();
  two.join();
  EXPECT_THAT((std::vector<std::string>{a, b, c, d}), testing::Each("UNAVAILABLE"));
}

TEST_F(TicketLookupsTest, WhoseDeadlineHasPassedIsNotRead) {
  std::string a;
  lookups_.Find("a", start_ - std::chrono::milliseconds(1), Into(&a));
  EXPECT_EQ(a, "DEADLINE_EXCEEDED");
  EXPECT_THAT(Statements(), IsEmpty());
}

TEST_F(TicketLookupsTest, WhatHasWaitedForMoreThanHalfOfItsTimeIsNotRead) {
  absl::Notification go;
  Occupy(&go);
  std::string hasty, patient;
  lookups_.Find("hasty", start_ + std::chrono::seconds(2), Into(&hasty));
  lookups_.Find("patient", start_ + std::chrono::seconds(20), Into(&patient));
  passed_ = std::chrono::milliseconds(1500);
  go.Notify();
  Join();
  EXPECT_EQ(hasty, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(patient, "title of patient");
}

TEST_F(TicketLookupsTest, NoMoreWaitThanTheBoundAndTheNextIsTold) {
  absl::Notification go;
  Occupy(&go);
  std::atomic<int> read{0};
  for (size_t i = 0; i < TicketLookups::kMostWaiting; ++i) {
    lookups_.Find(std::to_string(i), kNever,
                  [&](absl::StatusOr<const TicketSeen*> seen) { read += seen.ok() ? 1 : 0; });
  }
  std::string one_more;
  lookups_.Find("one more", kNever, Into(&one_more));
  EXPECT_EQ(one_more, "RESOURCE_EXHAUSTED");
  go.Notify();
  Join();
  EXPECT_EQ(read, static_cast<int>(TicketLookups::kMostWaiting));
}

TEST_F(TicketLookupsTest, ARowThatCannotBeReadFailsOnlyWhoAskedForIt) {
  absl::Notification go;
  Occupy(&go);
  std::string a, damaged, b;
  lookups_.Find("a", kNever, Into(&a));
  lookups_.Find("damaged", kNever, Into(&damaged));
  lookups_.Find("b", kNever, Into(&b));
  go.Notify();
  Join();
  EXPECT_EQ(a, "title of a");
  EXPECT_EQ(damaged, "INTERNAL");
  EXPECT_EQ(b, "title of b");
}

TEST_F(TicketLookupsTest, AReaderSurvivesWhatIsThrown) {
  std::string thrown, a;
  for (int i = 0; i < 3; ++i) lookups_.Find("throws", kNever, Into(&thrown));
  lookups_.Find("a", kNever, Into(&a));
  EXPECT_EQ(a, "title of a");
}

TEST_F(TicketLookupsTest, ManyCallersEachGetTheirOwnTicket) {
  constexpr int kThreads = 8, kEach = 100;  // Together fewer than may wait.
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::string id = std::to_string((t * kEach + i) % 97);
        lookups_.Find(id, kNever, [&right, id](absl::StatusOr<const TicketSeen*> seen) {
          if (seen.ok() && *seen != nullptr && (*seen)->ticket.title == "title of " + id) ++right;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kThreads * kEach);
}

TEST_F(TicketLookupsTest, WhoMayNotWaitJoinsReadersAtWorkAndNeverReads) {
  std::string a, b;
  EXPECT_FALSE(lookups_.Busy());
  EXPECT_FALSE(lookups_.Join("a", kNever, Into(&a)));
  EXPECT_EQ(a, "") << "nothing has been done";
  EXPECT_THAT(Statements(), IsEmpty());
  absl::Notification go;
  Occupy(&go);
  EXPECT_TRUE(lookups_.Busy());
  EXPECT_TRUE(lookups_.Join("b", kNever, Into(&b)));
  EXPECT_EQ(b, "");
  go.Notify();
  Join();
  EXPECT_EQ(b, "title of b");
}

TEST_F(TicketLookupsTest, WhoMayNotWaitIsRefusedWhereTooManyDo) {
  absl::Notification go;
  Occupy(&go);
  std::string last;
  for (size_t i = 0; i < TicketLookups::kMostWaiting; ++i) {
    ASSERT_TRUE(lookups_.Join("a", kNever, [](absl::StatusOr<const TicketSeen*>) {}));
  }
  EXPECT_TRUE(lookups_.Join("a", kNever, Into(&last)));
  EXPECT_EQ(last, "RESOURCE_EXHAUSTED");
  go.Notify();
  Join();
}

}  // namespace
}  // namespace potok::intake
