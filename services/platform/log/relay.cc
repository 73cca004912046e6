#include "platform/log/relay.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/backoff.h"
#include "base/status_macros.h"
#include "platform/log/sql.h"

namespace potok::log {
namespace {

constexpr int kPage = 1000;            // entries per round trip when Redis is filled again
constexpr int kBacklogCount = 200000;  // the hard stop of the outbox: counting further helps nobody
constexpr int kPruneAtOnce = 500;      // rows per stream and turn: retention must never be a burst
constexpr absl::Duration kPruneEach = absl::Seconds(30);
constexpr double kMemoryHigh = 0.8;
// How long a Redis that is away may make the sequencing wait at each check.
constexpr absl::Duration kProbePatience = absl::Milliseconds(100);

redis::Options Impatient(redis::Options options) {
  options.connect_timeout = std::min(options.connect_timeout, kProbePatience);
  options.io_timeout = std::min(options.io_timeout, kProbePatience);
  return options;
}

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

std::string PartArray(const std::vector<Held>& held) {
  std::vector<int> parts;
  for (const Held& h : held) parts.push_back(h.part);
  return pg::IntArray(parts);
}

std::string TokenArray(const std::vector<Held>& held) {
  std::vector<std::string> tokens;
  for (const Held& h : held) tokens.push_back(h.token);
  return pg::TextArray(tokens);
}

// "123-0" -> 123
std::int64_t Position(absl::string_view id) {
  std::int64_t pos = 0;
  (void)absl::SimpleAtoi(id.substr(0, id.find('-')), &pos);
  return pos;
}

}  // namespace

Relay::Relay(RelayOptions options, pg::Pool& pool)
    : options_(std::move(options)),
      pool_(pool),
      redis_(options_.redis),
      probe_(Impatient(options_.redis)),
      leases_({.family = "relay",
               .parts = options_.parts,
               .owner = options_.owner,
               .times = options_.lease_times,
               .hooks = options_.hooks},
              pool, [](pg::Tx& tx, const std::vector<Held>& gained) {
                tx.Run(sql::kStampHeads, PartArray(gained), TokenArray(gained));
                return absl::OkStatus();
              }) {
  leases_.RingOnGain(&bell_);
}

Relay::~Relay() { Stop(); }

void Relay::Start() {
  if (thread_.joinable() || bell_.closed()) return;
  leases_.Start();
  if (!options_.wake_channel.empty()) {
    listener_ = std::make_unique<WakeListener>(options_.redis, options_.wake_channel, bell_,
                                               options_.hooks);
  }
  thread_ = std::thread([this] { Run(); });
}

void Relay::Stop() {
  bell_.Close();
  if (!thread_.joinable()) return;
  thread_.join();
  listener_.reset();
  leases_.Stop();  // last: the leases cover the work that has just ended
}

RelayStats Relay::Stats() const {
  return {.parts = stat_parts_,
          .sequenced = stat_sequenced_,
          .published = stat_published_,
          .republished = stat_republished_,
          .incarnations = stat_incarnations_,
          .trimmed = stat_trimmed_,
          .redis_up = stat_redis_up_,
          .backlog = stat_backlog_,
          .oldest = absl::Milliseconds(stat_oldest_ms_.load())};
}

void Relay::Run() {
  const Backoff backoff{.initial = absl::Milliseconds(20), .cap = absl::Seconds(2)};
  std::minstd_rand random{std::random_device{}()};
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  int failures = 0;
  absl::Duration next_check = Monotonic();
  absl::Duration next_trim = Monotonic() + options_.trim;
  absl::Duration next_prune = Monotonic() + kPruneEach;
  while (!bell_.closed()) {
    const std::vector<Held> held = leases_.Get();
    stat_parts_ = static_cast<int>(held.size());
    if (held.empty()) {
      bell_.WaitFor(options_.idle_poll);
      continue;
    }
    // A new owner must compare before it moves anything: a tail that Postgres lost in a failover
    // shows as Redis being ahead, and new entries would hide it.
    if (const std::int64_t version = leases_.version(); version != lease_version_) {
      lease_version_ = version;
      must_check_ = true;
    }
    if (must_check_ || redis_.generation() != redis_generation_ || Monotonic() >= next_check) {
      next_check = Monotonic() + options_.check_redis;
      must_check_ = false;
      absl::Status checked = stat_redis_up_ ? absl::OkStatus() : probe_.Command({"PING"}).status();
      probe_.Close();
      if (checked.ok()) checked = CheckRedis(held);
      redis_generation_ = redis_.generation();
      stat_redis_up_ = checked.ok();
      // Sequencing goes on without Redis; the consumers read Postgres.
      if (!checked.ok()) options_.hooks.Error("relay:redis", checked);
    }
    const absl::StatusOr<int> moved = Sequence(held);
    if (!moved.ok()) {
      must_check_ = true;
      options_.hooks.Error("relay", moved.status());
      bell_.WaitFor(backoff.Wait(++failures, uniform(random)));
      continue;
    }
    failures = 0;
    if (Monotonic() >= next_trim) {
      next_trim = Monotonic() + options_.trim;
      if (const absl::Status trimmed = stat_redis_up_ ? Trim(held) : absl::OkStatus();
          !trimmed.ok()) {
        options_.hooks.Error("relay:trim", trimmed);
      }
    }
    if (Monotonic() >= next_prune) {
      next_prune = Monotonic() + kPruneEach;
      if (const absl::Status pruned = Prune(held); !pruned.ok()) {
        options_.hooks.Error("relay:prune", pruned);
      }
    }
    // Full pages mean that more is waiting; otherwise the bell brings the next work at once.
    if (*moved >= options_.batch_per_part) continue;
    bell_.WaitFor(*moved > 0 ? options_.busy_poll : options_.idle_poll);
  }
}

absl::StatusOr<int> Relay::Sequence(const std::vector<Held>& held) {
  const absl::Duration start = Monotonic();
  std::vector<LogEntry> entries;
  std::vector<int> incarnations;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    entries.clear();
    incarnations.clear();
    const pqxx::result rows =
        tx.Run(sql::kSequence, PartArray(held), TokenArray(held), options_.batch_per_part);
    entries.reserve(rows.size());
    std::map<Stream, std::int64_t> missing;
    for (const auto& row : rows) {
      LogEntry entry{.topic = row[0].as<int>(),
                     .part = row[1].as<int>(),
                     .pos = row[2].as<std::int64_t>(),
                     .entity = row[3].as<std::string>(),
                     .version = row[4].as<std::int64_t>(),
                     .type = row[5].as<std::string>(),
                     .at = {}};
      const auto [at, first] =
          missing.try_emplace({entry.topic, entry.part}, row[7].as<std::int64_t>());
      --at->second;
      incarnations.push_back(row[6].as<int>());
      entries.push_back(std::move(entry));
    }
    for (const auto& [stream, left] : missing) {
      if (left != 0) return absl::AbortedError("outbox rows vanished under the relay");
    }
    return absl::OkStatus();
  }));
  if (entries.empty()) return 0;
  stat_sequenced_ += static_cast<std::int64_t>(entries.size());
  // While Redis is away nothing is sent: the check that finds it again fills it.
  if (!paused_ && stat_redis_up_) {
    if (const absl::Status published = Publish(entries, incarnations); !published.ok()) {
      must_check_ = true;
      stat_redis_up_ = false;
      options_.hooks.Error("relay:redis", published);
    }
  }
  options_.hooks.Batch("relay", static_cast<int>(entries.size()), Monotonic() - start);
  return static_cast<int>(entries.size());
}

std::vector<std::string> Relay::XAdd(const LogEntry& entry, int incarnation) const {
  return {"XADD",
          options_.stream_key(incarnation, entry.topic, entry.part),
          absl::StrCat(entry.pos, "-0"),
          "e",
          entry.entity,
          "v",
          absl::StrCat(entry.version),
          "t",
          entry.type};
}

absl::Status Relay::Publish(const std::vector<LogEntry>& entries,
                            const std::vector<int>& incarnations) {
  std::vector<std::vector<std::string>> commands;
  commands.reserve(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) commands.push_back(XAdd(entries[i], incarnations[i]));
  POTOK_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  for (const redis::Reply& reply : replies) {
    if (!reply.IsError()) {
      ++stat_published_;
    } else if (absl::StrContains(reply.text, "equal or smaller")) {
      must_check_ = true;  // there already, or the stream is ahead of us: the check tells which
    } else {
      return redis::ToStatus(reply);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<Relay::Stream, Relay::Head>> Relay::Heads(const std::vector<Held>& held) {
  return pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::map<Stream, Head>> {
    std::map<Stream, Head> heads;
    for (const auto& row : tx.Run(sql::kHeads, PartArray(held))) {
      heads[{row["topic"].as<int>(), row["part"].as<int>()}] = {
          .last = row["last"].as<std::int64_t>(),
          .min_offset = row["min_offset"].as<std::int64_t>(),
          .incarnation = row["incarnation"].as<int>()};
    }
    const pqxx::result backlog = tx.Run(sql::kBacklog, PartArray(held), kBacklogCount);
    stat_backlog_ = backlog[0]["waiting"].as<std::int64_t>();
    stat_oldest_ms_ = backlog[0]["oldest_ms"].as<std::int64_t>();
    return heads;
  });
}

absl::Status Relay::CheckRedis(const std::vector<Held>& held) {
  POTOK_ASSIGN_OR_RETURN(auto heads, Heads(held));
  POTOK_ASSIGN_OR_RETURN(const bool low, MemoryLow());
  if (low != paused_) {
    options_.hooks.Notice("relay", low ? "Redis is nearly full: announcing stops, consumers read "
                                         "the database"
                                       : "Redis has room again: announcing goes on");
    paused_ = low;
  }
  if (paused_) return absl::OkStatus();
  std::vector<std::vector<std::string>> commands;
  for (const auto& [stream, head] : heads) {
    commands.push_back(
        {"XINFO", "STREAM", options_.stream_key(head.incarnation, stream.first, stream.second)});
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  size_t at = 0;
  for (auto& [stream, head] : heads) {
    const redis::Reply& reply = replies[at++];
    std::int64_t last = 0;
    if (reply.IsError()) {
      if (!absl::StrContains(reply.text, "no such key")) return redis::ToStatus(reply);
    } else {
      for (size_t i = 0; i + 1 < reply.items.size(); i += 2) {
        if (reply.items[i].text == "last-generated-id") last = Position(reply.items[i + 1].text);
      }
    }
    if (last > head.last) {
      const auto owner =
          std::find_if(held.begin(), held.end(),
                       [&, part = stream.second](const Held& h) { return h.part == part; });
      POTOK_ASSIGN_OR_RETURN(head.incarnation, RaiseIncarnation(stream, *owner, head));
      last = 0;
    }
    if (last < head.last) POTOK_RETURN_IF_ERROR(Republish(stream, last, head));
  }
  return absl::OkStatus();
}

absl::Status Relay::Republish(Stream stream, std::int64_t after, const Head& head) {
  // What every group has passed is of no use to anyone.
  std::int64_t from = std::max(after, head.min_offset);
  while (from < head.last && !bell_.closed()) {
    std::vector<LogEntry> page;
    POTOK_RETURN_IF_ERROR(pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
      page.clear();
      for (const auto& row : tx.Run(sql::kLogRange, stream.first, stream.second, from, kPage)) {
        page.push_back({.topic = stream.first,
                        .part = stream.second,
                        .pos = row[0].as<std::int64_t>(),
                        .entity = row[1].as<std::string>(),
                        .version = row[2].as<std::int64_t>(),
                        .type = row[3].as<std::string>(),
                        .at = {}});
      }
      return absl::OkStatus();
    }));
    if (page.empty()) return absl::OkStatus();
    POTOK_RETURN_IF_ERROR(Publish(page, std::vector<int>(page.size(), head.incarnation)));
    stat_republished_ += static_cast<std::int64_t>(page.size());
    from = page.back().pos;
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Relay::RaiseIncarnation(Stream stream, const Held& held, const Head& head) {
  POTOK_ASSIGN_OR_RETURN(
      const int raised, pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<int> {
        const pqxx::result rows =
            tx.Run(sql::kRaiseIncarnation, stream.first, stream.second, held.token);
        if (rows.empty()) return absl::AbortedError("the lease of the part was lost");
        return rows[0][0].as<int>();
      }));
  ++stat_incarnations_;
  options_.hooks.Notice("relay",
                        absl::StrCat("topic ", stream.first, " part ", stream.second,
                                     ": Redis was ahead of the database; incarnation ", raised));
  (void)redis_.Command(
      {"UNLINK", options_.stream_key(head.incarnation, stream.first, stream.second)});
  return raised;
}

absl::StatusOr<bool> Relay::MemoryLow() {
  POTOK_ASSIGN_OR_RETURN(const redis::Reply info, redis_.Command({"INFO", "memory"}));
  double used = 0;
  double limit = 0;
  for (absl::string_view line : absl::StrSplit(info.text, "\r\n")) {
    if (absl::ConsumePrefix(&line, "used_memory:")) (void)absl::SimpleAtod(line, &used);
    if (absl::ConsumePrefix(&line, "maxmemory:")) (void)absl::SimpleAtod(line, &limit);
  }
  return limit > 0 && used > kMemoryHigh * limit;
}

absl::Status Relay::Prune(const std::vector<Held>& held) {
  return pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    tx.Run(sql::kPruneLog, PartArray(held), absl::ToInt64Seconds(options_.keep_log), kPruneAtOnce);
    return absl::OkStatus();
  });
}

absl::Status Relay::Trim(const std::vector<Held>& held) {
  POTOK_ASSIGN_OR_RETURN(const auto heads, Heads(held));
  std::vector<std::vector<std::string>> commands;
  for (const auto& [stream, head] : heads) {
    commands.push_back({"XTRIM", options_.stream_key(head.incarnation, stream.first, stream.second),
                        "MINID", "~", absl::StrCat(head.min_offset + 1)});
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  for (const redis::Reply& reply : replies) {
    POTOK_RETURN_IF_ERROR(redis::ToStatus(reply));
    stat_trimmed_ += reply.integer;
  }
  return absl::OkStatus();
}

}  // namespace potok::log
