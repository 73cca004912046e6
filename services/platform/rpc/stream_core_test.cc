#include <optional>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include <google/protobuf/wrappers.pb.h>

#include "base/error.h"
#include "platform/rpc/stream_writer.h"

namespace potok::rpc {
namespace {

using google::protobuf::Int32Value;

// Plays gRPC: remembers what it was told and breaks the test on a forbidden order.
class FakeDriver : public StreamDriver {
 public:
  void Write(const google::protobuf::Message& message) override {
    EXPECT_FALSE(writing) << "two writes at once";
    EXPECT_FALSE(end.has_value()) << "a write after the end";
    writing = true;
    written.push_back(static_cast<const Int32Value&>(message).value());
  }
  void End(const absl::Status& status) override {
    EXPECT_FALSE(writing) << "the end while a write is outstanding";
    EXPECT_FALSE(end.has_value()) << "ended twice";
    end = status;
  }
  void Cut() override { ++cuts; }

  bool writing = false;
  std::vector<int> written;
  std::optional<absl::Status> end;
  int cuts = 0;
};

class StreamCoreTest : public ::testing::Test {
 protected:
  bool Push(int value) {
    auto message = std::make_shared<Int32Value>();
    message->set_value(value);
    return core_.Push(std::move(message));
  }
  void Written(bool ok = true) {
    driver_.writing = false;
    core_.WriteDone(ok);
  }

  FakeDriver driver_;
  StreamCore core_{driver_};
};

TEST_F(StreamCoreTest, EventsGoOutOneByOneInOrder) {
  core_.HandlerDone(absl::OkStatus());
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(Push(i));
  EXPECT_EQ(driver_.written, std::vector<int>({1}));
  Written();
  Written();
  EXPECT_EQ(driver_.written, std::vector<int>({1, 2, 3}));
}

TEST_F(StreamCoreTest, AGoodEndComesAfterWhatIsQueued) {
  core_.HandlerDone(absl::OkStatus());
  Push(1);
  Push(2);
  core_.Close(absl::OkStatus());
  EXPECT_FALSE(Push(3));
  Written();
  EXPECT_FALSE(driver_.end.has_value());
  Written();
  ASSERT_TRUE(driver_.end.has_value());
  EXPECT_TRUE(driver_.end->ok());
}

TEST_F(StreamCoreTest, AnErrorDropsTheQueueButWaitsForTheOutstandingWrite) {
  core_.HandlerDone(absl::OkStatus());
  Push(1);
  Push(2);
  core_.Close(absl::UnavailableError("stopping"));
  EXPECT_FALSE(driver_.end.has_value());
  Written();
  EXPECT_EQ(driver_.end->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(driver_.written, std::vector<int>({1}));
}

TEST_F(StreamCoreTest, NothingEndsWhileTheHandlerRuns) {
  core_.Close(absl::CancelledError("gone"));
  EXPECT_FALSE(driver_.end.has_value());
  core_.HandlerDone(absl::InternalError("late"));
  EXPECT_EQ(driver_.end->code(), absl::StatusCode::kCancelled) << "the first end counts";
}

TEST_F(StreamCoreTest, AReaderThatFallsTooFarBehindIsCut) {
  core_.HandlerDone(absl::OkStatus());
  int sent = 0;
  while (Push(sent)) ++sent;
  EXPECT_EQ(sent, 257) << "256 wait behind the one being written";
  Written();
  EXPECT_EQ(GetErrorDetail(*driver_.end).reason, "STREAM_TOO_SLOW");
  EXPECT_TRUE(GetErrorDetail(*driver_.end).retry_after.has_value());
}

TEST_F(StreamCoreTest, AHandlerThatWaitsGetsRoomWhenTheReaderReads) {
  for (int i = 0; i < 257; ++i) ASSERT_TRUE(Push(i));
  std::thread handler([this] {
    auto message = std::make_shared<Int32Value>();
    EXPECT_TRUE(core_.PushWaiting(std::move(message), absl::Seconds(30)));
  });
  Written();
  handler.join();
  EXPECT_TRUE(core_.open());
}

TEST_F(StreamCoreTest, AHandlerThatWaitsInVainCutsTheReader) {
  for (int i = 0; i < 257; ++i) ASSERT_TRUE(Push(i));
  EXPECT_FALSE(core_.PushWaiting(std::make_shared<Int32Value>(), absl::Milliseconds(1)));
  EXPECT_FALSE(core_.open());
}

TEST_F(StreamCoreTest, AFailedWriteEndsTheStreamEvenOneThatWasEndingWell) {
  core_.HandlerDone(absl::OkStatus());
  Push(1);
  Push(2);
  core_.Close(absl::OkStatus());
  Written(false);
  ASSERT_TRUE(driver_.end.has_value());
}

TEST_F(StreamCoreTest, WhoeverAsksIsToldOnceThatTheStreamIsOver) {
  int told = 0;
  core_.OnGone([&] { ++told; });
  core_.HandlerDone(absl::NotFoundError("x"));
  EXPECT_EQ(told, 1);
  core_.OnGone([&] { ++told; });
  EXPECT_EQ(told, 2);
  core_.Close(absl::OkStatus());
  EXPECT_EQ(told, 2);
}

TEST_F(StreamCoreTest, AWriteThatHangsIsCutOff) {
  core_.HandlerDone(absl::OkStatus());
  Push(1);
  core_.CutIfStuck(std::chrono::steady_clock::now());
  EXPECT_EQ(driver_.cuts, 0);
  core_.CutIfStuck(std::chrono::steady_clock::now() + StreamCore::kStuck + std::chrono::seconds(1));
  EXPECT_EQ(driver_.cuts, 1);
}

TEST_F(StreamCoreTest, OnlySoManyHandlersMayWaitForSlowReaders) {
  const auto budget = std::make_shared<StreamBudget>();
  budget->max_waiting = 0;
  FakeDriver driver;
  StreamCore core(driver, budget);
  const auto message = std::make_shared<Int32Value>();
  for (int i = 0; i < 257; ++i) ASSERT_TRUE(core.PushWaiting(message, absl::Hours(1)));
  EXPECT_FALSE(core.PushWaiting(message, absl::Hours(1)));
  EXPECT_FALSE(core.open());
  EXPECT_EQ(budget->waiting, 0);
}

TEST_F(StreamCoreTest, WhenAllQueuesTogetherAreFullWhoHasAQueueIsCutAndWhoReadsIsNot) {
  const auto budget = std::make_shared<StreamBudget>();
  auto message = std::make_shared<Int32Value>();
  message->set_value(1);
  budget->max_bytes = 10 * static_cast<int64_t>(message->ByteSizeLong());
  FakeDriver slow_driver, quick_driver;
  auto slow = std::make_unique<StreamCore>(slow_driver, budget);
  StreamCore quick(quick_driver, budget);
  int sent = 0;
  while (sent < 12 && slow->Push(message)) ++sent;
  EXPECT_EQ(sent, 11) << "one is being written, ten wait";
  EXPECT_EQ(budget->bytes, 0) << "what is dropped is given back";
  FakeDriver other_driver;
  StreamCore other(other_driver, budget);
  for (int i = 0; i < 11; ++i) ASSERT_TRUE(other.Push(message));
  EXPECT_TRUE(quick.Push(message)) << "it goes to the reader at once";
  quick_driver.writing = false;
  quick.WriteDone(true);
  EXPECT_TRUE(quick.Push(message));
  EXPECT_TRUE(quick.open());
  slow_driver.writing = false;
  slow->WriteDone(false);
  slow.reset();
  EXPECT_EQ(budget->bytes, budget->max_bytes);
}

TEST(StreamSet, RefusesMoreStreamsThanItMayHoldUntilOneIsGone) {
  StreamSet set(1);
  set.budget()->max_streams = 2;
  FakeDriver driver;
  auto one = std::make_shared<StreamCore>(driver), two = std::make_shared<StreamCore>(driver);
  const auto three = std::make_shared<StreamCore>(driver);
  EXPECT_TRUE(set.Add(one).ok());
  EXPECT_TRUE(set.Add(two).ok());
  EXPECT_EQ(set.Add(three).code(), absl::StatusCode::kResourceExhausted);
  one.reset();
  EXPECT_TRUE(set.Add(three).ok());
  set.EndAll(absl::UnavailableError("stopping"));
  EXPECT_EQ(set.Add(two).code(), absl::StatusCode::kUnavailable);
}

TEST_F(StreamCoreTest, AnEndThatHangsIsCutOffUntilGrpcIsDoneWithTheCall) {
  const auto later =
      std::chrono::steady_clock::now() + StreamCore::kStuck + std::chrono::seconds(1);
  core_.HandlerDone(absl::UnavailableError("stopping"));
  ASSERT_TRUE(driver_.end.has_value());
  core_.CutIfStuck(std::chrono::steady_clock::now());
  EXPECT_EQ(driver_.cuts, 0);
  core_.CutIfStuck(later);
  EXPECT_EQ(driver_.cuts, 1);
  core_.CallDone();
  core_.CutIfStuck(later);
  EXPECT_EQ(driver_.cuts, 1);
}

}  // namespace
}  // namespace potok::rpc
