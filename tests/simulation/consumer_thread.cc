#include "simulation/consumer_thread.h"

#include <algorithm>
#include <utility>

namespace potok::simulation {
namespace {

// What became of a transaction of the handler.
struct Taken {
  enum Verdict { kCommitted, kFailed, kDisturbed };
  Verdict verdict = kCommitted;
  std::vector<log::LogEntry> entries;
};

constexpr const char* kActions[] = {"waits",   "sweeps", "takes",  "notes",
                                    "unnotes", "parks",  "probes", "listens"};

// Runs that the handler of `group` still fails at `entry`; drawn when it is met first.
int& PoisonOf(World& world, int group, const Entry& entry) {
  const auto [at, met] = world.poison.try_emplace({group, entry.entity, entry.version}, 0);
  if (met && world.poisonous > 0 && world.random.Chance(world.poisonous)) {
    at->second =
        world.random.Chance(0.5) ? static_cast<int>(world.random.Between(1, 4)) : 1'000'000;
  }
  return at->second;
}

}  // namespace

ConsumerThread::ConsumerThread(World& world, Process& process, int group,
                               const KeeperThread& keeper)
    : Thread(world, process),
      group_(group),
      keeper_(keeper),
      core_({.batch = 6,
             .attempts = 5,
             .deaths = 3,
             .sweep = absl::Seconds(1),
             .poll_without_redis = absl::Milliseconds(200),
             .first_retry = absl::Milliseconds(50),
             .listen = absl::Milliseconds(500),
             .redis = true}) {
  StepIn(world.Delay());
}

void ConsumerThread::Step() {
  if (process_.ending) {
    GiveCarefulTurn();
    ended_ = true;
    return;
  }
  held_ = keeper_.Get();
  core_.Hold(held_, LocalNow());
  log::ConsumerAction action = core_.Next(LocalNow());
  if (action.kind != log::ConsumerAction::kTake) GiveCarefulTurn();
  world_.Say(process_.owner, " group ", group_, " ", kActions[action.kind]);
  switch (action.kind) {
    case log::ConsumerAction::kWait:
      // Rounded up: virtual time has no smaller steps in which to go round in circles.
      return WaitIn(absl::ToInt64Microseconds(action.until - LocalNow()) + 1);
    case log::ConsumerAction::kSweep: return Sweep();
    case log::ConsumerAction::kTake: return Take(action);
    case log::ConsumerAction::kNote: return Note(std::move(action));
    case log::ConsumerAction::kUnnote: return Unnote(action);
    case log::ConsumerAction::kPark: return Park(action);
    case log::ConsumerAction::kProbe: return Probe();
    case log::ConsumerAction::kListen: return Listen(action);
  }
}

void ConsumerThread::Failed() {
  core_.DatabaseFailed(LocalNow(), world_.random.Uniform());
  Done();
}

void ConsumerThread::Done() {
  for (const log::Phantom& phantom : core_.TakePhantoms()) {
    world_.Say(process_.owner, " meets a phantom at ", phantom.id.pos, " of ", phantom.stream.first,
               ":", phantom.stream.second, ": ", phantom.why);
  }
  if (!core_.attempt_follows()) GiveCarefulTurn();
  StepIn(0);
}

std::vector<ModelPostgres::Want> ConsumerThread::WantsOf(
    const std::vector<log::Stream>& streams) const {
  std::vector<ModelPostgres::Want> wants;
  for (const log::Stream& stream : streams) {
    for (const log::Held& held : held_) {
      if (held.part == stream.second) wants.push_back({stream, held.token});
    }
  }
  return wants;
}

void ConsumerThread::Sweep() {
  using Answer = std::vector<log::StreamPlace>;
  world_.AskPostgres<Answer>(
      *this,
      [&world = world_, group = group_, held = held_]() -> std::optional<Answer> {
        return world.postgres.Places(group, held);
      },
      [this](std::optional<Answer> places) {
        if (!places) return Failed();
        if (world_.flaw == Flaw::kNeverSweeps) {
          for (log::StreamPlace& place : *places) place.head = place.offset;
        }
        core_.Swept(*places, LocalNow());
        Done();
      });
}

void ConsumerThread::Take(const log::ConsumerAction& action) {
  using Pick = ModelPostgres::TakePick;
  world_.AskPostgres<Pick, Taken>(
      *this,
      [&world = world_, group = group_, wants = WantsOf(action.streams), limit = action.limit] {
        return world.postgres.PickLog(group, wants, limit);
      },
      [&world = world_, &process = process_, owner = process_.owner,
       group = group_](const Pick& pick) {
        Taken taken;
        bool fails = false;
        for (const Pick::Span& span : pick.spans) {
          if (!world.postgres.Guarded(pick, span)) continue;
          for (const Entry& entry : span.entries) {
            taken.entries.push_back(ToLog(span.stream, entry));
            int& poison = PoisonOf(world, group, entry);
            if (poison > 0) {
              fails = true;
              --poison;
            }
          }
        }
        if (fails && !taken.entries.empty()) {
          taken.verdict = Taken::kFailed;
        } else if (!taken.entries.empty() && world.disturbing > 0 &&
                   world.random.Chance(world.disturbing)) {
          taken.verdict = Taken::kDisturbed;
        } else {
          const std::vector<Pick::Span> moved = world.postgres.CommitTake(pick, /*park=*/false);
          for (const Pick::Span& span : moved) {
            world.Say("db: ", owner, " moves group ", group, " to ", span.entries.back().pos,
                      " of ", span.stream.first, ":", span.stream.second);
          }
          world.oracle.Took(process, group, moved);
        }
        return std::optional<Taken>(std::move(taken));
      },
      [this](const std::optional<Taken>& taken) {
        if (!taken) return Failed();
        switch (taken->verdict) {
          case Taken::kCommitted: core_.Committed(taken->entries, LocalNow()); break;
          case Taken::kFailed:
            core_.HandlerFailed(taken->entries, "poison", /*hung=*/false, LocalNow(),
                                world_.random.Uniform());
            break;
          case Taken::kDisturbed:
            core_.HandlerDisturbed(taken->entries, LocalNow(), world_.random.Uniform());
            break;
        }
        Done();
      });
}

void ConsumerThread::Note(log::ConsumerAction action) {
  if (process_.careful_turn != nullptr && process_.careful_turn != this) {
    // Another group of this process is at such an attempt.
    world_.queue.In(20 * kMillisecond, [this, &world = world_, &process = process_, epoch = epoch(),
                                        action = std::move(action)] {
      world.Deliver(process, epoch, [this, action] { Note(action); });
    });
    return;
  }
  process_.careful_turn = this;
  const std::vector<ModelPostgres::Want> wants = WantsOf(action.streams);
  world_.AskPostgres<bool>(
      *this,
      [&world = world_, group = group_, wants, offset = action.offset]() -> std::optional<bool> {
        return !wants.empty() && world.postgres.NoteAttempt(group, wants[0], offset);
      },
      [this](std::optional<bool> noted) {
        if (!noted) return Failed();
        core_.Noted(*noted, LocalNow());
        Done();
      });
}

void ConsumerThread::Unnote(const log::ConsumerAction& action) {
  const std::vector<ModelPostgres::Want> wants = WantsOf(action.streams);
  world_.AskPostgres<int>(
      *this,
      [&world = world_, group = group_, wants, offset = action.offset]() -> std::optional<int> {
        if (!wants.empty()) world.postgres.UnnoteAttempt(group, wants[0], offset);
        return 0;
      },
      [this](std::optional<int> done) {
        if (!done) return Failed();
        core_.Unnoted();
        Done();
      });
}

void ConsumerThread::Park(const log::ConsumerAction& action) {
  using Pick = ModelPostgres::TakePick;
  using Answer = std::optional<std::int64_t>;
  world_.AskPostgres<Pick, Answer>(
      *this,
      [&world = world_, group = group_, wants = WantsOf(action.streams)] {
        return world.postgres.PickLog(group, wants, 1);
      },
      [&world = world_, &process = process_, owner = process_.owner, group = group_, held = held_,
       settles = action.settles_blind, reason = action.reason,
       offset = action.offset](const Pick& pick) {
        if (pick.spans.empty() || pick.spans[0].entries[0].pos != offset + 1) {
          return std::optional<Answer>(Answer());
        }
        const std::vector<Pick::Span> moved = world.postgres.CommitTake(pick, /*park=*/true);
        if (moved.empty()) return std::optional<Answer>(Answer());
        if (settles) world.postgres.SettleBlind(group, held);
        const Entry& parked = moved[0].entries[0];
        world.Say("db: ", owner, " parks position ", parked.pos, " of ", moved[0].stream.first, ":",
                  moved[0].stream.second, " for group ", group, ": ", reason);
        world.oracle.Took(process, group, moved);
        world.oracle.Parked(group, moved[0].stream, parked, reason == "poison",
                            PoisonOf(world, group, parked) > 0);
        return std::optional<Answer>(parked.pos);
      },
      [this](std::optional<Answer> parked) {
        if (!parked) return Failed();
        core_.Parked(*parked, LocalNow());
        Done();
      });
}

void ConsumerThread::Probe() {
  // On a connection of its own.
  const bool there = process_.to_redis.whole() && world_.redis[world_.primary].up;
  world_.queue.In(
      world_.Delay(), [this, &world = world_, &process = process_, epoch = epoch(), there] {
        world.Deliver(process, epoch, [this, there] {
          there ? core_.Probed(LocalNow()) : core_.Deaf(LocalNow(), world_.random.Uniform());
          Step();
        });
      });
}

void ConsumerThread::Listen(const log::ConsumerAction& action) {
  std::vector<std::pair<ModelRedis::Key, std::int64_t>> from;
  for (const log::ConsumerAction::Ear& ear : action.ears) {
    from.emplace_back(ModelRedis::KeyOf(ear.stream, ear.incarnation),
                      static_cast<std::int64_t>(ear.after.pos));
  }
  if (action.anew) connection_.connected = false;
  const Micros wait =
      std::max<Micros>(kMillisecond, absl::ToInt64Microseconds(action.until - LocalNow()));
  world_.BlockOnRedis(
      *this, connection_, std::move(from), wait, [this](std::optional<ModelRedis::News> news) {
        if (!news) {
          core_.Deaf(LocalNow(), world_.random.Uniform());
          return Done();
        }
        std::vector<log::HeardEntry> heard;
        for (const auto& [stream, entry] : *news) {
          heard.push_back({.stream = stream,
                           .id = {.pos = static_cast<std::uint64_t>(entry.pos), .seq = 0},
                           .entity = absl::StrCat(entry.entity),
                           .version = entry.version});
        }
        core_.Heard(heard);
        Done();
      });
}

}  // namespace potok::simulation
