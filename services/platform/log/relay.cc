#include "platform/log/relay.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "platform/log/sql.h"
#include "platform/log/stream_reply.h"

namespace potok::log {
namespace {

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

const char* WhereOf(RelayAction::Kind kind) {
  switch (kind) {
    case RelayAction::kProbe:
    case RelayAction::kInspect:
    case RelayAction::kDrop:
    case RelayAction::kSend: return "relay:redis";
    case RelayAction::kTrim: return "relay:trim";
    case RelayAction::kPrune: return "relay:prune";
    default: return "relay";
  }
}

double Uniform() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

// What the answer to XINFO STREAM tells.
absl::StatusOr<StreamSeen> SeenIn(const redis::Reply& reply) {
  if (reply.IsError()) {
    if (absl::StrContains(reply.text, "no such key")) return StreamSeen{StreamSeen::kNoKey, 0};
    if (absl::StartsWith(reply.text, "WRONGTYPE")) return StreamSeen{StreamSeen::kUnusable, 0};
    return redis::ToStatus(reply);
  }
  return StreamSeen{StreamSeen::kLast, LastPosition(reply)};
}

std::vector<std::string> XAdd(std::string key, const LogEntry& entry) {
  return {"XADD",
          std::move(key),
          absl::StrCat(entry.pos, "-0"),
          "e",
          entry.entity,
          "v",
          absl::StrCat(entry.version),
          "t",
          entry.type};
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
              pool,
              [](pg::Tx& tx, const std::vector<Held>& gained) {
                tx.Run(sql::kStampHeads, PartArray(gained), TokenArray(gained));
                return absl::OkStatus();
              }),
      slots_({.part = options_.parts.front(), .hooks = options_.hooks}, pool),
      core_({.batch_per_part = options_.batch_per_part,
             .busy_poll = options_.busy_poll,
             .idle_poll = options_.idle_poll,
             .check_redis = options_.check_redis,
             .trim = options_.trim,
             .prune = kPruneEach}) {
  leases_.RingOnGain(&bell_);
}

Relay::~Relay() { Stop(); }

void Relay::Start() {
  if (thread_.joinable() || bell_.closed()) return;
  leases_.Start();
  if (!options_.wake_channel.empty()) {
    listener_ = std::make_unique<WakeListener>(
        options_.redis, options_.wake_channel, [this](absl::string_view) { bell_.Ring(); },
        options_.hooks);
  }
  thread_ = std::thread([this] { Run(); });
}

void Relay::Stop() {
  bell_.Close();
  // The loop may wait for a Redis that does not answer; what it was told goes into the log anyway.
  redis_.Interrupt();
  probe_.Interrupt();
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
          .paused = stat_paused_,
          .backlog = stat_backlog_,
          .oldest = absl::Milliseconds(stat_oldest_ms_.load())};
}

void Relay::Run() {
  while (!bell_.closed()) {
    if (core_.turn_ended()) {
      LeaseKeeper::Holding holding = leases_.GetWithVersion();
      core_.BeginTurn(Monotonic(), std::move(holding.held), holding.version, Link());
      stat_parts_ = static_cast<int>(core_.held().size());
      slots_.Turn(core_.held());
    }
    const RelayAction action = core_.Next(Monotonic());
    if (action.kind == RelayAction::kWait) {
      if (action.wait > absl::ZeroDuration()) bell_.WaitFor(action.wait);
      continue;
    }
    if (action.kind == RelayAction::kSequence) bell_.Rest(next_move_ - Monotonic());
    if (bell_.closed()) return;
    const absl::Status status = Perform(action);
    stat_redis_up_ = core_.redis_up();
    if (!status.ok()) options_.hooks.Error(WhereOf(action.kind), status);
  }
}

absl::Status Relay::Perform(const RelayAction& action) {
  switch (action.kind) {
    case RelayAction::kWait: return absl::OkStatus();
    case RelayAction::kLook:
    case RelayAction::kSequence:
    case RelayAction::kRaise:
    case RelayAction::kRead:
    case RelayAction::kPrune: {
      absl::Status status = PerformOnDatabase(action);
      if (!status.ok()) core_.DatabaseFailed(Uniform());
      return status;
    }
    case RelayAction::kProbe:
    case RelayAction::kInspect:
    case RelayAction::kDrop:
    case RelayAction::kTrim:
    case RelayAction::kSend: {
      absl::Status status = PerformOnRedis(action);
      if (!status.ok()) core_.RedisFailed();
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Relay::PerformOnDatabase(const RelayAction& action) {
  if (action.kind == RelayAction::kLook) return Look();
  if (action.kind == RelayAction::kSequence) return Sequence();
  if (action.kind == RelayAction::kRaise) return Raise(action);
  if (action.kind == RelayAction::kRead) return ReadLog(action);
  return Prune();
}

absl::Status Relay::PerformOnRedis(const RelayAction& action) {
  if (action.kind == RelayAction::kProbe) return Probe();
  if (action.kind == RelayAction::kInspect) return Inspect(action);
  if (action.kind == RelayAction::kDrop) return Drop(action);
  if (action.kind == RelayAction::kTrim) return Trim(action);
  return Send(action);
}

absl::Status Relay::Look() {
  std::map<Stream, StreamHead> heads;
  POTOK_RETURN_IF_ERROR(pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    heads.clear();
    for (const auto& row : tx.Run(sql::kHeads, PartArray(core_.held()))) {
      heads[{row["topic"].as<int>(), row["part"].as<int>()}] = {
          .last = row["last"].as<std::int64_t>(),
          .min_offset = row["min_offset"].as<std::int64_t>(),
          .incarnation = row["incarnation"].as<int>()};
    }
    const pqxx::result backlog = tx.Run(sql::kBacklog, PartArray(core_.held()), kBacklogCount);
    stat_backlog_ = backlog[0]["waiting"].as<std::int64_t>();
    stat_oldest_ms_ = backlog[0]["oldest_ms"].as<std::int64_t>();
    return absl::OkStatus();
  }));
  core_.Looked(heads);
  return absl::OkStatus();
}

absl::Status Relay::Sequence() {
  const absl::Duration start = Monotonic();
  std::vector<Announcement> entries;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    entries.clear();
    const pqxx::result rows = tx.Run(sql::kSequence, PartArray(core_.held()),
                                     TokenArray(core_.held()), options_.batch_per_part);
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
      entries.push_back({std::move(entry), row[6].as<int>()});
    }
    for (const auto& [stream, left] : missing) {
      if (left != 0) return absl::AbortedError("outbox rows vanished under the relay");
    }
    return absl::OkStatus();
  }));
  core_.Sequenced(entries);
  if (entries.empty()) return absl::OkStatus();
  const bool full = static_cast<int>(entries.size()) >= options_.batch_per_part;
  next_move_ = full ? -absl::InfiniteDuration() : start + options_.pace;
  stat_sequenced_ += static_cast<std::int64_t>(entries.size());
  options_.hooks.Batch("relay", static_cast<int>(entries.size()), Monotonic() - start);
  return absl::OkStatus();
}

absl::Status Relay::Send(const RelayAction& action) {
  std::vector<std::vector<std::string>> commands;
  commands.reserve(action.entries.size());
  for (const Announcement& next : action.entries) {
    commands.push_back(
        XAdd(KeyOf({next.entry.topic, next.entry.part}, next.incarnation), next.entry));
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  SendResult result;
  absl::Status failure;
  std::int64_t accepted = 0;
  for (const redis::Reply& reply : replies) {
    if (!reply.IsError()) {
      ++accepted;
    } else if (absl::StrContains(reply.text, "equal or smaller")) {
      result.refused = true;
    } else {
      failure.Update(redis::ToStatus(reply));
    }
  }
  stat_published_ += accepted;
  if (core_.sending_from_log()) stat_republished_ += accepted;
  if (!failure.ok() && !absl::IsResourceExhausted(failure)) return failure;
  if (!failure.ok()) result.kind = SendResult::kFull;
  core_.Sent(result);
  Paused(result.kind == SendResult::kFull);
  // Reported, but no failure of the connection: the core has taken it in.
  if (!failure.ok()) options_.hooks.Error("relay:redis", failure);
  return absl::OkStatus();
}

absl::Status Relay::Probe() {
  const absl::Status status = probe_.Command({"PING"}).status();
  probe_.Close();
  POTOK_RETURN_IF_ERROR(status);
  core_.Probed();
  return absl::OkStatus();
}

absl::Status Relay::Inspect(const RelayAction& action) {
  std::vector<std::vector<std::string>> commands = {{"INFO", "memory"}};
  for (const RelayAction::Place& place : action.places) {
    commands.push_back({"XINFO", "STREAM", KeyOf(place.stream, place.incarnation)});
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  POTOK_RETURN_IF_ERROR(redis::ToStatus(replies[0]));
  std::vector<StreamSeen> seen;
  for (size_t i = 1; i < replies.size(); ++i) {
    POTOK_ASSIGN_OR_RETURN(seen.emplace_back(), SeenIn(replies[i]));
  }
  const bool full = UsesMoreThan(kMemoryHigh, replies[0]);
  Paused(full);
  core_.Inspected(Monotonic(), full, seen, Link());
  return absl::OkStatus();
}

void Relay::Paused(bool paused) {
  if (paused == stat_paused_.exchange(paused)) return;
  options_.hooks.Notice("relay", paused
                                     ? "Redis is nearly full: announcing stops, consumers read the "
                                       "database"
                                     : "Redis has room again: announcing goes on");
}

absl::Status Relay::ReadLog(const RelayAction& action) {
  std::vector<LogEntry> page;
  POTOK_RETURN_IF_ERROR(pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    page.clear();
    for (const auto& row : tx.Run(sql::kLogRange, action.stream.first, action.stream.second,
                                  action.after, action.limit)) {
      page.push_back({.topic = action.stream.first,
                      .part = action.stream.second,
                      .pos = row[0].as<std::int64_t>(),
                      .entity = row[1].as<std::string>(),
                      .version = row[2].as<std::int64_t>(),
                      .type = row[3].as<std::string>(),
                      .at = {}});
    }
    return absl::OkStatus();
  }));
  core_.LogRead(std::move(page));
  return absl::OkStatus();
}

absl::Status Relay::Raise(const RelayAction& action) {
  POTOK_ASSIGN_OR_RETURN(
      const std::optional<int> raised,
      pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::optional<int>> {
        const pqxx::result rows =
            tx.Run(sql::kRaiseIncarnation, action.stream.first, action.stream.second, action.token);
        // No row: the lease went to another owner, who will see for itself.
        if (rows.empty()) return std::optional<int>();
        return std::optional<int>(rows[0][0].as<int>());
      }));
  if (raised) {
    ++stat_incarnations_;
    options_.hooks.Notice(
        "relay", absl::StrCat("topic ", action.stream.first, " part ", action.stream.second,
                              ": Redis has what the database does not; "
                              "incarnation ",
                              *raised));
  }
  core_.Raised(raised);
  return absl::OkStatus();
}

absl::Status Relay::Drop(const RelayAction& action) {
  std::vector<std::string> command = {"UNLINK"};
  for (const RelayAction::Place& place : action.places) {
    command.push_back(KeyOf(place.stream, place.incarnation));
  }
  POTOK_RETURN_IF_ERROR(redis_.Command(command).status());
  core_.Dropped();
  return absl::OkStatus();
}

absl::Status Relay::Trim(const RelayAction& action) {
  std::vector<std::vector<std::string>> commands;
  for (const RelayAction::Place& place : action.places) {
    commands.push_back(
        {"XTRIM", KeyOf(place.stream, place.incarnation), "MINID", "~", absl::StrCat(place.keep)});
    std::vector<std::string>& unlink = commands.emplace_back(1, "UNLINK");
    for (const int stale : place.stale) unlink.push_back(KeyOf(place.stream, stale));
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  for (size_t i = 0; i < replies.size(); ++i) {
    POTOK_RETURN_IF_ERROR(redis::ToStatus(replies[i]));
    if (commands[i][0] == "XTRIM") stat_trimmed_ += replies[i].integer;
  }
  core_.Trimmed();
  return absl::OkStatus();
}

absl::Status Relay::Prune() {
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    tx.Run(sql::kPruneLog, PartArray(core_.held()), absl::ToInt64Seconds(options_.keep_log),
           kPruneAtOnce);
    return absl::OkStatus();
  }));
  core_.Pruned();
  return absl::OkStatus();
}

}  // namespace potok::log
