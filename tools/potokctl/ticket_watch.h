// Follows one ticket by WatchTicket, whatever happens to the service in between.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "connection.h"

namespace potok::ctl {

// Thread-safe. A stream that ends is opened again behind the last version seen.
class TicketWatch {
 public:
  // `connection` outlives it.
  TicketWatch(Connection& connection, std::string ticket, As as);
  ~TicketWatch();
  TicketWatch(const TicketWatch&) = delete;
  TicketWatch& operator=(const TicketWatch&) = delete;

  // The first event of `type` behind `after_version`; nothing when none came within `patience`
  // (real time).
  std::optional<intake::v1::TicketEvent> Await(intake::v1::TicketEvent::Type type,
                                               int64_t after_version, absl::Duration patience);

 private:
  void Run();
  void ReadOnce();
  int64_t Last() const;

  Connection& connection_;
  const std::string ticket_;
  const As as_;
  mutable absl::Mutex mu_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mu_) = nullptr;  // Of the open stream.
  std::vector<intake::v1::TicketEvent> events_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace potok::ctl
