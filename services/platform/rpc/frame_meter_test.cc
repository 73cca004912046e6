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
  bool Read(const std::string& bytes) { return meter_.Read(now_, bytes.data(), bytes.size()); }
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
