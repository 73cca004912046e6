// What Redis does for the transport: streams with explicit ids, and the ways in which it loses or
// refuses them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "platform/log/relay_core.h"
#include "simulation/event_queue.h"
#include "simulation/model_postgres.h"
#include "simulation/random.h"

namespace potok::simulation {

// One server. Commands are called only while it is up and the caller is connected.
class ModelRedis {
 public:
  using Key = std::tuple<int, int, int>;  // incarnation, topic, part
  struct StreamData {
    bool is_stream = true;
    std::int64_t last = 0;  // last-generated-id, the part before the dash
    std::vector<Entry> entries;
  };
  using Data = std::map<Key, StreamData>;

  bool up = true;
  bool read_only = false;  // a primary of the past
  bool full = false;       // OOM for whatever adds
  int epoch = 0;           // connections of an earlier one are broken
  Data data;
  // For the oracle: who compared a key with the database last, while nothing but relays touched it.
  std::map<Key, std::string> compared_by;

  static Key KeyOf(log::Stream stream, int incarnation) {
    return {incarnation, stream.first, stream.second};
  }

  enum class Added { kAccepted, kRefused, kFull, kReadOnly, kWrongType };
  Added XAdd(const Key& key, const Entry& entry);
  log::StreamSeen XInfo(const Key& key, const std::string& who);
  // Whole nodes only, as "~" does: here of three entries.
  void XTrim(const Key& key, std::int64_t keep);
  void Unlink(const Key& key, const std::string& who) {
    data.erase(key);
    compared_by[key] = who;
  }

  // XREAD COUNT 64 BLOCK: the entries of each stream of `from` after the given position; `answer`
  // is called at once if there are any, else when some come, or never. False is WRONGTYPE.
  using News = std::vector<std::pair<log::Stream, Entry>>;
  struct Waiter {
    std::int64_t id = 0;
    std::vector<std::pair<Key, std::int64_t>> from;
    std::function<void(const News&)> answer;
  };
  bool XRead(Waiter waiter);
  void Forget(std::int64_t waiter_id);

  // Faults.
  void Flush();
  void Restart(bool empty);
  void Break() {
    ++epoch;
    waiters_.clear();
  }
  // Somebody's hand: adds an entry of its own invention, deletes some, or makes a key useless.
  void AddPhantom(const Key& key, std::int64_t ahead);
  void DeleteSome(const Key& key, Random& random);
  void MakeUseless(const Key& key);

 private:
  News NewsFor(const Waiter& waiter) const;
  void Wake(const Key& key);

  std::vector<Waiter> waiters_;
};

}  // namespace potok::simulation
