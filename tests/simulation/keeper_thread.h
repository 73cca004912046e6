// LeaseKeeper, with the model in place of its database and of its thread.
#pragma once

#include <string>
#include <vector>

#include "platform/log/lease_core.h"
#include "simulation/world.h"

namespace potok::simulation {

class KeeperThread : public Thread {
 public:
  KeeperThread(World& world, Process& process, int family);

  void Step() override;
  std::string name() const override { return absl::StrCat("lease", family_); }
  std::vector<log::Held> Holds(int family) const override {
    return family == family_ ? core_.Get(LocalNow()) : std::vector<log::Held>();
  }

  std::vector<log::Held> Get() const { return core_.Get(LocalNow()); }
  std::int64_t version() const { return core_.version(); }
  // The loop that works under the leases: rung on a gain, and on SIGTERM waited for.
  void SetLoop(Thread* loop) { loop_ = loop; }

 private:
  void Look();
  void Renew(const std::vector<log::Held>& leases);
  void Gain(std::vector<log::Held> wanted);
  void Release(std::vector<log::Held> leases, bool leaving);
  void Fail();

  const int family_;
  Thread* loop_ = nullptr;
  log::LeaseCore core_;
};

}  // namespace potok::simulation
