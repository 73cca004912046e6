#include "platform/pg/migrate.h"

#include <map>
#include <openssl/sha.h>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "platform/pg/transaction.h"

namespace potok::pg {
namespace {

using Key = std::pair<std::string, int>;

std::string Sha256(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

std::string Label(const Migration& step) { return absl::StrCat(step.schema, "/", step.name); }

// Locks out every other run until the end of the transaction, and makes the record's table.
void LockAndPrepare(Tx& tx) {
  tx.Exec("SELECT pg_advisory_xact_lock(hashtext('potok_migration'))");
  tx.Exec(
      "CREATE TABLE IF NOT EXISTS public.potok_migration ("
      " schema text NOT NULL, version int NOT NULL, sha256 text NOT NULL,"
      " at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (schema, version))");
}

std::map<Key, std::string> Recorded(Tx& tx) {
  std::map<Key, std::string> recorded;
  for (const auto& row : tx.Exec("SELECT schema, version, sha256 FROM public.potok_migration")) {
    recorded[{row[0].as<std::string>(), row[1].as<int>()}] = row[2].as<std::string>();
  }
  return recorded;
}

absl::Status CheckUnchanged(const std::map<Key, std::string>& recorded,
                            const std::vector<Migration>& migrations) {
  for (const Migration& step : migrations) {
    const auto found = recorded.find({step.schema, step.version});
    if (found == recorded.end() || found->second == Sha256(step.text)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(Label(step),
                     " was changed after it had been applied to this database; put "
                     "the old text back and add a new step instead"));
  }
  return absl::OkStatus();
}

// The server's words help the author of a step, and a migration is run by an administrator.
absl::Status WithCause(const absl::Status& status, const std::string& label) {
  const std::string cause = Cause(status);
  return absl::Status(
      status.code(),
      absl::StrCat(label, ": ", cause.empty() ? std::string(status.message()) : cause));
}

}  // namespace

std::string Digest(const std::vector<Migration>& migrations) {
  std::string all;
  for (const Migration& step : migrations)
    absl::StrAppend(&all, Label(step), "\n", Sha256(step.text), "\n");
  return Sha256(all);
}

absl::StatusOr<MigrateResult> Migrate(const std::string& dsn,
                                      const std::vector<Migration>& migrations, bool dry_run) {
  // Building an index on a large table takes longer than any call of a service may.
  Pool pool({.dsn = dsn,
             .size = 1,
             .application_name = "potok-migrate",
             .statement_timeout = absl::Hours(1),
             .lock_timeout = absl::Minutes(1)});
  const TxOptions once{.attempts = 1};
  MigrateResult result;
  std::set<Key> known;
  std::set<std::string> schemas;
  for (const Migration& step : migrations) {
    known.insert({step.schema, step.version});
    schemas.insert(step.schema);
  }
  absl::Status status = InTransaction(pool, once, [&](Tx& tx) -> absl::Status {
    LockAndPrepare(tx);
    const auto recorded = Recorded(tx);
    for (const auto& [key, sha] : recorded) {
      if (schemas.contains(key.first) && !known.contains(key)) {
        result.unknown.push_back(absl::StrCat(key.first, "/", key.second));
      }
    }
    POTOK_RETURN_IF_ERROR(CheckUnchanged(recorded, migrations));
    for (const Migration& step : migrations) {
      if (recorded.contains({step.schema, step.version})) {
        ++result.already;
      } else if (dry_run) {
        result.applied.push_back(Label(step));
      }
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return WithCause(status, "looking at public.potok_migration");
  if (dry_run) return result;
  for (const Migration& step : migrations) {
    bool applied = false;
    status = InTransaction(pool, once, [&](Tx& tx) -> absl::Status {
      LockAndPrepare(tx);
      if (Recorded(tx).contains({step.schema, step.version})) return absl::OkStatus();
      tx.Exec(step.text);
      tx.RunText("INSERT INTO public.potok_migration (schema, version, sha256) VALUES ($1, $2, $3)",
                 {ToParam(step.schema), ToParam(step.version), ToParam(Sha256(step.text))});
      applied = true;
      return absl::OkStatus();
    });
    if (!status.ok()) return WithCause(status, Label(step));
    if (applied) result.applied.push_back(Label(step));
  }
  return result;
}

}  // namespace potok::pg
