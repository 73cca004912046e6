// Two macros for early return on absl::Status; Debian's Abseil ships none.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the calling function when `expr` is not OK.
#define POTOK_RETURN_IF_ERROR(expr)                               \
  do {                                                            \
    if (absl::Status potok_status = (expr); !potok_status.ok()) { \
      return potok_status;                                        \
    }                                                             \
  } while (false)

#define POTOK_CONCAT_INNER(a, b) a##b
#define POTOK_CONCAT(a, b) POTOK_CONCAT_INNER(a, b)

// Binds the value of a StatusOr expression to `lhs`, or returns its status.
#define POTOK_ASSIGN_OR_RETURN(lhs, expr) \
  POTOK_ASSIGN_OR_RETURN_INNER(POTOK_CONCAT(potok_statusor_, __LINE__), lhs, expr)
#define POTOK_ASSIGN_OR_RETURN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                                 \
  if (!tmp.ok()) return std::move(tmp).status();     \
  lhs = std::move(tmp).value()
