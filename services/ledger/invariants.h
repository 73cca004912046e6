// The list of invariants, apart from their runner.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "platform/pg/statement.h"

namespace potok::ledger {

struct Invariant {
  absl::string_view id;
  absl::string_view title_en;
  absl::string_view title_ru;
  bool quiescent;
  // nullptr: not checked here, for the reason in `why_not`.
  const pg::Statement* statement;
  absl::string_view why_not;
};

absl::Span<const Invariant> Invariants();

}  // namespace potok::ledger
