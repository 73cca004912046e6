#include "platform/log/consumer.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "platform/log/failure.h"
#include "platform/log/sql.h"
#include "platform/log/stream_reply.h"

namespace potok::log {
namespace {

// How long a stopping consumer may still sit in a read of Redis. Redis looks at its timeouts ten
// times a second, so this is 0.5 to 0.6 s.
constexpr absl::Duration kBlock = absl::Milliseconds(500);
// Of one stream at a time: enough to see each entry of a stream that somebody else writes to.
constexpr int kHearAtOnce = 64;
// A Redis that was away is asked with little patience: Postgres is not looked at meanwhile.
constexpr absl::Duration kProbePatience = absl::Milliseconds(200);
constexpr absl::Duration kSayRedisIsAway = absl::Seconds(30);

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

double Uniform() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

redis::Options ProbeOptions(redis::Options options) {
  options.connect_timeout = std::min(options.connect_timeout, kProbePatience);
  options.io_timeout = std::min(options.io_timeout, kProbePatience);
  options.reconnect_pause = absl::ZeroDuration();  // the core paces the probes
  return options;
}

std::vector<std::string> TokensOf(const std::vector<Stream>& streams,
                                  const std::vector<Held>& held) {
  std::vector<std::string> tokens;
  for (const Stream& stream : streams) {
    const auto found = std::find_if(held.begin(), held.end(), [&](const Held& each) {
      return each.part == stream.second;
    });
    tokens.push_back(found->token);  // the core asks for held streams only
  }
  return tokens;
}

}  // namespace

Consumer::Consumer(ConsumerOptions options, pg::Pool& pool, Handler handler)
    : options_(std::move(options)),
      pool_(pool),
      handler_(std::move(handler)),
      redis_(options_.redis),
      probe_(ProbeOptions(options_.redis)),
      leases_({.family = "consumer:" + options_.group,
               .parts = options_.parts,
               .owner = options_.owner,
               .times = options_.lease_times,
               .hooks = options_.hooks},
              pool,
              [group = options_.group, topics = pg::IntArray(options_.topics)](
                  pg::Tx& tx, const std::vector<Held>& gained) {
                std::vector<int> parts;
                std::vector<std::string> tokens;
                for (const Held& held : gained) {
                  parts.push_back(held.part);
                  tokens.push_back(held.token);
                }
                tx.Run(sql::kStampOffsets, group, topics, pg::IntArray(parts),
                       pg::TextArray(tokens));
                return absl::OkStatus();
              }),
      core_({.batch = options_.batch,
             .attempts = options_.attempts,
             .sweep = options_.sweep,
             .poll_without_redis = options_.poll_without_redis,
             .first_retry = options_.first_retry,
             .listen = kBlock,
             .redis = !options_.redis.address.empty()}) {
  leases_.RingOnGain(&bell_);
}

Consumer::~Consumer() { Stop(); }

void Consumer::Start() {
  if (thread_.joinable() || bell_.closed()) return;
  leases_.Start();
  thread_ = std::thread([this] { Run(); });
}

void Consumer::Stop() {
  bell_.Close();
  redis_.Interrupt();  // The loop may sit in a read.
  if (!thread_.joinable()) return;
  thread_.join();
  leases_.Stop();  // last: the leases cover the handler that has just ended
}

ConsumerStats Consumer::Stats() const {
  absl::MutexLock lock(&mu_);
  return stats_;
}

void Consumer::Publish() {
  const ConsumerTally& tally = core_.tally();
  absl::MutexLock lock(&mu_);
  stats_.lag = core_.lag();
  stats_.handled = tally.handled;
  stats_.failures = tally.failures;
  stats_.parked = tally.parked;
  stats_.refused = tally.refused;
  stats_.phantoms = tally.phantoms;
  stats_.redis_up = core_.redis_up();
  stats_.failing_streams = core_.failing();
}

void Consumer::Run() {
  while (!bell_.closed()) {
    const std::vector<Held> held = leases_.Get();
    core_.Hold(held, Monotonic());
    Do(core_.Next(Monotonic()), held);
    for (const Phantom& phantom : core_.TakePhantoms()) {
      options_.hooks.Notice(
          Where(), absl::StrCat("phantom entry ", ToText(phantom.id), " in ",
                                options_.stream_key(phantom.incarnation, phantom.stream.first,
                                                    phantom.stream.second),
                                ": ", phantom.why));
    }
    Publish();
    absl::MutexLock lock(&mu_);
    stats_.parts = static_cast<int>(held.size());
  }
}

void Consumer::Do(const ConsumerAction& action, const std::vector<Held>& held) {
  absl::Status status;
  switch (action.kind) {
    case ConsumerAction::kWait: bell_.WaitFor(action.until - Monotonic()); return;
    case ConsumerAction::kListen: return Listen(action);
    case ConsumerAction::kProbe:
      if (const auto pong = probe_.Command({"PING"}); !pong.ok()) {
        probe_.Close();
        return RedisFailed(pong.status());
      }
      return core_.Probed(Monotonic());
    case ConsumerAction::kSweep: status = Sweep(held); break;
    case ConsumerAction::kTake: status = Take(action, held); break;
    case ConsumerAction::kNote:
    case ConsumerAction::kUnnote: break;
    case ConsumerAction::kPark: status = Park(action, held); break;
  }
  if (status.ok()) return;
  core_.DatabaseFailed(Monotonic(), Uniform());
  options_.hooks.Error(Where(), status);
}

absl::Status Consumer::Sweep(const std::vector<Held>& held) {
  std::vector<int> parts;
  for (const Held& h : held) parts.push_back(h.part);
  std::vector<StreamPlace> places;
  POTOK_RETURN_IF_ERROR(pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    for (const auto& row : tx.Run(sql::kPlaces, options_.group, pg::IntArray(options_.topics),
                                  pg::IntArray(parts))) {
      places.push_back({.stream = {row["topic"].as<int>(), row["part"].as<int>()},
                        .offset = row["pos"].as<std::int64_t>(),
                        .head = row["head"].as<std::int64_t>(),
                        .incarnation = row["incarnation"].as<int>()});
    }
    return absl::OkStatus();
  }));
  core_.Swept(places, Monotonic());
  return absl::OkStatus();
}

void Consumer::RedisFailed(const absl::Status& status) {
  const absl::Duration now = Monotonic();
  if (core_.redis_up() || now >= silent_about_redis_) {
    options_.hooks.Error(Where() + ":redis", status);
    silent_about_redis_ = now + kSayRedisIsAway;
  }
  core_.Deaf(now, Uniform());
}

void Consumer::Listen(const ConsumerAction& action) {
  const absl::Duration timeout =
      std::max(absl::Milliseconds(1), action.until - Monotonic());
  std::vector<std::string> command = {
      "XREAD", "COUNT", absl::StrCat(kHearAtOnce), "BLOCK",
      absl::StrCat(absl::ToInt64Milliseconds(timeout)), "STREAMS"};
  std::map<std::string, Stream> streams;
  for (const ConsumerAction::Ear& ear : action.ears) {
    command.push_back(options_.stream_key(ear.incarnation, ear.stream.first, ear.stream.second));
    streams.emplace(command.back(), ear.stream);
  }
  for (const ConsumerAction::Ear& ear : action.ears) command.push_back(ToText(ear.after));
  const auto reply = redis_.Command(command, timeout);
  if (!reply.ok()) return RedisFailed(reply.status());
  std::vector<HeardEntry> heard;
  for (StreamNews& news : NewsIn(*reply)) {
    const auto found = streams.find(news.key);
    if (found == streams.end()) continue;
    for (HeardEntry& entry : news.entries) {
      entry.stream = found->second;
      heard.push_back(std::move(entry));
    }
  }
  core_.Heard(heard);
}

std::vector<LogEntry> Consumer::Take(pg::Tx& tx, const std::vector<Stream>& streams,
                                     const std::vector<std::string>& tokens, int limit) {
  std::vector<int> topics, parts;
  for (const auto& [topic, part] : streams) {
    topics.push_back(topic);
    parts.push_back(part);
  }
  const pqxx::result rows = tx.Run(sql::kTake, options_.group, pg::IntArray(topics),
                                   pg::IntArray(parts), pg::TextArray(tokens), limit);
  std::vector<LogEntry> entries;
  entries.reserve(rows.size());
  for (const auto& row : rows) {
    entries.push_back({.topic = row[0].as<int>(),
                       .part = row[1].as<int>(),
                       .pos = row[2].as<std::int64_t>(),
                       .entity = row[3].as<std::string>(),
                       .version = row[4].as<std::int64_t>(),
                       .type = row[5].as<std::string>(),
                       .at = pg::FromTimestamp(row[6])});
  }
  return entries;
}

absl::Status Consumer::Take(const ConsumerAction& action, const std::vector<Held>& held) {
  const absl::Duration start = Monotonic();
  const std::vector<std::string> tokens = TokensOf(action.streams, held);
  std::vector<LogEntry> entries;
  const absl::Status status = pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    entries.clear();
    entries = Take(tx, action.streams, tokens, action.limit);
    return entries.empty() ? absl::OkStatus() : handler_(tx, entries);
  });
  if (status.ok()) {
    core_.Committed(entries, Monotonic());
    if (entries.empty()) return absl::OkStatus();
    options_.hooks.Batch(Where(), static_cast<int>(entries.size()), Monotonic() - start);
    if (options_.after_commit) options_.after_commit(entries);
    return absl::OkStatus();
  }
  // The answer to the commit was lost, or nothing was taken: the places must be read anew.
  if (entries.empty() || absl::IsUnknown(status)) return status;
  options_.hooks.Error(Where(), status);
  if (IsTransient(status)) {
    core_.HandlerDisturbed(entries, Monotonic(), Uniform());
  } else {
    core_.HandlerFailed(entries, Why(status), /*hung=*/false, Monotonic(), Uniform());
  }
  return absl::OkStatus();
}

absl::Status Consumer::Park(const ConsumerAction& action, const std::vector<Held>& held) {
  const Stream stream = action.streams[0];
  std::optional<LogEntry> parked;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    parked.reset();
    for (const LogEntry& entry : Take(tx, {stream}, TokensOf(action.streams, held), 1)) {
      tx.Run(sql::kPark, options_.group, entry.topic, entry.part, entry.pos, entry.entity,
             entry.version, entry.type, action.attempts, action.reason);
      parked = entry;
    }
    return absl::OkStatus();
  }));
  if (!parked.has_value()) {
    core_.Parked(std::nullopt, Monotonic());
    return absl::OkStatus();
  }
  core_.Parked(parked->pos, Monotonic());
  options_.hooks.Notice(Where(), absl::StrCat("parked topic ", parked->topic, " part ",
                                              parked->part, " pos ", parked->pos, " (",
                                              parked->type, " of ", parked->entity,
                                              "): ", action.reason));
  return absl::OkStatus();
}

}  // namespace potok::log
