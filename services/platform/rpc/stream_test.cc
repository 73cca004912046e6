#include <thread>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"

#include "base/error.h"
#include "platform/rpc/probe_server.h"

namespace potok::rpc {
namespace {

using grpc::StatusCode;
using probe::v1::WatchRequest;
using probe::v1::WatchResponse;
using ::testing::HasSubstr;

class StreamTest : public ProbeServerTest {
 protected:
  struct Reading {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<WatchResponse>> reader;
  };
  std::unique_ptr<Reading> Open(const std::string& token = "dev:ivanova") {
    auto reading = std::make_unique<Reading>();
    Fill(reading->context, token, {});
    reading->reader = stub_->Watch(&reading->context, WatchRequest());
    return reading;
  }
  // From here on by a connection of its own.
  void Connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(server_.addresses()[0], grpc::InsecureChannelCredentials(),
                                         arguments);
    stub_ = ProbeService::NewStub(channel_);
  }
  static WatchResponse Event(int number, size_t ballast = 0) {
    WatchResponse event;
    event.set_number(number);
    event.set_ballast(std::string(ballast, 'x'));
    return event;
  }
};

TEST_F(StreamTest, EventsArriveInOrderAndTheStreamEndsWell) {
  rpc_.watch = [](const WatchRequest&, std::shared_ptr<Stream<WatchResponse>> stream) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(stream->Send(Event(i)));
    return absl::OkStatus();
  };
  const auto reading = Open();
  WatchResponse event;
  int next = 0;
  while (reading->reader->Read(&event)) EXPECT_EQ(event.number(), next++);
  EXPECT_EQ(next, 100);
  EXPECT_TRUE(reading->reader->Finish().ok());
}

TEST_F(StreamTest, AStreamOutlivesItsHandlerWhileSomebodyHoldsIt) {
  std::shared_ptr<Stream<WatchResponse>> held;
  absl::Notification handled;
  rpc_.watch = [&](const WatchRequest&, std::shared_ptr<Stream<WatchResponse>> stream) {
    held = std::move(stream);
    handled.Notify();
    return absl::OkStatus();
  };
  const auto reading = Open();
  handled.WaitForNotification();
  EXPECT_TRUE(held->Send(Event(1)));
  WatchResponse event;
  ASSERT_TRUE(reading->reader->Read(&event));
  EXPECT_EQ(event.number(), 1);
  held.reset();
  EXPECT_FALSE(reading->reader->Read(&event));
  EXPECT_TRUE(reading->reader->Finish().ok());
}

TEST_F(StreamTest, WithoutTokenOrWithAHandlersErrorTheStreamOnlyFails) {
  rpc_.watch = [](const WatchRequest&, const std::shared_ptr<Stream<WatchResponse>>&) {
    return MakeError(absl::StatusCode::kOutOfRange, "RESUME_TOKEN_EXPIRED", "list again");
  };
  WatchResponse event;
  const auto anonymous = Open("");
  EXPECT_FALSE(anonymous->reader->Read(&event));
  EXPECT_EQ(Reason(anonymous->reader->Finish()), "CREDENTIALS_MISSING");
  const auto expired = Open();
  EXPECT_FALSE(expired->reader->Read(&event));
  EXPECT_EQ(Reason(expired->reader->Finish()), "RESUME_TOKEN_EXPIRED");
}

TEST_F(StreamTest, ASlowReaderIsCutAndToldSo) {
  absl::Notification cut;
  rpc_.watch = [&](const WatchRequest&, const std::shared_ptr<Stream<WatchResponse>>& stream) {
    // Larger than all windows together, so that the queue must overflow while nobody reads.
    int sent = 0;
    while (stream->Send(Event(sent, 100'000))) ++sent;
    EXPECT_GE(sent, 256);
    cut.Notify();
    return absl::OkStatus();
  };
  const auto reading = Open();
  cut.WaitForNotification();
  WatchResponse event;
  while (reading->reader->Read(&event)) {
  }
  const grpc::Status status = reading->reader->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(status), "STREAM_TOO_SLOW");
  EXPECT_GE(Get<google::rpc::RetryInfo>(status).retry_delay().seconds(), 1);
}

TEST_F(StreamTest, AReaderThatLeavesIsNoticed) {
  absl::Notification gone;
  std::shared_ptr<Stream<WatchResponse>> held;
  absl::Notification handled;
  rpc_.watch = [&](const WatchRequest&, std::shared_ptr<Stream<WatchResponse>> stream) {
    stream->OnGone([&] { gone.Notify(); });
    held = std::move(stream);
    handled.Notify();
    return absl::OkStatus();
  };
  const auto reading = Open();
  handled.WaitForNotification();
  reading->context.TryCancel();
  gone.WaitForNotification();
  EXPECT_FALSE(held->Send(Event(1)));
  WatchResponse event;
  EXPECT_FALSE(reading->reader->Read(&event));
  EXPECT_EQ(reading->reader->Finish().error_code(), StatusCode::CANCELLED);
}

TEST_F(StreamTest, ReadersThatLeaveAtAnyMomentDoNoHarm) {
  rpc_.watch = [](const WatchRequest&, const std::shared_ptr<Stream<WatchResponse>>& stream) {
    for (int i = 0; i < 50 && stream->Send(Event(i, 1000)); ++i) {
    }
    return absl::OkStatus();
  };
  // Twenty of a connection: more that leave at once are a flood, which ends it (flood_guard.h).
  constexpr int kConnections = 10, kReadersOfEach = 20;
  for (int connection = 0; connection < kConnections; ++connection) {
    Connect();
    for (int i = 0; i < kReadersOfEach; ++i) {
      const auto reading = Open();
      WatchResponse event;
      for (int reads = i % 4; reads > 0 && reading->reader->Read(&event); --reads) {
      }
      reading->context.TryCancel();
      while (reading->reader->Read(&event)) {
      }
      (void)reading->reader->Finish();
    }
  }
  Connect();
  // The one worker may still have readers before it who are gone: then a call is told to come
  // again.
  grpc::Status after;
  do {
    after = Echo(Text("hello"));
  } while (after.error_code() == StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(after.ok()) << after.error_message();
  EXPECT_THAT(metrics_.Render(), HasSubstr("potok_connections_flooded_total 0"));
}

TEST_F(StreamTest, AtShutdownEveryStreamEndsWithUnavailableAndADelay) {
  std::shared_ptr<Stream<WatchResponse>> held;
  absl::Notification handled;
  rpc_.watch = [&](const WatchRequest&, std::shared_ptr<Stream<WatchResponse>> stream) {
    held = std::move(stream);
    handled.Notify();
    return absl::OkStatus();
  };
  const auto reading = Open();
  handled.WaitForNotification();
  const auto begin = std::chrono::steady_clock::now();
  server_.Shutdown(std::chrono::seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10))
      << "a live stream must not hold the shutdown up";
  WatchResponse event;
  EXPECT_FALSE(reading->reader->Read(&event));
  const grpc::Status status = reading->reader->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(Reason(status), "SHUTTING_DOWN");
}

// The last word of a stream waits behind what its reader does not take. The grace is longer than
// any test may run: the shutdown returns only because such streams are cut.
TEST_F(StreamTest, AReaderThatTakesNothingHoldsNoShutdownUp) {
  std::shared_ptr<Stream<WatchResponse>> held;
  absl::Notification handled;
  rpc_.watch = [&](const WatchRequest&, std::shared_ptr<Stream<WatchResponse>> stream) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(stream->Send(Event(i, 100'000)));
    held = std::move(stream);
    handled.Notify();
    return absl::OkStatus();
  };
  const auto reading = Open();
  handled.WaitForNotification();
  server_.Shutdown(std::chrono::hours(1));
  WatchResponse event;
  while (reading->reader->Read(&event)) {
  }
  EXPECT_FALSE(reading->reader->Finish().ok());
}

}  // namespace
}  // namespace potok::rpc
