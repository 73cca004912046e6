// The invariants of the ledger: statements that return no rows while Potok keeps its promises.
//
// Each stands in a file of ledger/invariants (columns part, what, detail); this is the list of all
// of them, and the one runner behind VerifyLedger, `potokctl verify` and every test that breaks
// something.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "ledger/reference.h"
#include "platform/pg/pool.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {

struct InvariantResult {
  std::string id;  // "I5".
  std::string title_en;
  std::string title_ru;
  bool quiescent = false;             // Holds only when all queued work is done.
  int64_t rows = 0;                   // Rows that contradict it.
  std::vector<std::string> examples;  // Up to five, as text.
  std::string skipped;                // Why it was not checked; empty when it was.
  absl::Duration elapsed;
};

struct VerifyResult {
  std::vector<InvariantResult> checks;
  int64_t tickets = 0;
  int64_t events = 0;
  absl::Time as_of;  // Business time of the snapshot.
  bool clean = true;
};

// Checks all in one read-only snapshot, at any moment and as often as wanted: it stops no writer.
// `quiescent` includes those that hold only after a drain. Any role that reads all schemas may ask.
absl::StatusOr<VerifyResult> Verify(pg::Pool& pool, const ReferenceSnapshot& reference,
                                    bool quiescent);

// The same in a transaction of the caller's, which sees one state throughout. Throws pqxx.
VerifyResult VerifyIn(pg::Tx& tx, const ReferenceSnapshot& reference, bool quiescent);

}  // namespace potok::ledger
