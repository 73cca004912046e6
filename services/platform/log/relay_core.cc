#include "platform/log/relay_core.h"

#include <algorithm>

#include "base/backoff.h"

namespace potok::log {

StreamRepair Repair(const StreamHead& head, const StreamSeen& seen) {
  if (seen.kind == StreamSeen::kUnusable) return {StreamRepair::kRaise, 0};
  const std::int64_t last = seen.kind == StreamSeen::kLast ? seen.last : 0;
  if (last > head.last) return {StreamRepair::kRaise, 0};
  // What every group has passed is of no use to anyone.
  const std::int64_t after = std::max(last, head.min_offset);
  if (after < head.last) return {StreamRepair::kFill, after};
  return {};
}

namespace {

// Keys that may have come back to life: written by an owner that had lost its lease, brought along
// by a replica that lagged, or left behind by a database that forgot an incarnation.
std::vector<int> StaleIncarnations(int current) {
  std::vector<int> stale;
  for (int other = std::max(1, current - 8); other <= current + 2; ++other) {
    if (other != current) stale.push_back(other);
  }
  return stale;
}

}  // namespace

RelayCore::RelayCore(Options options) : options_(std::move(options)) {}

void RelayCore::BeginTurn(absl::Duration now, std::vector<Held> held, std::int64_t lease_version,
                          Link link) {
  held_ = std::move(held);
  moved_ = 0;
  backoff_.reset();
  filling_now_.reset();
  if (!next_check_) {
    next_check_ = now;
    next_trim_ = now + options_.trim;
    next_prune_ = now + options_.prune;
  }
  if (held_.empty()) {
    phase_ = Phase::kRest;
    return;
  }
  // A new owner must compare before it moves anything: a tail that Postgres lost in a failover
  // shows as Redis being ahead, and new entries would hide it.
  if (lease_version != lease_version_) {
    lease_version_ = lease_version;
    must_check_ = true;
    heads_.clear();
    filling_.clear();
  }
  // A connection that broke since then may lead to an empty server, or to another one.
  const bool other_server = redis_up_ && (link.generation != generation_ || !link.connected);
  if (!must_check_ && !other_server && now < *next_check_) {
    phase_ = Phase::kSequence;
    return;
  }
  must_check_ = false;
  next_check_ = now + options_.check_redis;
  phase_ = redis_up_ ? Phase::kLook : Phase::kProbe;
}

RelayAction RelayCore::Next(absl::Duration now) {
  RelayAction action;
  switch (phase_) {
    case Phase::kProbe: action.kind = RelayAction::kProbe; return action;
    case Phase::kLook: action.kind = RelayAction::kLook; return action;
    case Phase::kInspect:
      action.kind = RelayAction::kInspect;
      for (const auto& [stream, head] : heads_) {
        action.places.push_back({stream, head.incarnation, 0, {}});
      }
      return action;
    case Phase::kRaise:
      action.kind = RelayAction::kRaise;
      action.stream = raising_.back();
      action.token = TokenOf(action.stream.second);
      return action;
    case Phase::kDrop:
      action.kind = RelayAction::kDrop;
      action.places = dropping_;
      return action;
    case Phase::kSequence: action.kind = RelayAction::kSequence; return action;
    case Phase::kSend:
      if (!sending_.empty()) {
        action.kind = RelayAction::kSend;
        action.entries = std::move(sending_);
        sending_.clear();
        return action;
      }
      phase_ = Phase::kRead;
      [[fallthrough]];
    case Phase::kRead:
      if (MaySend() && !filling_.empty()) {
        auto next = filling_.upper_bound(last_filled_);
        if (next == filling_.end()) next = filling_.begin();
        last_filled_ = next->first;
        filling_now_ = next->first;
        action.kind = RelayAction::kRead;
        action.stream = next->first;
        action.after = next->second;
        action.limit = options_.page;
        return action;
      }
      phase_ = Phase::kTrimLook;
      [[fallthrough]];
    case Phase::kTrimLook:
      if (redis_up_ && now >= *next_trim_) {
        next_trim_ = now + options_.trim;
        action.kind = RelayAction::kLook;
        return action;
      }
      phase_ = Phase::kPrune;
      [[fallthrough]];
    case Phase::kPrune:
      if (now >= *next_prune_) {
        next_prune_ = now + options_.prune;
        action.kind = RelayAction::kPrune;
        return action;
      }
      phase_ = Phase::kRest;
      [[fallthrough]];
    case Phase::kRest:
    case Phase::kEnded: break;
    case Phase::kTrim:
      action.kind = RelayAction::kTrim;
      for (const auto& [stream, head] : heads_) {
        action.places.push_back(
            {stream, head.incarnation, head.min_offset + 1, StaleIncarnations(head.incarnation)});
      }
      return action;
  }
  phase_ = Phase::kEnded;
  action.wait = Rest();
  return action;
}

absl::Duration RelayCore::Rest() const {
  if (backoff_) return *backoff_;
  if (held_.empty()) return options_.idle_poll;
  // Full pages mean that more is waiting; otherwise the bell brings the next work at once.
  if (moved_ >= options_.batch_per_part) return absl::ZeroDuration();
  if (MaySend() && !filling_.empty()) return absl::ZeroDuration();
  return moved_ > 0 ? options_.busy_poll : options_.idle_poll;
}

const std::string& RelayCore::TokenOf(int part) const {
  // Heads are those of held parts only.
  return std::find_if(held_.begin(), held_.end(),
                      [&](const Held& held) { return held.part == part; })
      ->token;
}

void RelayCore::Probed() { phase_ = Phase::kLook; }

void RelayCore::Looked(const std::map<Stream, StreamHead>& heads) {
  heads_ = heads;
  phase_ = phase_ == Phase::kTrimLook ? Phase::kTrim : Phase::kInspect;
}

void RelayCore::Inspected(absl::Duration now, bool memory_low, const std::vector<StreamSeen>& seen,
                          Link link) {
  redis_up_ = true;
  generation_ = link.generation;
  paused_ = memory_low;
  filling_.clear();
  raising_.clear();
  dropping_.clear();
  // Trimming is what makes room.
  if (paused_) next_trim_ = now;
  size_t at = 0;
  for (const auto& [stream, head] : heads_) {
    const StreamRepair repair = Repair(head, seen[at++]);
    if (repair.kind == StreamRepair::kFill) filling_[stream] = repair.after;
    if (repair.kind == StreamRepair::kRaise) raising_.push_back(stream);
  }
  phase_ = raising_.empty() ? Phase::kSequence : Phase::kRaise;
}

void RelayCore::Raised(std::optional<int> incarnation) {
  const Stream stream = raising_.back();
  raising_.pop_back();
  if (incarnation) {
    StreamHead& head = heads_[stream];
    // The new key too: a failover may have forgotten that this number was used before.
    dropping_.push_back({stream, head.incarnation, 0, {}});
    dropping_.push_back({stream, *incarnation, 0, {}});
    head.incarnation = *incarnation;
    if (head.min_offset < head.last) filling_[stream] = head.min_offset;
  }
  if (!raising_.empty()) return;
  phase_ = dropping_.empty() ? Phase::kSequence : Phase::kDrop;
}

void RelayCore::Dropped() {
  dropping_.clear();
  phase_ = Phase::kSequence;
}

void RelayCore::Sequenced(const std::vector<Announcement>& entries) {
  failures_ = 0;
  moved_ = static_cast<int>(entries.size());
  sending_.clear();
  for (const Announcement& next : entries) {
    const Stream stream{next.entry.topic, next.entry.part};
    const auto head = heads_.find(stream);
    if (head != heads_.end()) {
      // A transaction that was given up after it had been sent may commit once the check has
      // looked: nobody has announced what it moved, and no check would miss it behind a later
      // entry.
      if (MaySend() && next.entry.pos > head->second.last + 1) {
        filling_.try_emplace(stream, head->second.last);
      }
      head->second.last = std::max(head->second.last, next.entry.pos);
    }
    // While Redis is away or full nothing is sent: the check that finds it again fills it.
    if (MaySend() && !filling_.contains(stream)) sending_.push_back(next);
  }
  phase_ = Phase::kSend;
}

void RelayCore::Sent(const SendResult& result) {
  // There already, or the stream is ahead of us: the check tells which.
  if (result.refused) must_check_ = true;
  if (result.kind == SendResult::kDone) worked_ = true;
  if (result.kind == SendResult::kFull) {
    paused_ = true;
    filling_.clear();
  } else if (result.kind == SendResult::kUnreachable) {
    RedisFailed();
    return;
  }
  phase_ = filling_now_ ? Phase::kTrimLook : Phase::kRead;
  if (filling_now_) {
    const auto filled = filling_.find(*filling_now_);
    const auto head = heads_.find(*filling_now_);
    if (filled != filling_.end() && (head == heads_.end() || filled->second >= head->second.last)) {
      filling_.erase(filled);
    }
    filling_now_.reset();
  }
}

void RelayCore::LogRead(std::vector<LogEntry> entries) {
  const auto filling = filling_.find(*filling_now_);
  if (entries.empty()) {
    // The database has forgotten them; the next check sees its new head.
    filling_.erase(filling);
    filling_now_.reset();
    phase_ = Phase::kTrimLook;
    return;
  }
  const int incarnation = heads_.at(*filling_now_).incarnation;
  // Moved on before the answer: a failure forgets the fill, and the next check begins it anew.
  filling->second = entries.back().pos;
  sending_.clear();
  for (LogEntry& entry : entries) sending_.push_back({std::move(entry), incarnation});
  phase_ = Phase::kSend;
}

void RelayCore::Trimmed() { phase_ = Phase::kPrune; }
void RelayCore::Pruned() { phase_ = Phase::kRest; }

void RelayCore::DatabaseFailed(double uniform) {
  const bool of_the_check = phase_ == Phase::kLook || phase_ == Phase::kRaise;
  if (of_the_check) {
    // Sequencing is tried all the same; but nothing is sent before Redis was compared.
    redis_up_ = false;
    filling_.clear();
    phase_ = Phase::kSequence;
    return;
  }
  if (phase_ == Phase::kSequence) {
    // Whether rows were moved is unknown: what was not announced shows in the check.
    must_check_ = true;
    const Backoff backoff{.initial = absl::Milliseconds(20), .cap = absl::Seconds(2)};
    backoff_ = backoff.Wait(++failures_, uniform);
    phase_ = Phase::kRest;
    return;
  }
  if (phase_ == Phase::kRead) {
    filling_now_.reset();
    backoff_ = options_.idle_poll;
  }
  phase_ = phase_ == Phase::kPrune ? Phase::kRest : Phase::kPrune;
}

void RelayCore::RedisFailed() {
  // Sequencing goes on without Redis; the consumers read the database. One that has just worked is
  // looked at again at once (its connection may have been dropped), any other with the next check.
  must_check_ = must_check_ || worked_;
  worked_ = false;
  redis_up_ = false;
  filling_.clear();
  raising_.clear();
  dropping_.clear();
  sending_.clear();
  filling_now_.reset();
  phase_ = phase_ == Phase::kProbe || phase_ == Phase::kInspect || phase_ == Phase::kDrop
               ? Phase::kSequence
               : Phase::kPrune;
}

}  // namespace potok::log
