#include "analytics/domain/health.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace potok::analytics {
namespace {

struct Finding {
  Colour colour;
  HealthReason reason;
};

}  // namespace

Health Judge(const desk::Flow& flow, const HealthFacts& facts) {
  std::vector<Finding> findings;
  const auto find = [&findings](bool red, std::string en, std::string ru) {
    findings.push_back({red ? Colour::kRed : Colour::kYellow, {std::move(en), std::move(ru)}});
  };
  if (facts.judged >= kFewestJudged) {
    const int64_t percent = 100 * facts.on_time / facts.judged;
    if (percent < flow.health.yellow_on_time_percent) {
      find(percent < flow.health.red_on_time_percent,
           absl::StrCat(percent, " % on time, at least ", flow.health.yellow_on_time_percent,
                        " % wanted"),
           absl::StrCat("в срок ", percent, " %, нужно не меньше ",
                        flow.health.yellow_on_time_percent, " %"));
    }
  }
  const int64_t waited = absl::ToInt64Minutes(facts.oldest_wait);
  if (facts.queued > 0 && waited > flow.health.yellow_oldest_wait_minutes) {
    find(waited > flow.health.red_oldest_wait_minutes,
         absl::StrCat("the oldest queued ticket waits ", waited, " min, at most ",
                      flow.health.yellow_oldest_wait_minutes, " wanted"),
         absl::StrCat("старшая заявка в очереди ждёт ", waited, " мин, допустимо ",
                      flow.health.yellow_oldest_wait_minutes));
  }
  if (facts.queued > flow.options.overload_threshold) {
    find(facts.queued > 2 * flow.options.overload_threshold,
         absl::StrCat(facts.queued, " tickets are queued, overload begins above ",
                      flow.options.overload_threshold),
         absl::StrCat("в очереди ", facts.queued, ", перегрузка начинается после ",
                      flow.options.overload_threshold));
  }
  if (facts.overdue > 0) {
    find(false, absl::StrCat(facts.overdue, " open tickets are past their term"),
         absl::StrCat("просрочено открытых заявок: ", facts.overdue));
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.colour > b.colour; });
  Health health;
  for (Finding& finding : findings) {
    health.colour = std::max(health.colour, finding.colour);
    health.reasons.push_back(std::move(finding.reason));
  }
  return health;
}

}  // namespace potok::analytics
