// What a consumer does next: the decisions of Consumer without its database, Redis, handler, clock
// and threads, so that a simulation can drive them through every order of answers, failures and
// deaths.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "platform/log/entry.h"
#include "platform/log/lease_core.h"

namespace potok::log {

using Stream = std::pair<int, int>;  // topic, part

// What the database knows of a stream for one group: a row of places.sql.
struct StreamPlace {
  Stream stream;
  std::int64_t offset = 0;  // of the group: effects up to here are committed
  std::int64_t head = 0;    // position last given
  int incarnation = 1;
  // Written when an owner vanished without giving its lease back (stamp_offsets.sql).
  std::int64_t careful_until = 0;  // entries up to here run alone, each attempt written first
  std::int64_t attempted = 0;      // position of the attempt written last
  int deaths = 0;                  // owners that vanished during an attempt at `attempted`
  bool blind = false;              // an owner vanished in the careful stretch, nobody knows where
};

// An entry's place in a Redis stream. The relay gives POS-0; whoever else writes there may give
// anything.
struct EntryId {
  std::uint64_t pos = 0;
  std::uint64_t seq = 0;

  auto operator<=>(const EntryId&) const = default;
};

// What Redis said: a hint that the stream has news. Entity and version as far as they were told.
struct HeardEntry {
  Stream stream;
  EntryId id;
  std::string entity;
  std::int64_t version = 0;
};

// An entry that Redis has and the log does not.
struct Phantom {
  Stream stream;
  int incarnation = 1;
  EntryId id;
  std::string why;
};

// What to do next. Each is one transaction of the database, one command to Redis, or a wait.
struct ConsumerAction {
  enum Kind {
    kWait,    // until `until` or until somebody rings
    kSweep,   // database: the places of all held streams                              -> Swept
    kTake,    // database: up to `limit` entries of `streams`, and the handler with them
              //                               -> Committed, HandlerFailed or HandlerDisturbed
    kNote,    // database: an attempt at the entry after `offset` of streams[0] begins -> Noted
    kUnnote,  // database: that attempt has ended, and nobody died of it               -> Unnoted
    kPark,    // database: the entry after `offset` of streams[0] is put aside with `attempts` and
              // `reason`, and the offset moves past it                                -> Parked
    kProbe,   // Redis, with little patience: is it there?                     -> Probed or Deaf
    kListen,  // Redis: entries of `ears`, waiting until `until` at most       -> Heard or Deaf
  };
  struct Ear {
    Stream stream;
    int incarnation = 1;
    EntryId after;
  };
  Kind kind = kWait;
  absl::Duration until;
  std::vector<Stream> streams;
  int limit = 0;
  std::int64_t offset = 0;
  int attempts = 0;
  std::string reason;
  bool settles_blind = false;  // kPark: the blind death was this entry's, of no other held stream's
  std::vector<Ear> ears;
  bool anew = false;  // kListen: over a new connection
};

// Sums since the start.
struct ConsumerTally {
  std::int64_t handled = 0;   // entries whose effects were committed
  std::int64_t failures = 0;  // handler runs that failed, hangs among them
  std::int64_t hangs = 0;     // handler runs that took longer than they may
  std::int64_t parked = 0;
  std::int64_t refused = 0;  // streams with a known rest that gave nothing: they have passed on
  std::int64_t phantoms = 0;
};

// Pure: time is any monotonic reading the caller brings, `uniform` is random in [0, 1).
// Not thread-safe.
//
// The caller says by Hold() what is held, whenever it may have changed, and asks Next(); exactly
// one of the answers that stand beside the action follows, or DatabaseFailed(). A kWait needs none.
// An answer that comes after a Hold() that took the stream away changes nothing.
//
// A Redis that answers and does not tell of what Postgres has (the relay spares its memory, or the
// connection leads to a server that nobody writes to any more) is as good as none: Postgres is
// polled, and the connection made anew now and then.
//
// Streams are taken together as long as all goes well. Those of a batch that failed go on one entry
// at a time; a failing entry waits between its attempts while the others go on, and is parked when
// it has had enough of them. A batch of one is an attempt of its entry.
//
// After an owner vanished, the first entries of its streams run alone and each attempt is written
// before it begins, so that an entry that takes the process with it is found out: the next gain of
// the lease counts the attempt that was never ended as a death. The death that came first happened
// somewhere in a batch, blind; it counts for the first entry that is known to have caused others,
// and for that one only.
class ConsumerCore {
 public:
  struct Options {
    int batch = 100;   // entries at a time
    int attempts = 5;  // of one entry, before it is parked
    int deaths = 3;    // of owners at one entry, before it is parked
    absl::Duration sweep = absl::Seconds(1);
    absl::Duration poll_without_redis = absl::Milliseconds(100);
    // Pause after the first failed attempt, then four times as long each time, at most a hundred
    // times. After a hang, which was a pause already, between three and ten times.
    absl::Duration first_retry = absl::Milliseconds(100);
    absl::Duration listen = absl::Milliseconds(500);  // in one wait for Redis at most
    bool redis = true;                                // there is one
  };
  explicit ConsumerCore(Options options);

  // What is held now. Streams of parts whose token is the same keep what is known of them.
  void Hold(const std::vector<Held>& held, absl::Duration now);
  ConsumerAction Next(absl::Duration now);

  void Swept(const std::vector<StreamPlace>& places, absl::Duration now);
  // The transaction that took `entries` is committed; none when there were none.
  void Committed(const std::vector<LogEntry>& entries, absl::Duration now);
  // The handler failed at `entries` by its own fault, or took too long (`hung`). Nothing is
  // committed, and never will be.
  void HandlerFailed(const std::vector<LogEntry>& entries, const std::string& why, bool hung,
                     absl::Duration now, double uniform);
  // The handler failed at `entries` through no fault of theirs. Nothing is committed.
  void HandlerDisturbed(const std::vector<LogEntry>& entries, absl::Duration now, double uniform);
  // False when there was no such entry, or the stream is another's.
  void Noted(bool noted, absl::Duration now);
  void Unnoted() { unnote_.reset(); }
  // The position of the parked entry; nothing when there was none to park.
  void Parked(std::optional<std::int64_t> pos, absl::Duration now);
  // Nothing is known of what was asked: it failed, or the answer was lost after a commit.
  void DatabaseFailed(absl::Duration now, double uniform);

  void Probed(absl::Duration now);
  void Heard(const std::vector<HeardEntry>& entries);
  void Deaf(absl::Duration now, double uniform);  // Redis did not answer, or with an error

  // The next action is the take of an attempt that has been noted.
  bool attempt_follows() const { return noted_.has_value(); }
  const ConsumerTally& tally() const { return tally_; }
  bool redis_up() const { return redis_up_; }
  std::int64_t lag() const { return lag_; }  // entries behind the heads, at the last sweep
  int failing() const;                       // streams that stand at an entry that fails
  // Those found since the last call.
  std::vector<Phantom> TakePhantoms() { return std::exchange(phantoms_, {}); }

 private:
  struct Place {
    StreamPlace known;
    EntryId heard;                     // the last one Redis told of
    std::vector<HeardEntry> unproven;  // heard of, not seen in the log yet
    std::set<EntryId> told;            // phantoms of this incarnation, the highest of them
    EntryId beyond;                    // `heard` of the last sweep, if the log ended before it
    bool muted = false;                // what was heard last was nothing: not before a sweep
    int failed = 0;                    // attempts of the entry after the offset
    std::pair<std::string, std::int64_t> failing;  // its entity and version
    bool hung = false;                             // the last of them
    int disturbed = 0;                             // runs in a row that failed by nobody's fault
    std::int64_t single_until = 0;                 // entries up to here go one by one
    absl::Duration not_before = -absl::InfiniteDuration();
    std::string last_error;

    bool careful() const { return known.careful_until > known.offset; }
    bool single() const { return failed > 0 || single_until > known.offset || careful(); }
    int deaths() const;
  };

  // Streams to take together, or one of which a single entry is taken.
  struct Turn {
    bool single = false;
    std::vector<Stream> streams;
  };

  void BuildRound(absl::Duration now);
  // What the next of its turns wants that still wants something.
  std::optional<ConsumerAction> FromRound();
  std::optional<ConsumerAction> Single(Stream stream);
  std::optional<ConsumerAction> Together(const std::vector<Stream>& streams);
  ConsumerAction Idle(absl::Duration now);
  bool silent() const;  // Redis
  absl::Duration SweepInterval() const;
  Place* Find(Stream stream);
  // The streams of a batch that failed go on entry by entry until they are past it.
  void TakeApart(const std::vector<LogEntry>& entries);
  // The attempt that was noted is over and has changed nothing.
  void EndAttempt();
  // The offset of a stream is now `pos`, and whatever was counted for the entry before is over.
  void Advance(Place& place, std::int64_t pos);
  void SweepSoon(absl::Duration now);
  void FoundPhantom(Place& place, EntryId id, std::string why);

  Options options_;
  std::map<int, std::string> tokens_;  // part -> token
  std::map<Stream, Place> places_;
  std::set<Stream> news_;       // streams to look at
  std::deque<Turn> round_;      // every stream with news has its turn before any has another
  std::vector<Stream> asked_;   // streams of the action under way
  int limit_ = 0;               // of the take under way
  bool settles_blind_ = false;  // the parking under way
  using Attempt = std::pair<Stream, std::int64_t>;  // the entry after an offset
  std::optional<Attempt> noted_;                    // is written and comes next
  std::optional<Attempt> attempt_;                  // is written and under way
  std::optional<Attempt> unnote_;                   // is over, which is not written yet
  absl::Duration next_sweep_ = -absl::InfiniteDuration();
  absl::Duration last_sweep_ = -absl::InfiniteDuration();
  absl::Duration hold_until_ = -absl::InfiniteDuration();
  absl::Duration probe_at_ = -absl::InfiniteDuration();
  bool redis_up_ = false;
  bool listened_ = false;  // since the last sweep
  int unheard_ = 0;  // sweeps that found what Redis had not told, since it last told something
  absl::Duration listen_anew_at_ = -absl::InfiniteDuration();
  int failures_ = 0;        // of the database, in a row
  int redis_failures_ = 0;  // in a row
  int disturbed_ = 0;       // batches in a row that failed by nobody's fault
  std::int64_t lag_ = 0;
  ConsumerTally tally_;
  std::vector<Phantom> phantoms_;
};

}  // namespace potok::log
