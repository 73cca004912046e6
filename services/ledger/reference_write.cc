#include "ledger/reference_write.h"

#include "ledger/sql.h"

namespace potok::ledger {

void BumpEpoch(pg::Tx& tx, const char* kind) { tx.Run(sql::kReferenceBump, kind); }

}  // namespace potok::ledger
