#include "simulation/keeper_thread.h"

#include <algorithm>

namespace potok::simulation {
namespace {

log::LeaseTimes TimesOf(const World& world) {
  log::LeaseTimes times = world.times;
  if (world.flaw == Flaw::kNoFence) times.fence = absl::InfiniteDuration();
  // The core uses the ttl for its patience only: when to hand over, when to take what lies.
  if (world.flaw == Flaw::kHandsOverAtOnce) times.ttl = absl::Milliseconds(1);
  return times;
}

}  // namespace

KeeperThread::KeeperThread(World& world, Process& process, int family)
    : Thread(world, process),
      family_(family),
      core_({.owner = process.owner,
             .parts =
                 [&] {
                   std::vector<int> parts;
                   for (int part = 0; part < world.shape.parts; ++part) parts.push_back(part);
                   return parts;
                 }(),
             .times = TimesOf(world),
             .new_token =
                 [&world] { return absl::StrCat("t", world.random.Below(1'000'000'000)); }}) {
  StepIn(world.Delay());
}

void KeeperThread::Step() {
  if (ended_) return;
  if (process_.ending && (loop_ == nullptr || loop_->ended())) {
    Release(core_.Stop(), /*leaving=*/true);
    return;
  }
  log::LeaseAction action = core_.Next();
  switch (action.kind) {
    case log::LeaseAction::kWait: {
      Micros wait = absl::ToInt64Microseconds(action.wait);
      if (world_.flaw == Flaw::kDeadOwnerSeenLate) {
        wait = std::max(wait, absl::ToInt64Microseconds(world_.times.renew));
      }
      if (world_.flaw == Flaw::kEndedOwnerSeenLate) wait = std::max(wait, kSecond * 5 / 4);
      return WaitIn(wait);
    }
    case log::LeaseAction::kLook: return Look();
    case log::LeaseAction::kRenew: return Renew(action.leases);
    case log::LeaseAction::kGain: return Gain(std::move(action.leases));
    case log::LeaseAction::kRelease: return Release(std::move(action.leases), /*leaving=*/false);
  }
}

void KeeperThread::Fail() {
  core_.Failed(LocalNow(), world_.random.Uniform());
  Step();
}

void KeeperThread::Look() {
  if (world_.flaw == Flaw::kRenewsUnheard) {
    core_.Looked(LocalNow(), {});
    return Step();
  }
  world_.AskPostgres<log::LeasePicture>(
      *this,
      [&world = world_, family = family_]() -> std::optional<log::LeasePicture> {
        return world.postgres.LookAtLeases(family, world.DatabaseNow());
      },
      [this](std::optional<log::LeasePicture> picture) {
        if (!picture) return Fail();
        core_.Looked(LocalNow(), *picture);
        Step();
      });
}

void KeeperThread::Renew(const std::vector<log::Held>& leases) {
  const absl::Duration sent = LocalNow();
  world_.AskPostgres<ModelPostgres::Renewal>(
      *this,
      [&world = world_, family = family_, owner = process_.owner,
       leases]() -> std::optional<ModelPostgres::Renewal> {
        return world.postgres.Renew(family, owner, leases, world.DatabaseNow(), world.queue.now());
      },
      [this, sent, leases](std::optional<ModelPostgres::Renewal> renewal) {
        if (!renewal) return Fail();
        world_.oracle.Renewed(family_, process_, leases, renewal->picture);
        if (core_.Renewed(sent, LocalNow(), renewal->renewed, renewal->picture) &&
            loop_ != nullptr) {
          loop_->Ring();
        }
        Step();
      });
}

void KeeperThread::Gain(std::vector<log::Held> wanted) {
  const absl::Duration sent = LocalNow();
  using Answer = std::vector<log::Held>;
  world_.AskPostgres<Answer>(
      *this,
      [&world = world_, &process = process_, family = family_, owner = process_.owner,
       wanted = std::move(wanted)]() -> std::optional<Answer> {
        Answer gained = world.postgres.Gain(family, owner, wanted, world.DatabaseNow());
        for (const log::Held& held : gained) {
          world.Say("db: lease ", family, ":", held.part, " goes to ", owner, " under ",
                    held.token);
        }
        world.oracle.Gained(family, process, gained);
        return gained;
      },
      [this, sent](std::optional<Answer> gained) {
        if (!gained && world_.flaw != Flaw::kLostGainForgotten) return Fail();
        core_.Gained(sent, LocalNow(), gained.value_or(Answer()));
        if (gained && !gained->empty() && loop_ != nullptr) loop_->Ring();
        Step();
      });
}

void KeeperThread::Release(std::vector<log::Held> leases, bool leaving) {
  world_.oracle.GivesBack(family_, leases);
  world_.AskPostgres<int>(
      *this,
      [&world = world_, family = family_, owner = process_.owner, leases = std::move(leases),
       leaving]() -> std::optional<int> {
        world.postgres.Release(family, leases, world.DatabaseNow());
        world.Say("db: ", owner, " gives back ", leases.size(), " of family ", family);
        if (leaving) {
          world.postgres.Leave(family, owner);
          world.oracle.ReleasedByStop(family, leases);
        }
        return 0;
      },
      [this, leaving](std::optional<int> done) {
        if (leaving) {
          ended_ = true;
        } else if (done) {
          core_.Released();
          Step();
        } else {
          Fail();
        }
      });
}

}  // namespace potok::simulation
