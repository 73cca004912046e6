#include "platform/rpc/frame_meter.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"

namespace potok::rpc {
namespace {

std::string Frame(int type, uint32_t stream, size_t size, int flags = 0) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame.push_back(static_cast<char>(size >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  return frame + std::string(size, '\3');  // Would read as headers of frames, were it looked at.
}

std::string Preface() { return std::string(24, '\3'); }
std::string Headers(uint32_t stream) { return Frame(1, stream, 200, 4); }
std::string Reset(uint32_t stream) { return Frame(3, stream, 4); }

class FrameMeterTest : public ::testing::Test {
 protected:
  FrameMeterTest() { Read(Preface()); }
  bool Read(std::string bytes) { return meter_.Read(now_, bytes.data(), bytes.size()); }
  // How many times `bytes` may be read before the account is overdrawn; at most 1'000'000.
  int Bears(const std::string& bytes) {
    for (int i = 0; i < 1'000'000; ++i) {
      if (!Read(bytes)) return i;
    }
    return 1'000'000;
  }

  absl::Duration now_ = absl::Seconds(7);
  FrameMeter meter_;
};

TEST_F(FrameMeterTest, CallsAndTheirDataCostNothing) {
  EXPECT_EQ(Bears(Headers(1) + Frame(0, 1, 50) + Frame(0, 1, 0, /*END_STREAM*/ 1)), 1'000'000);
}

TEST_F(FrameMeterTest, EachKindOfFrameThatDoesNothingHasItsBurst) {
  const struct {
    const char* what;
    std::string first, bytes;
    int burst;
  } cases[] = {
      {"empty data", "", Frame(0, 1, 0), 200},
      {"a priority", "", Frame(2, 1, 5), 200},
      {"a reset of an old call", "", Reset(0), 100},
      {"a call taken back at once", "", Headers(1) + Reset(1), 25},
      {"settings", "", Frame(4, 0, 6), 20},
      {"a ping before any call", "", Frame(6, 0, 8), 4},
      {"a ping", Headers(1), Frame(6, 0, 8), 10100 / 25},
      {"a window update", "", Frame(8, 0, 4), 2000},
      {"a piece of headers", "", Frame(9, 1, 0), 200},
      {"what HTTP/2 does not know", "", Frame(77, 1, 0), 200},
  };
  for (const auto& [what, first, bytes, burst] : cases) {
    meter_ = FrameMeter();
    Read(Preface() + first);
    EXPECT_EQ(Bears(bytes), burst) << what;
  }
}

TEST_F(FrameMeterTest, WhatBytesComeInWhichPiecesDoesNotMatter) {
  std::string flood = Preface();
  for (uint32_t stream = 1; stream < 800; stream += 2) flood += Headers(stream) + Reset(stream);
  const size_t last = 24 + 25 * (9 + 200 + 9 + 4) + (9 + 200 + 9);  // The header of reset 26.
  for (const size_t piece : {1, 2, 8, 9, 10, 1000, 1'000'000}) {
    meter_ = FrameMeter();
    size_t read = 0;
    while (read < flood.size()) {
      const size_t size = std::min(piece, flood.size() - read);
      const bool good = meter_.Read(now_, flood.data() + read, size);
      read += size;
      if (!good) break;
    }
    EXPECT_GE(read, last) << piece;
    EXPECT_LE(read, std::min(last + piece, flood.size())) << piece;
  }
}

std::string Announced(uint64_t length) {
  std::string prefix(1, '\0');
  for (const int shift : {24, 16, 8, 0}) prefix.push_back(static_cast<char>(length >> shift));
  return prefix;
}

std::string Data(uint32_t stream, const std::string& payload, int flags = 0) {
  std::string frame = Frame(0, stream, payload.size(), flags);
  return frame.replace(9, payload.size(), payload);
}

TEST_F(FrameMeterTest, AMessageThatIsTooLongAnnouncesOneByteMoreThanTheLimit) {
  constexpr uint64_t kMost = FrameMeter::kMostMessageBytes;
  const struct {
    uint64_t length, becomes;
  } cases[] = {
      {0, 0},
      {kMost - 1, kMost - 1},
      {kMost, kMost},
      // gRPC has these soon and refuses them by itself.
      {kMost + 1, kMost + 1},
      {kMost + 0xffff, kMost + 0xffff},
      {kMost + 0x10000, kMost + 1},
      {64 << 20, kMost + 1},
      {0xffffffff, kMost + 1},
  };
  for (const auto& [length, becomes] : cases) {
    for (const size_t piece : {1, 2, 3, 9, 1000}) {
      meter_ = FrameMeter();
      // Calls beside it, pings and frames without data in between leave each its own.
      const std::string before = Preface() + Headers(1) + Headers(3) + Data(3, Announced(7) + "x") +
                                 Frame(0, 1, 0) + Frame(6, 0, 8);
      std::string sent = before + Data(1, Announced(length) + Announced(64 << 20)) +
                         Data(1, Announced(64 << 20)) + Data(3, Announced(64 << 20));
      const std::string expected = before + Data(1, Announced(becomes) + Announced(64 << 20)) +
                                   Data(1, Announced(64 << 20)) + Data(3, Announced(64 << 20));
      for (size_t read = 0; read < sent.size(); read += piece) {
        ASSERT_TRUE(meter_.Read(now_, sent.data() + read, std::min(piece, sent.size() - read)));
      }
      EXPECT_TRUE(sent == expected) << length << " in pieces of " << piece;
    }
  }
}

TEST_F(FrameMeterTest, OnlyTheFirstMessageOfACallThatBeganIsMeasured) {
  const std::string large = Announced(64 << 20);
  // A call that has ended, one that was taken back, one that never began, one that pads.
  for (const std::string& first :
       {Frame(1, 1, 200, /*END_STREAM*/ 1), Headers(1) + Reset(1), std::string()}) {
    meter_ = FrameMeter();
    std::string sent = Preface() + first + Data(1, large);
    const std::string expected = sent;
    EXPECT_TRUE(meter_.Read(now_, sent.data(), sent.size()));
    EXPECT_TRUE(sent == expected);
  }
  // Those that send nothing are forgotten one by one; the latest are not.
  meter_ = FrameMeter();
  Read(Preface());
  for (uint32_t stream = 1; stream < 4001; stream += 2) Read(Headers(stream));
  std::string old = Data(1, large), fresh = Data(3999, large);
  meter_.Read(now_, old.data(), old.size());
  meter_.Read(now_, fresh.data(), fresh.size());
  EXPECT_TRUE(old == Data(1, large));
  EXPECT_TRUE(fresh == Data(3999, Announced(FrameMeter::kMostMessageBytes + 1)));
}

TEST_F(FrameMeterTest, ACallThatWasGivenTimeIsCheaperToTakeBack) {
  // A client's deadline passed while the server hung: all its calls end at once.
  std::string calls, resets;
  for (uint32_t stream = 1; stream < 2000; stream += 2) {
    calls += Headers(stream);
    resets += Reset(stream);
  }
  EXPECT_TRUE(Read(calls));
  now_ += 2 * FrameMeter::kAtOnce;
  EXPECT_TRUE(Read(resets));
  EXPECT_FALSE(Read(Reset(1999)));
}

TEST_F(FrameMeterTest, APausedConnectionWithManyTurnsStillTellsNewCallsFromOld) {
  for (uint32_t stream = 1; stream < 199; stream += 2) {  // A turn between each.
    EXPECT_TRUE(Read(Headers(stream)));
    now_ += FrameMeter::kAtOnce;
  }
  now_ += FrameMeter::kAtOnce;
  EXPECT_EQ(Bears(Headers(201) + Reset(201)), 49);  // 99 calls have brought more.
}

TEST_F(FrameMeterTest, AnOldCustomerMayTakeMoreBack) {
  for (uint32_t stream = 1; stream < 2000; stream += 2) Read(Headers(stream));
  EXPECT_EQ(Bears(Headers(2001) + Reset(2001)), 249);
}

TEST_F(FrameMeterTest, TheAccountFillsAgainAndNeverBeyondWhatItHolds) {
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(Read(Headers(1) + Reset(1)));
  now_ += absl::Milliseconds(100);
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(Read(Headers(3) + Reset(3)));
  now_ += absl::Hours(5);
  EXPECT_EQ(Bears(Headers(5) + Reset(5)), (10'000 + 37 * 100) / 400);
}

TEST_F(FrameMeterTest, ManySmallStepsOfTimeFillItAsMuchAsALargeOne) {
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(Read(Headers(1) + Reset(1)));
  for (int i = 0; i < 10'000; ++i) {
    now_ += absl::Microseconds(10);
    ASSERT_TRUE(Read(Frame(0, 1, 1)));
  }
  EXPECT_EQ(Bears(Headers(3) + Reset(3)), 12);
}

}  // namespace
}  // namespace potok::rpc
