// Consumer, with the models in place of its database, Redis, handler and thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulation/keeper_thread.h"
#include "simulation/world.h"

namespace potok::simulation {

class ConsumerThread : public Thread {
 public:
  ConsumerThread(World& world, Process& process, int group, const KeeperThread& keeper);

  void Step() override;
  std::string name() const override { return absl::StrCat("consumer", group_); }

 private:
  struct Place {
    std::int64_t offset = 0;
    std::int64_t head = 0;
    std::int64_t hint = 0;
    int incarnation = 1;
  };

  void Sweep();
  void Listen(Micros wait);
  void Take(std::vector<log::Stream> streams);
  void Failed();

  const int group_;
  const KeeperThread& keeper_;
  RedisConnection connection_;
  std::vector<log::Held> held_;
  std::int64_t version_ = -1;
  std::map<log::Stream, Place> places_;
  std::set<log::Stream> news_;
  Micros next_sweep_ = 0;
  bool redis_up_ = false;
};

}  // namespace potok::simulation
