#include "platform/log/consumer.h"

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "platform/log/consumer_rows.h"
#include "platform/log/failure.h"
#include "platform/log/handler_run.h"
#include "platform/log/pace.h"
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
constexpr absl::Duration kSayAgain = absl::Seconds(30);  // what lasts
constexpr absl::Duration kLookAtHands = absl::Milliseconds(200);

redis::Options ProbeOptions(redis::Options options) {
  options.connect_timeout = std::min(options.connect_timeout, kProbePatience);
  options.io_timeout = std::min(options.io_timeout, kProbePatience);
  options.reconnect_pause = absl::ZeroDuration();  // the core paces the probes
  return options;
}

}  // namespace

Consumer::Consumer(ConsumerOptions options, pg::Pool& pool, Handler handler)
    : options_(std::move(options)),
      pool_(pool),
      handler_(std::move(handler)),
      replay_({.group = options_.group,
               .owner = options_.owner,
               .handler = handler_,
               .run = [this](HandlerRun::Take take) { return CarryAgain(std::move(take)); },
               .after_commit = options_.after_commit,
               .hooks = options_.hooks},
              pool),
      redis_(options_.redis),
      probe_(ProbeOptions(options_.redis)),
      leases_(MakeLeases()),
      hand_(std::make_unique<Hand>(pool_.options())),
      core_({.batch = options_.batch,
             .attempts = options_.attempts,
             .deaths = options_.deaths,
             .sweep = options_.sweep,
             .poll_without_redis = options_.poll_without_redis,
             .first_retry = options_.first_retry,
             .listen = kBlock,
             .redis = !options_.redis.address.empty()}) {}

Consumer::~Consumer() { Stop(); }

std::unique_ptr<LeaseKeeper> Consumer::MakeLeases() {
  auto leases = std::make_unique<LeaseKeeper>(
      LeaseOptions{.family = Where(),
                   .parts = options_.parts,
                   .owner = options_.owner,
                   .times = options_.lease_times,
                   .hooks = options_.hooks},
      pool_, [this](pg::Tx& tx, const std::vector<Held>& gained) { return Stamp(tx, gained); });
  leases->RingOnGain(&bell_);
  return leases;
}

absl::Status Consumer::Stamp(pg::Tx& tx, const std::vector<Held>& gained) {
  for (const DiedAt& died : StampOffsets(tx, options_.group, options_.topics, gained,
                                         std::max(options_.careful, options_.batch))) {
    ++deaths_;
    options_.hooks.Notice(
        Where(), absl::StrCat("the owner before vanished while it handled topic ",
                              died.stream.first, " part ", died.stream.second, " pos ", died.pos,
                              "; owners lost there: ", died.deaths));
  }
  return absl::OkStatus();
}

void Consumer::Start() {
  if (thread_.joinable() || bell_.closed()) return;
  leases_->Start();
  thread_ = std::thread([this] { Run(); });
}

void Consumer::Stop() {
  bell_.Close();
  redis_.Interrupt();  // The loop may sit in a read.
  if (!thread_.joinable()) return;
  thread_.join();
  careful_turn_.Give();
  if (leases_ != nullptr) leases_->Stop();  // last: they cover the handler that has just ended
}

ConsumerStats Consumer::Stats() const {
  absl::MutexLock lock(&mu_);
  return stats_;
}

bool Consumer::Owns(int part) const {
  absl::MutexLock lock(&mu_);
  return std::find(owned_.begin(), owned_.end(), part) != owned_.end();
}

void Consumer::Publish(const std::vector<Held>& held) {
  const ConsumerTally& tally = core_.tally();
  absl::MutexLock lock(&mu_);
  owned_.clear();
  for (const Held& lease : held) owned_.push_back(lease.part);
  stats_ = {.parts = static_cast<int>(held.size()),
            .lag = core_.lag(),
            .handled = tally.handled,
            .failures = tally.failures,
            .hangs = tally.hangs,
            .parked = tally.parked,
            .refused = tally.refused,
            .deaths = deaths_,
            .phantoms = tally.phantoms,
            .redis_up = core_.redis_up(),
            .failing_streams = core_.failing(),
            .left_behind = static_cast<int>(left_behind_.size()),
            .standing_aside = leases_ == nullptr,
            .replay = replay_.Stats()};
}

void Consumer::Run() {
  while (!bell_.closed()) {
    ForgetEndedHands();
    if (static_cast<int>(left_behind_.size()) >= options_.left_behind) StandAside();
    if (leases_ == nullptr) return;
    const std::vector<Held> held = leases_->Get();
    core_.Hold(held, Monotonic());
    // Not between the note of an attempt and the attempt: a death would count for its entry.
    const absl::Duration replay_at =
        core_.attempt_follows() ? absl::InfiniteDuration() : Monotonic() + replay_.Turn(held);
    ConsumerAction action = core_.Next(Monotonic());
    action.until = std::min(action.until, replay_at);
    Do(action, held);
    SayPhantoms();
    Publish(held);
  }
}

void Consumer::SayPhantoms() {
  for (const Phantom& phantom : core_.TakePhantoms()) {
    const std::string key =
        options_.stream_key(phantom.incarnation, phantom.stream.first, phantom.stream.second);
    options_.hooks.Notice(Where(), absl::StrCat("phantom entry ", ToText(phantom.id), " in ", key,
                                                ": ", phantom.why));
  }
}

void Consumer::ForgetEndedHands() {
  std::erase_if(left_behind_, [](const auto& hand) { return hand->idle(); });
}

void Consumer::StandAside() {
  leases_->Stop();
  leases_.reset();
  core_.Hold({}, Monotonic());
  Publish({});
  while (!bell_.closed() && static_cast<int>(left_behind_.size()) > options_.left_behind / 2) {
    options_.hooks.Error(
        Where(), absl::ResourceExhaustedError(absl::StrCat(
                     left_behind_.size(),
                     " handler runs hang; the group has given its leases back "
                     "and waits until half of them end. If they never do, restart the process")));
    const absl::Duration say_again = Monotonic() + kSayAgain;
    while (!bell_.closed() && Monotonic() < say_again &&
           static_cast<int>(left_behind_.size()) > options_.left_behind / 2) {
      bell_.WaitFor(kLookAtHands);
      ForgetEndedHands();
      Publish({});
    }
  }
  if (bell_.closed()) return;
  leases_ = MakeLeases();
  leases_->Start();
}

void Consumer::Do(const ConsumerAction& action, const std::vector<Held>& held) {
  if (action.kind != ConsumerAction::kTake) careful_turn_.Give();  // the lease went in between
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
    case ConsumerAction::kNote: status = Note(action, held); break;
    case ConsumerAction::kUnnote: status = Unnote(action, held); break;
    case ConsumerAction::kPark: status = Park(action, held); break;
  }
  // From the note to the end of the attempt, unless there is none.
  if (!core_.attempt_follows()) careful_turn_.Give();
  if (status.ok()) return;
  core_.DatabaseFailed(Monotonic(), Uniform());
  options_.hooks.Error(Where(), status);
}

absl::Status Consumer::Sweep(const std::vector<Held>& held) {
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<StreamPlace> places,
      pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<StreamPlace>> {
        return ReadPlaces(tx, options_.group, options_.topics, held);
      }));
  core_.Swept(places, Monotonic());
  return absl::OkStatus();
}

void Consumer::RedisFailed(const absl::Status& status) {
  if (bell_.closed()) return;  // interrupted
  const absl::Duration now = Monotonic();
  if (now >= silent_about_redis_) {
    options_.hooks.Error(Where() + ":redis", status);
    silent_about_redis_ = now + kSayAgain;
  }
  core_.Deaf(now, Uniform());
}

void Consumer::Listen(const ConsumerAction& action) {
  const absl::Duration timeout = std::max(absl::Milliseconds(1), action.until - Monotonic());
  std::vector<std::string> command = {"XREAD",
                                      "COUNT",
                                      absl::StrCat(kHearAtOnce),
                                      "BLOCK",
                                      absl::StrCat(absl::ToInt64Milliseconds(timeout)),
                                      "STREAMS"};
  std::map<std::string, Stream> streams;
  for (const ConsumerAction::Ear& ear : action.ears) {
    command.push_back(options_.stream_key(ear.incarnation, ear.stream.first, ear.stream.second));
    streams.emplace(command.back(), ear.stream);
  }
  for (const ConsumerAction::Ear& ear : action.ears) command.push_back(ToText(ear.after));
  if (action.anew) redis_.Close();
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
  silent_about_redis_ = -absl::InfiniteDuration();
}

HandlerRun::Outcome Consumer::Carry(HandlerRun::Take take) {
  const auto run = std::make_shared<HandlerRun>(std::move(take), handler_);
  hand_->Do([run](pg::Pool& pool) { run->CarryOut(pool); });
  HandlerRun::Outcome done = run->Wait(options_.handler_budget);
  if (!done.hung) return done;
  if (const absl::Status left = LeaveBehind(done.backend); !left.ok()) {
    options_.hooks.Error(Where(), left);
    done.hung = false;
    done.status = absl::UnavailableError(left.message());
  }
  return done;
}

HandlerRun::Outcome Consumer::CarryAgain(HandlerRun::Take take) {
  while (!careful_turn_.TakeFor(kLookAtHands)) {
    if (bell_.closed()) return {.status = absl::CancelledError("stopping")};
  }
  HandlerRun::Outcome done = Carry(std::move(take));
  careful_turn_.Give();
  return done;
}

absl::Status Consumer::Take(const ConsumerAction& action, const std::vector<Held>& held) {
  // A single one is an attempt, or the rest of a batch that failed.
  if (action.limit > 1) bell_.Rest(next_batch_ - Monotonic());
  const absl::Duration start = Monotonic();
  const HandlerRun::Outcome done =
      Carry([group = options_.group, streams = action.streams, held, limit = action.limit](
                pg::Tx& tx) { return TakeEntries(tx, group, streams, held, limit); });
  if (done.status.ok()) {
    core_.Committed(done.entries, Monotonic());
    const bool full = static_cast<int>(done.entries.size()) >= action.limit;
    next_batch_ = full ? -absl::InfiniteDuration() : start + options_.pace;
    if (!done.entries.empty()) Announce(done.entries, Monotonic() - start);
    return absl::OkStatus();
  }
  // Nothing was taken, or the answer to the commit was lost: the places must be read anew.
  if (done.entries.empty() || (done.handled && absl::IsUnknown(done.status))) return done.status;
  options_.hooks.Error(Where(), done.status);
  if (IsTransient(done.status)) {
    core_.HandlerDisturbed(done.entries, Monotonic(), Uniform());
  } else {
    core_.HandlerFailed(done.entries, Why(done.status), done.hung, Monotonic(), Uniform());
  }
  return absl::OkStatus();
}

void Consumer::Announce(const std::vector<LogEntry>& entries, absl::Duration took) {
  options_.hooks.Batch(Where(), static_cast<int>(entries.size()), took);
  if (!options_.after_commit) return;
  // The entries are done with, whatever it throws.
  try {
    options_.after_commit(entries);
  } catch (const std::exception& error) {
    options_.hooks.Error(Where(),
                         absl::InternalError(absl::StrCat("after_commit threw: ", error.what())));
  }
}

absl::Status Consumer::LeaveBehind(int backend) {
  left_behind_.push_back(std::move(hand_));
  hand_ = std::make_unique<Hand>(pool_.options());
  // Its connection is cut already, but a server busy with a statement would notice only after it.
  return pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    tx.Run(sql::kEndSession, backend);
    return absl::OkStatus();
  });
}

absl::Status Consumer::Note(const ConsumerAction& action, const std::vector<Held>& held) {
  while (!careful_turn_.TakeFor(kLookAtHands)) {
    if (bell_.closed()) return absl::OkStatus();
  }
  POTOK_ASSIGN_OR_RETURN(const bool noted,
                         pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<bool> {
                           return NoteAttempt(tx, options_.group, action, held);
                         }));
  core_.Noted(noted, Monotonic());
  return absl::OkStatus();
}

absl::Status Consumer::Unnote(const ConsumerAction& action, const std::vector<Held>& held) {
  POTOK_RETURN_IF_ERROR(pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    UnnoteAttempt(tx, options_.group, action, held);
    return absl::OkStatus();
  }));
  core_.Unnoted();
  return absl::OkStatus();
}

absl::Status Consumer::Park(const ConsumerAction& action, const std::vector<Held>& held) {
  std::optional<LogEntry> parked;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    parked = ParkEntry(tx, options_.group, action, held);
    return absl::OkStatus();
  }));
  if (!parked.has_value()) {
    core_.Parked(std::nullopt, Monotonic());
    return absl::OkStatus();
  }
  core_.Parked(parked->pos, Monotonic());
  options_.hooks.Notice(
      Where(),
      absl::StrCat("parked topic ", parked->topic, " part ", parked->part, " pos ", parked->pos,
                   " (", parked->type, " of ", parked->entity, "): ", action.reason));
  return absl::OkStatus();
}

}  // namespace potok::log
