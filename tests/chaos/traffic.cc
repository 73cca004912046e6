#include "chaos/traffic.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "chaos/company.h"
#include "chaos/die.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

std::map<std::string, std::vector<std::string>> AddressesOf(Plant& plant) {
  std::map<std::string, std::vector<std::string>> addresses;
  for (Service* service : plant.all()) addresses[service->name()].push_back(service->address());
  return addresses;
}

}  // namespace

Fate FateOf(uint64_t seed, int64_t index, const std::vector<std::string>& flows) {
  Choices choices(seed, "fate", static_cast<uint64_t>(index));
  Fate fate;
  double total = 0;
  const auto wanted = [&flows](const Desk& desk) {
    return flows.empty() || std::find(flows.begin(), flows.end(), desk.flow) != flows.end();
  };
  for (const Desk& desk : Desks()) total += wanted(desk) ? desk.share : 0;
  double at = choices.Share() * total;
  for (const Desk& desk : Desks()) {
    if (!wanted(desk)) continue;
    fate.flow = desk.flow;
    if ((at -= desk.share) < 0) break;
  }
  fate.requester = RequesterName(choices.Below(kRequesters));
  fate.request_id = choices.Uuid();
  fate.title = absl::StrCat("Request ", index);
  fate.description = std::string(static_cast<size_t>(20 + choices.Below(400)), 'x');
  fate.cancelled = choices.Chance(0.06);
  fate.declined = choices.Chance(0.06);
  fate.asks = choices.Chance(0.10);
  fate.late = choices.Chance(0.10);
  const double after = choices.Share();
  fate.after = after < 0.50   ? Fate::After::kConfirm
               : after < 0.70 ? Fate::After::kRate
               : after < 0.80 ? Fate::After::kSendBack
               : after < 0.86 ? Fate::After::kReopen
                              : Fate::After::kSilent;
  return fate;
}

Traffic::Traffic(Plant& plant, uint64_t seed, TrafficOptions options)
    : plant_(plant),
      seed_(seed),
      options_(std::move(options)),
      caller_(AddressesOf(plant), options_.patience),
      rate_(options_.creates_per_second) {}

Traffic::~Traffic() { Stop(); }

void Traffic::Start() {
  started_ = Monotonic();
  {
    absl::MutexLock lock(&rate_mu_);
    next_due_ = started_;
  }
  for (int i = 0; i < options_.filers; ++i) threads_.emplace_back([this] { File(); });
  for (int i = 0; i < options_.errands; ++i) threads_.emplace_back([this] { RunErrands(); });
  if (!options_.people) return;
  for (const Desk& desk : Desks()) {
    if (desk.flow == "express") continue;
    for (const auto* team : {&desk.agents, &desk.second_line}) {
      for (const std::string& agent : *team) {
        Later(Choices(seed_, agent).Between({}, absl::Milliseconds(300)),
              [this, agent] { Look(agent, 0); });
      }
    }
  }
  Later({}, [this] { Race(0); });
  Later({}, [this] { HandOut(0); });
  if (options_.leaves) Later(absl::Seconds(1), [this] { LeaveAndReturn(0); });
}

void Traffic::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Traffic::SetRate(double creates_per_second) {
  absl::MutexLock lock(&rate_mu_);
  if (rate_ <= 0) next_due_ = Monotonic();
  rate_ = creates_per_second;
}

bool Traffic::AwaitAcknowledged(int64_t count, absl::Duration patience) {
  const int64_t wanted = oracle_.acknowledged() + count;
  return testing::Eventually([&] { return oracle_.acknowledged() >= wanted; }, patience);
}

void Traffic::File() {
  while (!stop_) {
    int64_t index = -1;
    absl::Duration due;
    {
      absl::MutexLock lock(&rate_mu_);
      // Taken a little ahead, so that whoever takes it can wait for its instant.
      if (rate_ > 0 && next_due_ < Monotonic() + absl::Milliseconds(100)) {
        index = next_index_++;
        due = next_due_;
        next_due_ += absl::Seconds(1) / rate_;
      }
    }
    if (index < 0) {
      absl::SleepFor(absl::Milliseconds(20));
      continue;
    }
    absl::SleepFor(std::max(absl::ZeroDuration(), due - Monotonic()));
    FileOne(index, due);
  }
}

void Traffic::FileOne(int64_t index, absl::Duration due) {
  const Fate fate = FateOf(seed_, index, options_.flows);
  intake::v1::CreateTicketRequest request;
  request.set_request_id(fate.request_id);
  request.mutable_ticket()->set_flow("flows/" + fate.flow);
  request.mutable_ticket()->set_title(fate.title);
  request.mutable_ticket()->set_description(fate.description);
  intake::v1::Ticket ticket;
  const Told told = caller_.Call(&Stubs::intake, &intake::v1::IntakeService::Stub::CreateTicket,
                                 request, As{fate.requester, "requester"}, &ticket);
  Filing filing;
  filing.index = index;
  filing.requester = fate.requester;
  filing.request_id = fate.request_id;
  filing.title = fate.title;
  filing.outcome = told.outcome;
  filing.code = told.status.error_code();
  filing.why = told.status.error_message();
  filing.due = due;
  filing.answered = Monotonic();
  if (told.ok()) {
    filing.ticket = ticket.uid();
    filing.number = ticket.number();
  }
  oracle_.Add(filing);
  if (!told.ok() || !fate.cancelled || !options_.people) return;
  Choices choices(seed_, "cancel", static_cast<uint64_t>(index));
  Later(choices.Between(absl::Milliseconds(200), absl::Seconds(2)),
        [this, fate, name = ticket.name()] {
          intake::v1::CancelTicketRequest cancel;
          cancel.set_name(name);
          cancel.set_reason("Not needed any more");
          intake::v1::Ticket answer;
          Do(&Stubs::intake, &intake::v1::IntakeService::Stub::CancelTicket, cancel,
             {fate.requester, "requester"}, &answer);
        });
}

void Traffic::Later(absl::Duration delay, std::function<void()> what) {
  absl::MutexLock lock(&mu_);
  errands_.push({Monotonic() + delay, orders_++, std::move(what)});
}

void Traffic::RunErrands() {
  while (!stop_) {
    std::function<void()> what;
    {
      absl::MutexLock lock(&mu_);
      if (!errands_.empty() && errands_.top().when <= Monotonic()) {
        what = errands_.top().what;
        errands_.pop();
      }
    }
    if (what) {
      what();
    } else {
      absl::SleepFor(absl::Milliseconds(10));
    }
  }
}

bool Traffic::Once(const std::string& ticket, const char* what) {
  absl::MutexLock lock(&mu_);
  return done_once_.insert(absl::StrCat(ticket, "/", what)).second;
}

}  // namespace potok::chaos
