#include "platform/rpc/flood_guard.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "platform/rpc/frame_meter.h"

namespace potok::rpc {
namespace {

struct Watched {
  ino_t inode = 0;  // The number alone would not tell that it has become another socket since.
  FrameMeter meter;
  std::shared_ptr<FloodTally> tally;
};

// Connections are read by many threads at once; a share is rarely wanted by two.
struct Share {
  absl::Mutex mu;
  std::unordered_map<int, Watched> watched ABSL_GUARDED_BY(mu);
};

Share& ShareOf(int fd) {
  static auto* const shares = new std::array<Share, 64>();
  return (*shares)[static_cast<unsigned>(fd) % shares->size()];
}

ino_t InodeOf(int fd) {
  struct stat about {};
  return fstat(fd, &about) == 0 ? about.st_ino : 0;
}

// Whether the connection may go on after these bytes, whose first messages may be shortened.
bool MayGoOn(int fd, const iovec* pieces, size_t size) {
  Share& share = ShareOf(fd);
  const absl::MutexLock lock(&share.mu);
  const auto it = share.watched.find(fd);
  if (it == share.watched.end()) return true;
  const absl::Duration now = absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  for (; size > 0; ++pieces) {
    const size_t here = std::min(size, pieces->iov_len);
    if (!it->second.meter.Read(now, static_cast<char*>(pieces->iov_base), here)) {
      // Asked only here: this is on the way of every read, and a socket that took over the number
      // loses nothing by having been counted.
      const bool is_it = it->second.inode == InodeOf(fd);
      if (is_it) it->second.tally->ended.fetch_add(1);
      share.watched.erase(it);
      return !is_it;
    }
    size -= here;
  }
  return true;
}

}  // namespace

void WatchForFloods(int fd, std::shared_ptr<FloodTally> tally) {
  Share& share = ShareOf(fd);
  const absl::MutexLock lock(&share.mu);
  share.watched.insert_or_assign(fd, Watched{InodeOf(fd), FrameMeter(), std::move(tally)});
}

}  // namespace potok::rpc

// The thread sanitizer's, which is there in its build only.
extern "C" void AnnotateIgnoreWritesBegin(char* file, int line) __attribute__((weak));
extern "C" void AnnotateIgnoreWritesEnd(char* file, int line) __attribute__((weak));

// In every program that serves: an executable's functions come before those of its libraries.
extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const next = reinterpret_cast<decltype(&recvmsg)>(dlsym(RTLD_NEXT, "recvmsg"));
  // To TSan these bytes are written by us; how gRPC, whose they are, hands them on it cannot see.
  if (AnnotateIgnoreWritesBegin != nullptr) AnnotateIgnoreWritesBegin(nullptr, 0);
  const ssize_t got = next(fd, message, flags);
  const bool may_go_on = got <= 0 || (flags & (MSG_PEEK | MSG_ERRQUEUE)) != 0 ||
                         potok::rpc::MayGoOn(fd, message->msg_iov, static_cast<size_t>(got));
  if (AnnotateIgnoreWritesEnd != nullptr) AnnotateIgnoreWritesEnd(nullptr, 0);
  if (may_go_on) return got;
  shutdown(fd, SHUT_RDWR);
  return 0;
}
