#include "simulation/transport.h"

#include <memory>
#include <vector>

#include "simulation/consumer_thread.h"
#include "simulation/faults.h"
#include "simulation/keeper_thread.h"
#include "simulation/relay_thread.h"
#include "simulation/world.h"

namespace potok::simulation {
namespace {

Shape RandomShape(Random& random) {
  return {.topics = static_cast<int>(random.Between(1, 2)),
          .parts = static_cast<int>(random.Between(1, 3)),
          .groups = static_cast<int>(random.Between(1, 2)),
          .entities = static_cast<int>(random.Between(1, 6))};
}

// What the ledger does: events of entities, each under the lock of its row; a transaction may take
// long, so ids do not commit in their order.
class Writers {
 public:
  explicit Writers(World& world) : world_(world), locked_(world.shape.entities) {}

  void Plan(Micros until, std::int64_t events) {
    for (; events > 0; --events) {
      world_.queue.In(world_.random.Between(0, until), [this] { Write(); });
    }
  }
  // One event in `stream`, committed at once; false when no entity of its part is free.
  void Write() {
    if (!world_.postgres_up) return;
    const int entity = static_cast<int>(world_.random.Below(world_.shape.entities));
    const log::Stream stream{static_cast<int>(world_.random.Between(1, world_.shape.topics)),
                             entity % world_.shape.parts};
    if (locked_[entity]) return;
    locked_[entity] = true;
    const std::int64_t id = world_.postgres.DrawId();
    const Micros wait = world_.random.Chance(0.9) ? world_.Delay()
                                                  : world_.random.Between(100, 1500) * kMillisecond;
    world_.queue.In(wait, [this, entity, stream, id, server = world_.postgres_epoch] {
      locked_[entity] = false;
      if (!world_.postgres_up || world_.postgres_epoch != server) return;
      Commit(id, stream, entity);
    });
  }
  // At once, for a look at how fast the way is.
  void Commit(std::int64_t id, log::Stream stream, int entity) {
    world_.postgres.Append(id, stream, entity, world_.queue.now());
    ++committed_;
    world_.Say("db: event ", entity, "/", world_.postgres.state().versions[entity], " of ",
               stream.first, ":", stream.second, " is committed");
    for (const auto& process : world_.processes) {
      if (!process->running()) continue;
      for (const auto& thread : process->threads) {
        if (thread->name() == "relay") thread->Ring();
      }
    }
  }
  std::int64_t committed() const { return committed_; }

 private:
  World& world_;
  std::vector<bool> locked_;
  std::int64_t committed_ = 0;
};

// A lease, a takeover, and the longest pauses of the loops.
constexpr std::int64_t kMostSteps = 100'000;
constexpr Micros kSettle = 16 * kSecond;

void Until(World& world, Micros end) {
  while (!world.oracle.violated() && world.queue.Step(end)) {
    if (world.queue.steps() > kMostSteps) world.oracle.Violate("goes round in circles");
  }
}

void CheckEach(World& world, Micros interval) {
  world.queue.In(interval, [&world, interval] {
    world.oracle.CheckService();
    CheckEach(world, interval);
  });
}

class Schedule {
 public:
  Schedule(std::uint64_t seed, Flaw flaw, bool trace)
      : choices_(seed ^ 0x517cc1b727220a95ULL),
        world_(seed, RandomShape(choices_), log::LeaseTimes(), flaw, trace),
        faults_(world_, [this](Process& process) { Start(process); }),
        writers_(world_) {}

  ScheduleResult Run() {
    if (choices_.Chance(0.2)) world_.poisonous = 0.1;
    if (choices_.Chance(0.1)) world_.disturbing = 0.1;
    const std::int64_t processes = choices_.Between(1, 3);
    for (int i = 0; i < processes; ++i) {
      world_.processes.push_back(std::make_unique<Process>());
      world_.processes.back()->index = i;
      faults_.Start(*world_.processes.back());
    }
    CheckEach(world_, kSecond / 4);
    const Micros chaos = choices_.Between(5, 25) * kSecond;
    writers_.Plan(chaos + 2 * kSecond, choices_.Between(5, 40));
    faults_.Plan(chaos);
    Until(world_, chaos);
    faults_.End();
    Until(world_, world_.oracle.disturbed_at() + kSettle);
    AwaitParking();
    world_.oracle.CheckAtRest();
    world_.poisonous = 0;
    world_.poison.clear();
    Probe();
    const std::int64_t gains = world_.oracle.gains();
    Until(world_, world_.queue.now() + 3 * kSecond);
    if (world_.oracle.gains() != gains) world_.oracle.Violate("leases change hands in the quiet");
    world_.oracle.CheckAtRest();
    ScheduleResult result;
    result.violation = world_.oracle.violation();
    result.steps = world_.queue.steps();
    result.events = writers_.committed();
    result.gains = world_.oracle.gains();
    result.faults = faults_.count();
    result.parked = world_.oracle.parked();
    return result;
  }

 private:
  // Well below the sweep: a stream that misleads its readers would show.
  static constexpr Micros kHinted = 150 * kMillisecond;

  void Start(Process& process) {
    const auto add = [&](auto thread) {
      auto* raw = thread.get();
      process.threads.push_back(std::move(thread));
      return raw;
    };
    KeeperThread* keeper = add(std::make_unique<KeeperThread>(world_, process, 0));
    keeper->SetLoop(add(std::make_unique<RelayThread>(world_, process, *keeper)));
    for (int group = 0; group < world_.shape.groups; ++group) {
      keeper = add(std::make_unique<KeeperThread>(world_, process, 1 + group));
      keeper->SetLoop(add(std::make_unique<ConsumerThread>(world_, process, group, *keeper)));
    }
  }
  // Each poisonous entry has a budget of attempts of its own, and there may be several in a row: as
  // long as a group gets past one in that time, it may have more.
  void AwaitParking() {
    constexpr Micros kBudget = 6 * kSecond;
    if (world_.poisonous == 0) return;
    const auto consumed = [this] {
      std::int64_t sum = 0;
      for (const auto& group : world_.postgres.state().offsets) {
        for (const ModelPostgres::Offset& offset : group) sum += offset.pos;
      }
      return sum;
    };
    for (std::int64_t before = -1; before != consumed() && !world_.oracle.violated();) {
      before = consumed();
      Until(world_, world_.queue.now() + kBudget);
    }
  }
  // In the quiet each event reaches its readers through Redis, long before they would look by
  // themselves.
  void Probe() {
    for (int entity = 0; entity < world_.shape.entities && !world_.oracle.violated(); ++entity) {
      const log::Stream stream{static_cast<int>(choices_.Between(1, world_.shape.topics)),
                               entity % world_.shape.parts};
      writers_.Commit(world_.postgres.DrawId(), stream, entity);
      Until(world_, world_.queue.now() + kHinted);
      const int index = world_.shape.IndexOf(stream);
      const ModelPostgres::State& state = world_.postgres.state();
      for (int group = 0; group < world_.shape.groups; ++group) {
        if (state.offsets[group][index].pos != state.heads[index].next_pos - 1) {
          world_.oracle.Violate("group ", group, " was not told of the news of stream ",
                                stream.first, ":", stream.second, " through Redis");
        }
      }
    }
  }

  Random choices_;
  World world_;
  Faults faults_;
  Writers writers_;
};

// Keepers without anything to keep the leases for.
class LeaseSchedule {
 public:
  LeaseSchedule(std::uint64_t seed, Flaw flaw, bool trace)
      : choices_(seed ^ 0x517cc1b727220a95ULL),
        world_(seed, {.topics = 1, .parts = static_cast<int>(choices_.Between(1, 6)), .groups = 0},
               log::LeaseTimes(), flaw, trace),
        faults_(world_, [this](Process& process) {
          process.threads.push_back(std::make_unique<KeeperThread>(world_, process, 0));
        }) {}

  ScheduleResult Run() {
    const std::int64_t processes = choices_.Between(2, 5);
    for (int i = 0; i < processes; ++i) {
      world_.processes.push_back(std::make_unique<Process>());
      world_.processes.back()->index = i;
      Process& process = *world_.processes.back();
      world_.queue.In(choices_.Below(5 * kSecond), [this, &process] { faults_.Start(process); });
    }
    CheckEach(world_, kSecond / 4);
    const Micros chaos = choices_.Between(5, 40) * kSecond;
    faults_.Plan(chaos, /*without_redis=*/true);
    Until(world_, chaos);
    faults_.End();
    Until(world_, world_.oracle.disturbed_at() + kSettle);
    const std::int64_t gains = world_.oracle.gains();
    Until(world_, world_.queue.now() + 5 * kSecond);
    if (world_.oracle.gains() != gains) world_.oracle.Violate("leases change hands in the quiet");
    world_.oracle.CheckService();
    return {.violation = world_.oracle.violation(),
            .steps = world_.queue.steps(),
            .events = 0,
            .gains = world_.oracle.gains(),
            .faults = faults_.count(),
            .parked = 0};
  }

 private:
  Random choices_;
  World world_;
  Faults faults_;
};

}  // namespace

ScheduleResult RunLeases(std::uint64_t seed, Flaw flaw, bool trace) {
  return LeaseSchedule(seed, flaw, trace).Run();
}

ScheduleResult RunTransport(std::uint64_t seed, Flaw flaw, bool trace) {
  return Schedule(seed, flaw, trace).Run();
}

}  // namespace potok::simulation
