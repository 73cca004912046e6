#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

struct redisContext;
struct redisReply;

namespace potok::redis {

struct Options {
  std::string address;   // "host:port", "unix:/path/to.sock" or "/path/to.sock"
  std::string password;  // empty: no AUTH
  std::string user;      // empty: the default user
  absl::Duration connect_timeout = absl::Seconds(1);
  absl::Duration io_timeout = absl::Seconds(2);
  // After a failed connect, attempts within this time fail at once instead of waiting again.
  absl::Duration reconnect_pause = absl::Milliseconds(200);
};

struct Reply {
  enum class Kind { kNil, kText, kInteger, kArray, kError };
  Kind kind = Kind::kNil;
  std::string text;  // of kText (bulk or status) and kError ("NOGROUP No such key ...")
  std::int64_t integer = 0;
  std::vector<Reply> items;

  bool IsNil() const { return kind == Kind::kNil; }
  bool IsError() const { return kind == Kind::kError; }
};

// hiredis' reply as ours; kinds that no command of ours is answered with become nil.
Reply FromRaw(const redisReply& raw);

// The status of an error reply, by its first word. OK for any other reply.
//   READONLY LOADING MASTERDOWN CLUSTERDOWN TRYAGAIN  UNAVAILABLE
//   OOM MISCONF                                       RESOURCE_EXHAUSTED
//   NOAUTH WRONGPASS NOPERM                           PERMISSION_DENIED
//   NOGROUP BUSYGROUP WRONGTYPE and the rest          FAILED_PRECONDITION
absl::Status ToStatus(const Reply& reply);

// One connection to Redis over hiredis. Not thread-safe but for Interrupt: one per thread, and one
// of its own for a blocking reader. Connects on first use and again on the use after a failure; a
// command is never repeated, for only the caller knows whether it may be. After any failure of the
// connection (timeout, EOF, or a server that says READONLY, LOADING or MASTERDOWN) the socket is
// dropped, so that the next command reaches whoever serves the address by then. The process must
// ignore SIGPIPE.
class Connection {
 public:
  explicit Connection(Options options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends one command and returns its reply; an error reply becomes a status.
  // `extra` is added to io_timeout, for commands that block on the server.
  absl::StatusOr<Reply> Command(const std::vector<std::string>& args,
                                absl::Duration extra = absl::ZeroDuration());

  // Sends all commands in one write and returns one reply each, in order. Error replies stay
  // replies: look at each. A non-OK status means that the fate of all of them is unknown.
  absl::StatusOr<std::vector<Reply>> Pipeline(
      const std::vector<std::vector<std::string>>& commands);

  // For a connection that has sent SUBSCRIBE: waits for the next message. nullopt when none came in
  // time; the connection stays good, unlike after a timed-out command.
  absl::StatusOr<std::optional<Reply>> Receive(absl::Duration timeout);

  absl::Status Connect();  // no-op when connected
  void Close();
  // From any thread, for good: a command that waits for the server fails now, later ones at once.
  // For the stop of a loop that sits in a blocking read.
  void Interrupt();
  bool connected() const { return context_ != nullptr; }
  // Raised by each successful connect: a caller that saw another value must assume that it talks
  // to another, perhaps empty, server.
  std::int64_t generation() const { return generation_; }

 private:
  absl::Status Append(const std::vector<std::string>& args);
  absl::StatusOr<Reply> Read();
  absl::Status SetTimeout(absl::Duration timeout);
  absl::Status Broken();
  bool Publish();

  const Options options_;
  redisContext* context_ = nullptr;
  absl::Mutex interrupting_;
  bool interrupted_ ABSL_GUARDED_BY(interrupting_) = false;
  int socket_ ABSL_GUARDED_BY(interrupting_) = -1;  // Of context_, as long as it is open.
  std::int64_t generation_ = 0;
  absl::Duration timeout_ = absl::ZeroDuration();  // what the socket has now
  std::int64_t retry_at_ns_ = 0;                   // monotonic
};

}  // namespace potok::redis
