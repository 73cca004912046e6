// Who answers a call, from which thread, and how often.
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"

#include "platform/rpc/probe_server.h"

namespace potok::rpc {
namespace {

using grpc::StatusCode;
using probe::v1::EchoRequest;
using probe::v1::EchoResponse;
using probe::v1::LaterResponse;
using ::testing::HasSubstr;

TEST_F(ProbeServerTest, AnAsyncAnswerMayComeFromAnotherThread) {
  std::thread other;
  absl::Notification kept;  // The answer may be here before the handler has put the thread away.
  rpc_.later = [&](Answer<LaterResponse> done) {
    other = std::thread([done] {
      LaterResponse answer;
      answer.set_number(7);
      done(answer);
      done(absl::InternalError("a second answer is ignored"));
    });
    kept.Notify();
  };
  LaterResponse answer;
  const grpc::Status status = Later(&answer);
  kept.WaitForNotification();
  other.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(answer.number(), 7);
}

TEST_F(ProbeServerTest, ADroppedAnswerEndsTheCall) {
  rpc_.later = [](Answer<LaterResponse>) {};
  LaterResponse answer;
  EXPECT_EQ(Later(&answer).error_code(), StatusCode::INTERNAL);
}

TEST_F(ProbeServerTest, AHandlerThatThrowsCostsOneCallAndTellsNoSecrets) {
  rpc_.echo = [](const CallContext&, const EchoRequest&) -> absl::StatusOr<EchoResponse> {
    throw std::runtime_error("SELECT secret");
  };
  rpc_.later = [](Answer<LaterResponse>) { throw std::runtime_error("SELECT secret"); };
  const grpc::Status status = Echo(Text("hello"));
  EXPECT_EQ(status.error_code(), StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("SELECT"), std::string::npos);
  LaterResponse answer;
  EXPECT_EQ(Later(&answer).error_code(), StatusCode::INTERNAL);
}

TEST_F(ProbeServerTest, WhatNeedNotWaitIsAnsweredThoughEveryThreadOfThePoolIsBusy) {
  absl::Notification busy, go;
  rpc_.echo = [&](const CallContext&, const EchoRequest&) {
    busy.Notify();
    go.WaitForNotification();
    return EchoResponse();
  };
  std::thread occupant([&] { Echo(Text("hello")); });
  busy.WaitForNotification();
  rpc_.at_once = [](const Answer<LaterResponse>& done) {
    LaterResponse answer;
    answer.set_number(7);
    done(answer);
    return true;
  };
  rpc_.later = [](Answer<LaterResponse> done) { done(absl::AbortedError("waited")); };
  LaterResponse answer;
  EXPECT_TRUE(Later(&answer).ok());
  EXPECT_EQ(answer.number(), 7);
  go.Notify();
  occupant.join();
}

TEST_F(ProbeServerTest, AnotherThreadMayAnswerWhileTheCallIsStillBeingHandled) {
  rpc_.at_once = [](const Answer<LaterResponse>& done) {
    std::thread([done] {
      LaterResponse answer;
      answer.set_number(7);
      done(answer);
    }).join();
    return true;
  };
  for (int i = 0; i < 50; ++i) {
    LaterResponse answer;
    ASSERT_TRUE(Later(&answer).ok());
    EXPECT_EQ(answer.number(), 7);
  }
}

TEST_F(ProbeServerTest, WhoHasAnsweredAtOnceDoesNotGoToThePoolAsWell) {
  rpc_.at_once = [](const Answer<LaterResponse>& done) {
    done(absl::NotFoundError("answered"));
    return false;
  };
  rpc_.later = [](Answer<LaterResponse>) { FAIL() << "it is answered already"; };
  LaterResponse answer;
  EXPECT_EQ(Later(&answer).error_code(), StatusCode::NOT_FOUND);
}

TEST_F(ProbeServerTest, WhatHasToWaitGoesOnInThePoolAndIsAnsweredThere) {
  rpc_.at_once = [](const Answer<LaterResponse>&) { return false; };
  rpc_.later = [](Answer<LaterResponse> done) {
    LaterResponse answer;
    answer.set_number(9);
    done(answer);
  };
  LaterResponse answer;
  EXPECT_TRUE(Later(&answer).ok());
  EXPECT_EQ(answer.number(), 9);
}

TEST_F(ProbeServerTest, AHandlerThatThrowsAtOnceHasAnsweredAndTellsNoSecrets) {
  rpc_.at_once = [](const Answer<LaterResponse>&) -> bool {
    throw std::runtime_error("SELECT secret");
  };
  rpc_.later = [](Answer<LaterResponse>) { FAIL() << "it is answered already"; };
  LaterResponse answer;
  const grpc::Status status = Later(&answer);
  EXPECT_EQ(status.error_code(), StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("SELECT"), std::string::npos);
}

TEST_F(ProbeServerTest, CallsAreCountedByMethodAndCode) {
  EXPECT_TRUE(Echo(Text("hello")).ok());
  EXPECT_FALSE(Echo(Text("")).ok());
  const std::string page = metrics_.Render();
  EXPECT_THAT(page, HasSubstr("grpc_server_started_total{method=\"Echo\","
                              "service=\"potok.probe.v1.ProbeService\"} 2"));
  EXPECT_THAT(page,
              HasSubstr("grpc_server_handled_total{code=\"INVALID_ARGUMENT\",method=\"Echo\""));
  EXPECT_THAT(page, HasSubstr("grpc_server_handling_seconds_count{method=\"Echo\""));
}

}  // namespace
}  // namespace potok::rpc
