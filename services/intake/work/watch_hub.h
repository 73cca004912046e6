// Tells watchers of tickets what happened to them: one thread and one statement for all of them.
//
// The database is asked, never a stream: a watcher misses nothing when Redis is gone, and tickets
// changed by other services are seen like our own. Versions are dense, so "everything above the
// last version told" has neither gap nor repeat whatever order polls and commits come in.
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "intake/domain/ticket_feed.h"
#include "intake/store/ticket_reads.h"

namespace potok::intake {

struct WatchHubOptions {
  absl::Duration poll = absl::Milliseconds(100);  // Between looks when nobody wakes us.
  absl::Duration rest = absl::Milliseconds(10);   // Least time between looks, however often woken.
  absl::Duration quiet = absl::Seconds(15);       // Of silence before a sign of life.
  int batch = 200;  // Events for one watcher at a time: below what a stream lets pile up.
};

class WatchHub final : public TicketFeed {
 public:
  // `reads` must outlive the hub.
  WatchHub(const TicketReads& reads, WatchHubOptions options = {});
  // Ends what is still watched with UNAVAILABLE / SHUTTING_DOWN.
  ~WatchHub() override;

  void Follow(const std::string& ticket_id, int64_t after,
              std::shared_ptr<TicketFollower> follower) override;

  // A ticket may have changed: look now. Cheap, callable from anywhere.
  void Wake();

  // How many watch, for the gauge.
  int watching() const;

 private:
  struct Following {
    std::string ticket_id;
    int64_t told = 0;       // Version of the last event told.
    absl::Duration silent;  // Since the follower was last told anything.
    std::shared_ptr<TicketFollower> follower;
  };

  void Run();
  // One look at the database; only the hub's thread touches followings_.
  void Look(absl::Duration since_last);
  void TellOne(const WatchedTicket& moved, std::vector<Following*>& followers);

  const TicketReads& reads_;
  const WatchHubOptions options_;
  std::vector<Following> followings_;  // Of the hub's thread.

  mutable absl::Mutex mu_;
  std::vector<Following> arrivals_ ABSL_GUARDED_BY(mu_);
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  int watching_ ABSL_GUARDED_BY(mu_) = 0;
  std::thread thread_;
};

}  // namespace potok::intake
