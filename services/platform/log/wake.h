#pragma once

#include <functional>
#include <set>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "platform/log/doorbell.h"
#include "platform/log/hooks.h"
#include "platform/redis/redis.h"

namespace potok::log {

// Tells whoever listens on a channel, wherever it runs, that there is news, such as the relay of
// rows in the outbox. Notify() costs no I/O in the calling thread; what is said while one PUBLISH
// is under way is sent as one message, each word once and a line each. A lost wake costs the
// listener's poll interval, nothing else. Thread-safe.
class RemoteWake {
 public:
  RemoteWake(redis::Options redis, std::string channel, Hooks hooks);
  ~RemoteWake();
  void Notify(absl::string_view word = "");

 private:
  void Run();
  std::string TakeWords();

  redis::Connection redis_;
  const std::string channel_;
  const Hooks hooks_;
  absl::Mutex mu_;
  std::set<std::string, std::less<>> words_ ABSL_GUARDED_BY(mu_);
  Doorbell bell_;
  std::thread thread_;
};

// Calls `heard` for each message on `channel`, from a thread of its own; with an empty one after
// each connect, for what was said while nobody listened. Reconnects by itself.
class WakeListener {
 public:
  using Heard = std::function<void(absl::string_view message)>;
  WakeListener(redis::Options redis, std::string channel, Heard heard, Hooks hooks);
  ~WakeListener();

 private:
  void Run();

  redis::Connection redis_;
  const std::string channel_;
  const Heard heard_;
  const Hooks hooks_;
  Doorbell stop_;
  std::thread thread_;
};

}  // namespace potok::log
