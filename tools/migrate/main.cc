// potok-migrate: brings a database to the schema of this build.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "migrate/migrations.h"
#include "platform/pg/migrate.h"

namespace {

constexpr char kAbout[] =
    R"(Brings a Postgres database to the schema of this build of Potok.

Applies every step the database has not seen, in order, each in its own transaction, and records it
in public.potok_migration with its checksum. Safe to run at any time and from several places at once:
runs take turns, and a run with nothing to do changes nothing. Services of the previous release keep
working before, during and after a run.

The user needs the right to create schemas and, at the first run, roles. The services themselves
connect as potok_intake, potok_router, potok_sla_timer, potok_notifier and potok_analytics.)";

constexpr char kExamples[] = R"(
Examples
  potok-migrate --dsn "host=/run/postgresql dbname=potok user=postgres"
  potok-migrate --dsn postgresql://postgres@db.example/potok --dry-run
  POTOK_DSN="host=db dbname=potok" potok-migrate

Exit status
  0  the database is at this build's schema
  1  a step failed (the database stays at the last complete step), or the database is not reachable
  2  the command line is wrong)";

// DIR/SCHEMA/NNNN_name.sql or DIR/SCHEMA/store/migrations/NNNN_name.sql; the ledger first.
absl::StatusOr<std::vector<potok::pg::Migration>> ReadDirectory(const std::string& directory) {
  namespace fs = std::filesystem;
  static const std::regex kStep(R"(0*(\d+)_.*\.sql)");
  std::vector<potok::pg::Migration> steps;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    std::smatch match;
    const std::string name = it->path().filename().string();
    if (!it->is_regular_file() || !std::regex_match(name, match, kStep)) continue;
    std::ifstream in(it->path());
    const fs::path relative = fs::relative(it->path(), directory);
    steps.push_back({absl::StrReplaceAll(relative.begin()->string(), {{"-", "_"}}),
                     std::stoi(match[1]), name,
                     std::string(std::istreambuf_iterator<char>(in), {})});
  }
  if (error) return absl::NotFoundError(absl::StrCat(directory, ": ", error.message()));
  if (steps.empty()) {
    return absl::NotFoundError(absl::StrCat(directory, " holds no SCHEMA/NNNN_name.sql"));
  }
  std::sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(a.schema != "ledger", a.schema, a.version) <
           std::make_tuple(b.schema != "ledger", b.schema, b.version);
  });
  return steps;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kAbout);
  app.name("potok-migrate");
  app.footer(kExamples);
  std::string dsn;
  std::string directory;
  std::vector<std::string> schemas;
  bool dry_run = false;
  bool quiet = false;
  app.add_option("--dsn", dsn, "connection string or URI of the database (environment: POTOK_DSN)")
      ->envname("POTOK_DSN")
      ->required();
  app.add_option("--schemas", schemas, "only these schemas, such as ledger,intake; default: all")
      ->delimiter(',');
  app.add_option("--dir", directory,
                 "read steps from DIR/SCHEMA/NNNN_name.sql instead of this build");
  app.add_flag("--dry-run", dry_run, "only say what would be applied");
  app.add_flag("--quiet", quiet, "print nothing unless something fails");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  std::vector<potok::pg::Migration> steps = potok::AllMigrations();
  if (!directory.empty()) {
    auto read = ReadDirectory(directory);
    if (!read.ok()) {
      std::fprintf(stderr, "potok-migrate: %s\n", std::string(read.status().message()).c_str());
      return 1;
    }
    steps = *std::move(read);
  }
  for (const std::string& schema : schemas) {
    const bool known = std::any_of(steps.begin(), steps.end(),
                                   [&](const auto& step) { return step.schema == schema; });
    if (!known) {
      std::fprintf(stderr, "potok-migrate: no schema is called '%s'\n", schema.c_str());
      return 2;
    }
  }
  if (!schemas.empty()) {
    std::erase_if(steps, [&](const auto& step) {
      return std::find(schemas.begin(), schemas.end(), step.schema) == schemas.end();
    });
  }

  const auto result = potok::pg::Migrate(dsn, steps, dry_run);
  if (!result.ok()) {
    std::fprintf(stderr, "potok-migrate: %s\n", std::string(result.status().message()).c_str());
    return 1;
  }
  if (quiet) return 0;
  for (const std::string& label : result->applied) {
    std::printf("%s %s\n", dry_run ? "would apply" : "applied", label.c_str());
  }
  for (const std::string& label : result->unknown) {
    std::printf("note: the database has %s, which this older build does not know\n", label.c_str());
  }
  std::printf("%d applied, %d were there already\n", static_cast<int>(result->applied.size()),
              result->already);
  return 0;
}
