#include "chaos/storage.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <pwd.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "chaos/die.h"
#include "migrate/migrations.h"
#include "platform/pg/migrate.h"
#include "platform/pg/transaction.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

namespace fs = std::filesystem;
using testing::Process;

const char* const kPostgresUser = "postgres";

std::string Program(const std::string& name) {
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const std::string candidate = (entry.path() / "bin" / name).string();
    if (fs::exists(candidate) && candidate > newest) newest = candidate;
  }
  return newest.empty() ? name : newest;
}

std::string Content(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The server refuses to be root; its files then belong to the user of Debian's package.
void GiveToPostgres(const std::string& path) {
  if (geteuid() != 0) return;
  const passwd* user = getpwnam(kPostgresUser);
  if (user == nullptr) Die("no user postgres; install package postgresql");
  if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) Die("cannot chown " + path);
}

std::string Dsn(const std::string& folder, const std::string& database) {
  return absl::StrCat("host=", folder, " user=postgres dbname=", database);
}

void Run(const std::vector<std::string>& command, const std::string& log) {
  Process process = OrDie(Process::Start(command, kPostgresUser, log), command[0]);
  std::string how;
  if (!testing::Eventually([&] { return process.Ended(&how); }, absl::Minutes(2)) ||
      how != "exit 0") {
    Die(absl::StrCat(command[0], ": ", how, "\n", Content(log)));
  }
}

// The cluster that every run copies, migrated and at rest.
constexpr char kClusterVariable[] = "POTOK_CHAOS_CLUSTER";

const std::string& PristineCluster() {
  static const std::string* const made = [] {
    if (const char* shared = std::getenv(kClusterVariable); shared != nullptr) {
      return new std::string(shared);
    }
    auto* folder = new std::string(ScratchFolder() + "/pristine");
    fs::create_directory(*folder);
    GiveToPostgres(*folder);
    Run({Program("initdb"), "-D", *folder + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync", "--wal-segsize=4"},
        *folder + "/initdb.log");
    Process server = OrDie(Process::Start({Program("postgres"), "-D", *folder + "/data", "-k",
                                           *folder, "-h", "", "-c", "fsync=off"},
                                          kPostgresUser, *folder + "/log"),
                           "postgres");
    pg::Pool admin({.dsn = Dsn(*folder, "postgres"), .size = 1});
    if (!testing::Eventually([&] { return admin.Acquire().ok(); })) {
      Die("postgres did not start: " + Content(*folder + "/log"));
    }
    const absl::Status created = pg::InAutocommit(admin, {}, [](pg::Tx& tx) -> absl::Status {
      tx.Exec("CREATE DATABASE potok");
      return absl::OkStatus();
    });
    if (!created.ok()) Die("no database: " + pg::Cause(created));
    OrDie(pg::Migrate(Dsn(*folder, "potok"), AllMigrations(), /*dry_run=*/false), "migrations");
    server.Stop(SIGINT);
    return folder;
  }();
  return *made;
}

}  // namespace

const std::string& ScratchFolder() {
  static const std::string* const folder = [] {
    auto* path = new std::string((fs::temp_directory_path() / "chaos_XXXXXX").string());
    if (mkdtemp(path->data()) == nullptr) Die("no temporary folder at " + *path);
    if (chmod(path->c_str(), 0711) != 0) Die("cannot chmod " + *path);
    std::atexit([] {
      std::error_code ignored;
      fs::remove_all(ScratchFolder(), ignored);
    });
    return path;
  }();
  return *folder;
}

void ShareCluster() { setenv(kClusterVariable, PristineCluster().c_str(), 1); }

Postgres::Postgres(std::string folder, std::vector<std::string> settings)
    : folder_(std::move(folder)), log_(folder_ + "/postgres.log"), settings_(std::move(settings)) {
  fs::create_directories(folder_);
  GiveToPostgres(folder_);
  Run({"cp", "-a", PristineCluster() + "/data", folder_ + "/data"}, folder_ + "/copy.log");
  pool_ = std::make_unique<pg::Pool>(pg::PoolOptions{.dsn = Dsn(folder_, "potok"),
                                                     .size = 8,
                                                     .application_name = "chaos",
                                                     .statement_timeout = absl::Seconds(60),
                                                     .lock_timeout = absl::Seconds(5)});
  Start();
}

Postgres::~Postgres() {
  pool_.reset();
  process_.Stop(SIGQUIT);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

absl::Duration Postgres::Start() {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> command = {
      Program("postgres"), "-D", folder_ + "/data", "-k", folder_, "-h", ""};
  std::vector<std::string> settings = {"fsync=off",
                                       "synchronous_commit=on",
                                       "max_connections=200",
                                       "shared_buffers=128MB",
                                       "max_wal_size=512MB",
                                       "jit=off",
                                       "timezone=UTC",
                                       "log_min_messages=log",
                                       "log_line_prefix=%m [%p] %a "};
  settings.insert(settings.end(), settings_.begin(), settings_.end());
  for (const std::string& setting : settings) {
    command.push_back("-c");
    command.push_back(setting);
  }
  // After kill -9 of the postmaster its children hold the shared memory a moment longer, and a new
  // one refuses to start until they have ended.
  const bool answers = testing::Eventually(
      [&] {
        if (process_.Ended())
          process_ = OrDie(Process::Start(command, kPostgresUser, log_), "postgres");
        return Answers();
      },
      absl::Seconds(60));
  if (!answers) Die("postgres does not start: " + Content(log_));
  return absl::FromChrono(std::chrono::steady_clock::now() - start);
}

bool Postgres::Answers() { return Rows("SELECT 1").ok(); }

void Postgres::End(Stop how, bool wait) {
  const int signal = how == Stop::kFast ? SIGINT : how == Stop::kImmediate ? SIGQUIT : SIGKILL;
  if (wait) {
    process_.Stop(signal);
  } else {
    process_.Signal(signal);
  }
}

void Postgres::LogStatements(bool on) {
  Query(absl::StrCat("ALTER SYSTEM SET log_min_duration_statement = ", on ? "0" : "-1"));
  Query("SELECT pg_reload_conf()");
}

absl::StatusOr<std::vector<std::vector<std::string>>> Postgres::Rows(const std::string& sql) {
  std::vector<std::vector<std::string>> out;
  const absl::Status status = pg::InAutocommit(*pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    out.clear();
    for (const auto& row : tx.Exec(sql)) {
      std::vector<std::string>& line = out.emplace_back();
      for (const auto& field : row) line.push_back(field.is_null() ? "" : field.c_str());
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return out;
}

std::string Postgres::Query(const std::string& sql) {
  auto rows = Rows(sql);
  // The first statement after a restart meets connections of the server that was.
  for (int again = 0; again < 3 && absl::IsUnavailable(rows.status()); ++again) rows = Rows(sql);
  if (!rows.ok())
    Die(absl::StrCat(sql, ": ", rows.status().message(), " ", pg::Cause(rows.status())));
  return rows->empty() ? "" : rows->front().front();
}

int64_t Postgres::Count(const std::string& sql) {
  int64_t count = 0;
  (void)absl::SimpleAtoi(Query(sql), &count);
  return count;
}

Redis::Redis(std::string folder, std::vector<std::string> arguments)
    : folder_(std::move(folder)),
      arguments_(std::move(arguments)),
      connection_({.address = target(), .reconnect_pause = absl::ZeroDuration()}) {
  fs::create_directories(folder_);
  Start();
}

void Redis::Start() {
  std::vector<std::string> command = {"redis-server",
                                      "--port",
                                      "0",
                                      "--unixsocket",
                                      folder_ + "/redis.sock",
                                      "--dir",
                                      folder_,
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "no",
                                      "--maxmemory-policy",
                                      "noeviction"};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = OrDie(Process::Start(command, "", folder_ + "/redis.log"), "redis-server");
  if (!testing::Eventually([&] { return Command({"PING"}).ok(); })) {
    Die("redis-server did not start: " + Content(folder_ + "/redis.log"));
  }
}

void Redis::Kill() { process_.Stop(SIGKILL); }

absl::StatusOr<redis::Reply> Redis::Command(const std::vector<std::string>& words) {
  return connection_.Command(words);
}

}  // namespace potok::chaos
