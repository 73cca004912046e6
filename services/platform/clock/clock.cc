#include "platform/clock/clock.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status_macros.h"
#include "platform/clock/sql.h"
#include "platform/pg/transaction.h"

namespace potok {
namespace {

constexpr absl::Duration kRefresh = absl::Seconds(5);
constexpr int kTrips = 8;

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

absl::StatusOr<std::string> EnsureOrigin(pg::Pool& pool, const TimeFlags& flags) {
  if (!(flags.scale > 0)) {
    return absl::InvalidArgumentError("--time-scale must be a positive number, such as 60");
  }
  const bool asked = flags.scale != 1.0 || flags.origin.has_value();
  return pg::InTransaction(pool, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::string> {
    if (asked) tx.Run(clock::sql::kInsertOrigin, flags.origin, flags.scale);
    const pqxx::result rows = tx.Run(clock::sql::kReadOrigin);
    if (rows.empty()) return std::string();
    const double scale = rows[0]["scale"].as<double>();
    const absl::Time origin = pg::FromTimestamp(rows[0]["business_origin"]);
    const bool same =
        scale == flags.scale && (!flags.origin.has_value() || *flags.origin == origin);
    if (asked && same) return std::string();
    return absl::StrFormat(
        "business time of this installation starts at %s and runs %g times as fast; the flags of "
        "this start are not used",
        pg::ToTimestamp(origin), scale);
  });
}

absl::StatusOr<std::unique_ptr<DbClock>> DbClock::Start(pg::Pool& pool) {
  std::unique_ptr<DbClock> clock(new DbClock(pool));
  POTOK_ASSIGN_OR_RETURN(Reading first, clock->Sample());
  {
    absl::MutexLock lock(&clock->mu_);
    clock->reading_ = first;
    clock->guard_.Sampled(first.db_minus_monotonic);
  }
  clock->thread_ = std::thread([c = clock.get()] { c->Run(); });
  return clock;
}

DbClock::~DbClock() {
  stop_.Notify();
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<DbClock::Reading> DbClock::Sample() {
  // Autocommit: a BEGIN between the two readings of the monotonic clock would only add noise.
  return pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<Reading> {
    Reading best;
    best.round_trip = absl::InfiniteDuration();
    for (int trip = 0; trip < kTrips; ++trip) {
      const absl::Duration before = Monotonic();
      const pqxx::result rows = tx.Run(clock::sql::kSample);
      const absl::Duration after = Monotonic();
      if (after - before >= best.round_trip) continue;
      const absl::Duration db = absl::Microseconds(rows[0]["now_us"].as<std::int64_t>());
      best.round_trip = after - before;
      best.db_minus_monotonic = db - (before + after) / 2;
      if (!rows[0]["scale"].is_null()) {
        best.scale = rows[0]["scale"].as<double>();
        best.real_origin = pg::FromTimestamp(rows[0]["real_origin"]);
        best.business_origin = pg::FromTimestamp(rows[0]["business_origin"]);
      }
    }
    return best;
  });
}

void DbClock::Run() {
  while (!stop_.WaitForNotificationWithTimeout(kRefresh)) {
    const absl::StatusOr<Reading> sample = Sample();
    // Without the database the last offset stays good: monotonic clocks drift by parts per million.
    if (!sample.ok()) continue;
    absl::MutexLock lock(&mu_);
    guard_.Sampled(sample->db_minus_monotonic);
    stable_.store(guard_.stable());
    reading_ = *sample;
  }
}

DbClock::Reading DbClock::Current() const {
  absl::ReaderMutexLock lock(&mu_);
  return reading_;
}

absl::Time DbClock::Now() const {
  const Reading reading = Current();
  const absl::Time real = absl::UnixEpoch() + Monotonic() + reading.db_minus_monotonic;
  if (reading.scale == 1.0 && reading.real_origin == reading.business_origin) return real;
  return reading.business_origin + (real - reading.real_origin) * reading.scale;
}

absl::Duration DbClock::ToReal(absl::Duration business) const { return business / Current().scale; }

absl::Duration DbClock::Error() const { return Current().round_trip / 2; }

}  // namespace potok
