// Takes connections from the network for a gRPC server and hands it the sockets.
//
// gRPC 1.51 bounds neither the number of connections nor what a lack of file descriptors does: one
// accept() that fails with EMFILE makes it deaf for good. Here accepting goes on whatever accept()
// says, and at `max_connections` a newcomer takes the place of the connection that least deserves
// its own: one that has never carried a call first, then the one silent for longest. Nobody silent
// for less than a second is cut: then it is the newcomer who is closed.
//
// What comes over TCP is watched for floods of frames (flood_guard.h), and handed over at a pace:
// a crowd that comes at once is welcome, one that comes again and again waits its turn, longer the
// more of it was ended for flooding; who hangs up meanwhile never costs the server anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "platform/obs/metrics.h"
#include "platform/rpc/flood_guard.h"

namespace potok::rpc {

// What is known of an open connection when room is needed.
struct ConnectionSigns {
  int fd = -1;
  int64_t received_bytes = 0;
  absl::Duration silent;  // Since anything was received.
};

// The connections to cut so that others find room: at most `most`, the least deserving first.
std::vector<int> ChooseVictims(std::vector<ConnectionSigns> connections, size_t most);

struct AcceptorOptions {
  std::vector<std::string> listen;  // "127.0.0.1:0", "[::1]:80", "localhost:0", "unix:/path".
  int max_connections = 1024;       // Of all listeners together; at least 1.
  // Connections over TCP handed to the server; the others wait.
  double handed_over_at_once = 1024;
  double handed_over_per_second = 400;
};

// Thread-safe.
class Acceptor {
 public:
  // Takes over a connected, non-blocking socket. `is_unix`: it came over a unix socket.
  using HandOver = std::function<void(int fd, bool is_unix)>;

  // Binds and listens at once, so that a port that is taken is found before anything else is
  // started; nothing is accepted before Start.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const AcceptorOptions& options,
                                                          obs::Metrics& metrics);
  ~Acceptor();  // Stops.
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // In the order of the options, with the real port numbers.
  const std::vector<std::string>& addresses() const { return addresses_; }

  void Start(HandOver hand_over);
  // No connection is handed over after this, and a client that connects is refused. Those handed
  // over stay. Legal twice and before Start.
  void Stop();

  // Connections handed over and still open.
  int open() const;

 private:
  struct Listener {
    int fd = -1;
    bool is_unix = false;
    std::string path;  // Of a unix socket: removed at the end.
  };

  Acceptor(const AcceptorOptions& options, obs::Metrics& metrics);
  absl::Status Add(const std::string& address);
  void Run();
  // False when it must rest before it accepts again.
  bool AcceptAll(const Listener& listener);
  // How long to wait for the next connection, in milliseconds; -1: until it comes.
  int Patience(bool rest) const;
  void HandOverWaiting();
  bool MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CloseListeners();

  const AcceptorOptions options_;
  const int max_connections_;
  prometheus::Counter& accepted_;
  prometheus::Counter& cut_;
  prometheus::Counter& refused_;
  prometheus::Counter& failed_;
  prometheus::Counter& flooded_;
  prometheus::Counter& early_;
  const std::shared_ptr<FloodTally> floods_;
  std::vector<Listener> listeners_;
  std::vector<std::string> addresses_;
  HandOver hand_over_;
  int wake_ = -1;  // An eventfd that ends the wait of the thread.
  std::thread thread_;
  std::atomic<bool> stop_{false};

  // Of the thread: accepted and not handed over yet; what may be handed over now, and since when.
  std::deque<int> waiting_;
  double pace_;
  absl::Duration paced_;
  int64_t floods_paid_ = 0;
  std::atomic<int> waiting_count_{0};

  absl::Mutex flooded_mu_;
  int64_t flooded_told_ ABSL_GUARDED_BY(flooded_mu_) = 0;

  mutable absl::Mutex mu_;
  // By descriptor, the inode of the socket: the number alone would not tell that it has been closed
  // and given to something else since.
  mutable std::map<int, ino_t> open_ ABSL_GUARDED_BY(mu_);
  absl::Duration looked_ ABSL_GUARDED_BY(mu_) = -absl::InfiniteDuration();
  absl::Duration complained_ = -absl::InfiniteDuration();
  obs::Metrics::Hook scrape_;
};

}  // namespace potok::rpc
