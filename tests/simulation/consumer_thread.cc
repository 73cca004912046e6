#include "simulation/consumer_thread.h"

#include <algorithm>
#include <memory>

namespace potok::simulation {
namespace {

constexpr int kBatch = 6;
constexpr Micros kSweep = kSecond;
constexpr Micros kPollWithoutRedis = 250 * kMillisecond;
constexpr Micros kBlock = 500 * kMillisecond;

}  // namespace

ConsumerThread::ConsumerThread(World& world, Process& process, int group,
                               const KeeperThread& keeper)
    : Thread(world, process), group_(group), keeper_(keeper) {
  StepIn(world.Delay());
}

void ConsumerThread::Step() {
  if (process_.ending) {
    ended_ = true;
    return;
  }
  held_ = keeper_.Get();
  if (held_.empty()) return WaitIn(200 * kMillisecond);
  const Micros now = world_.queue.now();
  if (version_ != keeper_.version()) {
    version_ = keeper_.version();
    places_.clear();
    news_.clear();
    next_sweep_ = now;
  }
  if (now >= next_sweep_ && world_.flaw != Flaw::kNeverSweeps) return Sweep();
  if (!news_.empty()) return Take({news_.begin(), news_.end()});
  Listen(std::min(next_sweep_ - now, kBlock));
}

void ConsumerThread::Failed() {
  next_sweep_ = 0;
  WaitIn(world_.random.Between(50, 2000) * kMillisecond);
}

void ConsumerThread::Sweep() {
  next_sweep_ = world_.queue.now() + (redis_up_ ? kSweep : kPollWithoutRedis);
  using Answer = std::vector<ModelPostgres::Place>;
  world_.AskPostgres<Answer>(
      *this,
      [&world = world_, group = group_, held = held_]() -> std::optional<Answer> {
        return world.postgres.Places(group, held);
      },
      [this](std::optional<Answer> rows) {
        if (!rows) return Failed();
        for (const ModelPostgres::Place& row : *rows) {
          Place& place = places_[row.stream];
          place.offset = row.pos;
          place.head = row.head;
          if (row.incarnation != place.incarnation || place.hint > row.head) place.hint = 0;
          place.incarnation = row.incarnation;
          if (place.head > place.offset) news_.insert(row.stream);
        }
        StepIn(0);
      });
}

void ConsumerThread::Take(std::vector<log::Stream> streams) {
  using Pick = ModelPostgres::TakePick;
  using Answer = std::vector<Pick::Span>;
  std::vector<ModelPostgres::Want> wants;
  for (const log::Stream& stream : streams) {
    for (const log::Held& held : held_) {
      if (held.part == stream.second) wants.push_back({stream, held.token});
    }
  }
  world_.AskPostgres<Pick, Answer>(
      *this,
      [&world = world_, group = group_, wants] {
        return world.postgres.PickLog(group, wants, kBatch);
      },
      [&world = world_, &process = process_, group = group_](const Pick& pick) {
        Answer moved = world.postgres.CommitTake(pick, false);
        for (const Pick::Span& span : moved) {
          world.Say("db: ", process.owner, " moves group ", group, " to ", span.entries.back().pos,
                    " of ", span.stream.first, ":", span.stream.second);
        }
        world.oracle.Took(process, group, moved);
        return std::optional<Answer>(std::move(moved));
      },
      [this, streams](const std::optional<Answer>& moved) {
        if (!moved) return Failed();
        int count = 0;
        for (const Pick::Span& span : *moved) {
          places_[span.stream].offset = span.entries.back().pos;
          count += static_cast<int>(span.entries.size());
        }
        if (count < kBatch) {
          for (const log::Stream& stream : streams) news_.erase(stream);
        }
        StepIn(0);
      });
}

void ConsumerThread::Listen(Micros wait) {
  std::vector<std::pair<ModelRedis::Key, std::int64_t>> from;
  for (const auto& [stream, place] : places_) {
    from.emplace_back(ModelRedis::KeyOf(stream, place.incarnation),
                      std::max(place.offset, place.hint));
  }
  if (from.empty()) return WaitIn(wait);
  using Answer = ModelRedis::News;
  world_.BlockOnRedis(*this, connection_, std::move(from), wait,
                      [this, wait](std::optional<Answer> news) {
                        if (news.has_value() != redis_up_) {
                          redis_up_ = news.has_value();
                          next_sweep_ = world_.queue.now();
                        }
                        if (!news) return WaitIn(std::min(wait, kPollWithoutRedis));
                        for (const auto& [stream, pos] : *news) {
                          places_[stream].hint = pos;
                          news_.insert(stream);
                        }
                        StepIn(0);
                      });
}

}  // namespace potok::simulation
