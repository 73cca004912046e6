// Weighs what a client makes an HTTP/2 server do for nothing.
//
// A call that is taken back at once costs its sender two small frames and gRPC 1.51 a call; a ping,
// a setting, an empty frame cost it more than they cost whoever sends them. Each connection has an
// account from which such frames are paid. It fills up again with time and with every call begun,
// and it holds more the more calls there were: whoever comes only to flood has little to spend.
//
// And it shortens what is too long: gRPC 1.51 keeps a whole message before it looks whether it may
// be that long. A first message of a call that announces more than kMostMessageBytes is made to
// announce one byte more than that, so gRPC refuses it as soon as it has so much
// (RESOURCE_EXHAUSTED) and forgets the rest. Pure: no clock, no socket.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "absl/time/time.h"

namespace potok::rpc {

// What the account of a new connection holds, what it holds at most, what it gets (and may hold
// more of) for a call and gets back in a second, and what frames cost.
struct FrameCosts {
  int64_t holds_at_first = 10'000;
  int64_t holds_at_most = 100'000;
  int64_t call = 100;
  int64_t second = 50'000;
  // A call taken back before anybody could have answered it: 25 at once, 250 for an old customer,
  // then 100/s.
  int64_t rapid_reset = 500;
  // One taken back later, as by a deadline that passed: what the call brought.
  int64_t reset = 100;
  // Clients measure the line with pings while data flows (some for every answer), and open their
  // windows; before the first call there is nothing to measure.
  int64_t ping = 25;
  int64_t ping_before_any_call = 2500;
  int64_t window_update = 5;
  int64_t settings = 500;
  // Data without data, pieces of headers, priorities, what HTTP/2 does not know.
  int64_t other = 50;
};

// Of one connection, in the direction from the client. Not thread-safe.
class FrameMeter {
 public:
  // A call is "taken back at once" when its reset comes within one or two of these of its headers.
  static constexpr absl::Duration kAtOnce = absl::Milliseconds(20);
  // What a server of ours takes as one message.
  static constexpr int kMostMessageBytes = 4 << 20;

  explicit FrameMeter(const FrameCosts& costs = {})
      : costs_(costs), holds_(costs.holds_at_first), account_(holds_) {}

  // The next bytes of the connection, in whatever pieces they come. `now` is monotonic, from any
  // zero. False once the account is overdrawn: the connection is to be ended. Only headers of
  // frames and of first messages are looked at, and the latter changed; what is not HTTP/2 costs
  // nothing, gRPC ends it.
  bool Read(absl::Duration now, char* bytes, size_t size);

 private:
  static constexpr size_t kPrefaceBytes = 24;
  static constexpr size_t kHeaderBytes = 9;
  // Calls whose first message has not begun; more than a server lets a connection have at a time.
  static constexpr size_t kMostUnmeasured = 512;

  // How much of the five bytes before the first message of a call has come.
  struct Prefix {
    int bytes = 0;
    bool too_long = false;
  };

  int64_t CostOfFrame();
  // The bytes of data that begin the first message of `measured_`.
  void Shorten(char* bytes, size_t size);

  FrameCosts costs_;
  int64_t holds_;
  int64_t account_;
  absl::Duration filled_ = -absl::InfiniteDuration();
  // Streams with a number up to `old_stream_` were begun a while ago.
  uint32_t newest_stream_ = 0, newest_at_turn_ = 0, old_stream_ = 0;
  absl::Duration turn_ = -absl::InfiniteDuration();
  std::map<uint32_t, Prefix> unmeasured_;  // By stream.
  uint32_t measured_ = 0;  // The stream whose data is being read, when it is one of them; or 0.
  size_t skip_ = kPrefaceBytes;  // Bytes before the next header of a frame.
  std::array<unsigned char, kHeaderBytes> header_{};
  size_t header_bytes_ = 0;
};

}  // namespace potok::rpc
