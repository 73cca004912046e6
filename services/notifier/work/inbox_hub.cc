#include "notifier/work/inbox_hub.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <utility>

#include "base/error.h"
#include "platform/obs/log.h"

namespace potok::notifier {
namespace {

absl::Status Stopping() {
  ErrorDetail detail;
  detail.retry_after = absl::Seconds(1);
  detail.ru = "Сервер останавливается. Подпишитесь снова с последнего увиденного номера.";
  return MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN",
                   "the server is stopping; watch again from the last sequence number seen",
                   std::move(detail));
}

}  // namespace

InboxHub::InboxHub(const InboxStore& store, InboxHubOptions options)
    : store_(store), options_(options), thread_([this] { Run(); }) {}

InboxHub::~InboxHub() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
  for (Following& following : followings_) following.follower->End(Stopping());
  absl::MutexLock lock(&mu_);
  for (Following& following : arrivals_) following.follower->End(Stopping());
}

void InboxHub::Follow(const std::string& employee, int64_t after,
                      std::shared_ptr<InboxFollower> follower) {
  absl::MutexLock lock(&mu_);
  arrivals_.push_back({employee, after, absl::ZeroDuration(), std::move(follower)});
  woken_ = true;
}

void InboxHub::Wake() {
  absl::MutexLock lock(&mu_);
  woken_ = true;
}

int InboxHub::following() const {
  absl::MutexLock lock(&mu_);
  return following_;
}

void InboxHub::Run() {
  auto looked = std::chrono::steady_clock::now();
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      const auto due = [this] {
        mu_.AssertReaderHeld();
        return stopping_ || (woken_ && (following_ > 0 || !arrivals_.empty()));
      };
      if (following_ == 0) {
        mu_.Await(absl::Condition(&due));  // Nobody follows: cost nothing at all.
      } else {
        mu_.AwaitWithTimeout(absl::Condition(&due), options_.poll);
      }
      if (stopping_) return;
      woken_ = false;
      std::move(arrivals_.begin(), arrivals_.end(), std::back_inserter(followings_));
      arrivals_.clear();
    }
    const auto now = std::chrono::steady_clock::now();
    const bool more = Look(absl::FromChrono(now - looked));
    looked = now;
    {
      absl::MutexLock lock(&mu_);
      following_ = static_cast<int>(followings_.size());
      woken_ |= more;
      // Under load every commit wakes us; one look serves all commits of a rest.
      const auto stop = [this] {
        mu_.AssertReaderHeld();
        return stopping_;
      };
      mu_.AwaitWithTimeout(absl::Condition(&stop), options_.rest);
    }
  }
}

bool InboxHub::Look(absl::Duration since_last) {
  followings_.erase(
      std::remove_if(followings_.begin(), followings_.end(),
                     [](const Following& following) { return !following.follower->listening(); }),
      followings_.end());
  std::map<std::string, int64_t> behind;
  for (const Following& following : followings_) {
    const auto [at, fresh] = behind.emplace(following.employee, following.told);
    if (!fresh) at->second = std::min(at->second, following.told);
  }
  if (behind.empty()) return false;

  bool more = false;
  const auto moved = store_.Moved({behind.begin(), behind.end()});
  if (!moved.ok()) {
    // The next look asks from the same numbers again: a failed one costs time, never a notice.
    obs::LogWarn("inbox.poll_failed", "could not ask for news of followed inboxes",
                 {{"status", moved.status()}, {"inboxes", behind.size()}});
    return false;
  }
  for (const auto& [employee, last] : *moved) {
    const auto items = store_.After(employee, behind[employee], options_.batch,
                                    std::chrono::steady_clock::now() + std::chrono::seconds(5));
    if (!items.ok() || items->empty()) continue;
    more |= items->back().sequence < last;
    for (Following& following : followings_) {
      if (following.employee != employee || items->back().sequence <= following.told) continue;
      std::vector<InboxItem> fresh;
      for (const InboxItem& item : *items) {
        if (item.sequence > following.told) fresh.push_back(item);
      }
      following.told = items->back().sequence;
      following.silent = absl::ZeroDuration();
      following.follower->Arrived(fresh);
    }
  }
  for (Following& following : followings_) {
    following.silent += since_last;
    if (following.silent < options_.quiet) continue;
    following.follower->Quiet(following.told);
    following.silent = absl::ZeroDuration();
  }
  return more;
}

}  // namespace potok::notifier
