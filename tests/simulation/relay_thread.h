// Relay, with the models in place of its database, Redis and thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "platform/log/relay_core.h"
#include "simulation/keeper_thread.h"
#include "simulation/world.h"

namespace potok::simulation {

class RelayThread : public Thread {
 public:
  RelayThread(World& world, Process& process, const KeeperThread& keeper);

  void Step() override;
  std::string name() const override { return "relay"; }

 private:
  void Perform(log::RelayAction action);
  void Look();
  void Sequence();
  void Raise(const log::RelayAction& action);
  void ReadLog(const log::RelayAction& action);
  void Probe();
  void Inspect(const log::RelayAction& action);
  void Drop(const log::RelayAction& action);
  void Trim(const log::RelayAction& action);
  void Send(log::RelayAction action);

  template <class R>
  void AskDatabase(std::function<std::optional<R>()> run, std::function<void(R)> answer);
  template <class R>
  void AskServer(std::function<R(ModelRedis&, double)> run, std::function<void(R)> answer);
  log::RelayCore::Link link() const { return {connection_.generation, connection_.connected}; }

  const KeeperThread& keeper_;
  log::RelayCore core_;
  RedisConnection connection_;
};

}  // namespace potok::simulation
