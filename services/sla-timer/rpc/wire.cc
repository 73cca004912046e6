#include "sla-timer/rpc/wire.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/error.h"

namespace potok::sla_timer {
namespace {

// 0001-01-01 and 9999-12-31T23:59:59, the range of a protobuf timestamp.
constexpr int64_t kFirstSecond = -62135596800;
constexpr int64_t kLastSecond = 253402300799;

}  // namespace

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);  // Rounds down, so nanos are never negative.
  out->set_seconds(seconds);
  out->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void SetDuration(absl::Duration duration, google::protobuf::Duration* out) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration - absl::Seconds(seconds))));
}

absl::StatusOr<absl::Time> TimeFromWire(absl::string_view field,
                                        const google::protobuf::Timestamp& time) {
  if (time.seconds() < kFirstSecond || time.seconds() > kLastSecond || time.nanos() < 0 ||
      time.nanos() > 999999999) {
    return BadField(std::string(field),
                    "must be an instant of the years 1 to 9999, nanos 0 to 999999999",
                    "момент должен быть в годах с 1 по 9999, nanos от 0 до 999999999");
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Duration DurationFromWire(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string IdOf(absl::string_view collection, absl::string_view name) {
  if (!absl::ConsumePrefix(&name, collection) || !absl::ConsumePrefix(&name, "/")) return "";
  return std::string(name.substr(0, name.find('/')));
}

absl::Status WithFields(const absl::Status& status,
                        const std::function<std::string(const std::string&)>& rename) {
  if (status.ok()) return status;
  std::vector<FieldViolation> violations = GetErrorDetail(status).fields;
  for (FieldViolation& violation : violations) violation.field = rename(violation.field);
  return BadFields(std::move(violations));
}

absl::Time TokenTime(const Clock& clock) {
  return absl::UnixEpoch() + clock.ToReal(clock.Now() - absl::UnixEpoch());
}

}  // namespace potok::sla_timer
