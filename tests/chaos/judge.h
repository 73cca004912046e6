// Holds a run to Potok's promises: all the time to those that hold at every instant, and after a
// drain to all of them and to every answer that callers got.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

#include "chaos/evidence.h"
#include "chaos/oracle.h"
#include "chaos/plant.h"
#include "ledger/reference.h"

namespace potok::chaos {

class Judge {
 public:
  Judge(Plant& plant, Evidence& evidence);
  ~Judge();

  // Looks about each second from a thread of its own, past all links. Times at which the database
  // does not answer are no fault of Potok's.
  void Watch();
  void StopWatching();
  int64_t looks() const { return looks_; }

  // Call it when the load has ended and everything is healed. Waits until nothing is left to do (at
  // most `patience`, then what is left is a violation) and checks everything.
  void Final(const Oracle& oracle, absl::Duration patience);

 private:
  void Check(bool quiescent, const char* when);
  bool Quiet(std::string* left);
  void CheckTickets(const Oracle& oracle);
  void CheckMails();

  Plant& plant_;
  Evidence& evidence_;
  std::unique_ptr<ledger::Reference> reference_;
  std::set<std::string> told_;  // Of whoever checks: the thread, then the caller of Final.
  absl::Notification stop_;
  std::atomic<int64_t> looks_{0};
  std::thread thread_;
};

}  // namespace potok::chaos
