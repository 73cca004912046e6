#include "intake/domain/ticket_lookups.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace potok::intake {

void TicketLookups::Find(std::string id, Deadline deadline, Done done) {
  std::vector<Lookup> mine;
  {
    absl::MutexLock lock(&mu_);
    waiting_.push_back({std::move(id), deadline, std::move(done)});
    if (readers_ == kReaders) return;
    ++readers_;
    mine = Take();
  }
  while (!mine.empty()) {
    Serve(mine);
    absl::MutexLock lock(&mu_);
    mine = Take();
    if (mine.empty()) --readers_;
  }
}

std::vector<TicketLookups::Lookup> TicketLookups::Take() {
  const size_t count = std::min(waiting_.size(), kMostTickets);
  std::vector<Lookup> taken(std::make_move_iterator(waiting_.begin()),
                            std::make_move_iterator(waiting_.begin() + count));
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  return taken;
}

void TicketLookups::Serve(const std::vector<Lookup>& lookups) {
  const Deadline now = std::chrono::steady_clock::now();
  std::set<std::string> ids;
  Deadline last = Deadline::min();  // The patience of the most patient one.
  for (const Lookup& lookup : lookups) {
    if (lookup.deadline <= now) continue;
    ids.insert(lookup.id);
    last = std::max(last, lookup.deadline);
  }
  absl::StatusOr<Tickets> tickets = Tickets();
  if (!ids.empty()) tickets = read_({ids.begin(), ids.end()}, last);
  for (const Lookup& lookup : lookups) {
    if (lookup.deadline <= now) {
      lookup.done(absl::DeadlineExceededError("the deadline passed before the ticket was read"));
    } else if (!tickets.ok()) {
      lookup.done(tickets.status());
    } else {
      const auto found = tickets->find(lookup.id);
      lookup.done(found == tickets->end() ? nullptr : &found->second);
    }
  }
}

}  // namespace potok::intake
