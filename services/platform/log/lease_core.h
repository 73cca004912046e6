// Which leases to renew, gain and give back: the decisions of LeaseKeeper without its database,
// clock and thread, so that a simulation can drive them through every order of answers and
// failures.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace potok::log {

// A part this process owns now. The token is random and new at each gain; every write made under
// the lease carries it in its WHERE, so a process that lost the lease without noticing changes
// nothing.
struct Held {
  int part = 0;
  std::string token;  // uuid
  // Only in what a gain hands to its stamp: the owner before has not given the lease back.
  bool unclean = false;

  bool operator==(const Held&) const = default;
};

struct LeaseTimes {
  absl::Duration ttl = absl::Seconds(6);    // on the database's clock
  absl::Duration renew = absl::Seconds(2);  // between renewals
  // Without a confirmed renewal for this long by the local monotonic clock, nothing is held any
  // more. Below ttl, so that an owner stops before its successor starts.
  absl::Duration fence = absl::Seconds(4);
};

// What one look at the database showed of a family.
struct LeasePicture {
  struct Seen {
    std::string owner;
    bool live = false;
    absl::Duration left;  // until it expires; negative when past
  };
  struct Member {
    std::string owner;
    std::vector<int> parts;  // what it competes for
    absl::Duration left;     // until it counts as dead, if it does not say again that it lives
  };
  std::map<int, Seen> leases;   // by part; one that nobody ever took is not there
  std::vector<Member> members;  // the live ones, this process among them
};

// What to do next. Each is one round trip to the database, except the wait.
struct LeaseAction {
  enum Kind {
    kWait,     // for `wait`, then ask again
    kLook,     // see who holds what, and change nothing
    kRenew,    // prolong `leases` and look
    kGain,     // take `leases`, whose tokens are new, as far as nobody holds them
    kRelease,  // give `leases` back
  };
  Kind kind = kWait;
  absl::Duration wait;
  std::vector<Held> leases;
};

// Pure: time is any monotonic reading the caller brings, randomness comes through `new_token` and
// `uniform`. Not thread-safe.
//
// Next() says what to do; exactly one of the answers that fit it follows. A kWait needs no answer.
class LeaseCore {
 public:
  struct Options {
    std::string owner;
    std::vector<int> parts;
    LeaseTimes times;
    std::function<std::string()> new_token;
  };
  explicit LeaseCore(Options options);

  LeaseAction Next();
  // The next round begins now instead of after its wait.
  void StartRound();

  // What a look saw: a round begins now when there is something to gain or to give back.
  void Looked(absl::Duration now, const LeasePicture& picture);
  // The renewal that was sent at `sent` prolonged `renewed`, and `picture` is what it saw. True
  // when something is held that was not before.
  bool Renewed(absl::Duration sent, absl::Duration now, const std::vector<Held>& renewed,
               const LeasePicture& picture);
  // Some of the wanted leases may have gone to others.
  void Gained(absl::Duration sent, absl::Duration now, const std::vector<Held>& gained);
  void Released() {}
  // Whatever was asked failed, or its answer was lost. `uniform` in [0, 1).
  void Failed(absl::Duration now, double uniform);
  // Nothing is held from now on. What was, for giving it back.
  std::vector<Held> Stop();

  // What is held at `now`, ascending by part; empty once the fence has passed.
  std::vector<Held> Get(absl::Duration now) const;
  // Rises with every change of what Get() may return.
  std::int64_t version() const { return version_; }

 private:
  enum class Phase { kLooking, kRenewing, kReleasing, kGaining, kWaiting };
  struct Mine {
    std::string token;
    absl::Duration since;
  };
  struct InDoubt {
    Held lease;
    absl::Duration until;
  };

  // A process that the database hears and that does not hear the database must not go on prolonging
  // leases: its fence keeps it from working under them, and they would keep everybody else out.
  Phase FirstPhase() const { return failures_ > 0 ? Phase::kLooking : Phase::kRenewing; }
  // What `picture` asks for: releasing_, gaining_, wait_.
  void Weigh(absl::Duration now, const LeasePicture& picture);
  // For `wait` at most, and a look comes before the next renewal.
  void LookIn(absl::Duration wait);
  // True when this process is the one of the members that should own `part`.
  bool Preferred(int part, const std::vector<LeasePicture::Member>& members) const;

  const Options options_;
  Phase phase_ = Phase::kRenewing;
  std::map<int, Mine> mine_;
  // Gains whose answer was lost: they may have been committed.
  std::vector<InDoubt> in_doubt_;
  std::vector<Held> releasing_, gaining_;
  absl::Duration wait_;
  bool look_first_ = false;  // after that wait, as it is shorter than until the renewal
  absl::Duration renewed_at_ = -absl::InfiniteDuration();  // when the renewal was sent
  std::int64_t version_ = 0;
  int failures_ = 0;
};

}  // namespace potok::log
