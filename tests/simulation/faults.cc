#include "simulation/faults.h"

#include <algorithm>

namespace potok::simulation {

Faults::Faults(World& world, std::function<void(Process&)> start)
    : world_(world), start_(std::move(start)) {}

void Faults::Plan(Micros until, bool without_redis) {
  static constexpr Fault kAll[] = {&Faults::Kill,
                                   &Faults::Freeze,
                                   &Faults::Terminate,
                                   &Faults::CutPostgres,
                                   &Faults::Flap,
                                   &Faults::CrashPostgres,
                                   &Faults::FailOverPostgres,
                                   &Faults::JumpClock,
                                   &Faults::Slow,
                                   &Faults::LoseAnswers,
                                   &Faults::CutRedis,
                                   &Faults::FlushRedis,
                                   &Faults::StopRedis,
                                   &Faults::FailOverRedis,
                                   &Faults::FillRedis,
                                   &Faults::AddPhantom,
                                   &Faults::DeleteEntries,
                                   &Faults::MakeUseless};
  constexpr std::int64_t kOfLeases = 10;  // the first ones
  // A few kinds a schedule: with all of them at once, each hides what the others would show.
  std::vector<std::int64_t> kinds;
  for (std::int64_t left = world_.random.Between(1, 4); left > 0; --left) {
    kinds.push_back(world_.random.Below(without_redis ? kOfLeases : std::size(kAll)));
  }
  for (std::int64_t left = world_.random.Between(2, 8); left > 0; --left) {
    const std::int64_t kind =
        kinds[static_cast<size_t>(world_.random.Below(static_cast<std::int64_t>(kinds.size())))];
    world_.queue.In(world_.random.Between(0, until), [this, kind] {
      if (over_) return;
      ++count_;
      Strike(kind >= kOfLeases, kAll[kind] == &Faults::Terminate,
             [this, kind] { (this->*kAll[kind])(); });
    });
  }
}

void Faults::Strike(bool of_redis, bool in_order, const std::function<void()>& what) {
  // Whatever becomes of Redis disturbs no lease and no sequencing.
  of_redis_ = of_redis;
  in_order_ = in_order;
  if (in_order) {
    world_.oracle.DisturbedInOrder();
  } else if (!of_redis) {
    world_.Disturbed();
  }
  what();
}

void Faults::Later(Micros wait, std::function<void()> undo) {
  world_.queue.In(wait, [this, of_redis = of_redis_, in_order = in_order_, undo = std::move(undo)] {
    if (!over_) Strike(of_redis, in_order, undo);
  });
}

Process& Faults::Somebody() {
  return *world_.processes[static_cast<size_t>(
      world_.random.Below(static_cast<std::int64_t>(world_.processes.size())))];
}

ModelRedis::Key Faults::SomeKey() {
  const log::Stream stream = SomeStream();
  return ModelRedis::KeyOf(stream,
                           world_.postgres.state().heads[world_.shape.IndexOf(stream)].incarnation);
}

void Faults::Start(Process& process) {
  if (process.alive) return;
  // It takes its share from the others, and may do so over a link that is broken already.
  world_.Disturbed();
  process.alive = true;
  process.frozen = false;
  process.ending = false;
  process.owner = absl::StrCat("p", process.index, ".", process.epoch);
  process.clock_offset = world_.random.Between(0, 1'000'000) * kSecond;
  world_.Say(process.owner, " starts");
  start_(process);
}

void Faults::End(Process& process) {
  ++process.epoch;
  process.alive = false;
  process.frozen = false;
  process.threads.clear();
  process.careful_turn = nullptr;
  process.held_back.clear();
}

void Faults::Kill() {
  Process& process = Somebody();
  if (!process.alive) return;
  world_.Say(process.owner, " is killed");
  End(process);
  Later(Long(), [this, &process] { Start(process); });
}

void Faults::Freeze() {
  Process& process = Somebody();
  if (!process.running()) return;
  const Micros wait = world_.random.Chance(0.5) ? Long() : world_.random.Between(3, 20) * kSecond;
  world_.Say(process.owner, " stands still for ", wait / kMillisecond, " ms");
  process.frozen = true;
  Later(wait, [this, &process, epoch = process.epoch] {
    if (process.epoch != epoch) return;
    world_.Say(process.owner, " goes on");
    process.frozen = false;
    std::vector<std::pair<int, std::function<void()>>> held_back;
    held_back.swap(process.held_back);
    for (auto& [life, what] : held_back) world_.Deliver(process, life, std::move(what));
  });
}

void Faults::Terminate() {
  Process& process = Somebody();
  if (!process.running() || process.ending) return;
  world_.Say(process.owner, " is asked to end");
  process.ending = true;
  for (const auto& thread : process.threads) thread->Ring();
  // Killed when it takes longer than it may.
  const int epoch = process.epoch;
  const auto end = [this, &process, epoch] {
    if (process.epoch != epoch) return;
    world_.Say(process.owner, " has ended");
    End(process);
    Later(world_.random.Chance(0.5) ? Long() : Short(), [this, &process] { Start(process); });
  };
  for (int wait = 1; wait <= 20; ++wait) {
    Later(wait * kSecond / 2, [&process, epoch, end, wait] {
      if (process.epoch != epoch) return;
      const bool done = std::all_of(process.threads.begin(), process.threads.end(),
                                    [](const auto& thread) { return thread->ended(); });
      if (done || wait == 20) end();
    });
  }
}

void Faults::CutPostgres() {
  Process& process = Somebody();
  const bool one_way = world_.random.Chance(0.3);
  world_.Say("link of p", process.index, " to Postgres breaks", one_way ? " one way" : "");
  process.to_postgres.answers = false;
  if (!one_way) process.to_postgres.requests = false;
  // One more renewal may get through before its sender notices that it hears nothing.
  if (one_way) Later(absl::ToInt64Microseconds(world_.times.renew), [] {});
  Later(Long(), [this, &process] {
    world_.Say("link of p", process.index, " to Postgres is back");
    process.to_postgres = {};
  });
}

void Faults::CutRedis() {
  Process& process = Somebody();
  const bool one_way = world_.random.Chance(0.3);
  world_.Say("link of p", process.index, " to Redis breaks", one_way ? " one way" : "");
  process.to_redis.answers = false;
  if (!one_way) process.to_redis.requests = false;
  Later(Long(), [this, &process] {
    world_.Say("link of p", process.index, " to Redis is back");
    process.to_redis = {};
  });
}

void Faults::Flap() {
  Process& process = Somebody();
  const Micros period = world_.random.Between(500, 1500) * kMillisecond;
  world_.Say("link of p", process.index, " to Postgres flaps");
  for (int i = 0; i < 10; ++i) {
    Later(i * period, [&process, i] {
      process.to_postgres.requests = process.to_postgres.answers = i % 2 != 0;
    });
  }
}

void Faults::CrashPostgres() {
  if (!world_.postgres_up) return;
  world_.Say("Postgres crashes");
  world_.postgres_up = false;
  ++world_.postgres_epoch;
  world_.postgres.Crash(world_.queue.now());
  world_.oracle.TimeBroke(world_.queue.now());
  Later(world_.random.Chance(0.7) ? Short() : Long(), [this] {
    world_.Say("Postgres is back");
    world_.postgres_up = true;
  });
}

// To a standby that lags: what was committed since the copy is gone.
void Faults::FailOverPostgres() {
  auto standby = std::make_shared<ModelPostgres::State>(world_.postgres.state());
  Later(world_.random.Between(1, 3000) * kMillisecond, [this, standby] {
    if (!world_.postgres_up) return;
    world_.Say("Postgres fails over and loses the last moments");
    world_.postgres.state() = std::move(*standby);
    world_.postgres_up = false;
    ++world_.postgres_epoch;
    world_.oracle.TimeBroke(world_.queue.now());
    Later(Short(), [this] {
      world_.Say("the new primary of Postgres is there");
      world_.oracle.TimeBroke(world_.queue.now());
      world_.postgres_up = true;
    });
  });
}

void Faults::JumpClock() {
  const Micros jump = world_.random.Between(-10'000, 10'000) * kMillisecond;
  world_.Say("the database's clock jumps by ", jump / kMillisecond, " ms");
  world_.database_offset += jump;
  world_.oracle.TimeBroke(world_.queue.now());
  // A clock that went back lets the leases of the dead live for as much longer.
  if (jump < 0) {
    clock_lags_until_ = std::max(clock_lags_until_, world_.queue.now()) - jump;
    world_.oracle.Disturbed(clock_lags_until_);
  }
}

void Faults::Slow() {
  world_.Say("everything is slow");
  world_.slowness = world_.random.Between(10, 100);
  Later(Long(), [this] {
    world_.Say("nothing is slow any more");
    world_.slowness = 1;
  });
}

void Faults::LoseAnswers() {
  world_.Say("answers get lost");
  world_.lost_answers = 0.02 + 0.2 * world_.random.Uniform();
  Later(Long(), [this] {
    world_.Say("answers arrive again");
    world_.lost_answers = 0;
  });
}

void Faults::FlushRedis() {
  world_.Say("FLUSHALL");
  world_.redis[world_.primary].Flush();
}

void Faults::StopRedis() {
  ModelRedis& redis = world_.redis[world_.primary];
  if (!redis.up) return;
  const bool empty = world_.random.Chance(0.7);
  world_.Say("Redis stops", empty ? " and forgets everything" : "");
  redis.up = false;
  redis.Restart(empty);
  Later(world_.random.Chance(0.5) ? Short() : Long(), [this, &redis] {
    world_.Say("Redis is back");
    redis.up = true;
  });
}

// To a replica that lags. The old primary lives on, read only, until it is ended.
void Faults::FailOverRedis() {
  const auto copy = std::make_shared<ModelRedis::Data>(world_.redis[world_.primary].data);
  Later(Short(), [this, copy] {
    ModelRedis& old = world_.redis[world_.primary];
    world_.Say("Redis fails over");
    old.read_only = true;
    world_.primary = 1 - world_.primary;
    ModelRedis& next = world_.redis[world_.primary];
    next.Restart(true);
    next.data = std::move(*copy);
    next.up = true;
    next.read_only = next.full = false;
    Later(Long(), [&old] {
      old.Break();
      old.up = false;
    });
  });
}

void Faults::FillRedis() {
  world_.Say("Redis is full");
  ModelRedis& redis = world_.redis[world_.primary];
  redis.full = true;
  Later(Long(), [this, &redis] {
    world_.Say("Redis has room again");
    redis.full = false;
  });
}

void Faults::AddPhantom() {
  const ModelRedis::Key key = SomeKey();
  const std::int64_t ahead = world_.random.Chance(0.8) ? world_.random.Between(1, 4) : 1'000'000;
  world_.Say("somebody adds an entry ", ahead, " ahead to ", std::get<0>(key), ":",
             std::get<1>(key), ":", std::get<2>(key));
  world_.redis[world_.primary].AddPhantom(key, ahead);
}

void Faults::DeleteEntries() {
  const ModelRedis::Key key = SomeKey();
  world_.Say("somebody deletes entries of ", std::get<0>(key), ":", std::get<1>(key), ":",
             std::get<2>(key));
  world_.redis[world_.primary].DeleteSome(key, world_.random);
}

void Faults::MakeUseless() {
  const ModelRedis::Key key = SomeKey();
  world_.Say("somebody makes something else of ", std::get<0>(key), ":", std::get<1>(key), ":",
             std::get<2>(key));
  world_.redis[world_.primary].MakeUseless(key);
}

void Faults::End() {
  over_ = true;
  world_.Disturbed();
  world_.Say("no more faults");
  world_.lost_answers = 0;
  world_.disturbing = 0;
  world_.slowness = 1;
  world_.postgres_up = true;
  ModelRedis& redis = world_.redis[world_.primary];
  redis.up = true;
  redis.full = false;
  ModelRedis& other = world_.redis[1 - world_.primary];
  other.Break();
  other.up = false;
  for (const auto& process : world_.processes) {
    process->to_postgres = process->to_redis = {};
    if (process->ending) End(*process);
    Start(*process);
    process->frozen = false;
    std::vector<std::pair<int, std::function<void()>>> held_back;
    held_back.swap(process->held_back);
    for (auto& [life, what] : held_back) world_.Deliver(*process, life, std::move(what));
  }
}

}  // namespace potok::simulation
