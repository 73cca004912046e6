#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"

#include "platform/log/entry.h"
#include "platform/pg/transaction.h"

namespace potok::log {

// Applies the entries' effects inside `tx`, which also moves the offsets past them: both commit or
// neither. Entries are ascending by (topic, part, position). Runs again from nothing when the
// transaction is repeated, and must not touch what does not roll back.
//
// A dead letter that is replayed comes alone, and after entries of its ticket that followed it in
// the log: so an effect follows from the ticket's rows and not from the order of entries, and what
// later entries have done already is not done again.
using Handler = std::function<absl::Status(pg::Tx& tx, const std::vector<LogEntry>& entries)>;

}  // namespace potok::log
