#include "simulation/model_redis.h"

#include <algorithm>

namespace potok::simulation {
namespace {

constexpr std::int64_t kNode = 3;
constexpr int kHearAtOnce = 64;

}  // namespace

ModelRedis::Added ModelRedis::XAdd(const Key& key, const Entry& entry) {
  if (read_only) return Added::kReadOnly;
  if (full) return Added::kFull;
  StreamData& stream = data[key];
  if (!stream.is_stream) return Added::kWrongType;
  if (entry.pos <= stream.last) return Added::kRefused;
  stream.last = entry.pos;
  stream.entries.push_back(entry);
  Wake(key);
  return Added::kAccepted;
}

log::StreamSeen ModelRedis::XInfo(const Key& key, const std::string& who) {
  compared_by[key] = who;
  const auto found = data.find(key);
  if (found == data.end()) return {log::StreamSeen::kNoKey, 0};
  if (!found->second.is_stream) return {log::StreamSeen::kUnusable, 0};
  return {log::StreamSeen::kLast, found->second.last};
}

void ModelRedis::XTrim(const Key& key, std::int64_t keep) {
  const auto found = data.find(key);
  if (found == data.end() || !found->second.is_stream) return;
  std::vector<Entry>& entries = found->second.entries;
  while (static_cast<std::int64_t>(entries.size()) >= kNode && entries[kNode - 1].pos < keep) {
    entries.erase(entries.begin(), entries.begin() + kNode);
  }
}

ModelRedis::News ModelRedis::NewsFor(const Waiter& waiter) const {
  News news;
  for (const auto& [key, after] : waiter.from) {
    const auto found = data.find(key);
    if (found == data.end() || !found->second.is_stream) continue;
    int count = 0;
    for (const Entry& entry : found->second.entries) {
      if (entry.pos <= after || ++count > kHearAtOnce) continue;
      news.push_back({{std::get<1>(key), std::get<2>(key)}, entry});
    }
  }
  return news;
}

bool ModelRedis::XRead(Waiter waiter) {
  for (const auto& [key, after] : waiter.from) {
    const auto found = data.find(key);
    if (found != data.end() && !found->second.is_stream) return false;
  }
  const News news = NewsFor(waiter);
  if (!news.empty()) {
    waiter.answer(news);
  } else {
    waiters_.push_back(std::move(waiter));
  }
  return true;
}

void ModelRedis::Forget(std::int64_t waiter_id) {
  std::erase_if(waiters_, [&](const Waiter& waiter) { return waiter.id == waiter_id; });
}

void ModelRedis::Wake(const Key& key) {
  for (size_t i = 0; i < waiters_.size();) {
    const bool concerned = std::any_of(waiters_[i].from.begin(), waiters_[i].from.end(),
                                       [&](const auto& from) { return from.first == key; });
    const News news = concerned ? NewsFor(waiters_[i]) : News();
    if (news.empty()) {
      ++i;
      continue;
    }
    const Waiter waiter = std::move(waiters_[i]);
    waiters_.erase(waiters_.begin() + static_cast<std::ptrdiff_t>(i));
    waiter.answer(news);
  }
}

void ModelRedis::Flush() {
  data.clear();
  compared_by.clear();
}

void ModelRedis::Restart(bool empty) {
  Break();
  if (empty) data.clear();
  compared_by.clear();
}

void ModelRedis::AddPhantom(const Key& key, std::int64_t ahead) {
  StreamData& stream = data[key];
  if (!stream.is_stream) return;
  stream.last += ahead;
  stream.entries.push_back({stream.last, -1, 0});
  compared_by.erase(key);
  Wake(key);
}

void ModelRedis::DeleteSome(const Key& key, Random& random) {
  const auto found = data.find(key);
  if (found == data.end()) return;
  std::erase_if(found->second.entries, [&](const Entry&) { return random.Chance(0.5); });
  compared_by.erase(key);
}

void ModelRedis::MakeUseless(const Key& key) {
  data[key] = {};
  data[key].is_stream = false;
  compared_by.erase(key);
}

}  // namespace potok::simulation
