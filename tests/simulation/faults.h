// The enemy: breaks things at random times and mends them before the end.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "simulation/world.h"

namespace potok::simulation {

class Faults {
 public:
  // `start` gives a process its threads.
  Faults(World& world, std::function<void(Process&)> start);

  // Chooses a few kinds, and when each strikes between now and `until`; with `without_redis` only
  // those that leases feel.
  void Plan(Micros until, bool without_redis = false);
  // Mends what is still broken; nothing breaks any more.
  void End();
  std::int64_t count() const { return count_; }

  void Start(Process& process);

 private:
  using Fault = void (Faults::*)();
  void Strike(bool of_redis, bool in_order, const std::function<void()>& what);
  Process& Somebody();
  Micros Long() { return world_.random.Between(100, 15'000) * kMillisecond; }
  Micros Short() { return world_.random.Between(10, 2000) * kMillisecond; }
  log::Stream SomeStream() {
    return world_.shape.StreamAt(static_cast<int>(world_.random.Below(world_.shape.streams())));
  }
  ModelRedis::Key SomeKey();

  void Kill();
  void Freeze();
  void Terminate();
  void CutPostgres();
  void CutRedis();
  void Flap();
  void CrashPostgres();
  void FailOverPostgres();
  void JumpClock();
  void Slow();
  void LoseAnswers();
  void FlushRedis();
  void StopRedis();
  void FailOverRedis();
  void FillRedis();
  void AddPhantom();
  void DeleteEntries();
  void MakeUseless();

  void End(Process& process);
  // Undoes a fault after `wait`, unless everything was mended meanwhile.
  void Later(Micros wait, std::function<void()> undo);

  World& world_;
  const std::function<void(Process&)> start_;
  bool over_ = false;
  bool of_redis_ = false;        // what strikes now
  bool in_order_ = false;        // that process was asked to end
  Micros clock_lags_until_ = 0;  // leases of before live until then
  std::int64_t count_ = 0;
};

}  // namespace potok::simulation
