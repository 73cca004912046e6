// Ends connections of a gRPC server that flood it with frames (frame_meter.h).
//
// gRPC 1.51 offers no place to look at frames, and a relay in front of it would copy every byte
// once more. So this file defines the function recvmsg(), with which gRPC's library reads, in front
// of the C library's: what gRPC has just read from a watched socket is stepped through from one
// header of a frame to the next, in place. A connection whose account is overdrawn is shut down and
// reads as ended, and a first message that is too long is shortened. All other sockets of the
// process are read as ever.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace potok::rpc {

// Connections ended by the guard. Thread-safe.
struct FloodTally {
  std::atomic<int64_t> ended{0};
};

// From now on `fd`, a connected socket about to be handed to gRPC, is watched, until it is closed.
// Thread-safe; `tally` is kept until another socket of that number is watched.
void WatchForFloods(int fd, std::shared_ptr<FloodTally> tally);

}  // namespace potok::rpc
