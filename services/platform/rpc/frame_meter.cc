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
constexpr uint8_t kEndStream = 1;  // Of data and of headers.
constexpr uint8_t kPadded = 8;     // Of data.

// The length of a message follows a byte that tells whether it is compressed, the highest byte
// first.
constexpr int kMessagePrefixBytes = 5;

}  // namespace

bool FrameMeter::Read(absl::Duration now, char* bytes, size_t size) {
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
      if (measured_ != 0) Shorten(bytes, skipped);
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

void FrameMeter::Shorten(char* bytes, size_t size) {
  Prefix& prefix = unmeasured_[measured_];
  for (; size > 0 && prefix.bytes < kMessagePrefixBytes; ++bytes, --size, ++prefix.bytes) {
    if (prefix.bytes == 0) continue;
    // Whatever comes after a byte that is larger than that of the limit makes it no shorter, so
    // each byte is settled as it comes, in whatever pieces.
    const int shift = 8 * (kMessagePrefixBytes - 1 - prefix.bytes);
    const int most = kMostMessageBytes >> shift & 0xff;
    const auto byte = static_cast<unsigned char>(*bytes);
    if (prefix.too_long) {
      *bytes = static_cast<char>(shift == 0 ? most + 1 : most);
    } else if (byte > most && shift >= 16) {
      prefix.too_long = true;
      *bytes = static_cast<char>(most);
    } else if (byte < most) {
      prefix.bytes = kMessagePrefixBytes;  // Shorter than the limit.
      break;
    }
  }
  if (prefix.bytes < kMessagePrefixBytes) return;
  unmeasured_.erase(measured_);
  measured_ = 0;
}

int64_t FrameMeter::CostOfFrame() {
  const uint32_t stream = static_cast<uint32_t>(header_[5] & 0x7f) << 24 |
                          static_cast<uint32_t>(header_[6]) << 16 |
                          static_cast<uint32_t>(header_[7]) << 8 | header_[8];
  measured_ = 0;
  switch (header_[3]) {
    case kData:
      // No client of gRPC pads.
      if ((header_[4] & kPadded) == 0 && unmeasured_.count(stream) > 0) measured_ = stream;
      return skip_ == 0 && (header_[4] & kEndStream) == 0 ? costs_.other : 0;
    case kHeaders:
      if (stream > newest_stream_ && (header_[4] & kEndStream) == 0) {
        // One that never sends anything makes room in the end.
        if (unmeasured_.size() >= kMostUnmeasured) unmeasured_.erase(unmeasured_.begin());
        unmeasured_.emplace(stream, Prefix());
      }
      newest_stream_ = std::max(newest_stream_, stream);
      holds_ = std::min(costs_.holds_at_most, holds_ + costs_.call);
      return -std::min(costs_.call, holds_ - account_);
    case kReset:
      unmeasured_.erase(stream);
      return stream > old_stream_ ? costs_.rapid_reset : costs_.reset;
    case kSettings: return costs_.settings;
    case kPing: return newest_stream_ == 0 ? costs_.ping_before_any_call : costs_.ping;
    case kWindowUpdate: return costs_.window_update;
    default: return costs_.other;
  }
}

}  // namespace potok::rpc
