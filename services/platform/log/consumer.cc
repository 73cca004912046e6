#include "platform/log/consumer.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "absl/strings/str_cat.h"

#include "base/backoff.h"
#include "base/status_macros.h"
#include "platform/log/sql.h"
#include "platform/log/stream_reply.h"

namespace potok::log {
namespace {

// How long a stopping consumer may still sit in a read of Redis. Redis looks at its timeouts ten
// times a second, so this is 0.5 to 0.6 s.
constexpr absl::Duration kBlock = absl::Milliseconds(500);

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

double Uniform() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

// The database was away or busy, or the deployment is at fault: a grant, table, column or function
// that this release needs is not there yet. The same entries may well pass the next time, and
// parking them one after another would only spread the damage.
bool IsTransient(const absl::Status& status) {
  for (const char* of_schema : {"42501", "42P01", "42703", "42883", "3F000"}) {
    if (pg::SqlState(status) == of_schema) return true;
  }
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kResourceExhausted: return true;
    default: return false;
  }
}

std::string Why(const absl::Status& status) {
  const std::string cause = pg::Cause(status);
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message(),
                      cause.empty() ? "" : " | ", cause)
      .substr(0, 2000);
}

}  // namespace

Consumer::Consumer(ConsumerOptions options, pg::Pool& pool, Handler handler)
    : options_(std::move(options)),
      pool_(pool),
      handler_(std::move(handler)),
      redis_(options_.redis),
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
              }) {
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
  if (!thread_.joinable()) return;
  thread_.join();
  leases_.Stop();  // last: the leases cover the handler that has just ended
}

ConsumerStats Consumer::Stats() const {
  return {.parts = stat_parts_,
          .lag = stat_lag_,
          .handled = stat_handled_,
          .failures = stat_failures_,
          .parked = stat_parked_,
          .refused = stat_refused_,
          .redis_up = stat_redis_up_,
          .failing_streams = stat_failing_};
}

void Consumer::Run() {
  const Backoff backoff{.initial = absl::Milliseconds(50), .cap = absl::Seconds(2)};
  int failures = 0;
  absl::Duration next_sweep = Monotonic();
  std::int64_t lease_version = -1;
  while (!bell_.closed()) {
    const std::vector<Held> held = leases_.Get();
    stat_parts_ = static_cast<int>(held.size());
    if (held.empty()) {
      bell_.WaitFor(absl::Milliseconds(200));
      continue;
    }
    if (const std::int64_t version = leases_.version(); version != lease_version) {
      lease_version = version;
      places_.clear();  // another owner may have moved the offsets
      news_.clear();
      next_sweep = Monotonic();
    }
    absl::Status status;
    if (Monotonic() >= next_sweep) {
      status = Sweep(held);
      next_sweep = Monotonic() + (stat_redis_up_ ? options_.sweep : options_.poll_without_redis);
    }
    std::vector<Stream> ready;
    absl::Duration wake_at = next_sweep;
    int failing = 0;
    for (const Stream& stream : news_) {
      const Place& place = places_[stream];
      if (place.failed > 0) ++failing;
      if (place.not_before <= Monotonic()) {
        ready.push_back(stream);
      } else {
        wake_at = std::min(wake_at, place.not_before);
      }
    }
    stat_failing_ = failing;
    if (status.ok() && !ready.empty()) status = Step(held, ready);
    if (!status.ok()) {
      options_.hooks.Error(Where(), status);
      bell_.WaitFor(backoff.Wait(++failures, Uniform()));
      next_sweep = Monotonic();
      continue;
    }
    failures = 0;
    if (!ready.empty()) continue;
    const absl::Duration wait = wake_at - Monotonic();
    if (wait <= absl::ZeroDuration()) continue;
    const absl::Status heard = Listen(std::min(wait, kBlock));
    if (heard.ok() != stat_redis_up_) {
      stat_redis_up_ = heard.ok();
      next_sweep = Monotonic();  // the time between two looks at Postgres has changed
    }
    if (!heard.ok()) {
      options_.hooks.Error(Where() + ":redis", heard);
      bell_.WaitFor(std::min(wait, options_.poll_without_redis));
    }
  }
}

absl::Status Consumer::Sweep(const std::vector<Held>& held) {
  std::vector<int> parts;
  for (const Held& h : held) parts.push_back(h.part);
  std::int64_t lag = 0;
  POTOK_RETURN_IF_ERROR(pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    const pqxx::result rows =
        tx.Run(sql::kPlaces, options_.group, pg::IntArray(options_.topics), pg::IntArray(parts));
    for (const auto& row : rows) {
      const Stream stream{row["topic"].as<int>(), row["part"].as<int>()};
      Place& place = places_[stream];
      const auto offset = row["pos"].as<std::int64_t>();
      const int incarnation = row["incarnation"].as<int>();
      if (offset != place.offset) {
        place.offset = offset;
        place.failed = 0;
        place.not_before = absl::ZeroDuration();
      }
      if (incarnation != place.incarnation) {
        place.incarnation = incarnation;
        place.hint = 0;
      }
      place.head = row["head"].as<std::int64_t>();
      if (place.head > place.offset) news_.insert(stream);
      lag += place.head - place.offset;
    }
    return absl::OkStatus();
  }));
  stat_lag_ = lag;
  return absl::OkStatus();
}

absl::Status Consumer::Listen(absl::Duration timeout) {
  const std::int64_t block_ms = std::max<std::int64_t>(1, absl::ToInt64Milliseconds(timeout));
  std::vector<std::string> command = {"XREAD",  "COUNT", "1", "BLOCK", absl::StrCat(block_ms),
                                      "STREAMS"};
  std::vector<std::string> ids;
  std::map<std::string, Stream> streams;
  for (const auto& [stream, place] : places_) {
    // A failing stream is known to have news: listening to it would return at once, again and
    // again.
    if (news_.contains(stream)) continue;
    std::string key = options_.stream_key(place.incarnation, stream.first, stream.second);
    command.push_back(key);
    streams.emplace(std::move(key), stream);
    ids.push_back(absl::StrCat(std::max(place.offset, place.hint), "-0"));
  }
  if (streams.empty()) {
    bell_.WaitFor(timeout);
    return absl::OkStatus();
  }
  command.insert(command.end(), ids.begin(), ids.end());
  POTOK_ASSIGN_OR_RETURN(const redis::Reply reply, redis_.Command(command, timeout));
  for (const StreamNews& newest : NewsIn(reply)) {
    const auto found = streams.find(newest.key);
    if (found == streams.end()) continue;
    places_[found->second].hint = newest.pos;
    news_.insert(found->second);
  }
  return absl::OkStatus();
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

absl::Status Consumer::Step(const std::vector<Held>& held, const std::vector<Stream>& streams) {
  std::map<int, std::string> tokens;
  for (const Held& h : held) tokens[h.part] = h.token;
  std::vector<Stream> together;
  for (const Stream& stream : streams) {
    if (!tokens.contains(stream.second)) {
      news_.erase(stream);
    } else if (!places_[stream].single()) {
      together.push_back(stream);
    }
  }
  if (!together.empty()) POTOK_RETURN_IF_ERROR(StepTogether(together, tokens));
  for (const Stream& stream : streams) {
    if (bell_.closed()) break;
    if (news_.contains(stream) && places_[stream].single()) {
      POTOK_RETURN_IF_ERROR(StepSingle(stream, tokens[stream.second]));
    }
  }
  return absl::OkStatus();
}

void Consumer::Committed(const std::vector<LogEntry>& entries, absl::Duration start) {
  for (const LogEntry& entry : entries) {
    Place& place = places_[{entry.topic, entry.part}];
    place.offset = std::max(place.offset, entry.pos);
  }
  stat_handled_ += static_cast<std::int64_t>(entries.size());
  options_.hooks.Batch(Where(), static_cast<int>(entries.size()), Monotonic() - start);
  if (options_.after_commit) options_.after_commit(entries);
}

absl::Status Consumer::StepTogether(const std::vector<Stream>& streams,
                                    const std::map<int, std::string>& tokens) {
  const absl::Duration start = Monotonic();
  std::vector<std::string> stream_tokens;
  for (const Stream& stream : streams) stream_tokens.push_back(tokens.at(stream.second));
  std::vector<LogEntry> entries;
  const absl::Status status = pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    entries.clear();
    entries = Take(tx, streams, stream_tokens, options_.batch);
    return entries.empty() ? absl::OkStatus() : handler_(tx, entries);
  });
  if (status.ok()) {
    // Less than a full page has emptied every stream; what came since is in the next hint. A stream
    // that had a known rest and gave nothing has another owner by now.
    std::set<Stream> gave;
    for (const LogEntry& entry : entries) gave.insert({entry.topic, entry.part});
    const bool drained = static_cast<int>(entries.size()) < options_.batch;
    for (const Stream& stream : streams) {
      const Place& place = places_[stream];
      if (drained && !gave.contains(stream) && place.head > place.offset) ++stat_refused_;
      if (drained) news_.erase(stream);
    }
    if (!entries.empty()) Committed(entries, start);
    return absl::OkStatus();
  }
  if (entries.empty() || IsTransient(status)) return status;
  ++stat_failures_;
  options_.hooks.Error(Where(), status);
  for (const LogEntry& entry : entries) {
    Place& place = places_[{entry.topic, entry.part}];
    place.single_until = std::max(place.single_until, entry.pos);
  }
  return absl::OkStatus();
}

absl::Status Consumer::StepSingle(Stream stream, const std::string& token) {
  const absl::Duration start = Monotonic();
  Place& place = places_[stream];
  if (place.failed >= options_.attempts) return Park(stream, token);
  std::vector<LogEntry> entries;
  const absl::Status status = pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    entries.clear();
    entries = Take(tx, {stream}, {token}, 1);
    return entries.empty() ? absl::OkStatus() : handler_(tx, entries);
  });
  if (status.ok()) {
    place.failed = 0;
    if (entries.empty()) {
      place.single_until = 0;
      news_.erase(stream);
    } else {
      Committed(entries, start);
    }
    return absl::OkStatus();
  }
  if (entries.empty() || IsTransient(status)) return status;
  ++stat_failures_;
  options_.hooks.Error(Where(), status);
  place.last_error = Why(status);
  if (++place.failed >= options_.attempts) return Park(stream, token);
  const Backoff backoff{.initial = options_.first_retry, .cap = absl::Seconds(10), .factor = 4};
  place.not_before = Monotonic() + backoff.Wait(place.failed, Uniform());
  return absl::OkStatus();
}

absl::Status Consumer::Park(Stream stream, const std::string& token) {
  Place& place = places_[stream];
  std::vector<LogEntry> entries;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    entries = Take(tx, {stream}, {token}, 1);
    for (const LogEntry& entry : entries) {
      tx.Run(sql::kPark, options_.group, entry.topic, entry.part, entry.pos, entry.entity,
             entry.version, entry.type, place.failed, place.last_error);
    }
    return absl::OkStatus();
  }));
  for (const LogEntry& entry : entries) {
    ++stat_parked_;
    place.offset = entry.pos;
    options_.hooks.Notice(Where(), absl::StrCat("parked topic ", entry.topic, " part ", entry.part,
                                                " pos ", entry.pos, " (", entry.type, " of ",
                                                entry.entity, "): ", place.last_error));
  }
  place.failed = 0;
  place.not_before = absl::ZeroDuration();
  return absl::OkStatus();
}

}  // namespace potok::log
