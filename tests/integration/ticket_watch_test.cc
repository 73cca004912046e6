// WatchTicket: every event once and in order, whenever one starts to watch and whoever made the
// change.
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "intake/store/ticket_reads.h"
#include "intake/work/watch_hub.h"
#include "integration/suite.h"
#include "platform/testing/signal.h"
#include "platform/testing/status_matchers.h"

namespace potok::testing {
namespace {

using namespace intake::v1;  // NOLINT: a test of exactly these messages.
using ::testing::ElementsAre;

// Reads a stream on its own thread until it ends.
class Watcher {
 public:
  Watcher(Suite& suite, const std::string& who, const std::string& name, int64_t after = 0)
      : context_(Suite::As(who)) {
    WatchTicketRequest request;
    request.set_name(name);
    request.set_after_version(after);
    reader_ = suite.intake().WatchTicket(context_.get(), request);
    thread_ = std::thread([this] {
      WatchTicketResponse message;
      while (reader_->Read(&message)) seen.Add(message);
      status = reader_->Finish();
    });
  }
  ~Watcher() { End(); }
  void End() {
    context_->TryCancel();
    Join();
  }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }
  std::vector<int64_t> Versions() const {
    std::vector<int64_t> versions;
    for (const WatchTicketResponse& message : seen.Items()) {
      if (message.has_change()) versions.push_back(message.change().event().version());
    }
    return versions;
  }

  Recorder<WatchTicketResponse> seen;
  grpc::Status status;  // After Join.

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<WatchTicketResponse>> reader_;
  std::thread thread_;
};

class TicketWatch : public ::testing::Test {
 protected:
  Ticket File() {
    Ticket ticket;
    EXPECT_TRUE(
        suite_.intake().CreateTicket(Suite::As("ivanova").get(), SupportRequest(), &ticket).ok());
    return ticket;
  }
  void Say(const Ticket& ticket, const std::string& text, bool internal = false,
           const std::string& who = "sidorov:requester+agent") {
    AddCommentRequest request;
    request.set_name(ticket.name());
    request.set_text(text);
    request.set_internal(internal);
    request.set_request_id(Uuid());
    AddCommentResponse answer;
    const grpc::Status status = suite_.intake().AddComment(Suite::As(who).get(), request, &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  static std::vector<int64_t> UpTo(int64_t last, int64_t after = 0) {
    std::vector<int64_t> versions;
    for (int64_t v = after + 1; v <= last; ++v) versions.push_back(v);
    return versions;
  }

  Suite suite_;
};

TEST_F(TicketWatch, TellsWhatWasAndWhatComes) {
  const Ticket ticket = File();
  Watcher watcher(suite_, "ivanova", ticket.name());
  ASSERT_TRUE(watcher.seen.WaitForCount(1));
  EXPECT_EQ(watcher.seen.Items()[0].change().event().type(), TicketEvent::TYPE_CREATED);
  // Changed by another service, which wakes nobody here.
  ASSERT_THAT(suite_.Assign(ticket.name(), "sidorov"), IsOk());
  ASSERT_TRUE(watcher.seen.WaitForCount(2));
  const WatchTicketResponse second = watcher.seen.Items()[1];
  EXPECT_EQ(second.change().event().type(), TicketEvent::TYPE_ASSIGNED);
  EXPECT_EQ(second.change().ticket().assignee(), "employees/sidorov");
}

TEST_F(TicketWatch, HasNoGapAndNoRepeatWhileManyWatchAndManyWrite) {
  const Ticket ticket = File();
  constexpr int kWriters = 4, kEach = 25;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) Say(ticket, absl::StrCat(w, "/", i));
    });
  }
  // Watchers come while it goes on, from different versions.
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 12; ++i) {
    watchers.push_back(std::make_unique<Watcher>(suite_, i % 2 == 0 ? "ivanova" : "belov:flowAdmin",
                                                 ticket.name(), i % 2));
  }
  for (std::thread& writer : writers) writer.join();
  const int64_t last = 1 + kWriters * kEach;
  for (int i = 0; i < 12; ++i) {
    const auto expected = UpTo(last, i % 2);
    EXPECT_TRUE(watchers[i]->seen.WaitForCount(expected.size()));
    watchers[i]->End();
    EXPECT_EQ(watchers[i]->Versions(), expected) << "watcher " << i;
  }
}

TEST_F(TicketWatch, GoesOnFromTheLastVersionSeenAfterEachCut) {
  const Ticket ticket = File();
  std::thread writer([&] {
    for (int i = 0; i < 40; ++i) Say(ticket, absl::StrCat(i));
  });
  std::vector<int64_t> versions;
  while (versions.size() < 41) {
    const int64_t after = versions.empty() ? 0 : versions.back();
    Watcher watcher(suite_, "ivanova", ticket.name(), after);
    ASSERT_TRUE(watcher.seen.WaitForCount(1));
    watcher.End();
    const std::vector<int64_t> more = watcher.Versions();
    versions.insert(versions.end(), more.begin(), more.end());
  }
  writer.join();
  EXPECT_EQ(versions, UpTo(41));
}

TEST_F(TicketWatch, ALongHistoryComesWholeAlthoughItIsLongerThanAStreamsQueue) {
  const Ticket ticket = File();
  std::vector<std::thread> writers;
  for (int w = 0; w < 8; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < 75; ++i) Say(ticket, "ещё");
    });
  }
  for (std::thread& writer : writers) writer.join();
  Watcher watcher(suite_, "ivanova", ticket.name());
  ASSERT_TRUE(watcher.seen.WaitForCount(601));
  watcher.End();
  EXPECT_EQ(watcher.Versions(), UpTo(601));
}

TEST_F(TicketWatch, InternalNotesReachTheDeskAlone) {
  const Ticket ticket = File();
  Watcher requester(suite_, "ivanova", ticket.name());
  Watcher agent(suite_, "sidorov:requester+agent", ticket.name());
  ASSERT_TRUE(requester.seen.WaitForCount(1));
  Say(ticket, "между нами", true);
  Say(ticket, "иду к вам");
  ASSERT_TRUE(requester.seen.WaitForCount(2));
  ASSERT_TRUE(agent.seen.WaitForCount(3));
  EXPECT_THAT(requester.Versions(), ElementsAre(1, 3));
  EXPECT_THAT(agent.Versions(), ElementsAre(1, 2, 3));
}

TEST_F(TicketWatch, EndsWhenTheTicketIsArchived) {
  const Ticket ticket = File();
  Watcher watcher(suite_, "ivanova", ticket.name());
  ASSERT_TRUE(watcher.seen.WaitForCount(1));
  suite_.database().Query(
      "UPDATE ledger.ticket SET state = 'ARCHIVED', queued_at = NULL, running_since = NULL,"
      " closed_at = now()");
  watcher.Join();
  EXPECT_TRUE(watcher.status.ok()) << watcher.status.error_message();
}

TEST_F(TicketWatch, EndsForOneWhoMayNoLongerSeeTheTicket) {
  const Ticket ticket = File();
  Watcher watcher(suite_, "zaitsev:requester+departmentHead", ticket.name());
  ASSERT_TRUE(watcher.seen.WaitForCount(1));
  suite_.database().Query(
      "UPDATE intake.department SET head = 'petrov' WHERE id = 'sales';"
      "UPDATE ledger.reference_epoch SET epoch = epoch + 1 WHERE kind = 'directory'");
  ASSERT_TRUE(Eventually([&] {
    GetTicketRequest get;
    get.set_name(ticket.name());
    Ticket answer;
    return !suite_.intake()
                .GetTicket(Suite::As("zaitsev:requester+departmentHead").get(), get, &answer)
                .ok();
  }));
  Say(ticket, "не для него");
  watcher.Join();
  EXPECT_EQ(watcher.status.error_code(), grpc::PERMISSION_DENIED);
  EXPECT_THAT(watcher.Versions(), ElementsAre(1));
}

TEST_F(TicketWatch, IsToldWhenTheServerStops) {
  const Ticket ticket = File();
  Watcher watcher(suite_, "ivanova", ticket.name());
  ASSERT_TRUE(watcher.seen.WaitForCount(1));
  suite_.Stop("intake");
  watcher.Join();
  EXPECT_EQ(watcher.status.error_code(), grpc::UNAVAILABLE);
}

// A follower that writes down what it is told.
class Diary final : public intake::TicketFollower {
 public:
  void Changed(const std::vector<desk::Event>& events, const intake::TicketSeen&) override {
    for (const desk::Event& event : events) lines.Add(absl::StrCat("event ", event.version));
  }
  void Quiet(int64_t version) override { lines.Add(absl::StrCat("quiet ", version)); }
  void End(const absl::Status& status) override {
    lines.Add(absl::StrCat("end ", absl::StatusCodeToString(status.code())));
  }
  bool listening() const override { return listening_; }
  void Leave() { listening_ = false; }

  Recorder<std::string> lines;

 private:
  std::atomic<bool> listening_{true};
};

TEST_F(TicketWatch, TheHubSaysWhenNothingHappensForgetsWhoLeftAndEndsWithAWord) {
  const Ticket ticket = File();
  const intake::TicketReads reads(suite_.database().pool());
  auto stays = std::make_shared<Diary>(), leaves = std::make_shared<Diary>();
  {
    intake::WatchHub hub(reads, {.poll = absl::Milliseconds(5), .quiet = absl::Milliseconds(20)});
    hub.Follow(ticket.uid(), 0, stays);
    hub.Follow(ticket.uid(), 1, leaves);
    EXPECT_TRUE(stays->lines.WaitForCount(3));
    EXPECT_TRUE(leaves->lines.WaitForCount(1));
    leaves->Leave();
    EXPECT_TRUE(Eventually([&] { return hub.watching() == 1; }));
  }
  const std::vector<std::string> told = stays->lines.Items();
  EXPECT_EQ(told[0], "event 1");
  EXPECT_EQ(told[1], "quiet 1");
  EXPECT_EQ(told.back(), "end UNAVAILABLE");
  for (const std::string& line : leaves->lines.Items()) EXPECT_EQ(line, "quiet 1");
}

}  // namespace
}  // namespace potok::testing
