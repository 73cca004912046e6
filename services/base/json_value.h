// Reading JSON values as what they are meant to be. Thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "nlohmann/json.hpp"

namespace potok {

// The value when it is a whole number that fits; nothing otherwise. nlohmann's get<int>() also
// takes true for 1, cuts what is too large, and is undefined for 1e300.
template <class Integer>
std::optional<Integer> WholeNumber(const nlohmann::json& value) {
  static_assert(std::is_integral_v<Integer> && std::is_signed_v<Integer>);
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX}) {
    return std::nullopt;
  }
  const auto number = value.get<int64_t>();
  if (number < std::numeric_limits<Integer>::min() ||
      number > std::numeric_limits<Integer>::max()) {
    return std::nullopt;
  }
  return static_cast<Integer>(number);
}

// As value.get<T>(), which throws for another type; whole numbers are read by WholeNumber and throw
// std::invalid_argument when there is none.
template <class T>
T ReadAs(const nlohmann::json& value) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    const std::optional<T> number = WholeNumber<T>(value);
    if (!number) throw std::invalid_argument(value.dump() + " is no whole number that fits");
    return *number;
  } else {
    return value.get<T>();
  }
}

}  // namespace potok
