// What SQL cannot say about a ticket: that its row is the fold of its events, that each of them was
// possible where it happened, and that its due instant is what the calendar says. Part of verify.h.
#pragma once

#include <vector>

#include "ledger/reference.h"
#include "ledger/verify.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {

// Counts a contradiction and keeps the first few as examples.
void Broken(InvariantResult* check, std::string example);

// Appends F1 and I27, and adds to I9 of `checks` the events that the state machine does not allow.
// Looks at the tickets filed last, 20 000 at most: what is older has been looked at before. Throws
// pqxx.
void CheckFolds(pg::Tx& tx, const ReferenceSnapshot& reference,
                std::vector<InvariantResult>* checks);

}  // namespace potok::ledger
