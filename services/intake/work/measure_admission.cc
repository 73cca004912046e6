#include "intake/work/measure_admission.h"

#include <utility>

#include "base/status_macros.h"
#include "intake/sql.h"
#include "platform/obs/log.h"
#include "platform/pg/transaction.h"

namespace potok::intake {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(1);

const char* Name(AdmissionState state) {
  switch (state) {
    case AdmissionState::kOpen: return "open";
    case AdmissionState::kSheddingLow: return "shedding low";
    case AdmissionState::kSheddingAll: return "shedding all";
  }
  return "";
}

}  // namespace

absl::StatusOr<absl::Duration> MeasureAdmission(pg::Pool& pool, Admission& admission) {
  using Measured = std::pair<AdmissionFacts, absl::Time>;
  POTOK_ASSIGN_OR_RETURN(
      const Measured measured,
      pg::InAutocommit(pool, {}, [&](pg::Tx& tx) -> absl::StatusOr<Measured> {
        const pqxx::row row = tx.Run(sql::kAdmissionFacts, admission.limits().hard_rows + 1)[0];
        return Measured{{.outbox_rows = row["outbox_rows"].as<std::int64_t>(),
                         .log_lag = absl::Milliseconds(row["lag_ms"].as<std::int64_t>())},
                        pg::FromTimestamp(row["at"])};
      }));
  const auto& [facts, now] = measured;
  if (admission.Measured(facts, now)) {
    obs::LogWarn("admission.changed", "what new requests are taken has changed",
                 {{"admission", Name(admission.Now().state)},
                  {"outbox_rows", facts.outbox_rows},
                  {"log_lag_ms", facts.log_lag}});
  }
  return kEvery;
}

}  // namespace potok::intake
