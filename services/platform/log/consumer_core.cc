#include "platform/log/consumer_core.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/backoff.h"

namespace potok::log {
namespace {

constexpr absl::Duration kLookForLeases = absl::Milliseconds(200);
constexpr Backoff kDatabaseBackoff{.initial = absl::Milliseconds(50), .cap = absl::Seconds(2)};
constexpr Backoff kRedisBackoff{.initial = absl::Milliseconds(100), .cap = absl::Seconds(1)};
// Disturbed as a whole this often, a batch is taken apart: perhaps one entry disturbs the others.
constexpr int kDisturbedBatches = 2;
// Once or twice, an entry may come between the listening and the sweep.
constexpr int kUnheardSweeps = 3;
constexpr absl::Duration kListenAnew = absl::Seconds(5);
// Of a stream; whoever floods Redis is told of often enough.
constexpr size_t kUnprovenLimit = 256;
// Phantoms of a stream that are remembered, so that each is told once.
constexpr size_t kToldLimit = 1024;

std::uint64_t Unsigned(std::int64_t pos) { return static_cast<std::uint64_t>(pos); }

}  // namespace

ConsumerCore::ConsumerCore(Options options) : options_(options) {}

int ConsumerCore::Place::deaths() const {
  if (known.attempted != known.offset + 1 || known.deaths == 0) return 0;
  return known.deaths + (known.blind && careful() ? 1 : 0);
}

ConsumerCore::Place* ConsumerCore::Find(Stream stream) {
  const auto found = places_.find(stream);
  return found == places_.end() ? nullptr : &found->second;
}

void ConsumerCore::Hold(const std::vector<Held>& held, absl::Duration now) {
  std::map<int, std::string> tokens;
  for (const Held& each : held) tokens[each.part] = each.token;
  if (tokens == tokens_) return;
  const auto kept = [&](const Stream& stream) {
    const auto before = tokens_.find(stream.second), after = tokens.find(stream.second);
    return before != tokens_.end() && after != tokens.end() && before->second == after->second;
  };
  std::erase_if(places_, [&](const auto& place) { return !kept(place.first); });
  std::erase_if(news_, [&](const Stream& stream) { return !kept(stream); });
  for (std::optional<Attempt>* each : {&noted_, &attempt_, &unnote_}) {
    if (each->has_value() && !kept((*each)->first)) each->reset();
  }
  tokens_ = std::move(tokens);
  next_sweep_ = now;
}

ConsumerAction ConsumerCore::Next(absl::Duration now) {
  asked_.clear();
  if (tokens_.empty()) return {.kind = ConsumerAction::kWait, .until = now + kLookForLeases};
  if (now < hold_until_) return {.kind = ConsumerAction::kWait, .until = hold_until_};
  if (unnote_.has_value()) {
    return {
        .kind = ConsumerAction::kUnnote, .streams = {unnote_->first}, .offset = unnote_->second};
  }
  if (noted_.has_value()) {
    attempt_ = std::exchange(noted_, std::nullopt);
    asked_ = {attempt_->first};
    limit_ = 1;
    return {.kind = ConsumerAction::kTake, .streams = asked_, .limit = 1};
  }
  if (now >= next_sweep_) return {.kind = ConsumerAction::kSweep};
  // A round of before may hold nothing but streams whose news is over; then there is a new one.
  auto action = FromRound();
  if (!action.has_value()) {
    BuildRound(now);
    action = FromRound();
  }
  return action.has_value() ? *std::move(action) : Idle(now);
}

std::optional<ConsumerAction> ConsumerCore::FromRound() {
  while (!round_.empty()) {
    const Turn turn = std::move(round_.front());
    round_.pop_front();
    auto action = turn.single ? Single(turn.streams[0]) : Together(turn.streams);
    if (!action.has_value()) continue;
    asked_ = action->streams;
    limit_ = action->limit;
    settles_blind_ = action->settles_blind;
    return action;
  }
  return std::nullopt;
}

void ConsumerCore::BuildRound(absl::Duration now) {
  Turn together;
  std::vector<Turn> hung;
  std::multimap<int, Turn, std::greater<>> deadly;  // by how often
  bool leftovers = false;
  for (const Stream& stream : news_) {
    const Place& place = places_[stream];
    if (place.not_before > now) continue;
    if (!place.single()) {
      together.streams.push_back(stream);
    } else if (const int deaths = place.deaths(); deaths > 0 && deaths < options_.deaths) {
      deadly.insert({deaths, {.single = true, .streams = {stream}}});
    } else if (place.hung) {
      hung.push_back({.single = true, .streams = {stream}});
    } else {
      leftovers = leftovers || place.failed > 0 || place.single_until > place.known.offset;
      round_.push_back({.single = true, .streams = {stream}});
    }
  }
  if (!together.streams.empty()) round_.push_front(std::move(together));
  // Last, and not while others of its batch are still to be tried alone: those are few and soon
  // done, and need not wait for another hang each time.
  if (!leftovers) round_.insert(round_.end(), hung.begin(), hung.end());
  // What has taken a process along will probably do so again, and costs everybody a takeover. So
  // the others have a turn before it, and the one that is nearest to being put aside goes first.
  for (auto& [deaths, turn] : deadly) round_.push_back(std::move(turn));
}

std::optional<ConsumerAction> ConsumerCore::Together(const std::vector<Stream>& streams) {
  ConsumerAction action{.kind = ConsumerAction::kTake, .limit = options_.batch};
  for (const Stream& stream : streams) {
    if (news_.contains(stream) && !places_[stream].single()) action.streams.push_back(stream);
  }
  if (action.streams.empty()) return std::nullopt;
  return action;
}

std::optional<ConsumerAction> ConsumerCore::Single(Stream stream) {
  if (!news_.contains(stream)) return std::nullopt;
  const Place& place = places_[stream];
  ConsumerAction action{.streams = {stream}, .limit = 1, .offset = place.known.offset};
  if (place.failed >= options_.attempts) {
    action.kind = ConsumerAction::kPark;
    action.attempts = place.failed;
    action.reason = place.last_error;
  } else if (const int deaths = place.deaths(); deaths >= options_.deaths) {
    action.kind = ConsumerAction::kPark;
    action.attempts = deaths;
    action.settles_blind = deaths > place.known.deaths;
    action.reason = absl::StrCat("the process died ", deaths, " times while it handled this entry",
                                 action.settles_blind ? ", at first within a batch" : "");
  } else {
    action.kind = place.careful() ? ConsumerAction::kNote : ConsumerAction::kTake;
  }
  return action;
}

bool ConsumerCore::silent() const { return unheard_ >= kUnheardSweeps; }

absl::Duration ConsumerCore::SweepInterval() const {
  return redis_up_ && !silent() ? options_.sweep : options_.poll_without_redis;
}

ConsumerAction ConsumerCore::Idle(absl::Duration now) {
  failures_ = 0;
  ConsumerAction action{.kind = ConsumerAction::kWait, .until = next_sweep_};
  for (const Stream& stream : news_) {
    action.until = std::min(action.until, places_.at(stream).not_before);
  }
  if (!options_.redis) return action;
  if (!redis_up_) {
    if (now >= probe_at_) return {.kind = ConsumerAction::kProbe};
    action.until = std::min(action.until, probe_at_);
    return action;
  }
  for (const auto& [stream, place] : places_) {
    // A stream with news is known to have some: listening to it would return at once, again and
    // again.
    if (news_.contains(stream) || place.muted) continue;
    const EntryId after = std::max(EntryId{.pos = Unsigned(place.known.offset)}, place.heard);
    action.ears.push_back({stream, place.known.incarnation, after});
  }
  if (action.ears.empty()) return action;
  action.kind = ConsumerAction::kListen;
  action.until = std::min(action.until, now + options_.listen);
  if (silent() && now >= listen_anew_at_) {
    action.anew = true;
    listen_anew_at_ = now + kListenAnew;
  }
  return action;
}

void ConsumerCore::SweepSoon(absl::Duration now) {
  next_sweep_ = std::min(next_sweep_, std::max(now, last_sweep_ + options_.poll_without_redis));
}

void ConsumerCore::FoundPhantom(Place& place, EntryId id, std::string why) {
  // It is heard again when listening goes back to the end of the log.
  if (!place.told.insert(id).second) return;
  if (place.told.size() > kToldLimit) place.told.erase(place.told.begin());
  ++tally_.phantoms;
  phantoms_.push_back({place.known.stream, place.known.incarnation, id, std::move(why)});
}

void ConsumerCore::Swept(const std::vector<StreamPlace>& places, absl::Duration now) {
  last_sweep_ = now;
  lag_ = 0;
  bool unheard = false;
  for (const StreamPlace& row : places) {
    if (!tokens_.contains(row.stream.second)) continue;
    Place& place = places_[row.stream];
    const bool moved = row.offset != place.known.offset;
    const bool renamed = row.incarnation != place.known.incarnation;
    const bool went_back = row.head < place.known.head;
    std::erase_if(place.unproven, [&](const HeardEntry& heard) {
      if (heard.id.pos <= Unsigned(row.head)) return false;
      // Under the name it was heard under: `known` is still the one before.
      FoundPhantom(place, heard.id, absl::StrCat("the log ends at ", row.head));
      return true;
    });
    place.known = row;
    place.muted = false;
    // A database that lost its last moments gives the positions again, to other entries.
    if (moved || went_back) Advance(place, row.offset);
    if (renamed) {
      place.heard = {};
      place.unproven.clear();
      place.told.clear();
    }
    // What lies beyond the log is gone with the server that had it, or with the incarnation the
    // relay raises within a second; else news would be listened for where none comes for long. Not
    // while there is more of it to hear: going back then would never come past the first of many.
    const bool beyond = place.heard.pos > Unsigned(row.head);
    if (beyond && place.beyond == place.heard) place.heard = {};
    place.beyond = beyond ? place.heard : EntryId{};
    if (row.head > row.offset && news_.insert(row.stream).second) {
      unheard = unheard || place.heard.pos < Unsigned(row.head);
    }
    lag_ += row.head - row.offset;
  }
  if (redis_up_ && unheard && std::exchange(listened_, false)) ++unheard_;
  next_sweep_ = now + SweepInterval();
}

void ConsumerCore::Advance(Place& place, std::int64_t pos) {
  place.known.offset = pos;
  place.failed = 0;
  place.hung = false;
  place.disturbed = 0;
  place.not_before = -absl::InfiniteDuration();
  place.last_error.clear();
  std::erase_if(place.unproven,
                [&](const HeardEntry& heard) { return heard.id.pos <= Unsigned(pos); });
}

void ConsumerCore::Committed(const std::vector<LogEntry>& entries, absl::Duration now) {
  failures_ = 0;
  disturbed_ = 0;
  if (entries.empty()) EndAttempt();
  attempt_.reset();
  tally_.handled += static_cast<std::int64_t>(entries.size());
  std::set<Stream> gave;
  for (const LogEntry& entry : entries) {
    gave.insert({entry.topic, entry.part});
    Place* place = Find({entry.topic, entry.part});
    if (place == nullptr || entry.pos <= place->known.offset) continue;
    for (const HeardEntry& heard : place->unproven) {
      if (heard.id.pos != Unsigned(entry.pos) || heard.entity.empty()) continue;
      if (heard.entity != entry.entity || heard.version != entry.version) {
        FoundPhantom(*place, heard.id, "the log has another entry there");
      }
    }
    Advance(*place, entry.pos);
  }
  // Less than was asked for has emptied every stream; what came since is in the next hint.
  if (static_cast<int>(entries.size()) >= limit_) return;
  for (const Stream& stream : asked_) {
    news_.erase(stream);
    Place* place = Find(stream);
    if (place == nullptr || gave.contains(stream)) continue;
    if (place->known.head > place->known.offset) ++tally_.refused;
    if (place->heard.pos > Unsigned(place->known.offset)) {
      place->muted = true;
      SweepSoon(now);
    }
  }
}

void ConsumerCore::HandlerFailed(const std::vector<LogEntry>& entries, const std::string& why,
                                 bool hung, absl::Duration now, double uniform) {
  ++tally_.failures;
  if (hung) ++tally_.hangs;
  EndAttempt();
  if (entries.size() > 1) return TakeApart(entries);
  for (const LogEntry& entry : entries) {
    Place* place = Find({entry.topic, entry.part});
    if (place == nullptr) continue;
    // The database may have gone back and the position been given again since the last attempt.
    if (place->failing != std::pair(entry.entity, entry.version)) place->failed = 0;
    place->failing = {entry.entity, entry.version};
    ++place->failed;
    place->hung = hung;
    place->last_error = why;
    const Backoff backoff{
        .initial = options_.first_retry, .cap = options_.first_retry * 100, .factor = 4};
    absl::Duration pause = backoff.Wait(place->failed, uniform);
    if (hung) pause = std::clamp(pause, options_.first_retry * 3, options_.first_retry * 10);
    // The last failure is followed by parking, not by another attempt.
    if (place->failed < options_.attempts) place->not_before = now + pause;
  }
}

void ConsumerCore::HandlerDisturbed(const std::vector<LogEntry>& entries, absl::Duration now,
                                    double uniform) {
  EndAttempt();
  if (entries.size() > 1) {
    if (++disturbed_ >= kDisturbedBatches) return TakeApart(entries);
    hold_until_ = now + kDatabaseBackoff.Wait(disturbed_, uniform);
    next_sweep_ = hold_until_;
    return;
  }
  for (const LogEntry& entry : entries) {
    Place* place = Find({entry.topic, entry.part});
    if (place == nullptr) continue;
    place->not_before = now + kDatabaseBackoff.Wait(++place->disturbed, uniform);
  }
}

void ConsumerCore::TakeApart(const std::vector<LogEntry>& entries) {
  for (const LogEntry& entry : entries) {
    if (Place* place = Find({entry.topic, entry.part}); place != nullptr) {
      place->single_until = std::max(place->single_until, entry.pos);
    }
  }
}

void ConsumerCore::EndAttempt() {
  if (!attempt_.has_value()) return;
  if (Find(attempt_->first) != nullptr) unnote_ = attempt_;
  attempt_.reset();
}

void ConsumerCore::Noted(bool noted, absl::Duration now) {
  if (asked_.empty()) return;
  const Stream stream = asked_[0];
  Place* place = Find(stream);
  if (place == nullptr) return;
  if (noted) {
    noted_ = {stream, place->known.offset};
    if (place->known.attempted != place->known.offset + 1) {
      place->known.attempted = place->known.offset + 1;
      place->known.deaths = 0;
    }
    return;
  }
  news_.erase(stream);
  if (place->known.head > place->known.offset) ++tally_.refused;
  SweepSoon(now);
}

void ConsumerCore::Parked(std::optional<std::int64_t> pos, absl::Duration now) {
  failures_ = 0;
  if (pos.has_value()) {
    ++tally_.parked;
    if (settles_blind_) {
      for (auto& [stream, place] : places_) place.known.blind = false;
    }
  }
  if (asked_.empty()) return;
  Place* place = Find(asked_[0]);
  if (place == nullptr) return;
  Advance(*place, std::max(place->known.offset, pos.value_or(0)));
  if (!pos.has_value()) SweepSoon(now);
}

void ConsumerCore::DatabaseFailed(absl::Duration now, double uniform) {
  EndAttempt();
  hold_until_ = now + kDatabaseBackoff.Wait(++failures_, uniform);
  next_sweep_ = hold_until_;
}

void ConsumerCore::Probed(absl::Duration now) {
  unheard_ = 0;
  redis_up_ = true;
  next_sweep_ = now;  // the time between two looks at Postgres has changed
}

void ConsumerCore::Deaf(absl::Duration now, double uniform) {
  probe_at_ = now + kRedisBackoff.Wait(++redis_failures_, uniform);
  if (std::exchange(redis_up_, false)) next_sweep_ = now;
}

void ConsumerCore::Heard(const std::vector<HeardEntry>& entries) {
  listened_ = true;
  redis_failures_ = 0;
  if (!entries.empty()) unheard_ = 0;
  for (const HeardEntry& heard : entries) {
    Place* place = Find(heard.stream);
    if (place == nullptr) continue;
    place->heard = std::max(place->heard, heard.id);
    if (heard.id.seq != 0) {
      FoundPhantom(*place, heard.id, "the relay gives no such ids");
      continue;
    }
    if (heard.id.pos <= Unsigned(place->known.offset)) continue;
    if (place->unproven.size() < kUnprovenLimit) place->unproven.push_back(heard);
    news_.insert(heard.stream);
  }
}

int ConsumerCore::failing() const {
  return static_cast<int>(std::count_if(places_.begin(), places_.end(),
                                        [](const auto& place) { return place.second.failed > 0; }));
}

}  // namespace potok::log
