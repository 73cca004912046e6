// Processes, links, servers and virtual time: where the cores of the transport live in a
// simulation. A request is a step at the server and a step where its answer arrives; between them
// anything may happen, and either may be lost.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "simulation/event_queue.h"
#include "simulation/flaw.h"
#include "simulation/model_postgres.h"
#include "simulation/model_redis.h"
#include "simulation/oracle.h"
#include "simulation/random.h"
#include "simulation/trace.h"

namespace potok::simulation {

struct Link {
  bool requests = true;  // pass
  bool answers = true;   // pass
  bool whole() const { return requests && answers; }
};

class World;
class Thread;

// One program. It may be killed, stopped as by SIGSTOP, and started again under another name.
struct Process {
  int index = 0;
  int epoch = 0;  // raised by each end: what belongs to an earlier life is dropped
  bool alive = false;
  bool frozen = false;
  bool ending = false;  // SIGTERM
  std::string owner;
  Micros clock_offset = 0;  // of its monotonic clock
  Link to_postgres, to_redis;
  const void* careful_turn = nullptr;  // CarefulTurn: whose it is
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<std::pair<int, std::function<void()>>> held_back;  // while frozen

  bool running() const { return alive && !frozen; }
};

// A loop of a process. Everything it does is a callback of the world.
class Thread {
 public:
  Thread(World& world, Process& process)
      : world_(world), process_(process), epoch_(process.epoch) {}
  virtual ~Thread() = default;

  virtual void Step() = 0;
  virtual std::string name() const = 0;
  // SIGTERM was received and this loop has ended.
  virtual bool ended() const { return ended_; }
  // What it holds by its own account, of `family`; for the oracle.
  virtual std::vector<log::Held> Holds(int /*family*/) const { return {}; }

  // Cuts a wait short.
  void Ring();
  Process& process() const { return process_; }
  int epoch() const { return epoch_; }
  absl::Duration LocalNow() const;

 protected:
  // Step() after `wait`, or sooner when rung.
  void StepIn(Micros wait);
  // Waiting may be interrupted by Ring(); thinking may not.
  void WaitIn(Micros wait);

  World& world_;
  Process& process_;
  const int epoch_;
  bool ended_ = false;

 private:
  std::int64_t waiting_ = 0;  // number of the wait that is under way
  bool interruptible_ = false;
  bool rung_ = false;
};

// Of one thread, to whoever is the primary when it connects.
struct RedisConnection {
  bool connected = false;
  std::int64_t generation = 0;
  int server = 0;
  int server_epoch = 0;
};

class World {
 public:
  World(std::uint64_t seed, const Shape& shape, const log::LeaseTimes& times, Flaw flaw,
        bool trace);

  // `commit` runs at the server, after `begin` whose snapshot it is given; `answer` gets its
  // result, or nothing when that is not known.
  template <class S, class R>
  void AskPostgres(Thread& thread, std::function<S()> begin,
                   std::function<std::optional<R>(const S&)> commit,
                   std::function<void(std::optional<R>)> answer);
  template <class R>
  void AskPostgres(Thread& thread, std::function<std::optional<R>()> run,
                   std::function<void(std::optional<R>)> answer) {
    AskPostgres<int, R>(
        thread, nullptr, [run = std::move(run)](const int&) { return run(); }, std::move(answer));
  }
  // `run` is told how much of a pipeline arrives: 1 unless the connection breaks on the way.
  template <class R>
  void AskRedis(Thread& thread, RedisConnection& connection,
                std::function<R(ModelRedis&, double)> run,
                std::function<void(std::optional<R>)> answer);
  // XREAD BLOCK: news, none when `wait` is over, or nothing when Redis is not there.
  void BlockOnRedis(Thread& thread, RedisConnection& connection,
                    std::vector<std::pair<ModelRedis::Key, std::int64_t>> from, Micros wait,
                    std::function<void(std::optional<ModelRedis::News>)> answer);
  // False when there is nobody to talk to.
  bool Connect(Process& process, RedisConnection& connection);

  // Runs in the life `epoch` of the process: dropped after its end, kept back while it is frozen.
  void Deliver(Process& process, int epoch, std::function<void()> what);

  Micros DatabaseNow() const { return queue.now() + database_offset; }
  template <class... A>
  void Say(const A&... parts) {
    trace.Say(queue.now(), parts...);
  }
  // A fault begins or ends: bounds count from here.
  void Disturbed() { oracle.Disturbed(queue.now()); }
  Micros Delay() { return slowness * random.Between(kMillisecond / 5, 3 * kMillisecond); }

  const Shape shape;
  const log::LeaseTimes times;
  const Flaw flaw;
  const Trace trace;
  Random random;
  EventQueue queue;
  ModelPostgres postgres;
  bool postgres_up = true;
  int postgres_epoch = 0;
  Micros database_offset = 0;
  std::array<ModelRedis, 2> redis;
  int primary = 0;  // whom the address of Redis means
  double lost_answers = 0;
  Micros slowness = 1;
  std::vector<std::unique_ptr<Process>> processes;
  Oracle oracle;
  std::int64_t next_waiter = 0;
  // What the handlers make of an entry: how often they still fail at it, by group, entity, version.
  std::map<std::tuple<int, int, int>, int> poison;
  double poisonous = 0;   // share of the entries at which a handler fails, often or always
  double disturbing = 0;  // share of the runs that fail by nobody's fault

 private:
  // How long until a lost request is known to be lost: a reset, or a timeout.
  Micros Patience() {
    return random.Chance(0.8) ? random.Between(5, 50) * kMillisecond
                              : random.Between(500, 4000) * kMillisecond;
  }
};

template <class S, class R>
void World::AskPostgres(Thread& thread, std::function<S()> begin,
                        std::function<std::optional<R>(const S&)> commit,
                        std::function<void(std::optional<R>)> answer) {
  Process& process = thread.process();
  const int life = thread.epoch();
  const int server = postgres_epoch;
  const bool lost = lost_answers > 0 && random.Chance(lost_answers);
  // Of the lost ones some never arrive, and some are committed when their sender has long given up.
  const bool arrives = !lost || random.Chance(0.7);
  const Micros late = lost && random.Chance(0.3) ? random.Between(1, 3000) * kMillisecond : 0;
  if (lost) Disturbed();
  const auto reachable = [this, &process, server] {
    return postgres_up && postgres_epoch == server && process.to_postgres.requests;
  };
  struct Call {
    S snapshot{};
    std::optional<R> result;
    bool begun = false;
  };
  auto call = std::make_shared<Call>();
  // Before its statement, or between that and its commit.
  const bool hangs = late > 0 && begin && random.Chance(0.5);
  const Micros way = Delay() + (hangs ? 0 : late);
  const Micros work = begin ? Delay() + (hangs ? late : 0) : 0;
  if (arrives) {
    queue.In(way, [this, call, begin, reachable] {
      call->begun = reachable() && !oracle.violated();
      if (call->begun && begin) call->snapshot = begin();
    });
    queue.In(way + work, [this, call, server, late, commit = std::move(commit)] {
      if (late > 0) Disturbed();  // even a renewal of a process that is dead by now
      // A server goes on without its client.
      if (call->begun && postgres_up && postgres_epoch == server) {
        call->result = commit(call->snapshot);
      }
    });
  }
  const bool gives_up = lost || !process.to_postgres.whole() || !postgres_up;
  const Micros back = gives_up ? Patience() : way + work + Delay();
  queue.In(back, [this, &process, life, server, call, lost, gives_up, answer = std::move(answer)] {
    const bool known = !lost && postgres_up && postgres_epoch == server &&
                       process.to_postgres.whole() && call->begun;
    // An abort is an answer too, but one that says no more than a lost one.
    if (!known || !call->result) {
      const Micros more = known || gives_up ? 0 : Patience();
      queue.In(more, [this, &process, life, answer] {
        Deliver(process, life, [answer] { answer(std::nullopt); });
      });
      return;
    }
    Deliver(process, life, [call, answer] { answer(std::move(call->result)); });
  });
}

template <class R>
void World::AskRedis(Thread& thread, RedisConnection& connection,
                     std::function<R(ModelRedis&, double)> run,
                     std::function<void(std::optional<R>)> answer) {
  Process& process = thread.process();
  const int life = thread.epoch();
  if (!Connect(process, connection)) {
    queue.In(Delay() * 5, [this, &process, life, answer = std::move(answer)] {
      Deliver(process, life, [answer] { answer(std::nullopt); });
    });
    return;
  }
  const bool lost = lost_answers > 0 && random.Chance(lost_answers);
  const double fraction = lost ? random.Uniform() : 1;
  auto result = std::make_shared<std::optional<R>>();
  const int server = connection.server;
  const int server_epoch = connection.server_epoch;
  const auto there = [this, &process, server, server_epoch] {
    return redis[server].up && redis[server].epoch == server_epoch && process.to_redis.requests;
  };
  const Micros way = Delay();
  queue.In(way, [this, there, result, server, fraction, run = std::move(run)] {
    if (there()) *result = run(redis[server], fraction);
  });
  const bool gives_up = lost || !process.to_redis.whole() || !redis[server].up;
  const Micros back = gives_up ? random.Between(20, 600) * kMillisecond : way + Delay();
  queue.In(back,
           [this, &process, life, there, result, lost, &connection, answer = std::move(answer)] {
             const bool known = !lost && there() && process.to_redis.answers && result->has_value();
             Deliver(process, life, [known, result, &connection, answer] {
               if (!known) {
                 connection.connected = false;
                 answer(std::nullopt);
               } else {
                 answer(std::move(*result));
               }
             });
           });
}

}  // namespace potok::simulation
