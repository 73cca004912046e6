// Numbers, instants and names as people say them, in Russian and English. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::notifier {

// "1 час", "2 часа", "5 часов", "11 часов", "21 час".
std::string CountRu(int64_t n, absl::string_view one, absl::string_view few,
                    absl::string_view many);
// "1 hour", "2 hours".
std::string CountEn(int64_t n, absl::string_view one, absl::string_view many);

// An instant on the clock of `zone`, ready to stand after "до" / "by": "среды 18 ноября 18:00",
// "Wednesday 18 November, 18:00". The year is added when it is not that of `now`.
// `locale` is "ru"; anything else reads as English.
std::string Until(absl::Time instant, absl::TimeZone zone, absl::string_view locale,
                  absl::Time now);

// The same, as an answer to "when": "в среду 18 ноября в 18:00", "on Wednesday 18 November at
// 18:00".
std::string On(absl::Time instant, absl::TimeZone zone, absl::string_view locale, absl::Time now);

// How to address a person: "Анна" of "Анна Иванова", "Иванова Анна" and "Иванова Анна Петровна".
// Names come from HR systems in either order; a patronymic settles it, else the ending of a
// surname.
std::string GivenName(absl::string_view full_name);

}  // namespace potok::notifier
