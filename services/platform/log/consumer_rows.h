#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/log/consumer_core.h"
#include "platform/log/entry.h"
#include "platform/log/lease_core.h"
#include "platform/pg/transaction.h"

// The rows of a consumer group, in the words of its core. Everything that changes something is
// guarded by the lease tokens of `held`, among which the streams of an action are.
namespace potok::log {

// An entry during whose attempt the owner before us vanished.
struct DiedAt {
  Stream stream;
  std::int64_t pos = 0;
  int deaths = 0;  // there, so far
};

// Of the transaction that gains leases: the tokens go to where moves are checked, and streams whose
// owner vanished are to be handled with care for the next `careful` entries.
std::vector<DiedAt> StampOffsets(pg::Tx& tx, const std::string& group,
                                 const std::vector<int>& topics, const std::vector<Held>& gained,
                                 int careful);

std::vector<StreamPlace> ReadPlaces(pg::Tx& tx, const std::string& group,
                                    const std::vector<int>& topics, const std::vector<Held>& held);

// Moves the offsets past the next entries of the streams, `limit` in all at most; returns those.
std::vector<LogEntry> TakeEntries(pg::Tx& tx, const std::string& group,
                                  const std::vector<Stream>& streams, const std::vector<Held>& held,
                                  int limit);

// What a kNote, kUnnote and kPark ask for.
bool NoteAttempt(pg::Tx& tx, const std::string& group, const ConsumerAction& action,
                 const std::vector<Held>& held);
void UnnoteAttempt(pg::Tx& tx, const std::string& group, const ConsumerAction& action,
                   const std::vector<Held>& held);
std::optional<LogEntry> ParkEntry(pg::Tx& tx, const std::string& group,
                                  const ConsumerAction& action, const std::vector<Held>& held);

}  // namespace potok::log
