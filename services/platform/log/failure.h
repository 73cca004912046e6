#pragma once

#include <string>

#include "absl/status/status.h"

namespace potok::log {

// Whether a handler failed through no fault of its entry: the database was away or busy, or the
// deployment is at fault, with a grant, table, column or function that this release needs and that
// is not there yet. The same entries may well pass the next time, and parking them one after
// another would only spread the damage.
bool IsTransient(const absl::Status& status);

// What is kept in ledger.dlq: code, message, the server's words; at most 2000 bytes of UTF-8 that
// Postgres takes, whatever the handler said.
std::string Why(const absl::Status& status);

}  // namespace potok::log
