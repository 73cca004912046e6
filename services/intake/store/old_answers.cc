#include "intake/store/old_answers.h"

#include <algorithm>

#include "intake/sql.h"
#include "platform/pg/transaction.h"

namespace potok::intake {

absl::StatusOr<int> OldAnswers::Drop(int limit) const {
  return pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<int> {
    const auto tickets = tx.Run(sql::kForgetTicketAnswers, limit).affected_rows();
    const auto reference = tx.Run(sql::kForgetReferenceAnswers, limit).affected_rows();
    return static_cast<int>(std::max(tickets, reference));
  });
}

}  // namespace potok::intake
