#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "platform/log/doorbell.h"
#include "platform/log/hooks.h"
#include "platform/log/lease_core.h"
#include "platform/pg/transaction.h"

namespace potok::log {

struct LeaseOptions {
  std::string family;  // "relay", "consumer:router": leases are called FAMILY:PART
  std::vector<int> parts;
  std::string owner;  // unique per process start; see MakeOwner
  LeaseTimes times;
  Hooks hooks;
};

// A name for this process start: "host:pid:random".
std::string MakeOwner();

// Keeps this process' share of the parts of one family.
//
// All live processes of a family share the parts by rendezvous hash; a process that joins gets its
// share from the others, one that dies loses its parts when their leases expire (at most ttl).
// The database is the authority for who owns what and its clock for when a lease ends; the local
// monotonic clock only ever shortens ownership. Renewals commit asynchronously: to lose one only
// shortens the lease. A gain is one synchronous transaction that also stamps the new token where
// the owner's writes check it (`stamp`).
//
// Thread-safe. Start and Stop may each be called any number of times, Stop before Start too.
class LeaseKeeper {
 public:
  // Runs inside the gaining transaction.
  using Stamp = std::function<absl::Status(pg::Tx&, const std::vector<Held>& gained)>;

  LeaseKeeper(LeaseOptions options, pg::Pool& pool, Stamp stamp);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  void Start();
  // Stops renewing and gives the leases back, so that a successor need not wait for their end.
  // Call it after the work under them has ended.
  void Stop();

  // What is held at this moment, ascending by part; empty once the local fence has passed.
  std::vector<Held> Get() const;
  // Rises with every change of what Get() may return.
  std::int64_t version() const;
  // Both of one moment: whoever reads them apart may miss that a lease was gained in between.
  struct Holding {
    std::int64_t version = 0;
    std::vector<Held> held;
  };
  Holding GetWithVersion() const;
  // Rung whenever something was gained.
  void RingOnGain(Doorbell* bell) { on_gain_ = bell; }

  // One round of renewing, gaining and handing over, for tests; Start() runs it as needed. Returns
  // the time until the next round should run.
  absl::StatusOr<absl::Duration> Round();

 private:
  void Run();
  absl::Status Perform(const LeaseAction& action);
  absl::Status Look();
  absl::Status RenewAndLook(const std::vector<Held>& leases);
  absl::Status Gain(const std::vector<Held>& wanted);
  absl::Status Release(const std::vector<Held>& leases);
  // Run within a statement's transaction.
  LeasePicture Picture(pg::Tx& tx) const;
  std::string NameOf(int part) const;
  int PartOf(const std::string& name) const;
  std::string MemberPrefix() const { return options_.family + "@"; }
  std::string MemberName() const;

  const LeaseOptions options_;
  pg::Pool& pool_;
  const Stamp stamp_;
  Doorbell* on_gain_ = nullptr;
  Doorbell stop_;
  std::thread thread_;
  mutable absl::Mutex mu_;
  LeaseCore core_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::log
