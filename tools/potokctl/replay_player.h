// Plays recorded cases: an open loop that files each request and takes each step at its time,
// whoever holds the request by then.
#pragma once

#include <deque>
#include <map>
#include <queue>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "connection.h"
#include "replay_cast.h"
#include "replay_clock.h"
#include "replay_move.h"
#include "replay_tickets.h"
#include "replay_time.h"

namespace potok::ctl {

// Where the recorded times lie on Potok's clock.
struct ReplayTempo {
  absl::Time anchor;  // Business instant of the first filing,
  double stretch =
      1;  // and business seconds a recorded second; 1 where the stack's clock is the log's own.
};

struct PlayResult {
  int64_t cases = 0;
  int64_t steps = 0;        // All, filings included.
  int64_t found_steps = 0;  // Done by an earlier run.
  int64_t played_steps = 0;
  int64_t waited_for_holder = 0;  // Steps whose time came while the request was still queued.
  int64_t skipped_cases = 0;
  std::vector<std::string> skipped;  // Why, of the first few.
  std::vector<double>
      late_seconds;     // Real time between when a step was due and when it was taken up.
  absl::Duration took;  // Real time.
};

// Play may be called once. Its threads are its own.
class Player {
 public:
  Player(Connection& connection, const RecordedLog& log, const Cast& cast, const ReplayTime& axis,
         StackClock& clock, const ReplayTempo& tempo);

  // Goes on from what `found` says is done already. Shows its progress. Fails only when Potok is
  // gone for good.
  PlayResult Play(const std::map<std::string, ReplayedTicket>& found);

 private:
  // A case on its way. Whoever took it out of `due_` owns it until it is put back.
  struct Part {
    const RecordedCase* recorded = nullptr;
    size_t next = 0;  // 0 = to be filed, k = step k-1.
    std::string ticket;
    std::string assignee;
    intake::v1::Ticket::State state = intake::v1::Ticket::STATE_UNSPECIFIED;
    int64_t version = 0;
    bool waited = false;
  };
  struct Due {
    absl::Time business;
    Part* part;
    bool operator>(const Due& other) const { return business > other.business; }
  };
  enum class Outcome { kDone, kNoHolder, kGaveUp };

  absl::Time DueOf(const Part& part) const;
  void Work();
  void Watch(std::stop_token stop);
  // The stretch of `Play` that shows progress and decides when nothing more will come.
  void Oversee(int64_t total);

  Outcome Act(Part& part, std::string* why);
  absl::Status File(Part& part);
  absl::Status Move(Part& part, ReplayMove move, const RecordedStep& step);
  absl::Status Refresh(Part& part);
  void Take(Part& part, const intake::v1::Ticket& ticket);
  void Finish(Part& part, Outcome outcome, const std::string& why) ABSL_LOCKS_EXCLUDED(mu_);
  void Skip(Part& part, const std::string& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Connection& connection_;
  const RecordedLog& log_;
  const Cast& cast_;
  const ReplayTime& axis_;
  StackClock& clock_;
  const ReplayTempo tempo_;
  std::deque<Part> parts_;  // Never moves its elements.

  absl::Mutex mu_;
  absl::CondVar changed_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Part*> parked_ ABSL_GUARDED_BY(mu_);  // By ticket: waits for a holder.
  std::map<std::string, int64_t> got_holder_
      ABSL_GUARDED_BY(mu_);                // Ticket -> version at which one was seen.
  int64_t left_ ABSL_GUARDED_BY(mu_) = 0;  // Cases that are not through.
  PlayResult result_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::ctl
