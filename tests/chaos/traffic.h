// The load of a run: an open loop of requests at a rate, and the people who work on them.
// Everything that people choose follows from the seed and the request's number.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "chaos/caller.h"
#include "chaos/oracle.h"
#include "chaos/plant.h"

namespace potok::chaos {

struct TrafficOptions {
  double creates_per_second = 30;
  int filers = 64;     // Who wait for answers at the same time at most.
  int errands = 16;    // Threads of everybody else.
  bool people = true;  // Agents and requesters act; else tickets are only filed and assigned.
  bool leaves = true;  // Agents go and come back.
  Patience patience;
  // Ids of flows that get requests, instead of all; their shares stay.
  std::vector<std::string> flows;
};

// What becomes of request number `index`: a pure function of the seed.
struct Fate {
  std::string flow;
  std::string requester;
  std::string request_id;
  std::string title;
  std::string description;
  bool cancelled = false;  // By the requester, soon after.
  bool declined = false;   // By the first agent.
  bool asks = false;       // The agent asks back once.
  bool late = false;       // The agent sits on it past its term.
  enum class After { kConfirm, kRate, kSendBack, kReopen, kSilent } after = After::kConfirm;
};
Fate FateOf(uint64_t seed, int64_t index, const std::vector<std::string>& flows);

class Traffic {
 public:
  Traffic(Plant& plant, uint64_t seed, TrafficOptions options);
  ~Traffic();

  void Start();
  // No new requests and no new errands; returns when every call that was begun has ended.
  void Stop();
  // Changes the rate from now on; 0 pauses filing.
  void SetRate(double creates_per_second);

  Oracle& oracle() { return oracle_; }
  Caller& caller() { return caller_; }
  absl::Duration started() const { return started_; }
  // Waits until `count` more filings were acknowledged, or `patience` ends.
  bool AwaitAcknowledged(int64_t count, absl::Duration patience);

  // Runs `what` on a thread of the errands after `delay`; for rows with people of their own.
  void Later(absl::Duration delay, std::function<void()> what);

 private:
  struct Errand {
    absl::Duration when;
    int64_t order = 0;
    std::function<void()> what;
    bool operator<(const Errand& other) const {
      return std::tie(when, order) > std::tie(other.when, other.order);
    }
  };

  void File();
  void RunErrands();
  void FileOne(int64_t index, absl::Duration due);
  void Look(const std::string& agent, int64_t turn);
  void Work(const std::string& agent, const intake::v1::Ticket& ticket);
  void AfterResult(const Fate& fate, const std::string& ticket);
  void Race(int64_t turn);
  void HandOut(int64_t turn);
  void LeaveAndReturn(int64_t turn);
  bool Once(const std::string& ticket, const char* what);

  // One acknowledged change is one row of the oracle.
  template <class Stub, class Q, class A>
  Told Do(std::unique_ptr<Stub> Stubs::*stub,
          grpc::Status (Stub::*method)(grpc::ClientContext*, const Q&, A*), Q request, const As& as,
          A* answer);

  Plant& plant_;
  const uint64_t seed_;
  const TrafficOptions options_;
  Oracle oracle_;
  Caller caller_;
  absl::Duration started_;
  std::atomic<bool> stop_{false};

  absl::Mutex rate_mu_;
  double rate_ ABSL_GUARDED_BY(rate_mu_);
  absl::Duration next_due_ ABSL_GUARDED_BY(rate_mu_);
  int64_t next_index_ ABSL_GUARDED_BY(rate_mu_) = 0;

  absl::Mutex mu_;
  std::priority_queue<Errand> errands_ ABSL_GUARDED_BY(mu_);
  int64_t orders_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::string> done_once_ ABSL_GUARDED_BY(mu_);
  std::atomic<uint64_t> act_{0};
  std::vector<std::thread> threads_;
};

}  // namespace potok::chaos
