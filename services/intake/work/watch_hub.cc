#include "intake/work/watch_hub.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "platform/obs/log.h"

namespace potok::intake {
namespace {

absl::Status Stopping() {
  ErrorDetail detail;
  detail.retry_after = absl::Seconds(1);
  detail.ru = "Сервер останавливается. Подпишитесь снова с последней увиденной версии.";
  return MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN",
                   "the server is stopping; watch again from the last version seen",
                   std::move(detail));
}

}  // namespace

WatchHub::WatchHub(const TicketReads& reads, WatchHubOptions options)
    : reads_(reads), options_(options), thread_([this] { Run(); }) {}

WatchHub::~WatchHub() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
  for (Following& following : followings_) following.follower->End(Stopping());
  for (Following& following : arrivals_) following.follower->End(Stopping());
}

void WatchHub::Follow(const std::string& ticket_id, int64_t after,
                      std::shared_ptr<TicketFollower> follower) {
  absl::MutexLock lock(&mu_);
  arrivals_.push_back({ticket_id, after, absl::ZeroDuration(), std::move(follower)});
  woken_ = true;
}

void WatchHub::Wake() {
  absl::MutexLock lock(&mu_);
  woken_ = true;
}

int WatchHub::watching() const {
  absl::MutexLock lock(&mu_);
  return watching_;
}

void WatchHub::Run() {
  auto looked = std::chrono::steady_clock::now();
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      const auto due = [this] {
        mu_.AssertReaderHeld();
        return stopping_ || (woken_ && (watching_ > 0 || !arrivals_.empty()));
      };
      if (watching_ == 0) {
        mu_.Await(absl::Condition(&due));  // Nobody watches: cost nothing at all.
      } else {
        mu_.AwaitWithTimeout(absl::Condition(&due), options_.poll);
      }
      if (stopping_) return;
      woken_ = false;
      std::move(arrivals_.begin(), arrivals_.end(), std::back_inserter(followings_));
      arrivals_.clear();
    }
    const auto now = std::chrono::steady_clock::now();
    Look(absl::FromChrono(now - looked));
    looked = now;
    {
      absl::MutexLock lock(&mu_);
      watching_ = static_cast<int>(followings_.size());
      // Under load every commit wakes us; one look serves all commits of a rest.
      const auto stop = [this] {
        mu_.AssertReaderHeld();
        return stopping_;
      };
      mu_.AwaitWithTimeout(absl::Condition(&stop), options_.rest);
    }
  }
}

void WatchHub::Look(absl::Duration since_last) {
  followings_.erase(
      std::remove_if(followings_.begin(), followings_.end(),
                     [](const Following& following) { return !following.follower->listening(); }),
      followings_.end());
  std::map<std::string, std::vector<Following*>> by_ticket;
  std::vector<WatchedTicket> known;
  for (Following& following : followings_) by_ticket[following.ticket_id].push_back(&following);
  for (const auto& [id, followers] : by_ticket) {
    int64_t behind = followers.front()->told;
    for (const Following* following : followers) behind = std::min(behind, following->told);
    known.push_back({id, behind});
  }
  if (known.empty()) return;

  absl::StatusOr<std::vector<WatchedTicket>> moved = reads_.Moved(known);
  if (!moved.ok()) {
    // The next look asks for the same versions again: a failed one costs time, never an event.
    obs::LogWarn("watch.poll_failed", "could not ask for changes of watched tickets",
                 {{"status", moved.status()}, {"tickets", known.size()}});
    return;
  }
  for (const WatchedTicket& ticket : *moved) TellOne(ticket, by_ticket[ticket.id]);
  for (Following& following : followings_) {
    following.silent += since_last;
    if (following.silent < options_.quiet) continue;
    following.follower->Quiet(following.told);
    following.silent = absl::ZeroDuration();
  }
}

void WatchHub::TellOne(const WatchedTicket& moved, std::vector<Following*>& followers) {
  int64_t behind = followers.front()->told;
  for (const Following* following : followers) behind = std::min(behind, following->told);
  absl::StatusOr<std::optional<TicketChanges>> read = reads_.ChangesAfter(
      moved.id, behind, options_.batch, std::chrono::steady_clock::now() + std::chrono::seconds(5));
  if (!read.ok() || !read->has_value()) return;  // The next look tries again.
  const TicketChanges& changes = **read;
  const bool all_told =
      changes.events.empty() || changes.events.back().version >= changes.now.ticket.version;
  for (Following* following : followers) {
    std::vector<desk::Event> fresh;
    for (const desk::Event& event : changes.events) {
      if (event.version > following->told) fresh.push_back(event);
    }
    if (!fresh.empty()) {
      following->told = fresh.back().version;
      following->silent = absl::ZeroDuration();
      following->follower->Changed(fresh, changes.now);
    }
    if (all_told && changes.now.ticket.state == desk::State::kArchived) {
      following->follower->End(absl::OkStatus());
    }
  }
}

}  // namespace potok::intake
