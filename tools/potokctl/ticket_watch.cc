#include "ticket_watch.h"

#include <utility>

namespace potok::ctl {

TicketWatch::TicketWatch(Connection& connection, std::string ticket, As as)
    : connection_(connection),
      ticket_(std::move(ticket)),
      as_(std::move(as)),
      thread_([this] { Run(); }) {}

TicketWatch::~TicketWatch() {
  {
    absl::MutexLock lock(&mu_);
    stop_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  thread_.join();
}

int64_t TicketWatch::Last() const {
  absl::MutexLock lock(&mu_);
  return events_.empty() ? 0 : events_.back().version();
}

void TicketWatch::Run() {
  while (true) {
    ReadOnce();
    absl::MutexLock lock(&mu_);
    const auto stopped = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stop_; };
    if (mu_.AwaitWithTimeout(absl::Condition(&stopped), absl::Milliseconds(100))) return;
  }
}

void TicketWatch::ReadOnce() {
  const std::unique_ptr<grpc::ClientContext> context = connection_.Context(as_, absl::Minutes(10));
  {
    absl::MutexLock lock(&mu_);
    if (stop_) return;
    context_ = context.get();
  }
  intake::v1::WatchTicketRequest request;
  request.set_name(ticket_);
  request.set_after_version(Last());
  const auto stream = connection_.intake->WatchTicket(context.get(), request);
  intake::v1::WatchTicketResponse message;
  while (stream->Read(&message)) {
    if (!message.has_change()) continue;
    absl::MutexLock lock(&mu_);
    events_.push_back(message.change().event());
  }
  stream->Finish();  // Why it ended does not matter: it is opened again until the destructor.
  absl::MutexLock lock(&mu_);
  context_ = nullptr;
}

std::optional<intake::v1::TicketEvent> TicketWatch::Await(intake::v1::TicketEvent::Type type,
                                                          int64_t after_version,
                                                          absl::Duration patience) {
  std::optional<intake::v1::TicketEvent> found;
  const auto look = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (const intake::v1::TicketEvent& event : events_) {
      if (event.type() != type || event.version() <= after_version) continue;
      found = event;
      return true;
    }
    return false;
  };
  absl::MutexLock lock(&mu_);
  mu_.AwaitWithTimeout(absl::Condition(&look), patience);
  return found;
}

}  // namespace potok::ctl
