#pragma once

#include <string>
#include <thread>

#include "platform/log/doorbell.h"
#include "platform/log/hooks.h"
#include "platform/redis/redis.h"

namespace potok::log {

// Tells the relay, wherever it runs, that the outbox has news: for processes that write the ledger
// but own no relay. Notify() costs no I/O in the calling thread; calls that come while one PUBLISH
// is under way are sent as one. A lost wake costs the relay's poll interval, nothing else.
// Thread-safe.
class RemoteWake {
 public:
  RemoteWake(redis::Options redis, std::string channel, Hooks hooks);
  ~RemoteWake();
  void Notify() { bell_.Ring(); }

 private:
  void Run();

  redis::Connection redis_;
  const std::string channel_;
  const Hooks hooks_;
  Doorbell bell_;
  std::thread thread_;
};

// Rings `bell` for each wake published on `channel`. Reconnects by itself.
class WakeListener {
 public:
  WakeListener(redis::Options redis, std::string channel, Doorbell& bell, Hooks hooks);
  ~WakeListener();

 private:
  void Run();

  redis::Connection redis_;
  const std::string channel_;
  Doorbell& bell_;
  const Hooks hooks_;
  Doorbell stop_;
  std::thread thread_;
};

}  // namespace potok::log
