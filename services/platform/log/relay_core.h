// What the relay does next: the decisions of Relay without its database, Redis, clock and thread,
// so that a simulation can drive them through every order of answers and failures.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "platform/log/entry.h"
#include "platform/log/lease_core.h"

namespace potok::log {

using Stream = std::pair<int, int>;  // topic, part

// What the database knows of a stream.
struct StreamHead {
  std::int64_t last = 0;        // position last given
  std::int64_t min_offset = 0;  // every group is past it
  int incarnation = 1;

  bool operator==(const StreamHead&) const = default;
};

// What Redis knows of one.
struct StreamSeen {
  enum Kind {
    kLast,      // its last id is `last`
    kNoKey,     // lost, or never there
    kUnusable,  // the key holds something else
  };
  Kind kind = kNoKey;
  std::int64_t last = 0;
};

// What brings Redis back in line with the database.
struct StreamRepair {
  enum Kind {
    kNothing,
    kFill,   // add again what follows position `after`
    kRaise,  // Redis has what the database does not: begin anew under another key
  };
  Kind kind = kNothing;
  std::int64_t after = 0;

  bool operator==(const StreamRepair&) const = default;
};
StreamRepair Repair(const StreamHead& head, const StreamSeen& seen);

// An entry on its way to Redis, and the incarnation of its stream when it got its position.
struct Announcement {
  LogEntry entry;
  int incarnation = 1;
};

// What became of a number of XADDs sent at once.
struct SendResult {
  enum Kind {
    kDone,
    kFull,         // Redis has no memory left (OOM), or does not write (MISCONF)
    kUnreachable,  // or no master, or not ready: whatever asks for another connection
  };
  Kind kind = kDone;
  bool refused = false;  // some id was not above the last one of its stream
};

// One round trip, or a wait.
struct RelayAction {
  enum Kind {
    kWait,      // for `wait` or until somebody rings; the turn has ended
    kProbe,     // Redis, with little patience: is it back?                 -> Probed
    kLook,      // database: the heads of the streams of `held`              -> Looked
    kInspect,   // Redis: its memory, and each key of `places`               -> Inspected
    kRaise,     // database: a new incarnation of `stream`, under its token  -> Raised
    kDrop,      // Redis: remove the keys of `places`                        -> Dropped
    kSequence,  // database: move outbox rows of `held`                      -> Sequenced
    kSend,      // Redis: add `entries`                                      -> Sent
    kRead,      // database: `limit` entries of `stream` after `after`       -> LogRead
    kTrim,      // Redis: drop what lies before `keep` of each of `places`   -> Trimmed
    kPrune,     // database: drop old log entries of `held`                  -> Pruned
  };
  struct Place {
    Stream stream;
    int incarnation = 1;
    std::int64_t keep = 0;
    std::vector<int> stale;  // kTrim: other incarnations, whose keys are to go
  };
  Kind kind = kWait;
  absl::Duration wait;
  Stream stream;
  std::string token;
  std::int64_t after = 0;
  int limit = 0;
  std::vector<Place> places;
  std::vector<Announcement> entries;
};

// Pure: time is any monotonic reading the caller brings. Not thread-safe.
//
// A turn begins with BeginTurn(), then Next() says what to do until it says kWait. Each action is
// answered by the method beside it above, or by DatabaseFailed() or RedisFailed().
//
// Redis gets entries in two ways: as they are sequenced, and, where it lacks some, from the log,
// a page a turn, so that a long backlog never holds up the sequencing. A stream that is being
// filled gets nothing in the first way: its new entries come in their order with the rest.
class RelayCore {
 public:
  struct Options {
    int batch_per_part = 256;
    int page = 1000;  // entries per round trip when Redis is filled again
    absl::Duration busy_poll, idle_poll, check_redis, trim, prune;
  };
  explicit RelayCore(Options options);

  // How Redis is connected: a connection made since the last check may lead to another server.
  struct Link {
    std::int64_t generation = 0;
    bool connected = false;
  };
  bool turn_ended() const { return phase_ == Phase::kEnded; }
  void BeginTurn(absl::Duration now, std::vector<Held> held, std::int64_t lease_version, Link link);
  RelayAction Next(absl::Duration now);
  const std::vector<Held>& held() const { return held_; }  // of this turn

  void Probed();
  void Looked(const std::map<Stream, StreamHead>& heads);
  // `seen` is in the order of the action's places.
  void Inspected(absl::Duration now, bool memory_low, const std::vector<StreamSeen>& seen,
                 Link link);
  // Nothing when the token is another's by now.
  void Raised(std::optional<int> incarnation);
  void Dropped();
  void Sequenced(const std::vector<Announcement>& entries);
  void Sent(const SendResult& result);
  void LogRead(std::vector<LogEntry> entries);
  void Trimmed();
  void Pruned();
  // `uniform` in [0, 1).
  void DatabaseFailed(double uniform);
  void RedisFailed();

  bool redis_up() const { return redis_up_; }
  // Redis is nearly full: nothing is added until it has room.
  bool paused() const { return paused_; }
  // What is being sent was read from the log.
  bool sending_from_log() const { return filling_now_.has_value(); }

 private:
  enum class Phase {
    kProbe,
    kLook,
    kInspect,
    kRaise,
    kDrop,
    kSequence,
    kSend,
    kRead,
    kTrimLook,
    kTrim,
    kPrune,
    kRest,
    kEnded,
  };

  absl::Duration Rest() const;
  bool MaySend() const { return redis_up_ && !paused_; }
  const std::string& TokenOf(int part) const;

  const Options options_;
  Phase phase_ = Phase::kEnded;
  std::vector<Held> held_;
  std::int64_t lease_version_ = -1;
  bool must_check_ = true;
  bool redis_up_ = false;
  bool paused_ = false;
  bool worked_ = false;  // took entries since it last failed
  std::int64_t generation_ = -1;
  std::optional<absl::Duration> next_check_, next_trim_, next_prune_;
  std::map<Stream, StreamHead> heads_;      // as last looked at, moved on by what was sequenced
  std::map<Stream, std::int64_t> filling_;  // Redis has, or needs, nothing up to here
  std::vector<Stream> raising_;
  std::vector<RelayAction::Place> dropping_;
  std::vector<Announcement> sending_;
  std::optional<Stream> filling_now_;  // whose page is read or sent
  Stream last_filled_{};               // streams are filled in turn
  int moved_ = 0;
  int failures_ = 0;
  std::optional<absl::Duration> backoff_;
};

}  // namespace potok::log
