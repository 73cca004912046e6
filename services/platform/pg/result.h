#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace potok::pg {

// Readers for the column types pqxx has no good answer for. They throw pqxx::conversion_error on
// text that is not of the type, which InTransaction turns into INTERNAL: the statement is wrong.

// A timestamptz. Understands the server's ISO output in any session time zone, and infinity.
absl::Time FromTimestamp(const pqxx::field& field);
std::optional<absl::Time> FromNullableTimestamp(const pqxx::field& field);

// A one-dimensional array of any type whose elements print as text: text[], uuid[], int[].
// A NULL array reads as empty; a NULL element is refused.
std::vector<std::string> FromTextArray(const pqxx::field& field);
std::vector<std::int64_t> FromIntArray(const pqxx::field& field);

// NULL reads as nullopt.
std::optional<std::string> FromNullableText(const pqxx::field& field);

// A bytea, with its NULs.
std::string FromBytes(const pqxx::field& field);

}  // namespace potok::pg
