#include "platform/rpc/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/obs/log.h"
#include "platform/testing/loopback.h"
#include "platform/testing/signal.h"

namespace potok::rpc {
namespace {

using testing::ConnectToLoopback;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AcceptorTest : public ::testing::Test {
 protected:
  void Listen(int max_connections, double at_once = 1024, double per_second = 400) {
    auto acceptor =
        Acceptor::Listen({{"127.0.0.1:0"}, max_connections, at_once, per_second}, metrics_);
    ASSERT_TRUE(acceptor.ok()) << acceptor.status();
    acceptor_ = *std::move(acceptor);
  }
  void Start() {
    acceptor_->Start([this](int fd, bool) { served_.Add(fd); });
  }
  int Client() { return clients_.emplace_back(ConnectToLoopback(acceptor_->addresses()[0])); }
  ~AcceptorTest() override {
    acceptor_.reset();
    for (const int fd : clients_) close(fd);
    for (const int fd : served_.Items()) close(fd);
  }

  obs::Metrics metrics_;
  std::unique_ptr<Acceptor> acceptor_;
  std::vector<int> clients_;
  testing::Recorder<int> served_;
};

TEST(ChooseVictims, TakesWhoNeverCalledThenWhoIsSilentForLongestAndNobodyWhoJustSpoke) {
  const std::vector<ConnectionSigns> connections = {
      {.fd = 1, .received_bytes = 9000, .silent = absl::Seconds(50)},
      {.fd = 2, .received_bytes = 9000, .silent = absl::Seconds(70)},
      {.fd = 3, .received_bytes = 24, .silent = absl::Seconds(2)},
      {.fd = 4, .received_bytes = 0, .silent = absl::Seconds(3)},
      {.fd = 5, .received_bytes = 0, .silent = absl::Milliseconds(900)},
  };
  EXPECT_THAT(ChooseVictims(connections, 9), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(ChooseVictims(connections, 1), ElementsAre(4));
  EXPECT_THAT(ChooseVictims(connections, 0), IsEmpty());
}

TEST_F(AcceptorTest, GoesOnAfterTheProcessRanOutOfDescriptors) {
  // UBSan looks through a pipe at an object whose class it meets for the first time, and below
  // there is no descriptor left for one: it is to meet all of them now.
  {
    obs::Metrics metrics;
    testing::Recorder<int> served;
    const auto other = Acceptor::Listen({{"127.0.0.1:0"}, 100, 1024, 400}, metrics);
    ASSERT_TRUE(other.ok()) << other.status();
    (*other)->Start([&](int fd, bool) { served.Add(fd); });
    const int client = ConnectToLoopback((*other)->addresses()[0]);
    ASSERT_TRUE(served.WaitForCount(1));
    (void)metrics.Render();
    obs::LogWarn("accept.test", "descriptors are about to run out");
    close(client);
    close(served.Items()[0]);
  }
  Listen(100);
  for (int i = 0; i < 8; ++i) ASSERT_GE(Client(), 0);  // The kernel completes them by itself.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(clients_.back()) + 1 + 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  Start();
  EXPECT_TRUE(served_.WaitForCount(3));
  EXPECT_TRUE(testing::Eventually([&] {
    return metrics_.Render().find("potok_accept_failures_total 0") == std::string::npos;
  }));
  EXPECT_EQ(served_.size(), 3u);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(served_.WaitForCount(8));
}

TEST_F(AcceptorTest, ANewcomerTakesThePlaceOfOneWhoIsSilentButNotOfOneWhoJustCame) {
  Listen(4);
  Start();
  for (int i = 0; i < 4; ++i) ASSERT_GE(Client(), 0);
  ASSERT_TRUE(served_.WaitForCount(4));
  // The fifth is closed at once: nobody has been silent for a second yet.
  char byte = 0;
  EXPECT_EQ(recv(Client(), &byte, 1, 0), 0);
  EXPECT_EQ(served_.size(), 4u);
  EXPECT_TRUE(testing::Eventually([&] {
    Client();
    return served_.size() > 4;
  }));
  // What was cut reads as ended; the server closes it then.
  const std::vector<int> served = served_.Items();
  EXPECT_TRUE(testing::Eventually([&] {
    for (int i = 0; i < 4; ++i) {
      if (recv(served[i], &byte, 1, MSG_DONTWAIT) == 0) return true;
    }
    return false;
  }));
  EXPECT_THAT(metrics_.Render(), HasSubstr("potok_connections_closed_total{whose=\"idle\"} 1"));
}

TEST_F(AcceptorTest, ADescriptorThatWasClosedAndUsedAgainIsNotCounted) {
  Listen(4);
  Start();
  for (int i = 0; i < 3; ++i) Client();
  ASSERT_TRUE(served_.WaitForCount(3));
  EXPECT_EQ(acceptor_->open(), 3);
  const int other = socket(AF_INET, SOCK_STREAM, 0);
  dup2(other, served_.Items()[0]);  // The number lives on as another socket.
  EXPECT_EQ(acceptor_->open(), 2);
  close(other);
}

TEST_F(AcceptorTest, WhoHungUpBeforeItsTurnNeverCostsTheServerAnything) {
  Listen(9);
  for (int i = 0; i < 3; ++i) ASSERT_GE(Client(), 0);
  for (int i = 0; i < 2; ++i) {
    close(clients_.front());
    clients_.erase(clients_.begin());
  }
  Start();
  EXPECT_TRUE(served_.WaitForCount(1));
  EXPECT_TRUE(testing::Eventually([&] {
    return metrics_.Render().find("potok_connections_hung_up_early_total 2") != std::string::npos;
  }));
  EXPECT_EQ(served_.size(), 1u);
}

TEST_F(AcceptorTest, ACrowdBeyondTheBurstWaitsForItsTurnAndIsClosedAtTheEnd) {
  Listen(9, /*at_once=*/2, /*per_second=*/0);
  for (int i = 0; i < 5; ++i) ASSERT_GE(Client(), 0);
  Start();
  EXPECT_TRUE(testing::Eventually(
      [&] { return metrics_.Render().find("potok_connections_waiting 3") != std::string::npos; }));
  EXPECT_EQ(served_.size(), 2u);
  acceptor_->Stop();
  char byte = 0;
  EXPECT_EQ(recv(clients_.back(), &byte, 1, 0), 0);
}

TEST_F(AcceptorTest, TheOnesBeyondTheBurstComeOneAfterTheOther) {
  Listen(9, /*at_once=*/1, /*per_second=*/1000);
  for (int i = 0; i < 5; ++i) ASSERT_GE(Client(), 0);
  Start();
  EXPECT_TRUE(served_.WaitForCount(5));
}

TEST_F(AcceptorTest, AfterTheStopNobodyConnects) {
  Listen(4);
  Start();
  ASSERT_GE(Client(), 0);
  ASSERT_TRUE(served_.WaitForCount(1));
  acceptor_->Stop();
  acceptor_->Stop();
  EXPECT_EQ(ConnectToLoopback(acceptor_->addresses()[0]), -1);
}

TEST_F(AcceptorTest, ASocketFileOfADeadProcessIsReplacedAndOneInUseIsNot) {
  const std::string address = "unix:" + ::testing::TempDir() + "acceptor.sock";
  auto first = Acceptor::Listen({{address}, 4}, metrics_);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = Acceptor::Listen({{address}, 4}, metrics_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("taken by another process"));
  first->reset();
  // As a killed process leaves it: bound, and nobody listens.
  const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  address.substr(5).copy(name.sun_path, sizeof(name.sun_path) - 1);
  ASSERT_EQ(bind(dead, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  close(dead);
  EXPECT_TRUE(Acceptor::Listen({{address}, 4}, metrics_).ok());
}

}  // namespace
}  // namespace potok::rpc
