#include "ledger/verify.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

#include "ledger/invariants.h"
#include "ledger/sql.h"
#include "ledger/verify_folds.h"
#include "ledger/writer.h"

namespace potok::ledger {
namespace {

InvariantResult Run(pg::Tx& tx, const Invariant& invariant) {
  InvariantResult check;
  check.id = std::string(invariant.id);
  check.title_en = std::string(invariant.title_en);
  check.title_ru = std::string(invariant.title_ru);
  check.quiescent = invariant.quiescent;
  if (invariant.statement == nullptr) {
    check.skipped = std::string(invariant.why_not);
    return check;
  }
  const auto start = std::chrono::steady_clock::now();
  for (const auto& row : tx.Run(*invariant.statement)) {
    Broken(&check,
           absl::StrCat("part ", row["part"].as<std::string>(""), " ",
                        row["what"].as<std::string>(""), ": ", row["detail"].as<std::string>("")));
  }
  check.elapsed = absl::FromChrono(std::chrono::steady_clock::now() - start);
  return check;
}

}  // namespace

VerifyResult VerifyIn(pg::Tx& tx, const ReferenceSnapshot& reference, bool quiescent) {
  VerifyResult result;
  tx.Run(sql::kLongStatements);
  result.as_of = Writer::DatabaseNow(tx);
  for (const Invariant& invariant : Invariants()) {
    if (invariant.quiescent && !quiescent) continue;
    result.checks.push_back(Run(tx, invariant));
  }
  CheckFolds(tx, reference, &result.checks);
  const pqxx::result counts = tx.Run(sql::kCountLedger);
  result.tickets = counts[0][0].as<int64_t>();
  result.events = counts[0][1].as<int64_t>();
  for (const InvariantResult& check : result.checks) result.clean &= check.rows == 0;
  return result;
}

absl::StatusOr<VerifyResult> Verify(pg::Pool& pool, const ReferenceSnapshot& reference,
                                    bool quiescent) {
  pg::TxOptions options;
  options.read_only = true;
  options.snapshot = true;
  options.whole_tables = true;
  return pg::InTransaction(pool, options, [&](pg::Tx& tx) -> absl::StatusOr<VerifyResult> {
    // The first statement, so that the snapshot is taken under it.
    tx.KeepTable(
        "ledger.outbox");  // Its idle slot is truncated, which a snapshot does not survive.
    return VerifyIn(tx, reference, quiescent);
  });
}

}  // namespace potok::ledger
