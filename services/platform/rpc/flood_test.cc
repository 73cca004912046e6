// A real gRPC server and clients that speak HTTP/2 by hand.
#include <cerrno>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/rpc/probe_server.h"
#include "platform/testing/loopback.h"

namespace potok::rpc {
namespace {

using ::testing::HasSubstr;

constexpr int kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kWindowUpdate = 8;

std::string Frame(int type, int flags, uint32_t stream, const std::string& payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame.push_back(static_cast<char>(payload.size() >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  return frame + payload;
}

std::string Text(const std::string& text) {  // HPACK, without Huffman; below 127 bytes.
  return std::string(1, static_cast<char>(text.size())) + text;
}

std::string Call(uint32_t stream) {
  return Frame(kHeaders, 4, stream,
               "\x83\x86\x04" + Text("/potok.probe.v1.ProbeService/Open") + '\x01' +
                   Text("localhost") + "\x0f\x10" + Text("application/grpc") +
                   std::string(1, '\0') + Text("te") + Text("trailers"));
}

class FloodTest : public ProbeServerTest {
 protected:
  ~FloodTest() override { close(fd_); }

  void SetUp() override {
    ProbeServerTest::SetUp();
    fd_ = testing::ConnectToLoopback(server_.addresses()[0]);
    ASSERT_NE(fd_, -1);
    ASSERT_TRUE(Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "")));
  }

  void TearDown() override {
    shutdown(fd_, SHUT_RDWR);  // Or the end would wait for calls that are not finished.
    ProbeServerTest::TearDown();
  }

  bool Send(const std::string& bytes) {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Whether the server ends the connection, rather than leaving it open once it has answered a
  // ping. gRPC's own end comes behind its answers, so the end is looked for after them.
  bool Ends() {
    if (!Send(Frame(kPing, 0, 0, "the last"))) return true;
    std::string all;
    char some[4096];
    for (;;) {
      const bool answered = all.find("the last") != std::string::npos;
      const timeval patience{.tv_sec = answered ? 1 : 20, .tv_usec = 0};
      setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
      const ssize_t got = recv(fd_, some, sizeof(some), 0);
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
      if (got <= 0) return true;
      all.append(some, static_cast<size_t>(got));
    }
  }
  bool OthersAreServed() {
    grpc::ClientContext context;
    probe::v1::OpenResponse answer;
    return stub_->Open(&context, {}, &answer).ok();
  }

  int fd_ = -1;
};

TEST_F(FloodTest, CallsTakenBackAtOnceEndTheConnectionAndNobodyElses) {
  ASSERT_TRUE(OthersAreServed());
  for (uint32_t stream = 1; stream < 2 * 300; stream += 2) {
    if (!Send(Call(stream) + Frame(kReset, 0, stream, std::string("\0\0\0\x8", 4)))) break;
  }
  EXPECT_TRUE(Ends());
  EXPECT_TRUE(OthersAreServed());
  EXPECT_THAT(metrics_.Render(), HasSubstr("potok_connections_flooded_total 1"));
}

TEST_F(FloodTest, AFewCallsTakenBackAndALongMessageInManyPiecesAreLife) {
  for (uint32_t stream = 1; stream < 2 * 15; stream += 2) {
    ASSERT_TRUE(Send(Call(stream) + Frame(kReset, 0, stream, std::string("\0\0\0\x8", 4))));
  }
  // A message of which two thousand bytes are announced.
  ASSERT_TRUE(Send(Call(31) + Frame(kData, 0, 31, std::string("\0\0\0\x7\xd0", 5))));
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(Send(Frame(kData, 0, 31, "x")));
  EXPECT_FALSE(Ends());
  EXPECT_THAT(metrics_.Render(), HasSubstr("potok_connections_flooded_total 0"));
}

TEST_F(FloodTest, AFloodOfWindowsEndsTheConnection) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += Frame(kWindowUpdate, 0, 0, std::string("\0\0\0\1", 4));
  for (int i = 0; i < 1000 && Send(many); ++i) {
  }
  EXPECT_TRUE(Ends());
  EXPECT_TRUE(OthersAreServed());
}

TEST_F(FloodTest, PingsWithoutCallsEndTheConnection) {
  for (int i = 0; i < 10; ++i) {
    if (!Send(Frame(kPing, 0, 0, "12345678"))) break;
  }
  EXPECT_TRUE(Ends());
  EXPECT_TRUE(OthersAreServed());
}

TEST_F(FloodTest, PingsBesideACallEndTheConnectionWhenThereAreThousands) {
  ASSERT_TRUE(Send(Call(1)));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += Frame(kPing, 0, 0, "12345678");
  for (int i = 0; i < 1000 && Send(many); ++i) {
  }
  EXPECT_TRUE(Ends());
  EXPECT_TRUE(OthersAreServed());
}

}  // namespace
}  // namespace potok::rpc
