#include "intake/domain/admission.h"

#include <utility>

#include "base/error.h"

namespace potok::intake {
namespace {

constexpr int kLowPriority = 4;

// Whether `value` keeps up a state that began beyond `limit`.
template <class T>
bool StillHigh(T value, T limit) {
  return value * 5 > limit * 4;
}

}  // namespace

AdmissionState NextAdmission(AdmissionState before, const AdmissionFacts& facts,
                             const AdmissionLimits& limits) {
  const bool flooded = facts.outbox_rows > limits.hard_rows;
  if (flooded ||
      (before == AdmissionState::kSheddingAll && StillHigh(facts.outbox_rows, limits.hard_rows))) {
    return AdmissionState::kSheddingAll;
  }
  const bool behind = facts.outbox_rows > limits.soft_rows || facts.log_lag > limits.lag;
  if (behind ||
      (before != AdmissionState::kOpen &&
       (StillHigh(facts.outbox_rows, limits.soft_rows) || StillHigh(facts.log_lag, limits.lag)))) {
    return AdmissionState::kSheddingLow;
  }
  return AdmissionState::kOpen;
}

bool IsPutOff(AdmissionState state, int priority, bool bulk) {
  switch (state) {
    case AdmissionState::kOpen: return false;
    case AdmissionState::kSheddingLow: return bulk || priority >= kLowPriority;
    case AdmissionState::kSheddingAll: return true;
  }
  return true;
}

absl::Status CreatesPaused(AdmissionState state, double uniform) {
  const bool all = state == AdmissionState::kSheddingAll;
  ErrorDetail detail;
  // A backlog of the soft limit takes some ten seconds to drain at a few thousand entries a second.
  detail.retry_after = absl::Seconds(10) * (1 + uniform);
  detail.metadata["admission"] = all ? "SHEDDING_ALL" : "SHEDDING_LOW";
  detail.ru = all ? "Система не успевает разбирать поток заявок; новые временно не принимаются, по "
                    "уже поданным работа идёт. Повторите с тем же request_id чуть позже."
                  : "Система не успевает разбирать поток заявок; заявки с низким приоритетом и "
                    "массовая подача временно откладываются. Повторите с тем же request_id чуть "
                    "позже.";
  return MakeError(
      absl::StatusCode::kResourceExhausted, "CREATES_PAUSED",
      all ? "more is written than can be passed on; no new requests are taken for the time being, "
            "work on those filed goes on; repeat with the same request_id a little later"
          : "more is written than can be passed on; requests of low priority and in bulk are put "
            "off for the time being; repeat with the same request_id a little later",
      std::move(detail));
}

bool Admission::Measured(const AdmissionFacts& facts, absl::Time now) {
  absl::MutexLock lock(&mu_);
  const AdmissionState before = state_;
  const AdmissionState after = NextAdmission(before, facts, limits_);
  facts_ = facts;
  if (after != before || since_ == absl::InfinitePast()) since_ = now;
  state_ = after;
  return after != before;
}

absl::Status Admission::Check(int priority, bool bulk, double uniform) {
  const AdmissionState state = state_;
  if (!IsPutOff(state, priority, bulk)) return absl::OkStatus();
  ++put_off_;
  return CreatesPaused(state, uniform);
}

Admission::View Admission::Now() const {
  absl::MutexLock lock(&mu_);
  return {.state = state_, .since = since_, .facts = facts_};
}

}  // namespace potok::intake
