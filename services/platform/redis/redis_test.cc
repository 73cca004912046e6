#include "platform/redis/redis.h"

#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/testing/signal.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::redis {
namespace {

using testing::IsOk;
using testing::StatusIs;
using testing::TestRedis;

Reply Error(const std::string& text) { return {.kind = Reply::Kind::kError, .text = text}; }

TEST(ErrorReply, FirstWordDecides) {
  using absl::StatusCode;
  EXPECT_THAT(ToStatus(Error("READONLY You can't write against a read only replica.")),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(ToStatus(Error("LOADING Redis is loading the dataset in memory")),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(ToStatus(Error("MASTERDOWN Link with MASTER is down")),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(ToStatus(Error("OOM command not allowed when used memory > 'maxmemory'.")),
              StatusIs(StatusCode::kResourceExhausted));
  EXPECT_THAT(ToStatus(Error("NOAUTH Authentication required.")),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(ToStatus(Error("NOGROUP No such key")), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(ToStatus(Reply{}), IsOk());
}

TEST(Connection, CommandsAndPipelinesCarryBinaryData) {
  POTOK_ABOUT_REDIS();
  TestRedis server;
  Connection redis({.address = server.address()});
  const std::string binary("a\0b\r\n", 5);
  ASSERT_THAT(redis.Command({"SET", "k", binary}), IsOk());
  ASSERT_OK_AND_ASSIGN(const Reply got, redis.Command({"GET", "k"}));
  EXPECT_EQ(got.text, binary);
  ASSERT_OK_AND_ASSIGN(const auto replies,
                       redis.Pipeline({{"INCR", "n"}, {"LPUSH", "k", "x"}, {"INCR", "n"}}));
  EXPECT_EQ(replies[0].integer, 1);
  EXPECT_TRUE(replies[1].IsError());
  EXPECT_EQ(replies[2].integer, 2);
  ASSERT_OK_AND_ASSIGN(const Reply missing, redis.Command({"GET", "missing"}));
  EXPECT_TRUE(missing.IsNil());
  EXPECT_EQ(redis.generation(), 1);
}

TEST(Connection, ServerThatComesBackIsFoundAgain) {
  POTOK_ABOUT_REDIS();
  TestRedis server;
  Connection redis({.address = server.address(), .reconnect_pause = absl::ZeroDuration()});
  ASSERT_THAT(redis.Command({"PING"}), IsOk());
  server.Stop();
  EXPECT_THAT(redis.Command({"PING"}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(redis.Command({"PING"}), StatusIs(absl::StatusCode::kUnavailable));
  server.Start();
  EXPECT_THAT(redis.Command({"PING"}), IsOk());
  EXPECT_EQ(redis.generation(), 2);
}

TEST(Connection, FrozenServerCostsOneTimeout) {
  POTOK_ABOUT_REDIS();
  TestRedis server;
  Connection redis({.address = server.address(), .io_timeout = absl::Milliseconds(100)});
  ASSERT_THAT(redis.Command({"PING"}), IsOk());
  server.Freeze();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(redis.Command({"PING"}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_FALSE(redis.connected());
  server.Thaw();
}

TEST(Connection, SubscriberWaitsWithoutLosingItsConnection) {
  POTOK_ABOUT_REDIS();
  TestRedis server;
  Connection subscriber({.address = server.address()});
  ASSERT_THAT(subscriber.Command({"SUBSCRIBE", "wake"}), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto nothing, subscriber.Receive(absl::Milliseconds(10)));
  EXPECT_FALSE(nothing.has_value());
  Connection publisher({.address = server.address()});
  ASSERT_THAT(publisher.Pipeline({{"PUBLISH", "wake", "1"}, {"PUBLISH", "wake", "2"}}), IsOk());
  for (const std::string expected : {"1", "2"}) {
    ASSERT_OK_AND_ASSIGN(const auto message, subscriber.Receive(absl::Seconds(5)));
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->items[2].text, expected);
  }
}

TEST(Connection, AReadThatBlocksIsInterruptedFromAnotherThread) {
  POTOK_ABOUT_REDIS();
  TestRedis server;
  Connection redis({.address = server.address()});
  ASSERT_THAT(redis.Command({"PING"}), IsOk());
  std::thread reader([&] {
    EXPECT_THAT(redis.Command({"BLPOP", "nothing", "60"}, absl::Seconds(60)),
                StatusIs(absl::StatusCode::kUnavailable));
  });
  Connection observer({.address = server.address()});
  ASSERT_TRUE(testing::Eventually([&] {
    const auto info = observer.Command({"INFO", "clients"});
    return info.ok() && absl::StrContains(info->text, "blocked_clients:1");
  }));
  redis.Interrupt();
  reader.join();
  EXPECT_THAT(redis.Command({"PING"}), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(Connection, BadAddressIsSaid) {
  EXPECT_THAT(Connection({.address = "host:port"}).Command({"PING"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Connection({.address = "unix:/nonexistent"}).Command({"PING"}),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace potok::redis
