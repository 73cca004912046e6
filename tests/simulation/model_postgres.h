// What Postgres does for the transport, statement by statement; each method names the file it
// mirrors. A transaction is one step, or two where its statement works on a snapshot that others
// may overtake before it commits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/log/consumer_core.h"
#include "platform/log/lease_core.h"
#include "platform/log/relay_core.h"
#include "simulation/event_queue.h"
#include "simulation/flaw.h"

namespace potok::simulation {

struct Entry {
  std::int64_t pos = 0;
  int entity = 0;
  int version = 0;

  bool operator==(const Entry&) const = default;
};

// As the log's own statements would return it.
log::LogEntry ToLog(log::Stream stream, const Entry& entry);

struct Shape {
  int topics = 1;
  int parts = 2;
  int groups = 2;
  int entities = 4;

  int streams() const { return topics * parts; }
  int IndexOf(log::Stream stream) const { return stream.second * topics + stream.first - 1; }
  log::Stream StreamAt(int index) const { return {index % topics + 1, index / topics}; }
  int families() const { return 1 + groups; }  // 0 is the relay's, 1 + g the one of group g
};

class ModelPostgres {
 public:
  struct OutboxRow {
    std::int64_t id = 0;
    log::Stream stream;
    int entity = 0;
    int version = 0;
    Micros since = 0;  // true time
  };
  struct Head {
    std::int64_t next_pos = 1;
    std::string token;
    int incarnation = 1;
    std::vector<Entry> log;  // ledger.event_log of the stream
  };
  struct Offset {
    std::int64_t pos = 0;
    std::string token;
    std::vector<Entry> effects;  // what the handler wrote, in the order of the commits
    std::vector<Entry> parked;   // of these, those that went to ledger.dlq instead
    std::int64_t careful_until = 0;
    std::int64_t attempted = 0;
    bool attempt_open = false;
    int deaths = 0;
    bool blind = false;
  };
  struct Lease {
    std::string owner;
    std::int64_t epoch = 0;
    std::string token;
    Micros expires = INT64_MIN / 2;
  };
  struct Member {
    std::string owner;
    Micros expires = 0;
  };
  // Everything that is committed. A copy is a standby.
  struct State {
    std::int64_t next_id = 1;
    std::vector<OutboxRow> outbox;
    std::vector<Head> heads;                   // by stream
    std::vector<std::vector<Offset>> offsets;  // by group, stream
    std::vector<std::vector<Lease>> leases;    // by family, part
    std::vector<std::vector<Member>> members;  // by family
    std::vector<int> versions;                 // by entity: events committed
  };

  ModelPostgres(const Shape& shape, const log::LeaseTimes& times, Flaw flaw);

  State& state() { return state_; }
  const State& state() const { return state_; }

  // `now` is the database's clock, `real` the true one, which says what has reached the disk.
  struct Renewal {
    std::vector<log::Held> renewed;
    log::LeasePicture picture;
  };
  Renewal Renew(int family, const std::string& owner, const std::vector<log::Held>& leases,
                Micros now, Micros real);
  log::LeasePicture LookAtLeases(int family, Micros now) const;
  std::vector<log::Held> Gain(int family, const std::string& owner,
                              const std::vector<log::Held>& wanted, Micros now);
  void Release(int family, const std::vector<log::Held>& leases, Micros now);
  void Leave(int family, const std::string& owner);

  std::vector<std::pair<log::Stream, log::StreamHead>> Heads(
      const std::vector<log::Held>& held) const;
  std::optional<int> RaiseIncarnation(log::Stream stream, const std::string& token);
  std::vector<Entry> LogRange(log::Stream stream, std::int64_t after, int limit) const;

  // sequence.sql, and the check of Relay::Sequence that no picked row has vanished.
  struct SequencePick {
    std::vector<log::Held> held;
    std::vector<OutboxRow> rows;
  };
  struct Moved {
    log::Stream stream;
    Entry entry;
    int incarnation = 1;
  };
  SequencePick PickOutbox(const std::vector<log::Held>& held, int limit) const;
  // Nothing when the transaction is aborted.
  std::optional<std::vector<Moved>> CommitSequence(const SequencePick& pick);

  // take.sql. `moves` are the streams that gave something.
  struct TakePick {
    struct Span {
      log::Stream stream;
      std::string token;
      std::int64_t before = 0;
      std::vector<Entry> entries;
    };
    int group = 0;
    std::vector<Span> spans;
  };
  struct Want {
    log::Stream stream;
    std::string token;
  };
  TakePick PickLog(int group, const std::vector<Want>& wants, int limit) const;
  // Whether the guards of a picked span still hold; a span that fails is not moved.
  bool Guarded(const TakePick& pick, const TakePick::Span& span) const;
  // Moves the offsets of the spans that are still guarded and writes the handler's effects. Returns
  // what was moved.
  std::vector<TakePick::Span> CommitTake(const TakePick& pick, bool park);

  std::vector<log::StreamPlace> Places(int group, const std::vector<log::Held>& held) const;
  // note_attempt.sql, unnote_attempt.sql; false when there is no such entry or the token is
  // another's.
  bool NoteAttempt(int group, const Want& want, std::int64_t offset);
  void UnnoteAttempt(int group, const Want& want, std::int64_t offset);
  void SettleBlind(int group, const std::vector<log::Held>& held);

  // The ledger: one event of `entity`, committed now. Its id was drawn earlier, perhaps long ago.
  std::int64_t DrawId() { return state_.next_id++; }
  void Append(std::int64_t id, log::Stream stream, int entity, Micros real);

  // A crash of the server: renewals of the last moments, which commit asynchronously, are lost.
  void Crash(Micros real);

 private:
  void StampOffsets(int group, const std::vector<log::Held>& gained);

  struct AsyncRenewal {
    int family = 0;
    int part = 0;
    std::string token;
    Micros expires_before = 0;
    Micros real = 0;
  };

  const Shape shape_;
  const Micros ttl_;
  const Flaw flaw_;
  State state_;
  std::vector<AsyncRenewal> not_on_disk_;
};

}  // namespace potok::simulation
