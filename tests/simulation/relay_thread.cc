#include "simulation/relay_thread.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/numbers.h"

namespace potok::simulation {
namespace {

constexpr const char* kActions[] = {
    "waits",     "probes", "looks at the heads", "inspects Redis", "raises", "drops",
    "sequences", "sends",  "reads log",          "trims",          "prunes"};

Entry FromLog(const log::LogEntry& entry) {
  int entity = 0;
  (void)absl::SimpleAtoi(entry.entity, &entity);
  return {entry.pos, entity, static_cast<int>(entry.version)};
}

}  // namespace

RelayThread::RelayThread(World& world, Process& process, const KeeperThread& keeper)
    : Thread(world, process),
      keeper_(keeper),
      core_({.batch_per_part = 5,
             .page = 4,
             .busy_poll = absl::Milliseconds(100),
             .idle_poll = absl::Milliseconds(500),
             .check_redis = absl::Seconds(1),
             .trim = absl::Seconds(3),
             .prune = absl::InfiniteDuration()}) {
  StepIn(world.Delay());
}

void RelayThread::Step() {
  if (core_.turn_ended()) {
    if (process_.ending) {
      ended_ = true;
      return;
    }
    core_.BeginTurn(LocalNow(), keeper_.Get(), keeper_.version(), link());
  }
  log::RelayAction action = core_.Next(LocalNow());
  if (action.kind == log::RelayAction::kWait) {
    const Micros wait = absl::ToInt64Microseconds(action.wait);
    return wait > 0 ? WaitIn(wait) : StepIn(0);
  }
  world_.Say(process_.owner, " relay ", kActions[action.kind],
             core_.redis_up() ? "" : " (Redis is down)", core_.paused() ? " (Redis is full)" : "");
  Perform(std::move(action));
}

void RelayThread::Perform(log::RelayAction action) {
  switch (action.kind) {
    case log::RelayAction::kWait: return;
    case log::RelayAction::kProbe: return Probe();
    case log::RelayAction::kLook: return Look();
    case log::RelayAction::kInspect: return Inspect(action);
    case log::RelayAction::kRaise: return Raise(action);
    case log::RelayAction::kDrop: return Drop(action);
    case log::RelayAction::kSequence: return Sequence();
    case log::RelayAction::kSend: return Send(std::move(action));
    case log::RelayAction::kRead: return ReadLog(action);
    case log::RelayAction::kTrim: return Trim(action);
    case log::RelayAction::kPrune: core_.Pruned(); return StepIn(0);
  }
}

template <class R>
void RelayThread::AskDatabase(std::function<std::optional<R>()> run,
                              std::function<void(R)> answer) {
  world_.AskPostgres<R>(*this, std::move(run),
                        [this, answer = std::move(answer)](std::optional<R> result) {
                          if (result) {
                            answer(std::move(*result));
                          } else {
                            core_.DatabaseFailed(world_.random.Uniform());
                          }
                          Step();
                        });
}

template <class R>
void RelayThread::AskServer(std::function<R(ModelRedis&, double)> run,
                            std::function<void(R)> answer) {
  world_.AskRedis<R>(*this, connection_, std::move(run),
                     [this, answer = std::move(answer)](std::optional<R> result) {
                       if (result) {
                         answer(std::move(*result));
                       } else {
                         core_.RedisFailed();
                       }
                       Step();
                     });
}

void RelayThread::Look() {
  using Heads = std::vector<std::pair<log::Stream, log::StreamHead>>;
  AskDatabase<Heads>(
      [&world = world_, held = core_.held()]() -> std::optional<Heads> {
        return world.postgres.Heads(held);
      },
      [this](Heads heads) {
        core_.Looked({heads.begin(), heads.end()});
      });
}

void RelayThread::Sequence() {
  using Pick = ModelPostgres::SequencePick;
  using Answer = std::vector<ModelPostgres::Moved>;
  if (world_.flaw == Flaw::kStopsWithoutRedis && !core_.redis_up()) {
    core_.Sequenced({});
    return StepIn(0);
  }
  world_.AskPostgres<Pick, Answer>(
      *this, [&world = world_, held = core_.held()] { return world.postgres.PickOutbox(held, 5); },
      [&world = world_, &process = process_, owner = process_.owner](const Pick& pick) {
        std::optional<Answer> moved = world.postgres.CommitSequence(pick);
        if (moved && !moved->empty()) {
          for (const ModelPostgres::Moved& next : *moved) {
            world.Say("db: ", owner, " gives position ", next.entry.pos, " of ", next.stream.first,
                      ":", next.stream.second, " to event ", next.entry.entity, "/",
                      next.entry.version);
          }
          world.oracle.Sequenced(process, pick.held, *moved);
        }
        return moved;
      },
      [this](std::optional<Answer> moved) {
        if (!moved) {
          core_.DatabaseFailed(world_.random.Uniform());
        } else {
          std::vector<log::Announcement> entries;
          for (const ModelPostgres::Moved& next : *moved) {
            entries.push_back({ToLog(next.stream, next.entry), next.incarnation});
          }
          core_.Sequenced(entries);
        }
        Step();
      });
}

void RelayThread::Raise(const log::RelayAction& action) {
  if (world_.flaw == Flaw::kNeverRaises) {
    core_.Raised(std::nullopt);
    return StepIn(0);
  }
  using Answer = std::optional<int>;
  AskDatabase<Answer>(
      [&world = world_, &process = process_, stream = action.stream,
       token = action.token]() -> std::optional<Answer> {
        Answer raised = world.postgres.RaiseIncarnation(stream, token);
        if (raised) {
          world.Say("db: stream ", stream.first, ":", stream.second, " begins incarnation ",
                    *raised);
          world.oracle.Raised(process, stream, token);
        }
        return std::optional<Answer>(raised);
      },
      [this](Answer raised) { core_.Raised(raised); });
}

void RelayThread::ReadLog(const log::RelayAction& action) {
  const std::int64_t after = action.after + (world_.flaw == Flaw::kFillSkipsOne ? 1 : 0);
  if (world_.flaw == Flaw::kNeverFills) {
    core_.LogRead({});
    return StepIn(0);
  }
  using Answer = std::vector<Entry>;
  AskDatabase<Answer>(
      [&world = world_, stream = action.stream, after, limit = action.limit]()
          -> std::optional<Answer> { return world.postgres.LogRange(stream, after, limit); },
      [this, stream = action.stream](const Answer& entries) {
        std::vector<log::LogEntry> page;
        for (const Entry& entry : entries) page.push_back(ToLog(stream, entry));
        core_.LogRead(std::move(page));
      });
}

void RelayThread::Probe() {
  // On a connection of its own.
  const bool there = process_.to_redis.whole() && world_.redis[world_.primary].up;
  world_.queue.In(world_.Delay(),
                  [this, &world = world_, &process = process_, epoch = epoch(), there] {
                    world.Deliver(process, epoch, [this, there] {
                      there ? core_.Probed() : core_.RedisFailed();
                      Step();
                    });
                  });
}

void RelayThread::Inspect(const log::RelayAction& action) {
  struct Answer {
    bool full = false;
    std::vector<log::StreamSeen> seen;
  };
  AskServer<Answer>(
      [owner = process_.owner, places = action.places](ModelRedis& redis, double) {
        Answer answer{.full = redis.full, .seen = {}};
        for (const log::RelayAction::Place& place : places) {
          answer.seen.push_back(
              redis.XInfo(ModelRedis::KeyOf(place.stream, place.incarnation), owner));
        }
        return answer;
      },
      [this](const Answer& answer) {
        core_.Inspected(LocalNow(), answer.full, answer.seen, link());
      });
}

void RelayThread::Drop(const log::RelayAction& action) {
  if (world_.flaw == Flaw::kOldKeyIsKept) {
    core_.Dropped();
    return StepIn(0);
  }
  AskServer<bool>(
      [owner = process_.owner, places = action.places](ModelRedis& redis, double) {
        if (redis.read_only) return false;
        for (const log::RelayAction::Place& place : places) {
          redis.Unlink(ModelRedis::KeyOf(place.stream, place.incarnation), owner);
        }
        return true;
      },
      [this](bool done) {
        if (done) {
          core_.Dropped();
        } else {
          connection_.connected = false;
          core_.RedisFailed();
        }
      });
}

void RelayThread::Trim(const log::RelayAction& action) {
  const std::int64_t more = world_.flaw == Flaw::kTrimsOneTooMany ? 1 : 0;
  AskServer<bool>(
      [&world = world_, owner = process_.owner, places = action.places, more](ModelRedis& redis,
                                                                              double) {
        if (redis.read_only) return false;
        for (const log::RelayAction::Place& place : places) {
          world.oracle.Trimmed(place.stream, place.keep + more);
          redis.XTrim(ModelRedis::KeyOf(place.stream, place.incarnation), place.keep + more);
          if (world.flaw == Flaw::kOldKeyIsKept) continue;
          for (const int stale : place.stale) {
            redis.Unlink(ModelRedis::KeyOf(place.stream, stale), owner);
          }
        }
        return true;
      },
      [this](bool done) {
        if (done) {
          core_.Trimmed();
        } else {
          connection_.connected = false;
          core_.RedisFailed();
        }
      });
}

void RelayThread::Send(log::RelayAction action) {
  struct Answer {
    log::SendResult result;
    bool read_only = false;
  };
  AskServer<Answer>(
      [&world = world_, owner = process_.owner, from_log = core_.sending_from_log(),
       entries = std::move(action.entries)](ModelRedis& redis, double fraction) {
        Answer answer;
        const auto count = static_cast<size_t>(std::ceil(entries.size() * fraction));
        for (size_t i = 0; i < count; ++i) {
          const log::LogEntry& entry = entries[i].entry;
          const log::Stream stream{entry.topic, entry.part};
          const ModelRedis::Key key = ModelRedis::KeyOf(stream, entries[i].incarnation);
          const Entry added = FromLog(entry);
          const auto data = redis.data.find(key);
          const std::int64_t last = data == redis.data.end() ? 0 : data->second.last;
          const auto compared = redis.compared_by.find(key);
          const bool ours = compared != redis.compared_by.end() && compared->second == owner;
          const ModelRedis::Added outcome = redis.XAdd(key, added);
          if (ours && outcome == ModelRedis::Added::kAccepted) {
            world.oracle.Added(owner, stream, last, entry.pos);
          }
          world.Say("redis: ", owner, from_log ? " adds again " : " adds ", entry.pos, " to ",
                    entries[i].incarnation, ":", stream.first, ":", stream.second,
                    outcome == ModelRedis::Added::kAccepted ? "" : ": not taken");
          switch (outcome) {
            case ModelRedis::Added::kAccepted: break;
            case ModelRedis::Added::kRefused: answer.result.refused = true; break;
            case ModelRedis::Added::kFull: answer.result.kind = log::SendResult::kFull; break;
            case ModelRedis::Added::kReadOnly: answer.read_only = true; break;
            case ModelRedis::Added::kWrongType:
              answer.result.kind = log::SendResult::kUnreachable;
              break;
          }
        }
        return answer;
      },
      [this](Answer answer) {
        if (answer.read_only) {
          // The connection drops itself.
          connection_.connected = false;
          core_.RedisFailed();
        } else {
          core_.Sent(answer.result);
        }
      });
}

}  // namespace potok::simulation
