#include "e2e/crowd.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "integration/company.h"
#include "integration/suite.h"
#include "platform/rpc/client.h"
#include "platform/testing/signal.h"

namespace potok::testing {
namespace {

constexpr int kWorkers = 24;
constexpr int kAgents = 8;
constexpr int kWatched = 6;
constexpr char kFlow[] = "rolling";
constexpr absl::Duration kCallPatience = absl::Seconds(30);

std::string AgentToken(const std::string& name) { return name + ":requester+agent"; }

template <class Request>
Request On(const std::string& ticket) {
  Request request;
  request.set_name(ticket);
  request.set_request_id(Uuid());
  return request;
}

}  // namespace

double PercentileMs(std::vector<double> seconds, double share) {
  if (seconds.empty()) return 0;
  const size_t at = std::min(seconds.size() - 1, static_cast<size_t>(share * seconds.size()));
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(at),
                   seconds.end());
  return seconds[at] * 1000;
}

// A ticket whose events are followed from the first to the last.
struct Crowd::Watched {
  std::string ticket;
  std::atomic<int64_t> last{0};  // Version of the last event that came.
  absl::Mutex mu;
  grpc::ClientContext* context ABSL_GUARDED_BY(mu) = nullptr;
};

void Crowd::Found(TestDatabase& database) { AddFlow(database, kFlow, "ROLL", kAgents, /*cap=*/50); }

Crowd::Crowd(Fleet& fleet)
    : fleet_(fleet),
      intake_(intake::v1::IntakeService::NewStub(fleet.Channel("intake"))),
      router_(router::v1::RouterService::NewStub(fleet.Channel("router"))),
      team_(router::v1::TeamService::NewStub(fleet.Channel("router"))),
      timers_(sla_timer::v1::SlaTimerService::NewStub(fleet.Channel("sla-timer"))),
      notifier_(notifier::v1::NotifierService::NewStub(fleet.Channel("notifier"))),
      analytics_(analytics::v1::AnalyticsService::NewStub(fleet.Channel("analytics"))) {
  const auto now = Steady::now();
  for (int i = 0; i < kAgents; ++i) {
    agents_.push_back(std::make_unique<Agent>());
    agents_.back()->name = absl::StrCat(kFlow, "-", i);
    auto online = On<router::v1::SetPresenceRequest>(
        absl::StrCat("employees/", agents_.back()->name, "/presence"));
    online.set_status(router::v1::Presence::STATUS_ONLINE);
    router::v1::Presence presence;
    Call(*team_, &router::v1::TeamService::Stub::SetPresence, AgentToken(agents_.back()->name),
         online, presence, now);
  }
  for (int i = 0; i < kWatched; ++i) {
    watched_.push_back(std::make_unique<Watched>());
    intake::v1::Ticket ticket;
    Call(*intake_, &intake::v1::IntakeService::Stub::CreateTicket, "petrov", SupportRequest(),
         ticket, now);
    watched_.back()->ticket = ticket.name();
    watchers_.emplace_back([this, watched = watched_.back().get()] { Watch(*watched); });
  }
  watchers_.emplace_back([this] { WatchInbox(); });
}

Crowd::~Crowd() {
  if (!workers_.empty() || !watchers_.empty()) (void)End();
}

void Crowd::Begin(double calls_per_second) {
  // A slower build is asked less often: what it can answer in time is not what is tried.
  rate_ = calls_per_second / absl::ToDoubleSeconds(Stretched(absl::Seconds(1)));
  start_ = Steady::now();
  for (int i = 0; i < kWorkers; ++i) workers_.emplace_back([this] { Work(); });
}

void Crowd::Work() {
  while (!calls_end_) {
    const int64_t number = next_++;
    const auto due =
        start_ + std::chrono::duration_cast<Steady::duration>(
                     std::chrono::duration<double>(static_cast<double>(number) / rate_));
    std::this_thread::sleep_until(due);
    if (!calls_end_) MakeCall(number, due);
  }
}

std::unique_ptr<grpc::ClientContext> Crowd::Context(const std::string& who) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(absl::ToChronoTime(absl::Now() + Stretched(absl::Seconds(10))));
  context->AddMetadata("authorization", absl::StrCat("Bearer dev:", who));
  return context;
}

bool Crowd::Note(const std::string& request_name, Steady::time_point due,
                 const std::function<grpc::Status()>& attempt) {
  const std::string method = request_name.substr(0, request_name.rfind("Request"));
  std::string first;
  const grpc::Status status = rpc::CallPatiently(Stretched(kCallPatience), [&] {
    grpc::Status answer = attempt();
    if (!answer.ok() && first.empty()) {
      first = absl::StrCat(method, " ", static_cast<int>(answer.error_code()), ": ",
                           answer.error_message());
    }
    return answer;
  });
  const absl::MutexLock lock(&mu_);
  ++tally_.calls;
  tally_.seconds.push_back(std::chrono::duration<double>(Steady::now() - due).count());
  if (!first.empty()) {
    ++tally_.asked_again;
    ++tally_.again[first];
  }
  if (!status.ok()) {
    tally_.failed.push_back(absl::StrCat(method, " ", static_cast<int>(status.error_code()), ": ",
                                         status.error_message()));
  }
  return status.ok();
}

std::string Crowd::SomeTicket(int64_t number) {
  const absl::MutexLock lock(&mu_);
  if (tickets_.empty()) return watched_[number % kWatched]->ticket;
  return tickets_[static_cast<size_t>(number * 7919) % tickets_.size()];
}

void Crowd::MakeCall(int64_t number, Steady::time_point due) {
  using Intake = intake::v1::IntakeService::Stub;
  const int64_t round = number / 16;
  switch (number % 16) {
    case 0:
    case 4:
    case 8:
    case 12: {
      intake::v1::CreateTicketRequest request = SupportRequest();
      request.mutable_ticket()->set_flow(absl::StrCat("flows/", kFlow));
      intake::v1::Ticket ticket;
      if (!Call(*intake_, &Intake::CreateTicket, "ivanova", request, ticket, due)) return;
      const absl::MutexLock lock(&mu_);
      ++tally_.filed;
      tickets_.push_back(ticket.name());
      return;
    }
    case 1:
    case 9: {
      auto request = On<intake::v1::AddCommentRequest>(watched_[number / 8 % kWatched]->ticket);
      request.set_text("ещё слово");
      intake::v1::AddCommentResponse answer;
      Call(*intake_, &Intake::AddComment, "petrov", request, answer, due);
      return;
    }
    case 2:
    case 6:
    case 10: DoAgentsWork(*agents_[number / 4 % kAgents], due); return;
    case 3: {
      intake::v1::GetTicketRequest request;
      request.set_name(SomeTicket(round));
      intake::v1::Ticket ticket;
      Call(*intake_, &Intake::GetTicket, "belov:requester+flowAdmin", request, ticket, due);
      return;
    }
    case 5: Page(due); return;
    case 7: {
      notifier::v1::ListInboxRequest request;
      request.set_parent("employees/ivanova");
      notifier::v1::ListInboxResponse answer;
      Call(*notifier_, &notifier::v1::NotifierService::Stub::ListInbox, "ivanova", request, answer,
           due);
      return;
    }
    case 11: {
      analytics::v1::GetBoardRequest request;
      request.set_name(absl::StrCat("flows/", kFlow, "/board"));
      analytics::v1::Board board;
      Call(*analytics_, &analytics::v1::AnalyticsService::Stub::GetBoard, "root:admin", request,
           board, due);
      return;
    }
    case 13: {
      sla_timer::v1::GetClockRequest request;
      request.set_name(SomeTicket(round) + "/clock");
      sla_timer::v1::Clock clock;
      Call(*timers_, &sla_timer::v1::SlaTimerService::Stub::GetClock, "root:admin", request, clock,
           due);
      return;
    }
    case 14: {
      router::v1::ListQueueRequest request;
      request.set_parent(absl::StrCat("flows/", kFlow));
      router::v1::ListQueueResponse answer;
      Call(*router_, &router::v1::RouterService::Stub::ListQueue, "belov:requester+flowAdmin",
           request, answer, due);
      return;
    }
    default: {
      Agent& agent = *agents_[round % kAgents];
      auto request =
          On<router::v1::SetPresenceRequest>(absl::StrCat("employees/", agent.name, "/presence"));
      request.set_status(router::v1::Presence::STATUS_ONLINE);
      router::v1::Presence presence;
      Call(*team_, &router::v1::TeamService::Stub::SetPresence, AgentToken(agent.name), request,
           presence, due);
    }
  }
}

void Crowd::DoAgentsWork(Agent& agent, Steady::time_point due) {
  using Intake = intake::v1::IntakeService::Stub;
  if (!agent.busy.TryLock()) return;
  intake::v1::ListMyWorkRequest mine;
  mine.set_page_size(1);
  intake::v1::ListMyWorkResponse work;
  const std::string who = AgentToken(agent.name);
  if (Call(*intake_, &Intake::ListMyWork, who, mine, work, due) && work.tickets_size() > 0) {
    const intake::v1::Ticket& ticket = work.tickets(0);
    intake::v1::Ticket after;
    bool started = ticket.state() == intake::v1::Ticket::STATE_IN_PROGRESS;
    if (!started) {
      started = Call(*intake_, &Intake::StartTicket, who,
                     On<intake::v1::StartTicketRequest>(ticket.name()), after, Steady::now());
    }
    auto request = On<intake::v1::ResolveTicketRequest>(ticket.name());
    request.set_result("готово");
    if (started && Call(*intake_, &Intake::ResolveTicket, who, request, after, Steady::now())) {
      const absl::MutexLock lock(&mu_);
      ++tally_.resolved;
    }
  }
  agent.busy.Unlock();
}

// Two pages: the token of the first may be given to another replica, or to one that is new.
void Crowd::Page(Steady::time_point due) {
  intake::v1::ListTicketsRequest request;
  request.set_page_size(3);
  intake::v1::ListTicketsResponse page;
  for (int i = 0; i < 2; ++i) {
    if (!Call(*intake_, &intake::v1::IntakeService::Stub::ListTickets, "petrov", request, page,
              i == 0 ? due : Steady::now())) {
      return;
    }
    request.set_page_token(page.next_page_token());
  }
}

void Crowd::Fault(const std::string& what) {
  const absl::MutexLock lock(&mu_);
  tally_.stream_faults.push_back(what);
}

void Crowd::Watch(Watched& watched) {
  for (int opened = 0; !streams_end_; ++opened) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer dev:petrov");
    {
      const absl::MutexLock lock(&watched.mu);
      if (streams_end_) return;  // Set before End looks for a context to cancel.
      watched.context = &context;
    }
    intake::v1::WatchTicketRequest request;
    request.set_name(watched.ticket);
    request.set_after_version(watched.last);
    const auto stream = intake_->WatchTicket(&context, request);
    intake::v1::WatchTicketResponse message;
    while (stream->Read(&message)) {
      if (!message.has_change()) continue;
      const int64_t version = message.change().event().version();
      // Not every version is for everybody to see, but all of these are: comments and the filing.
      if (version != watched.last + 1) {
        Fault(absl::StrCat(watched.ticket, ": version ", version, " after ", watched.last.load()));
      }
      watched.last = version;
    }
    const grpc::Status status = stream->Finish();
    {
      const absl::MutexLock lock(&watched.mu);
      watched.context = nullptr;
    }
    if (streams_end_) return;
    const auto pause = rpc::MayRepeat(status, 0);
    if (!pause) {
      Fault(absl::StrCat(watched.ticket, " ended with ", status.error_code(), ": ",
                         status.error_message()));
      return;
    }
    const absl::MutexLock lock(&mu_);
    ++tally_.streams_resumed;
  }
}

void Crowd::WatchInbox() {
  int64_t last = 0;
  while (!streams_end_) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer dev:ivanova");
    {
      const absl::MutexLock lock(&mu_);
      if (streams_end_) return;
      inbox_context_ = &context;
    }
    notifier::v1::WatchInboxRequest request;
    request.set_parent("employees/ivanova");
    request.set_after_sequence(last);
    const auto stream = notifier_->WatchInbox(&context, request);
    notifier::v1::WatchInboxResponse message;
    while (stream->Read(&message)) {
      if (!message.has_notice()) continue;
      if (message.notice().sequence() <= last) {
        Fault(absl::StrCat("inbox: ", message.notice().sequence(), " after ", last));
      }
      last = message.notice().sequence();
    }
    const grpc::Status status = stream->Finish();
    const absl::MutexLock lock(&mu_);
    inbox_context_ = nullptr;
    if (streams_end_) return;
    ++tally_.streams_resumed;
    if (!rpc::MayRepeat(status, 0)) {
      tally_.stream_faults.push_back(absl::StrCat("inbox: ", status.error_message()));
      return;
    }
  }
}

CrowdTally Crowd::End() {
  calls_end_ = true;
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  for (const auto& watched : watched_) {
    int64_t version = 0;
    const bool caught_up = Eventually([&] {
      version = std::atoll(
          fleet_.database()
              .Query(absl::StrCat("SELECT version FROM ledger.ticket WHERE id = '",
                                  watched->ticket.substr(watched->ticket.rfind('/') + 1), "'"))
              .c_str());
      return watched->last >= version;
    });
    if (!caught_up) {
      Fault(absl::StrCat(watched->ticket, ": heard of ", watched->last.load(), " of ", version));
    }
  }
  streams_end_ = true;
  for (const auto& watched : watched_) {
    const absl::MutexLock lock(&watched->mu);
    if (watched->context != nullptr) watched->context->TryCancel();
  }
  {
    const absl::MutexLock lock(&mu_);
    if (inbox_context_ != nullptr) inbox_context_->TryCancel();
  }
  for (std::thread& watcher : watchers_) watcher.join();
  watchers_.clear();
  const absl::MutexLock lock(&mu_);
  return tally_;
}

}  // namespace potok::testing
