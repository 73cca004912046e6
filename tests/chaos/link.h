// A small TCP proxy that stands between a service and what it calls, and does to the bytes what bad
// networks do. One thread serves all links of a hub; a link that is whole costs some microseconds a
// packet.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace potok::chaos {

// What a link does to its bytes. "Up" is from whoever connected to the target.
struct LinkFault {
  // New connections are reset at once; those that are open stay.
  bool refuse = false;
  // Bytes are taken from the sender's network (it sees them acknowledged) and delivered only after
  // the end of the fault: a packet that is late.
  bool hold_up = false;
  bool hold_down = false;
  // Packets vanish, acknowledgements among them, SYN and FIN too: a cable that is cut on one side
  // or, with both, on both. TCP sends again what was lost when the fault ends, if anybody still
  // waits for it.
  bool lose_up = false;
  bool lose_down = false;
  // Added to each packet.
  absl::Duration delay_up;
  absl::Duration delay_down;
  // Of each direction of each connection; 0: no limit.
  double bytes_per_second = 0;
};

struct LinkCounts {
  int64_t opened = 0;   // Connections since the start.
  int64_t open = 0;     // Now.
  int64_t cut = 0;      // By Cut().
  int64_t refused = 0;  // By LinkFault::refuse, or because the target did not answer.
  int64_t bytes_up = 0;
  int64_t bytes_down = 0;
};

class LinkHub;

// Thread-safe. Lives as long as its hub.
class Link {
 public:
  const std::string& name() const { return name_; }
  // Where callers connect: "127.0.0.1:PORT", the same for the link's whole life.
  std::string address() const;
  int port() const { return port_; }

  void Set(const LinkFault& fault);
  void Heal() { Set({}); }
  LinkFault fault() const;
  // Resets every open connection of the link, now, and says how many they were.
  int Cut();
  LinkCounts counts() const;

 private:
  friend class LinkHub;
  struct Pair;
  Link(LinkHub& hub, std::string name, std::string target)
      : hub_(hub), name_(std::move(name)), target_(std::move(target)) {}

  LinkHub& hub_;
  const std::string name_;
  const std::string target_;
  int listener_ = -1;
  int port_ = 0;
  LinkFault fault_;  // The rest is guarded by the hub's mutex.
  LinkCounts counts_;
  std::set<Pair*> pairs_;
};

class LinkHub {
 public:
  LinkHub();
  ~LinkHub();
  LinkHub(const LinkHub&) = delete;
  LinkHub& operator=(const LinkHub&) = delete;

  // `target`: "unix:/path" or "127.0.0.1:PORT". Nothing need listen there yet.
  Link& Add(std::string name, std::string target);
  void HealAll();

 private:
  friend class Link;
  using Instant = absl::Duration;  // Of the monotonic clock.

  void Run();
  void Accept(Link& link, Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Moves what may be moved and says when to look again.
  Instant Pump(Link::Pair& pair, Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Close(Link::Pair& pair, bool reset) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Apply(Link& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Wake();

  mutable absl::Mutex mu_;
  std::vector<std::unique_ptr<Link>> links_ ABSL_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<Link::Pair>> closed_ ABSL_GUARDED_BY(mu_);
  std::set<Link::Pair*> timed_ ABSL_GUARDED_BY(mu_);  // To be looked at without an event.
  std::atomic<bool> stop_{false};
  int epoll_ = -1;
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace potok::chaos
