#include "platform/testing/stack.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <iterator>
#include <pwd.h>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/entropy.h"
#include "migrate/migrations.h"
#include "platform/pg/migrate.h"
#include "platform/pg/transaction.h"
#include "platform/redis/redis.h"
#include "platform/testing/signal.h"

namespace potok::testing {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "integration tests cannot run: %s\n", why.c_str());
  std::exit(3);
}

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Short on purpose: a unix socket path holds at most 107 bytes.
std::string MakeFolder(const std::string& owner) {
  std::string path = (fs::temp_directory_path() / "potok_test_XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) Fail(absl::StrCat("no temporary folder at ", path));
  if (geteuid() == 0 && !owner.empty()) {
    const passwd* user = getpwnam(owner.c_str());
    if (user == nullptr) Fail(absl::StrCat("no user ", owner, "; install package postgresql"));
    if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) Fail("cannot chown " + path);
  }
  return path;
}

// Debian keeps the server's programs out of PATH.
std::string PostgresProgram(const std::string& name) {
  if (const std::string folder = Env("POTOK_PG_BIN"); !folder.empty()) return folder + "/" + name;
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const std::string candidate = (entry.path() / "bin" / name).string();
    if (fs::exists(candidate) && candidate > newest) newest = candidate;
  }
  return newest.empty() ? name : newest;
}

std::string RandomSuffix() {
  static std::atomic<int> counter{0};
  return absl::StrCat(getpid(), "_", counter.fetch_add(1), "_", absl::Hex(KernelEntropy()));
}

}  // namespace

absl::StatusOr<Process> Process::Start(const std::vector<std::string>& command,
                                       const std::string& user, const std::string& output_file) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const passwd* account = nullptr;
  if (geteuid() == 0 && !user.empty()) {
    account = getpwnam(user.c_str());
    if (account == nullptr) return absl::NotFoundError(absl::StrCat("no user ", user));
  }
  const pid_t pid = fork();
  if (pid < 0) return absl::InternalError("fork failed");
  if (pid == 0) {
    const int out = open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (out >= 0) {
      dup2(out, STDOUT_FILENO);
      dup2(out, STDERR_FILENO);
    }
    if (account != nullptr && (initgroups(account->pw_name, account->pw_gid) != 0 ||
                               setgid(account->pw_gid) != 0 || setuid(account->pw_uid) != 0)) {
      _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  Process process;
  process.pid_ = pid;
  return process;
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    Stop(SIGKILL);
    pid_ = std::exchange(other.pid_, 0);
  }
  return *this;
}
Process::~Process() { Stop(SIGKILL); }

void Process::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

void Process::Stop(int signal) {
  if (pid_ <= 0) return;
  kill(pid_, SIGCONT);
  kill(pid_, signal);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = 0;
}

bool Process::Ended(std::string* how) {
  if (pid_ <= 0) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  if (how != nullptr) {
    *how = WIFSIGNALED(status) ? absl::StrCat("signal ", WTERMSIG(status))
                               : absl::StrCat("exit ", WEXITSTATUS(status));
  }
  pid_ = 0;
  return true;
}

bool TestRedis::Absent() { return !Env("POTOK_NO_REDIS").empty(); }

TestRedis::TestRedis() {
  // hiredis writes without MSG_NOSIGNAL; a server that a test kills must not kill the test.
  signal(SIGPIPE, SIG_IGN);
  folder_ = MakeFolder("");
  address_ = absl::StrCat("unix:", folder_, "/redis.sock");
  if (!Absent()) Start();
}

TestRedis::~TestRedis() {
  Stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void TestRedis::Stop() { process_.Stop(SIGKILL); }

void TestRedis::Start() {
  if (Absent()) Fail("POTOK_NO_REDIS is set, and this test is not marked by POTOK_ABOUT_REDIS()");
  auto started = Process::Start(
      {"redis-server", "--port", "0", "--unixsocket", folder_ + "/redis.sock", "--dir", folder_,
       "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"},
      "", folder_ + "/redis.log");
  if (!started.ok()) Fail(std::string(started.status().message()));
  process_ = *std::move(started);
  redis::Connection connection({.address = address_, .reconnect_pause = absl::ZeroDuration()});
  if (!Eventually([&] { return connection.Command({"PING"}).ok(); })) {
    Fail(absl::StrCat("redis-server did not start: ", ReadFile(folder_ + "/redis.log")));
  }
}

TestStack& TestStack::Get() {
  static TestStack stack;
  return stack;
}

TestStack::TestStack() {
  signal(SIGPIPE, SIG_IGN);
  base_dsn_ = Env("POTOK_TEST_PG");
  if (!base_dsn_.empty()) return;
  folder_ = MakeFolder("postgres");
  base_dsn_ = absl::StrCat("host=", folder_);
  auto made = Process::Start({PostgresProgram("initdb"), "-D", folder_ + "/data", "-U", "postgres",
                              "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"},
                             "postgres", folder_ + "/initdb.log");
  if (!made.ok()) Fail(std::string(made.status().message()));
  made->Stop(0);  // signal 0 is none: this only waits
  StartPostgres();
}

void TestStack::StartPostgres() {
  const bool fsync = Env("POTOK_TEST_FSYNC") == "on";
  std::vector<std::string> command = {
      PostgresProgram("postgres"), "-D", folder_ + "/data", "-k", folder_, "-h", ""};
  for (const std::string& setting :
       {std::string(fsync ? "fsync=on" : "fsync=off"), std::string("max_connections=200"),
        std::string("shared_buffers=64MB"), std::string("autovacuum_naptime=5s"),
        std::string("log_min_messages=fatal"), std::string("max_wal_size=512MB")}) {
    command.push_back("-c");
    command.push_back(setting);
  }
  auto started = Process::Start(command, "postgres", folder_ + "/postgres.log");
  if (!started.ok()) Fail(std::string(started.status().message()));
  postgres_ = *std::move(started);
  pg::Pool probe({.dsn = Dsn("postgres"), .size = 1});
  if (!Eventually([&] { return probe.Acquire().ok(); })) {
    Fail(absl::StrCat("postgres did not start: ", ReadFile(folder_ + "/initdb.log"),
                      ReadFile(folder_ + "/postgres.log")));
  }
}

TestStack::~TestStack() {
  postgres_.Stop(SIGQUIT);
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

bool TestStack::RestartPostgres() {
  if (folder_.empty()) return false;
  postgres_.Stop(SIGQUIT);
  StartPostgres();
  return true;
}

std::string TestStack::Dsn(const std::string& database, const std::string& user) const {
  std::string dsn = absl::StrCat(base_dsn_, " dbname=", database);
  // The later value wins in libpq, so a user in POTOK_TEST_PG serves the superuser only.
  if (user != "postgres" || absl::string_view(base_dsn_).find("user=") == absl::string_view::npos) {
    absl::StrAppend(&dsn, " user=", user);
  }
  return dsn;
}

TestDatabase::TestDatabase(Contents contents) : name_("potok_test_" + RandomSuffix()) {
  const std::string template_name =
      contents == Contents::kEmpty ? "template1"
                                   : "potok_template_" + pg::Digest(AllMigrations()).substr(0, 16);
  pg::Pool admin({.dsn = TestStack::Get().Dsn("postgres"),
                  .size = 1,
                  .statement_timeout = absl::Minutes(2),
                  .lock_timeout = absl::Minutes(2)});
  const absl::Status status = pg::InAutocommit(admin, {}, [&](pg::Tx& tx) -> absl::Status {
    // A session lock: CREATE DATABASE cannot run inside a transaction. It ends with this pool.
    if (contents == Contents::kMigrated) {
      tx.Exec("SELECT pg_advisory_lock(hashtext('potok_template'))");
      const bool there =
          !tx.RunText("SELECT 1 FROM pg_database WHERE datname = $1", {pg::ToParam(template_name)})
               .empty();
      if (!there) {
        // Built under another name, so that a run that dies half way leaves no half template.
        const std::string building = "potok_building_" + RandomSuffix();
        tx.Exec(absl::StrCat("CREATE DATABASE ", building));
        const auto migrated =
            pg::Migrate(TestStack::Get().Dsn(building), AllMigrations(), /*dry_run=*/false);
        if (!migrated.ok()) return migrated.status();
        tx.Exec(absl::StrCat("ALTER DATABASE ", building, " RENAME TO ", template_name));
      }
      tx.Exec("SELECT pg_advisory_unlock(hashtext('potok_template'))");
    }
    tx.Exec(absl::StrCat("CREATE DATABASE ", name_, " TEMPLATE ", template_name));
    return absl::OkStatus();
  });
  if (!status.ok()) {
    Fail(absl::StrCat("no test database: ", status.message(), " ", pg::Cause(status)));
  }
}

TestDatabase::~TestDatabase() {
  pool_.reset();
  pg::Pool admin({.dsn = TestStack::Get().Dsn("postgres"), .size = 1});
  (void)pg::InAutocommit(admin, {}, [&](pg::Tx& tx) -> absl::Status {
    tx.Exec(absl::StrCat("DROP DATABASE IF EXISTS ", name_, " WITH (FORCE)"));
    return absl::OkStatus();
  });
}

std::string TestDatabase::dsn(const std::string& user) const {
  return TestStack::Get().Dsn(name_, user);
}

pg::Pool& TestDatabase::pool(int size) {
  if (pool_ == nullptr) {
    pool_ = std::make_unique<pg::Pool>(pg::PoolOptions{.dsn = dsn(), .size = size});
  }
  return *pool_;
}

std::string TestDatabase::Query(const std::string& sql) {
  const auto answer = pg::InAutocommit(pool(), {}, [&](pg::Tx& tx) -> absl::StatusOr<std::string> {
    const pqxx::result rows = tx.Exec(sql);
    if (rows.empty() || rows[0][0].is_null()) return std::string();
    return std::string(rows[0][0].c_str());
  });
  if (!answer.ok()) {
    Fail(absl::StrCat(sql, ": ", answer.status().message(), " ", pg::Cause(answer.status())));
  }
  return *answer;
}

bool TestDatabase::SomebodyWaitsForALock() {
  // Not pg_locks: whoever waits for a row waits for a transaction, which names no database there.
  return Query(
             "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
             "wait_event_type = 'Lock'") != "0";
}

absl::Status PrepareAll(TestDatabase& database, absl::Span<const pg::Statement> statements) {
  std::string refused;
  for (const pg::Statement& statement : statements) {
    const absl::Status status =
        pg::InTransaction(database.pool(), {.attempts = 1}, [&](pg::Tx& tx) -> absl::Status {
          tx.Exec(absl::StrCat("PREPARE potok_probe AS ", statement.text));
          tx.Exec("DEALLOCATE potok_probe");
          return absl::OkStatus();
        });
    if (!status.ok()) absl::StrAppend(&refused, statement.name, ": ", pg::Cause(status), "\n");
  }
  return refused.empty() ? absl::OkStatus() : absl::InternalError(refused);
}

}  // namespace potok::testing
