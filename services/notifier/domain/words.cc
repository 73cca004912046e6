#include "notifier/domain/words.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace potok::notifier {
namespace {

struct Weekday {
  const char* until_ru;
  const char* on_ru;
  const char* en;
};
// In the order of absl::Weekday, from Monday.
constexpr Weekday kWeekdays[] = {
    {"понедельника", "в понедельник", "Monday"}, {"вторника", "во вторник", "Tuesday"},
    {"среды", "в среду", "Wednesday"},           {"четверга", "в четверг", "Thursday"},
    {"пятницы", "в пятницу", "Friday"},          {"субботы", "в субботу", "Saturday"},
    {"воскресенья", "в воскресенье", "Sunday"}};
constexpr const char* kMonthsRu[] = {"января",   "февраля", "марта",  "апреля",
                                     "мая",      "июня",    "июля",   "августа",
                                     "сентября", "октября", "ноября", "декабря"};
constexpr const char* kMonthsEn[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

struct Moment {
  absl::CivilSecond civil;
  const Weekday* weekday;
  bool other_year;

  std::string DayRu() const {
    return absl::StrCat(civil.day(), " ", kMonthsRu[civil.month() - 1],
                        other_year ? absl::StrCat(" ", civil.year(), " года") : "");
  }
  std::string DayEn() const {
    return absl::StrCat(civil.day(), " ", kMonthsEn[civil.month() - 1],
                        other_year ? absl::StrCat(" ", civil.year()) : "");
  }
  std::string Clock() const { return absl::StrFormat("%02d:%02d", civil.hour(), civil.minute()); }
};

Moment MomentOf(absl::Time instant, absl::TimeZone zone, absl::Time now) {
  const absl::CivilSecond civil = absl::ToCivilSecond(instant, zone);
  const int day = static_cast<int>(absl::GetWeekday(civil));
  return {civil, &kWeekdays[day], civil.year() != absl::ToCivilSecond(now, zone).year()};
}

bool EndsWithAny(absl::string_view word, std::initializer_list<absl::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](absl::string_view ending) {
    return word.size() > ending.size() && absl::EndsWith(word, ending);
  });
}

bool IsPatronymic(absl::string_view word) {
  return EndsWithAny(word, {"ович", "евич", "овна", "евна", "ична", "инична"}) || word == "Ильич" ||
         word == "Кузьмич" || word == "Лукич" || word == "Фомич";
}

bool LooksLikeSurname(absl::string_view word) {
  // Given names that end like surnames; the list is short because such names are.
  static constexpr absl::string_view kGiven[] = {
      "Ирина",    "Марина",   "Екатерина", "Полина",    "Алина",    "Кристина", "Арина",
      "Карина",   "Галина",   "Нина",      "Валентина", "Ангелина", "Регина",   "Константин",
      "Мартин",   "Валентин", "Дина",      "Зина",      "Катерина", "Альбина",  "Августин",
      "Антонина", "Василина", "Эвелина",   "Каролина",  "Сабина",   "Мирослав", "Лев"};
  if (std::find(std::begin(kGiven), std::end(kGiven), word) != std::end(kGiven)) return false;
  return EndsWithAny(word, {"ов", "ова", "ев", "ева", "ёв", "ёва", "ин", "ина", "ын", "ына", "ский",
                            "ская", "цкий", "цкая", "енко", "ук", "юк", "ых", "их"});
}

}  // namespace

std::string CountRu(int64_t n, absl::string_view one, absl::string_view few,
                    absl::string_view many) {
  const int64_t tens = (n < 0 ? -n : n) % 100;
  const int64_t units = tens % 10;
  if (tens >= 11 && tens <= 14) return absl::StrCat(n, " ", many);
  if (units == 1) return absl::StrCat(n, " ", one);
  if (units >= 2 && units <= 4) return absl::StrCat(n, " ", few);
  return absl::StrCat(n, " ", many);
}

std::string CountEn(int64_t n, absl::string_view one, absl::string_view many) {
  return absl::StrCat(n, " ", n == 1 ? one : many);
}

std::string Until(absl::Time instant, absl::TimeZone zone, absl::string_view locale,
                  absl::Time now) {
  const Moment moment = MomentOf(instant, zone, now);
  if (locale == "ru") {
    return absl::StrCat(moment.weekday->until_ru, " ", moment.DayRu(), " ", moment.Clock());
  }
  return absl::StrCat(moment.weekday->en, " ", moment.DayEn(), ", ", moment.Clock());
}

std::string On(absl::Time instant, absl::TimeZone zone, absl::string_view locale, absl::Time now) {
  const Moment moment = MomentOf(instant, zone, now);
  if (locale == "ru") {
    return absl::StrCat(moment.weekday->on_ru, " ", moment.DayRu(), " в ", moment.Clock());
  }
  return absl::StrCat("on ", moment.weekday->en, " ", moment.DayEn(), " at ", moment.Clock());
}

std::string GivenName(absl::string_view full_name) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(full_name, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  if (words.empty()) return "";
  for (size_t i = 1; i < words.size(); ++i) {
    if (IsPatronymic(words[i])) return std::string(words[i - 1]);
  }
  if (words.size() >= 2 && LooksLikeSurname(words[0]) && !LooksLikeSurname(words[1])) {
    return std::string(words[1]);
  }
  return std::string(words[0]);
}

}  // namespace potok::notifier
