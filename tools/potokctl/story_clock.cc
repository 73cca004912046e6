#include "story_clock.h"

#include <algorithm>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"

namespace potok::ctl {
namespace {

constexpr const char* kShortDays[] = {"Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс"};
constexpr const char* kDays[] = {"понедельник", "вторник", "среда",      "четверг",
                                 "пятница",     "суббота", "воскресенье"};
constexpr const char* kMonths[] = {"января", "февраля", "марта",    "апреля",  "мая",    "июня",
                                   "июля",   "августа", "сентября", "октября", "ноября", "декабря"};

// One of "день", "дня", "дней".
const char* Plural(int64_t n, const char* one, const char* few, const char* many) {
  if (n % 10 == 1 && n % 100 != 11) return one;
  if (n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14)) return few;
  return many;
}

}  // namespace

absl::StatusOr<StoryClock> StoryClock::Ask(Connection& connection, const std::string& flow) {
  StoryClock clock;
  if (!absl::SimpleAtod(connection.StackValue("time_scale"), &clock.scale_) || clock.scale_ < 60) {
    return absl::FailedPreconditionError(
        "the story needs a stack whose days pass in seconds: tools/dev demo starts one");
  }
  sla_timer::v1::PreviewPromiseRequest request;
  request.set_flow(absl::StrCat("flows/", flow));
  auto shortest = Steady::duration::max();
  for (int i = 0; i < 8; ++i) {
    const auto before = Steady::now();
    const auto answer = connection.Call(
        *connection.clocks, &sla_timer::v1::SlaTimerService::Stub::PreviewPromise, request, As{});
    const auto trip = Steady::now() - before;
    if (!answer.ok()) return answer.status();
    if (answer->spans().empty())
      return absl::InternalError("a promise without a single span of time");
    if (trip >= shortest) continue;
    shortest = trip;
    clock.real_ = before + trip / 2;
    clock.business_ = absl::FromUnixMicros(
        google::protobuf::util::TimeUtil::TimestampToMicroseconds(answer->spans(0).start_time()));
  }
  return clock;
}

absl::Time StoryClock::Now() const {
  return business_ + absl::FromChrono(Steady::now() - real_) * scale_;
}

void StoryClock::Until(absl::Time instant, const std::atomic<bool>* stop) const {
  while (stop == nullptr || !*stop) {
    const absl::Duration left = Real(instant - Now());
    if (left <= absl::ZeroDuration()) return;
    // In slices, so that a stop is heard.
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(std::min(left, absl::Milliseconds(50))));
  }
}

const absl::TimeZone& Moscow() {
  static const absl::TimeZone zone = [] {
    absl::TimeZone loaded;
    return absl::LoadTimeZone("Europe/Moscow", &loaded) ? loaded : absl::FixedTimeZone(3 * 60 * 60);
  }();
  return zone;
}

std::string Stamp(absl::Time time) {
  const absl::CivilSecond wall = absl::ToCivilSecond(time, Moscow());
  return absl::StrFormat("%s %02d.%02d %02d:%02d",
                         kShortDays[static_cast<int>(absl::GetWeekday(wall))], wall.day(),
                         wall.month(), wall.hour(), wall.minute());
}

std::string DayRu(absl::CivilDay day) {
  return absl::StrCat(kDays[static_cast<int>(absl::GetWeekday(day))], ", ", day.day(), " ",
                      kMonths[day.month() - 1]);
}

std::string TermRu(absl::Duration term) {
  // To the nearest minute: two parts of one term add up to it again.
  const int64_t minutes = absl::ToInt64Minutes(term + absl::Seconds(30));
  if (minutes > 0 && minutes % (8 * 60) == 0) {
    const int64_t days = minutes / (8 * 60);
    return absl::StrCat(days, " ", Plural(days, "рабочий день", "рабочих дня", "рабочих дней"));
  }
  const int64_t hours = minutes / 60;
  if (minutes % 60 == 0) return absl::StrCat(hours, " ", Plural(hours, "час", "часа", "часов"));
  return absl::StrCat(hours, " ч ", minutes % 60, " мин");
}

bool AtWork(absl::Time time) {
  const absl::CivilMinute wall = absl::ToCivilMinute(time, Moscow());
  const absl::Weekday day = absl::GetWeekday(wall);
  if (day == absl::Weekday::saturday || day == absl::Weekday::sunday) return false;
  return wall.hour() >= 9 && wall.hour() < 18 && wall.hour() != 13;
}

}  // namespace potok::ctl
