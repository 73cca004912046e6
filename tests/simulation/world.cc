#include "simulation/world.h"

namespace potok::simulation {

World::World(std::uint64_t seed, const Shape& world_shape, const log::LeaseTimes& lease_times,
             Flaw planted, bool tell)
    : shape(world_shape),
      times(lease_times),
      flaw(planted),
      trace(tell),
      random(seed),
      postgres(world_shape, lease_times, planted),
      oracle(*this) {}

bool World::Connect(Process& process, RedisConnection& connection) {
  if (connection.connected) {
    // A broken connection is found out by its next use.
    return true;
  }
  if (!process.to_redis.whole() || !redis[primary].up) return false;
  connection.connected = true;
  ++connection.generation;
  connection.server = primary;
  connection.server_epoch = redis[primary].epoch;
  return true;
}

void World::BlockOnRedis(Thread& thread, RedisConnection& connection,
                         std::vector<std::pair<ModelRedis::Key, std::int64_t>> from, Micros wait,
                         std::function<void(std::optional<ModelRedis::News>)> answer) {
  Process& process = thread.process();
  const int life = thread.epoch();
  struct Call {
    std::function<void(std::optional<ModelRedis::News>)> answer;
    bool done = false;
  };
  auto call = std::make_shared<Call>();
  call->answer = std::move(answer);
  const bool there = Connect(process, connection);
  const int server = connection.server;
  const int server_epoch = connection.server_epoch;
  const auto reachable = [this, &process, server, server_epoch] {
    return redis[server].up && redis[server].epoch == server_epoch && process.to_redis.whole();
  };
  const auto finish = [this, &process, life, call, &connection](
                          Micros in, std::optional<ModelRedis::News> news) {
    if (call->done) return;
    call->done = true;
    queue.In(in, [this, &process, life, call, &connection, news = std::move(news)]() mutable {
      Deliver(process, life, [call, &connection, news = std::move(news)] {
        if (!news) connection.connected = false;
        call->answer(news);
      });
    });
  };
  if (!there) return finish(Delay() * 5, std::nullopt);
  if (!reachable()) return finish(random.Between(5, 500) * kMillisecond, std::nullopt);
  const std::int64_t waiter = next_waiter++;
  queue.In(Delay(), [this, call, reachable, server, waiter, from = std::move(from), finish] {
    if (call->done || !reachable()) return;
    const bool fits =
        redis[server].XRead({waiter, from, [finish, reachable, this](const ModelRedis::News& news) {
                               if (reachable()) finish(Delay(), news);
                             }});
    if (!fits) finish(Delay(), std::nullopt);
  });
  queue.In(wait + Delay(), [this, server, waiter, reachable, finish] {
    redis[server].Forget(waiter);
    if (reachable()) {
      finish(0, ModelRedis::News());
    } else {
      finish(random.Between(5, 500) * kMillisecond, std::nullopt);
    }
  });
}

void World::Deliver(Process& process, int epoch, std::function<void()> what) {
  if (process.epoch != epoch || oracle.violated()) return;
  if (process.frozen) {
    process.held_back.emplace_back(epoch, std::move(what));
  } else {
    what();
  }
}

absl::Duration Thread::LocalNow() const {
  return absl::Microseconds(world_.queue.now() + process_.clock_offset);
}

void Thread::StepIn(Micros wait) {
  const std::int64_t number = ++waiting_;
  world_.queue.In(wait, [this, number, &world = world_, &process = process_, epoch = epoch_] {
    world.Deliver(process, epoch, [this, number] {
      if (waiting_ != number) return;
      interruptible_ = false;
      Step();
    });
  });
}

void Thread::WaitIn(Micros wait) {
  interruptible_ = !rung_;
  StepIn(rung_ ? 0 : wait);
  rung_ = false;
}

void Thread::Ring() {
  if (interruptible_) {
    interruptible_ = false;
    StepIn(0);
  } else {
    rung_ = true;
  }
}

}  // namespace potok::simulation
