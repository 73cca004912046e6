// Tells the other services that reference data has changed.
#pragma once

#include "platform/pg/transaction.h"

namespace potok::ledger {

// The kinds of reference data, as ledger.reference_epoch names them.
inline constexpr char kFlowKind[] = "flow";
inline constexpr char kCalendarKind[] = "calendar";
inline constexpr char kPolicyKind[] = "sla_policy";
inline constexpr char kDirectoryKind[] = "directory";
inline constexpr char kMemberKind[] = "member";

// Call it in the transaction that changes rows of `kind`, after all other locks are taken: it holds
// the epoch's row until the commit. Every Reference re-reads the kind within a poll of the commit;
// the own one is brought up at once by Reference::Refresh() after it. Throws pqxx.
void BumpEpoch(pg::Tx& tx, const char* kind);

}  // namespace potok::ledger
