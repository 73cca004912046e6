#include "sla-timer/domain/due_timers.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace potok::sla_timer {

void DueTimers::Replace(const std::vector<DueTimer>& timers) {
  order_.clear();
  due_by_key_.clear();
  for (const DueTimer& timer : timers) Put(timer);
  // A rest outlives a re-read of its row, but not the row.
  for (auto it = rests_.begin(); it != rests_.end();) {
    it = due_by_key_.count(it->first) > 0 ? std::next(it) : rests_.erase(it);
  }
}

void DueTimers::ReplaceOf(const std::vector<std::string>& tickets,
                          const std::vector<DueTimer>& timers) {
  std::set<TimerKey> present;
  for (const DueTimer& timer : timers) present.insert(timer.key);
  for (const std::string& ticket : tickets) {
    std::vector<TimerKey> gone;
    // All kinds of a ticket follow each other.
    for (auto it = due_by_key_.lower_bound(TimerKey{ticket, desk::TimerKind{}});
         it != due_by_key_.end() && it->first.ticket_id == ticket; ++it) {
      if (present.count(it->first) == 0) gone.push_back(it->first);
    }
    for (const TimerKey& key : gone) Remove(key);
  }
  for (const DueTimer& timer : timers) Put(timer);
}

void DueTimers::Put(const DueTimer& timer) {
  const auto [known, added] = due_by_key_.emplace(timer.key, timer.due_at);
  if (!added) {
    order_.erase({known->second, timer.key});
    known->second = timer.due_at;
  }
  order_[{timer.due_at, timer.key}] = timer;
  const auto rest = rests_.find(timer.key);
  if (rest != rests_.end() && rest->second.gen != timer.gen) rests_.erase(rest);
}

void DueTimers::Remove(const TimerKey& key) {
  rests_.erase(key);
  const auto known = due_by_key_.find(key);
  if (known == due_by_key_.end()) return;
  order_.erase({known->second, key});
  due_by_key_.erase(known);
}

void DueTimers::Clear() {
  order_.clear();
  due_by_key_.clear();
  rests_.clear();
}

DueTimers::RestState& DueTimers::RestOf(const TimerKey& key) {
  RestState& rest = rests_[key];
  const auto due = due_by_key_.find(key);
  if (due != due_by_key_.end()) rest.gen = order_.at({due->second, key}).gen;
  return rest;
}

void DueTimers::Rest(const TimerKey& key, absl::Duration until) { RestOf(key).until = until; }

void DueTimers::RestLonger(const TimerKey& key, const Pause& pause, absl::Duration monotonic) {
  RestState& rest = RestOf(key);
  if (rest.first != pause.first) {
    rest.first = pause.first;
    rest.times = 0;
  }
  absl::Duration length = pause.first;
  for (int i = 0; i < rest.times && length < pause.most; ++i) length *= pause.factor;
  rest.until = monotonic + std::min(length, pause.most);
  ++rest.times;
}

bool DueTimers::IsAlone(const TimerKey& key) const {
  const auto rest = rests_.find(key);
  return rest != rests_.end() && rest->second.alone;
}

bool DueTimers::Rests(const TimerKey& key, absl::Duration monotonic) const {
  const auto rest = rests_.find(key);
  return rest != rests_.end() && rest->second.until > monotonic;
}

std::vector<DueTimer> DueTimers::Next(const Turn& turn) const {
  std::vector<DueTimer> backlog, fresh;
  const size_t most_backlog = std::min(turn.limit, turn.backlog_allowance);
  for (const auto& [place, timer] : order_) {
    if (timer.due_at > turn.now || fresh.size() == turn.limit) break;
    std::vector<DueTimer>& row = timer.due_at < turn.fresh_since ? backlog : fresh;
    const size_t most = &row == &backlog ? most_backlog : turn.limit;
    if (row.size() < most && !Rests(timer.key, turn.monotonic)) row.push_back(timer);
  }
  const size_t kept_for_fresh = std::min(fresh.size(), std::max<size_t>(1, turn.limit / 5));
  backlog.resize(std::min(backlog.size(), turn.limit - kept_for_fresh));
  fresh.resize(std::min(fresh.size(), turn.limit - backlog.size()));
  backlog.insert(backlog.end(), fresh.begin(), fresh.end());
  return backlog;
}

std::optional<absl::Time> DueTimers::NextDue() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first.first;
}

std::optional<absl::Time> DueTimers::NextDueAfter(absl::Time now) const {
  for (const auto& [place, timer] : order_) {
    if (timer.due_at > now) return timer.due_at;
  }
  return std::nullopt;
}

std::optional<absl::Duration> DueTimers::NextRested(absl::Time now,
                                                    absl::Duration monotonic) const {
  std::optional<absl::Duration> first;
  for (const auto& [key, rest] : rests_) {
    const auto due = due_by_key_.find(key);
    if (due == due_by_key_.end() || due->second > now || rest.until <= monotonic) continue;
    first = std::min(first.value_or(rest.until), rest.until);
  }
  return first;
}

size_t DueTimers::CountDue(absl::Time now) const {
  size_t count = 0;
  for (const auto& [place, timer] : order_) {
    if (timer.due_at > now) break;
    ++count;
  }
  return count;
}

}  // namespace potok::sla_timer
