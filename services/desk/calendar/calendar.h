// The engine of business time: how much working time lies between two instants, and when a given
// amount of it will have passed. Pure: no clock, and no input but the zone database when compiling.
//
// An instant counts as worked when a clock on the wall of the calendar's zone shows a time inside
// the day's working intervals. On a day of a clock change this makes skipped minutes worth nothing
// and repeated minutes worth twice, as people work them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/calendar/day_plan.h"
#include "desk/calendar/definition.h"

namespace potok::desk {

// A stretch of time and why it counted or not. Neighbours differ in cause, name or `counted`.
struct CountedSpan {
  absl::Time start;
  absl::Time end;
  bool counted = false;
  // working | lunch | night | weekend | holiday | day_off | shortened, or `beyond_calendar` outside
  // the compiled years. `night` is all that lies before the first and after the last interval of a
  // day.
  std::string cause;
  // The name of the exception that made the span what it is: a holiday, a working Saturday, the
  // hour a shortened day lost. Empty where the weekly pattern rules.
  std::string name_ru;
  std::string name_en;

  friend bool operator==(const CountedSpan&, const CountedSpan&) = default;
};

// Immutable and thread-safe; shared by pointer. Instants and durations are taken down to whole
// microseconds, the resolution of the database, so that a stored due time computes back to itself.
//
// Outside its compiled years a calendar knows no working time: Between() counts nothing there,
// IsWorking() is false, and Add() answers with the end (or, going backwards, the beginning) of the
// range when the range has too little time left. That answer is finite on purpose: it can be stored
// and compared.
class Calendar {
 public:
  static constexpr int kFirstYear = 2015;
  static constexpr int kLastYear = 2045;

  // Compiles the local years [first_year, last_year]. INVALID_ARGUMENT names every wrong field.
  // Costs about a millisecond and 16 bytes per working interval (250 KB for 31 years with a lunch):
  // keep it.
  static absl::StatusOr<std::shared_ptr<const Calendar>> Compile(CalendarDefinition definition,
                                                                 int first_year = kFirstYear,
                                                                 int last_year = kLastYear);

  // The earliest instant at or after `start` by which `working` has been worked, so a term that
  // ends with the working day is due that evening and not next morning. A negative `working` goes
  // back to the latest such instant. Zero is `start` itself, inside working hours or not. Law:
  // Between(start, Add(start, d)) == d within the range.
  absl::Time Add(absl::Time start, absl::Duration working) const;

  // Working time in [a, b); negative when b is before a.
  absl::Duration Between(absl::Time a, absl::Time b) const;

  bool IsWorking(absl::Time t) const;

  // What one "working day" of a term means: the length of the longest ordinary weekday. A term of
  // two days is thus the same amount of work whatever short days it meets.
  absl::Duration NormalDay() const { return normal_day_; }

  // [a, b) cut into spans, in order; their counted length is Between(a, b). Empty when b <= a.
  // Grows with the days between, unlike every other answer here.
  std::vector<CountedSpan> Explain(absl::Time a, absl::Time b) const;

  // The compiled range.
  absl::Time begin() const { return absl::FromUnixMicros(begin_); }
  absl::Time end() const { return absl::FromUnixMicros(end_); }

  const CalendarDefinition& definition() const { return definition_; }

 private:
  Calendar(CalendarDefinition definition, absl::TimeZone zone, int first_year, int last_year);

  void CompileIntervals();
  // Working microseconds from the beginning of the range to `t`, which is clamped to the range.
  int64_t WorkedBy(int64_t t) const;

  const CalendarDefinition definition_;
  const DayPlans plans_;
  const absl::TimeZone zone_;
  const absl::Duration normal_day_;
  const int64_t begin_;
  const int64_t end_;
  // Interval i is [starts_[i], starts_[i] + worked_[i + 1] - worked_[i]), where worked_[i] is all
  // working time before it. Ends are not stored: a search touches half the memory.
  std::vector<int64_t> starts_;
  std::vector<int64_t> worked_;
};

}  // namespace potok::desk
