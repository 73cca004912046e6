#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace potok::pg {

// One numbered step of one schema, as found in services/SCHEMA/store/migrations/NNNN_name.sql.
struct Migration {
  std::string schema;
  int version = 0;
  std::string name;  // file name, for messages
  std::string text;  // may hold many statements; runs in one transaction
};

struct MigrateResult {
  std::vector<std::string> applied;  // "schema/NNNN_name.sql", in order
  int already = 0;                   // steps that had been applied before
  // Steps the database has and this program does not know: it is older than the schema, which is
  // allowed (code at any commit runs on the next schema).
  std::vector<std::string> unknown;
};

// Applies what is missing, in the given order, each step in a transaction of its own that also
// records (schema, version, sha256, at) in public.potok_migration. Concurrent runs take turns under
// an advisory lock and the later ones find everything applied. A step that was changed after it
// had been applied is refused (FAILED_PRECONDITION) before anything is done: a database must never
// hold a schema that no file describes. `dsn` needs the right to create schemas and roles.
absl::StatusOr<MigrateResult> Migrate(const std::string& dsn,
                                      const std::vector<Migration>& migrations, bool dry_run);

// SHA-256 in hex over all steps: the key of a ready-made database.
std::string Digest(const std::vector<Migration>& migrations);

}  // namespace potok::pg
