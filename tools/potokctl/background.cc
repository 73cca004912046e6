#include "background.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

#include "company.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

using router::v1::Presence;

constexpr int kErrandThreads = 4;
// Real time between two looks of an agent at their list: some minutes of theirs.
constexpr absl::Duration kLook = absl::Milliseconds(150);

// A working day and more: longer than any promise of the desk that is late.
constexpr absl::Duration kLateBy = absl::Hours(25);

// How long a desk's work takes, give or take.
struct Pace {
  absl::Duration until_start;
  absl::Duration work;
};

Pace PaceOf(absl::string_view flow) {
  if (flow == "it-support") return {absl::Minutes(25), absl::Minutes(75)};
  if (flow == "hr-certificates") return {absl::Minutes(50), absl::Minutes(230)};
  if (flow == "accounting") return {absl::Minutes(30), absl::Minutes(170)};
  if (flow == "passes") return {absl::Minutes(10), absl::Minutes(30)};
  return {absl::Minutes(30), absl::Minutes(120)};
}

// 0.7 to 1.3, always the same for one request: no two take equally long, and no two runs differ.
double Spread(const std::string& title) {
  return 0.7 + 0.6 * static_cast<double>(std::hash<std::string>()(title) % 1000) / 1000;
}

bool MayBeOnline(absl::Time now) {
  const absl::CivilMinute wall = absl::ToCivilMinute(now, Moscow());
  const absl::Weekday day = absl::GetWeekday(wall);
  return day != absl::Weekday::saturday && day != absl::Weekday::sunday && wall.hour() >= 9 &&
         wall.hour() < 18;
}

}  // namespace

Agenda::Agenda(const StoryClock& clock) : clock_(clock) {
  for (int i = 0; i < kErrandThreads; ++i) threads_.emplace_back([this] { Run(); });
}

Agenda::~Agenda() { Stop(); }

void Agenda::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stop_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Agenda::At(absl::Time when, std::function<void()> what) {
  absl::MutexLock lock(&mu_);
  items_.push({when, next_order_++, std::move(what)});
}

void Agenda::Run() {
  const auto changed = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return stop_ || (!items_.empty() && items_.top().when <= clock_.Now());
  };
  while (true) {
    std::function<void()> what;
    {
      absl::MutexLock lock(&mu_);
      // Looked at each 20 ms as well: time passes without anybody changing anything.
      while (!mu_.AwaitWithTimeout(absl::Condition(&changed), absl::Milliseconds(20))) {
      }
      if (stop_) return;
      what = items_.top().what;
      items_.pop();
    }
    what();
  }
}

Background::Background(Stage& stage) : stage_(stage), agenda_(stage.clock) {}

Background::~Background() { End(); }

void Background::Begin() {
  for (const StoryRequest& request : StoryRequests()) {
    agenda_.At(stage_.At(request.day, request.at), [this, &request] { FileOne(request); });
  }
  {
    absl::MutexLock lock(&mu_);
    planned_ = static_cast<int>(StoryRequests().size());
  }
  for (const std::string& agent : AgentIds())
    threads_.emplace_back([this, agent] { RunAgent(agent); });
  threads_.emplace_back([this] { RunHead(); });
}

void Background::End() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  agenda_.Stop();
}

Background::Tally Background::Counts() const {
  absl::MutexLock lock(&mu_);
  Tally tally;
  tally.filed = static_cast<int>(jobs_.size());
  for (const auto& [uid, job] : jobs_) tally.resolved += job.resolved ? 1 : 0;
  return tally;
}

bool Background::AllFiled() const {
  absl::MutexLock lock(&mu_);
  return missed_ == 0 && static_cast<int>(jobs_.size()) >= planned_;
}

void Background::KeepOut(const std::string& agent) {
  absl::MutexLock lock(&mu_);
  kept_out_.insert(agent);
}

void Background::LetIn(const std::string& agent) {
  absl::MutexLock lock(&mu_);
  kept_out_.erase(agent);
}

void Background::Adopt(const Ticket& ticket, const StoryRequest& request) {
  absl::MutexLock lock(&mu_);
  Job& job = jobs_[ticket.uid()];
  job.request = &request;
  job.ticket = ticket;
  job.announced = true;  // The one who tells it has said so.
}

const StoryRequest* Background::RequestOf(const std::string& uid) const {
  absl::MutexLock lock(&mu_);
  const auto job = jobs_.find(uid);
  return job == jobs_.end() ? nullptr : job->second.request;
}

bool Background::HasAsked(const std::string& uid) const {
  absl::MutexLock lock(&mu_);
  const auto job = jobs_.find(uid);
  return job != jobs_.end() && job->second.asked;
}

// Sets a flag of the ticket's job; true for the first caller only.
bool Background::TakeOnce(const std::string& uid, bool Job::*flag) {
  absl::MutexLock lock(&mu_);
  return !std::exchange(jobs_[uid].*flag, true);
}

void Background::FileOne(const StoryRequest& request) {
  const auto ticket = File(stage_.connection, request.title, request);
  if (!ticket.ok()) {
    {
      absl::MutexLock lock(&mu_);
      ++missed_;
    }
    stage_.checks.Missed(absl::StrCat("подать «", request.title, "»: ", ticket.status().message()));
    return;
  }
  {
    absl::MutexLock lock(&mu_);
    jobs_[ticket->uid()].request = &request;
    jobs_[ticket->uid()].ticket = *ticket;
  }
  if (request.turn != Turn::kCancelled) return;
  agenda_.At(TimeOf(ticket->create_time()) + absl::Minutes(15), [this, name = ticket->name()] {
    const auto now = Read(stage_.connection, name);
    if (now.ok()) (void)Cancel(stage_.connection, *now, "Уже не нужно, поставили сами");
  });
}

// Says once who got it and how.
void Background::Announce(const Ticket& ticket) {
  if (!TakeOnce(ticket.uid(), &Job::announced)) return;
  const DeskPlan& desk = DeskOf(ticket.flow());
  stage_.narrator.Mention(
      TimeOf(ticket.update_time()), ticket.number(),
      absl::StrCat(Fit(Shortened(ticket.title(), 50), 50), "  ", SurnameOf(ticket.requester()),
                   " → ", SurnameOf(ticket.assignee()), ", ", HowRu(desk.mode)));
}

void Background::RunAgent(const std::string& agent) {
  std::map<std::string, Intent> intents;
  auto shown = Presence::STATUS_UNSPECIFIED;
  const bool picks = agent == DeskOf("passes").members.front().employee;
  while (!stop_) {
    KeepPresence(agent, shown);
    if (shown == Presence::STATUS_ONLINE && AtWork(stage_.clock.Now())) {
      if (picks) TakeNext(agent);
      LookAtWork(agent, intents);
    }
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(kLook));
  }
}

// Online from nine to six.
void Background::KeepPresence(const std::string& agent, Presence::Status& shown) {
  const absl::Time now = stage_.clock.Now();
  Presence::Status wanted = MayBeOnline(now) ? Presence::STATUS_ONLINE : Presence::STATUS_OFFLINE;
  {
    absl::MutexLock lock(&mu_);
    if (kept_out_.count(agent) > 0) wanted = Presence::STATUS_OFFLINE;
  }
  if (wanted == shown) return;
  router::v1::SetPresenceRequest request;
  request.set_name(absl::StrCat("employees/", agent, "/presence"));
  request.set_status(wanted);
  request.set_request_id(
      RequestIdFor(absl::StrCat("story/presence/", agent, "/", Presence::Status_Name(wanted), "/",
                                absl::FormatTime("%F", now, Moscow()))));
  const auto answer = stage_.connection.Call(
      *stage_.connection.team, &router::v1::TeamService::Stub::SetPresence, request, Agent(agent));
  if (answer.ok()) shown = wanted;
}

void Background::LookAtWork(const std::string& agent, std::map<std::string, Intent>& intents) {
  intake::v1::ListMyWorkRequest request;
  const auto work =
      stage_.connection.Call(*stage_.connection.intake,
                             &intake::v1::IntakeService::Stub::ListMyWork, request, Agent(agent));
  if (!work.ok()) return;
  for (const Ticket& ticket : work->tickets()) {
    // A told request is worked on by the one who tells it.
    if (RequestOf(ticket.uid()) == nullptr) continue;
    Announce(ticket);
    Work(agent, ticket, intents);
  }
}

// How long the holder takes before the next act on it.
absl::Duration Background::DelayOf(const StoryRequest& request, const Ticket& ticket) const {
  const Pace pace = PaceOf(request.flow);
  // What hurts many people is taken up at once.
  const double haste = Spread(request.title) * (request.hurts_many ? 0.3 : 1);
  if (ticket.state() != Ticket::STATE_IN_PROGRESS) return pace.until_start * haste;
  if (request.turn == Turn::kLate) return kLateBy;
  // What is missing shows before the work is half done.
  const bool will_ask = request.turn == Turn::kAsks && !HasAsked(ticket.uid());
  return pace.work * (will_ask ? 0.4 * haste : haste);
}

void Background::Work(const std::string& agent, const Ticket& ticket,
                      std::map<std::string, Intent>& intents) {
  const StoryRequest& request = *RequestOf(ticket.uid());
  Intent& intent = intents[ticket.uid()];
  const absl::Time now = stage_.clock.Now();
  if (intent.state != ticket.state()) {
    intent = {ticket.state(), now + DelayOf(request, ticket)};
  }
  if (now < intent.when) return;
  if (ticket.state() == Ticket::STATE_ASSIGNED) {
    (void)Start(stage_.connection, ticket, agent);
  } else if (ticket.state() == Ticket::STATE_IN_PROGRESS) {
    if (request.turn == Turn::kAsks && TakeOnce(ticket.uid(), &Job::asked)) {
      const auto asked = Ask(stage_.connection, ticket, agent, QuestionFor(request));
      if (asked.ok()) AnswerLater(request, *asked);
      return;
    }
    const auto done = Resolve(stage_.connection, ticket, agent, ResultFor(request));
    if (!done.ok()) return;
    intents.erase(ticket.uid());
    AfterResult(request, *done);
  }
}

void Background::AnswerLater(const StoryRequest& request, const Ticket& ticket) {
  const absl::Time when = stage_.clock.Now() + absl::Minutes(80) * Spread(request.title);
  agenda_.At(when, [this, &request, ticket] {
    (void)Comment(stage_.connection, ticket, Requester(request.requester), AnswerFor(request));
  });
}

// The requester looks at the result an hour or two later.
void Background::AfterResult(const StoryRequest& request, const Ticket& ticket) {
  (void)TakeOnce(ticket.uid(), &Job::resolved);
  if (request.turn == Turn::kSilent || ticket.state() == Ticket::STATE_CLOSED) return;
  const bool back = request.turn == Turn::kReturned && TakeOnce(ticket.uid(), &Job::returned);
  const absl::Time when = stage_.clock.Now() + absl::Minutes(70) * Spread(request.title);
  agenda_.At(when, [this, &request, ticket, back] {
    if (back) {
      (void)SendBack(stage_.connection, ticket, "К сожалению, всё осталось как было");
      return;
    }
    const auto closed = Confirm(stage_.connection, ticket);
    if (closed.ok() && request.rating > 0)
      (void)Rate(stage_.connection, *closed, request.rating, request.comment);
  });
}

// An agent of a desk where they pick for themselves: the first of the queue.
void Background::TakeNext(const std::string& agent) {
  router::v1::ListQueueRequest look;
  look.set_parent("flows/passes");
  const auto queue = stage_.connection.Call(
      *stage_.connection.router, &router::v1::RouterService::Stub::ListQueue, look, Agent(agent));
  if (!queue.ok() || queue->queue_entries().empty()) return;
  router::v1::ClaimNextRequest claim;
  claim.set_flow("flows/passes");
  claim.set_request_id(
      RequestIdFor(absl::StrCat("story/claim/", agent, "/", queue->queue_entries(0).ticket())));
  (void)stage_.connection.Call(*stage_.connection.router,
                               &router::v1::RouterService::Stub::ClaimNext, claim, Agent(agent));
}

void Background::RunHead() {
  while (!stop_) {
    if (AtWork(stage_.clock.Now())) GiveOut();
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(2 * kLook));
  }
}

// The head of a desk without a mode hands out what waits, by hand.
void Background::GiveOut() {
  const DeskPlan& desk = DeskOf("facilities");
  router::v1::ListQueueRequest look;
  look.set_parent(absl::StrCat("flows/", desk.flow));
  const auto queue =
      stage_.connection.Call(*stage_.connection.router, &router::v1::RouterService::Stub::ListQueue,
                             look, FlowAdmin(desk.manager));
  if (!queue.ok()) return;
  for (const router::v1::QueueEntry& entry : queue->queue_entries()) {
    router::v1::AssignTicketRequest assign;
    assign.set_name(entry.ticket());
    assign.set_agent(absl::StrCat("employees/", desk.members.front().employee));
    assign.set_reason("Ближе всех");
    assign.set_request_id(RequestIdFor(absl::StrCat("story/assign/", entry.ticket())));
    const auto placed = stage_.connection.Call(*stage_.connection.router,
                                               &router::v1::RouterService::Stub::AssignTicket,
                                               assign, FlowAdmin(desk.manager));
    if (!placed.ok()) return;  // At the cap for now: the rest waits as well.
  }
}

}  // namespace potok::ctl
