// The rest of the company: people who file what story_requests.h lists, the ten agents who work on
// it in their hours, and the head who hands out by hand. It goes on through restarts of any
// service.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "stage.h"

namespace potok::ctl {

// Does things at business instants on a few threads. Thread-safe.
class Agenda {
 public:
  explicit Agenda(const StoryClock& clock);
  ~Agenda();
  void At(absl::Time when, std::function<void()> what);
  // What is being done is finished, what is not begun yet is not. Idempotent; `At` does nothing
  // from now on.
  void Stop();

 private:
  struct Item {
    absl::Time when;
    int64_t order;  // First come first served among equals.
    std::function<void()> what;
    bool operator<(const Item& other) const {
      return std::tie(other.when, other.order) < std::tie(when, order);
    }
  };
  void Run();

  const StoryClock& clock_;
  absl::Mutex mu_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  int64_t next_order_ ABSL_GUARDED_BY(mu_) = 0;
  std::priority_queue<Item> items_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

// Thread-safe.
class Background {
 public:
  struct Tally {
    int filed = 0;
    int resolved = 0;  // At least once.
  };

  // `stage` outlives it.
  explicit Background(Stage& stage);
  ~Background();

  // Schedules all requests and starts the agents' days.
  void Begin();
  // Agents put down their work; what waits stays where it is. Idempotent.
  void End();

  // A request of the told ones that the agents may work on from now on, like on any other.
  void Adopt(const Ticket& ticket, const StoryRequest& request);
  // Until LetIn, this agent does not come to work.
  void KeepOut(const std::string& agent);
  void LetIn(const std::string& agent);

  Tally Counts() const;
  // True when every planned request was filed.
  bool AllFiled() const;

 private:
  // What becomes of one request.
  struct Job {
    const StoryRequest* request = nullptr;
    Ticket ticket;
    bool announced = false;
    bool asked = false;
    bool returned = false;
    bool resolved = false;
  };
  // What an agent means to do next with a ticket in a state.
  struct Intent {
    Ticket::State state = Ticket::STATE_UNSPECIFIED;
    absl::Time when;
  };

  void FileOne(const StoryRequest& request);
  void RunAgent(const std::string& agent);
  void RunHead();
  void KeepPresence(const std::string& agent, router::v1::Presence::Status& shown);
  void LookAtWork(const std::string& agent, std::map<std::string, Intent>& intents);
  void TakeNext(const std::string& agent);
  void GiveOut();
  void Work(const std::string& agent, const Ticket& ticket, std::map<std::string, Intent>& intents);
  void Announce(const Ticket& ticket);
  void AfterResult(const StoryRequest& request, const Ticket& ticket);
  void AnswerLater(const StoryRequest& request, const Ticket& ticket);
  const StoryRequest* RequestOf(const std::string& uid) const;
  absl::Duration DelayOf(const StoryRequest& request, const Ticket& ticket) const;
  bool HasAsked(const std::string& uid) const;
  bool TakeOnce(const std::string& uid, bool Job::*flag);

  Stage& stage_;
  std::atomic<bool> stop_{false};
  mutable absl::Mutex mu_;
  std::map<std::string, Job> jobs_ ABSL_GUARDED_BY(mu_);  // By uid.
  std::set<std::string> kept_out_ ABSL_GUARDED_BY(mu_);
  int planned_ ABSL_GUARDED_BY(mu_) = 0;
  int missed_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::thread> threads_;
  Agenda agenda_;
};

}  // namespace potok::ctl
