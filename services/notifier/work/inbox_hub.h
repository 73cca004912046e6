// Tells followers of inboxes what arrives: one thread and one statement for all of them.
//
// The database is asked, never a stream: a notice planned by another replica arrives like our own.
// Sequence numbers of an inbox become visible in their order, so "everything above the last one
// told" has neither gap nor repeat. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "notifier/domain/inbox.h"
#include "notifier/store/inbox_store.h"

namespace potok::notifier {

struct InboxHubOptions {
  absl::Duration poll = absl::Milliseconds(200);  // Between looks when nobody wakes us.
  absl::Duration rest = absl::Milliseconds(10);   // Least time between looks, however often woken.
  absl::Duration quiet = absl::Seconds(15);       // Of silence before a sign of life.
  int batch = 100;  // Notices for one follower at a time: below what a stream lets pile up.
};

class InboxHub final : public InboxFeed {
 public:
  // `store` must outlive it.
  explicit InboxHub(const InboxStore& store, InboxHubOptions options = {});
  // Ends what is still followed with UNAVAILABLE / SHUTTING_DOWN.
  ~InboxHub() override;

  void Follow(const std::string& employee, int64_t after,
              std::shared_ptr<InboxFollower> follower) override;

  // Something may have arrived: look now. Cheap, callable from anywhere.
  void Wake();

  int following() const;

 private:
  struct Following {
    std::string employee;
    int64_t told = 0;
    absl::Duration silent;
    std::shared_ptr<InboxFollower> follower;
  };

  void Run();
  // One look; true when somebody has more to come at once.
  bool Look(absl::Duration since_last);

  const InboxStore& store_;
  const InboxHubOptions options_;
  std::vector<Following> followings_;  // Of the hub's thread.

  mutable absl::Mutex mu_;
  std::vector<Following> arrivals_ ABSL_GUARDED_BY(mu_);
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  int following_ ABSL_GUARDED_BY(mu_) = 0;
  std::thread thread_;
};

}  // namespace potok::notifier
