#include "router/work/wake_feed.h"

#include <numeric>
#include <utility>

#include "desk/ticket/ids.h"
#include "router/store/routing_store.h"

namespace potok::router {
namespace {

// Events after which a queued ticket may find an agent: one came into a queue, or a slot became
// free.
bool Matters(const std::string& type) {
  switch (desk::ParseEventType(type).value_or(desk::EventType::kCommented)) {
    case desk::EventType::kCreated:
    case desk::EventType::kDeclined:
    case desk::EventType::kReturned:
    case desk::EventType::kReopened:
    case desk::EventType::kSentBack:
    case desk::EventType::kResolved:
    case desk::EventType::kCancelled:
    case desk::EventType::kLineChanged:
    case desk::EventType::kTransferred:
    case desk::EventType::kEscalated: return true;
    default: return false;
  }
}

}  // namespace

WakeFeed::WakeFeed(log::ConsumerOptions options, pg::Pool& pool, FlowBell& bell)
    : bell_(bell),
      consumer_(Complete(std::move(options)), pool,
                [this](pg::Tx& tx, const std::vector<log::LogEntry>& entries) {
                  return Handle(tx, entries);
                }) {}

log::ConsumerOptions WakeFeed::Complete(log::ConsumerOptions options) {
  options.group = "router";
  options.topics = {static_cast<int>(desk::Topic::kAssignment),
                    static_cast<int>(desk::Topic::kEscalation)};
  options.parts.resize(desk::kParts);
  std::iota(options.parts.begin(), options.parts.end(), 0);
  options.after_commit = [this](const std::vector<log::LogEntry>&) {
    std::vector<std::string> flows;
    {
      absl::MutexLock lock(&mu_);
      flows.swap(flows_);
    }
    for (const std::string& flow : flows) bell_.Wake(flow);
  };
  return options;
}

absl::Status WakeFeed::Handle(pg::Tx& tx, const std::vector<log::LogEntry>& entries) {
  std::vector<int> parts;
  std::vector<std::string> tickets;
  for (const log::LogEntry& entry : entries) {
    if (!Matters(entry.type)) continue;
    parts.push_back(entry.part);
    tickets.push_back(entry.entity);
  }
  std::vector<std::string> flows;
  if (!tickets.empty()) flows = ReadFlowsOfTickets(tx, parts, tickets);
  absl::MutexLock lock(&mu_);
  flows_ = std::move(flows);
  return absl::OkStatus();
}

}  // namespace potok::router
