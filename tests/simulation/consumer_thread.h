// Consumer, with the models in place of its database, Redis, handler and thread.
#pragma once

#include <string>
#include <vector>

#include "platform/log/consumer_core.h"
#include "simulation/keeper_thread.h"
#include "simulation/world.h"

namespace potok::simulation {

class ConsumerThread : public Thread {
 public:
  ConsumerThread(World& world, Process& process, int group, const KeeperThread& keeper);

  void Step() override;
  std::string name() const override { return absl::StrCat("consumer", group_); }

 private:
  void Sweep();
  void Take(const log::ConsumerAction& action);
  void Note(log::ConsumerAction action);
  void Unnote(const log::ConsumerAction& action);
  void Park(const log::ConsumerAction& action);
  void Probe();
  void Listen(const log::ConsumerAction& action);
  void Failed();
  // Consumer::Do, after an answer of the database.
  void Done();
  void GiveCarefulTurn() {
    if (process_.careful_turn == this) process_.careful_turn = nullptr;
  }
  std::vector<ModelPostgres::Want> WantsOf(const std::vector<log::Stream>& streams) const;

  const int group_;
  const KeeperThread& keeper_;
  log::ConsumerCore core_;
  RedisConnection connection_;
  std::vector<log::Held> held_;
};

}  // namespace potok::simulation
