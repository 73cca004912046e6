#include "desk/calendar/calendar.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/string_view.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/calendar/local_days.h"

namespace potok::desk {
namespace {

// A sane bound on what one definition may make the process allocate.
constexpr int kEarliestYear = 1970;
constexpr int kLatestYear = 2200;

int64_t YearStart(const absl::TimeZone& zone, int year) {
  return absl::ToUnixMicros(absl::FromCivil(absl::CivilSecond(year, 1, 1), zone));
}

// Collects spans of microseconds and joins neighbours that say the same.
class SpanList {
 public:
  void Append(int64_t from, int64_t to, bool counted, absl::string_view cause,
              const DayException* named = nullptr) {
    if (from >= to) return;
    CountedSpan span{
        absl::FromUnixMicros(from), absl::FromUnixMicros(to), counted, std::string(cause), {}, {}};
    if (named != nullptr) {
      span.name_ru = named->name_ru;
      span.name_en = named->name_en;
    }
    if (!spans_.empty()) {
      CountedSpan& last = spans_.back();
      if (last.counted == counted && last.cause == span.cause && last.name_ru == span.name_ru &&
          last.name_en == span.name_en) {
        last.end = span.end;
        return;
      }
    }
    spans_.push_back(std::move(span));
  }

  std::vector<CountedSpan> Take() { return std::move(spans_); }

 private:
  std::vector<CountedSpan> spans_;
};

// Minutes of one day with one cause.
struct DayPiece {
  int start_minute;
  int end_minute;
  bool counted;
  absl::string_view cause;
  const DayException* named;
};

bool Covers(const std::vector<DayInterval>& intervals, int minute) {
  return std::any_of(intervals.begin(), intervals.end(), [minute](const DayInterval& interval) {
    return interval.start_minute <= minute && minute < interval.end_minute;
  });
}

std::vector<DayPiece> WorkingDayPieces(const DayPlan& plan, const DayException* exception) {
  // Every edge of either list is a place where the cause may change; between edges it is constant.
  std::vector<int> edges = {0, kMinutesOfDay};
  for (const auto* list : {&plan.working, &plan.ordinary}) {
    for (const DayInterval& interval : *list) {
      edges.push_back(interval.start_minute);
      edges.push_back(interval.end_minute);
    }
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());

  const int day_start = plan.ordinary.front().start_minute;
  const int day_end = plan.ordinary.back().end_minute;
  const bool named_work = exception != nullptr && exception->kind != DayException::kShortened;
  std::vector<DayPiece> pieces;
  for (size_t i = 0; i + 1 < edges.size(); ++i) {
    const int from = edges[i];
    const int to = edges[i + 1];
    if (Covers(plan.working, from)) {
      pieces.push_back({from, to, true, "working", named_work ? exception : nullptr});
    } else if (Covers(plan.ordinary, from)) {
      pieces.push_back({from, to, false, "shortened", exception});
    } else {
      pieces.push_back(
          {from, to, false, from < day_start || from >= day_end ? "night" : "lunch", nullptr});
    }
  }
  return pieces;
}

std::vector<DayPiece> DayPieces(const CalendarDefinition& definition, const DayPlan& plan) {
  const DayException* exception =
      plan.exception < 0 ? nullptr : &definition.exceptions[plan.exception];
  if (!plan.ordinary.empty()) return WorkingDayPieces(plan, exception);
  if (exception == nullptr) return {{0, kMinutesOfDay, false, "weekend", nullptr}};
  const bool holiday = exception->kind == DayException::kHoliday;
  return {{0, kMinutesOfDay, false, holiday ? "holiday" : "day_off", exception}};
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Calendar>> Calendar::Compile(CalendarDefinition definition,
                                                                  int first_year, int last_year) {
  POTOK_RETURN_IF_ERROR(Validate(definition));
  if (first_year < kEarliestYear || last_year > kLatestYear || first_year > last_year) {
    return BadField("years", "years go from 1970 to 2200, the first not after the last",
                    "годы задаются от 1970 до 2200, первый не позже последнего");
  }
  absl::TimeZone zone;
  absl::LoadTimeZone(definition.zone, &zone);  // Validate() has already loaded it.
  return std::shared_ptr<const Calendar>(
      new Calendar(std::move(definition), zone, first_year, last_year));
}

Calendar::Calendar(CalendarDefinition definition, absl::TimeZone zone, int first_year,
                   int last_year)
    : definition_(std::move(definition)),
      plans_(definition_),
      zone_(zone),
      normal_day_(absl::Minutes(TotalMinutes(definition_.week[LongestWeekday(definition_)]))),
      begin_(YearStart(zone, first_year)),
      end_(YearStart(zone, last_year + 1)) {
  CompileIntervals();
}

void Calendar::CompileIntervals() {
  int64_t last_end = begin_ - 1;
  worked_.push_back(0);
  ForEachLocalDay(
      zone_, begin_, end_, [&](absl::CivilDay date, int64_t midnight, int64_t from, int64_t to) {
        for (const DayInterval& interval : plans_.For(date).working) {
          const int64_t start = std::max(from, midnight + interval.start_minute * kMicrosPerMinute);
          const int64_t end = std::min(to, midnight + interval.end_minute * kMicrosPerMinute);
          if (start >= end) continue;
          if (start == last_end) {
            worked_.back() +=
                end - start;  // 24:00 meets 0:00: a calendar around the clock is one interval.
          } else {
            starts_.push_back(start);
            worked_.push_back(worked_.back() + end - start);
          }
          last_end = end;
        }
      });
  starts_.shrink_to_fit();
  worked_.shrink_to_fit();
}

int64_t Calendar::WorkedBy(int64_t t) const {
  t = std::clamp(t, begin_, end_);
  const size_t after = std::upper_bound(starts_.begin(), starts_.end(), t) - starts_.begin();
  if (after == 0) return 0;
  return std::min(worked_[after - 1] + (t - starts_[after - 1]), worked_[after]);
}

absl::Time Calendar::Add(absl::Time start, absl::Duration working) const {
  const int64_t micros = absl::ToInt64Microseconds(working);
  const int64_t from = absl::ToUnixMicros(start);
  if (micros == 0) return absl::FromUnixMicros(from);
  const int64_t done = WorkedBy(from);
  if (micros > 0) {
    if (micros > worked_.back() - done) return absl::FromUnixMicros(std::max(from, end_));
    // The first interval by whose end the target is reached.
    const size_t i =
        std::lower_bound(worked_.begin() + 1, worked_.end(), done + micros) - worked_.begin() - 1;
    return absl::FromUnixMicros(starts_[i] + (done + micros - worked_[i]));
  }
  if (micros < -done) return absl::FromUnixMicros(std::min(from, begin_));
  // The last interval at whose start no more than the target has been worked.
  const size_t i =
      std::upper_bound(worked_.begin(), worked_.end() - 1, done + micros) - worked_.begin() - 1;
  return absl::FromUnixMicros(starts_[i] + (done + micros - worked_[i]));
}

absl::Duration Calendar::Between(absl::Time a, absl::Time b) const {
  return absl::Microseconds(WorkedBy(absl::ToUnixMicros(b)) - WorkedBy(absl::ToUnixMicros(a)));
}

bool Calendar::IsWorking(absl::Time t) const {
  const int64_t at = absl::ToUnixMicros(t);
  const size_t after = std::upper_bound(starts_.begin(), starts_.end(), at) - starts_.begin();
  return after > 0 && at - starts_[after - 1] < worked_[after] - worked_[after - 1];
}

std::vector<CountedSpan> Calendar::Explain(absl::Time a, absl::Time b) const {
  const int64_t from = absl::ToUnixMicros(a);
  const int64_t to = absl::ToUnixMicros(b);
  SpanList spans;
  spans.Append(from, std::min(to, begin_), false, "beyond_calendar");
  ForEachLocalDay(zone_, std::max(from, begin_), std::min(to, end_),
                  [&](absl::CivilDay date, int64_t midnight, int64_t start, int64_t end) {
                    for (const DayPiece& piece : DayPieces(definition_, plans_.For(date))) {
                      spans.Append(
                          std::max(start, midnight + piece.start_minute * kMicrosPerMinute),
                          std::min(end, midnight + piece.end_minute * kMicrosPerMinute),
                          piece.counted, piece.cause, piece.named);
                    }
                  });
  spans.Append(std::max(from, end_), to, false, "beyond_calendar");
  return spans.Take();
}

}  // namespace potok::desk
