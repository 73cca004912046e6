#include "intake/domain/ticket_lookups.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/half_gone.h"

namespace potok::intake {
namespace {

absl::Status Overloaded() {
  return MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "too many reads wait for the database; repeat a little later",
                   {.retry_after = absl::Milliseconds(200),
                    .ru = "Слишком много чтений ждут базы данных. Повторите чуть позже."});
}

absl::Status TooLate() {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED",
                   "the deadline passed before the ticket was read",
                   {.ru = "Время вызова истекло до чтения заявки."});
}

}  // namespace

void TicketLookups::Find(std::string id, Deadline deadline, Done done) {
  std::vector<Lookup> mine;
  {
    absl::ReleasableMutexLock lock(&mu_);
    if (waiting_.size() >= kMostWaiting) {
      lock.Release();
      return done(Overloaded());
    }
    waiting_.push_back({std::move(id), now_(), deadline, std::move(done)});
    if (readers_ == kReaders) return;
    ++readers_;
    mine = Take();
  }
  while (!mine.empty()) {
    try {
      Serve(std::move(mine));
    } catch (const std::exception&) {
      // Out of memory, most likely. Whoever was not answered drops `done`, and the reader goes on:
      // one that vanished would leave all who come later waiting.
    }
    absl::MutexLock lock(&mu_);
    mine = Take();
    if (mine.empty()) --readers_;
  }
}

bool TicketLookups::Join(const std::string& id, Deadline deadline, const Done& done) {
  {
    absl::MutexLock lock(&mu_);
    if (readers_ < kReaders) return false;
    if (waiting_.size() < kMostWaiting) {
      waiting_.push_back({id, now_(), deadline, done});
      return true;
    }
  }
  done(Overloaded());
  return true;
}

bool TicketLookups::Busy() const {
  absl::MutexLock lock(&mu_);
  return readers_ == kReaders;
}

std::vector<TicketLookups::Lookup> TicketLookups::Take() {
  std::vector<Lookup> taken;
  while (!waiting_.empty() && taken.size() < kMostTickets) {
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

void TicketLookups::Serve(std::vector<Lookup> lookups) {
  const Deadline now = now_();
  std::vector<Lookup> worth;
  for (Lookup& lookup : lookups) {
    if (lookup.deadline <= now) {
      lookup.done(TooLate());
    } else if (MoreThanHalfGone(lookup.since, now, lookup.deadline)) {
      lookup.done(Overloaded());
    } else {
      worth.push_back(std::move(lookup));
    }
  }
  if (!worth.empty()) ReadFor(worth);
}

void TicketLookups::ReadFor(const std::vector<Lookup>& lookups) {
  std::set<std::string> ids;
  Deadline last = Deadline::min();  // The patience of the most patient one.
  for (const Lookup& lookup : lookups) {
    ids.insert(lookup.id);
    last = std::max(last, lookup.deadline);
  }
  const absl::StatusOr<Tickets> tickets = read_({ids.begin(), ids.end()}, last);
  if (absl::IsInternal(tickets.status()) && ids.size() > 1) {
    // A row that this program cannot read, such as one of a newer release, is nobody else's fault.
    for (const Lookup& lookup : lookups) ReadFor({lookup});
    return;
  }
  for (const Lookup& lookup : lookups) {
    if (!tickets.ok()) {
      lookup.done(tickets.status());
      continue;
    }
    const auto found = tickets->find(lookup.id);
    lookup.done(found == tickets->end() ? nullptr : &found->second);
  }
}

}  // namespace potok::intake
