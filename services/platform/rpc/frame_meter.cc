#include "platform/rpc/frame_meter.h"

#include <algorithm>
#include <cstring>

namespace potok::rpc {
namespace {

enum Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kWindowUpdate = 8,
};
constexpr uint8_t kEndStream = 1;  // Of data.

}  // namespace

bool FrameMeter::Read(absl::Duration now, const char* bytes, size_t size) {
  if (now - turn_ >= kAtOnce) {
    old_stream_ = now - turn_ >= 2 * kAtOnce ? newest_stream_ : newest_at_turn_;
    newest_at_turn_ = newest_stream_;
    turn_ = now;
  }
  const absl::Duration full = absl::Seconds(1) * costs_.holds_at_most / costs_.second;
  if (now - filled_ >= full) {
    account_ = holds_;
    filled_ = now;
  } else if (const int64_t back =
                 absl::ToInt64Microseconds(now - filled_) * costs_.second / 1'000'000;
             back > 0) {
    account_ = std::min(holds_, account_ + back);
    filled_ = now;
  }
  while (size > 0 && account_ >= 0) {
    if (skip_ > 0) {
      const size_t skipped = std::min(skip_, size);
      skip_ -= skipped;
      bytes += skipped;
      size -= skipped;
      continue;
    }
    const size_t taken = std::min(kHeaderBytes - header_bytes_, size);
    std::memcpy(&header_[header_bytes_], bytes, taken);
    header_bytes_ += taken;
    bytes += taken;
    size -= taken;
    if (header_bytes_ < kHeaderBytes) break;
    header_bytes_ = 0;
    skip_ =
        static_cast<size_t>(header_[0]) << 16 | static_cast<size_t>(header_[1]) << 8 | header_[2];
    account_ -= CostOfFrame();
  }
  return account_ >= 0;
}

int64_t FrameMeter::CostOfFrame() {
  const uint32_t stream = static_cast<uint32_t>(header_[5] & 0x7f) << 24 |
                          static_cast<uint32_t>(header_[6]) << 16 |
                          static_cast<uint32_t>(header_[7]) << 8 | header_[8];
  switch (header_[3]) {
    case kData: return skip_ == 0 && (header_[4] & kEndStream) == 0 ? costs_.other : 0;
    case kHeaders:
      newest_stream_ = std::max(newest_stream_, stream);
      holds_ = std::min(costs_.holds_at_most, holds_ + costs_.call);
      return -std::min(costs_.call, holds_ - account_);
    case kReset: return stream > old_stream_ ? costs_.rapid_reset : costs_.reset;
    case kSettings: return costs_.settings;
    case kPing: return newest_stream_ == 0 ? costs_.ping_before_any_call : costs_.ping;
    case kWindowUpdate: return costs_.window_update;
    default: return costs_.other;
  }
}

}  // namespace potok::rpc
