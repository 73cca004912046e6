// Owners that die: real processes that are killed, or kill themselves at an entry.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/consumer.h"
#include "platform/log/log_fixture.h"

namespace potok::log {
namespace {

using testing::Eventually;
using testing::IsOk;

std::string Setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class ConsumerDeathTest : public LogFixture {
 protected:
  static constexpr int kAll = 160;

  // This program again, as a process of its own that is an owner and no test.
  pid_t StartOwner(absl::Duration ttl) {
    // Made before the fork: this process has threads.
    const std::vector<std::string> settings = {
        absl::StrCat("OWNER_DSN=", database_.dsn("potok_analytics")),
        absl::StrCat("OWNER_REDIS=", redis_.address()),
        absl::StrCat("OWNER_TTL_MS=", absl::ToInt64Milliseconds(ttl))};
    std::vector<char*> environment;
    for (const std::string& each : settings) environment.push_back(const_cast<char*>(each.c_str()));
    environment.push_back(nullptr);
    const pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execle("/proc/self/exe", "owner", static_cast<char*>(nullptr), environment.data());
    _exit(127);
  }
  void AppendAll() {
    for (int e = 0; e < 16; ++e) ASSERT_THAT(Append(database_.pool(), e, 1, 10), IsOk());
  }
  // What the children do at an entry is data, so that one program fits every test.
  void PoisonIs(int entity, int version, const std::string& act) {
    database_.Query(absl::StrCat(
        "CREATE TABLE IF NOT EXISTS public.poison (entity uuid, version bigint, act text);"
        "GRANT SELECT ON public.poison TO PUBLIC;"
        "INSERT INTO public.poison VALUES ('",
        Entity(entity), "', ", version, ", '", act, "')"));
  }
};

// One owner of the group "analytics", in a process of its own, until it is killed.
[[noreturn]] void RunOwner() {
  pg::Pool pool({.dsn = Setting("OWNER_DSN"), .size = 4});
  ConsumerOptions options;
  options.group = "analytics";
  options.topics = {1, 2, 3};
  for (int part = 0; part < 16; ++part) options.parts.push_back(part);
  options.owner = MakeOwner();
  options.stream_key = [](int incarnation, int topic, int part) {
    return absl::StrCat("ev:", incarnation, ":", topic, ":", part);
  };
  options.redis = {.address = Setting("OWNER_REDIS")};
  const absl::Duration ttl = absl::Milliseconds(std::stoi(Setting("OWNER_TTL_MS")));
  options.lease_times = {.ttl = ttl, .renew = ttl / 3, .fence = ttl * 2 / 3};
  Consumer consumer(
      options, pool, [](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
        for (const LogEntry& entry : entries) {
          tx.RunText(
              "INSERT INTO public.effect (grp, topic, part, pos, entity, version) VALUES "
              "('analytics', $1, $2, $3, $4, $5)",
              {pg::ToParam(entry.topic), pg::ToParam(entry.part), pg::ToParam(entry.pos),
               pg::ToParam(entry.entity), pg::ToParam(entry.version)});
          const pqxx::result poison = tx.RunText(
              "SELECT act FROM public.poison WHERE entity = $1::uuid AND version = $2::bigint",
              {pg::ToParam(entry.entity), pg::ToParam(entry.version)});
          if (poison.empty()) continue;
          const std::string act = poison[0][0].as<std::string>();
          if (act == "abort") std::abort();
          if (act == "segfault") {
            // A sanitizer would tell about it for seconds, while the other threads go on.
            signal(SIGSEGV, SIG_DFL);
            raise(SIGSEGV);
          }
          if (act == "error") return absl::InternalError("why");
        }
        return absl::OkStatus();
      });
  consumer.Start();
  while (true) pause();
}

// A child never comes to its tests.
[[maybe_unused]] const bool kIsOwner = [] {
  if (!Setting("OWNER_DSN").empty()) RunOwner();
  return false;
}();

// Restarts the owner whenever it ends, as a supervisor does. Counts its deaths.
class Supervisor {
 public:
  explicit Supervisor(std::function<pid_t()> start) : start_(std::move(start)) {
    thread_ = std::thread([this] {
      while (!ending_) {
        const pid_t pid = start_();
        pid_ = pid;
        int status = 0;
        waitpid(pid, &status, 0);
        pid_ = 0;
        if (!ending_) ++deaths_;
      }
      ended_ = true;
    });
  }
  ~Supervisor() {
    ending_ = true;
    // It may be between two owners.
    Eventually([&] {
      Kill();
      return ended_.load();
    });
    thread_.join();
  }
  void Kill() {
    if (const pid_t pid = pid_; pid > 0) kill(pid, SIGKILL);
  }
  int deaths() const { return deaths_; }

 private:
  const std::function<pid_t()> start_;
  std::atomic<bool> ending_{false}, ended_{false};
  std::atomic<pid_t> pid_{0};
  std::atomic<int> deaths_{0};
  std::thread thread_;
};

struct Death {
  const char* name;
  const char* act;
  absl::Duration ttl;
};

class ConsumerDeathsTest : public ConsumerDeathTest, public ::testing::WithParamInterface<Death> {};

// Row 35. With the lease times of production, and shorter ones.
TEST_P(ConsumerDeathsTest, AnEntryThatKillsItsOwnerIsParkedAfterThreeDeaths) {
  StartRelay();
  PoisonIs(1, 3, GetParam().act);
  AppendAll();
  ASSERT_TRUE(Eventually([&] { return Int("SELECT count(*) FROM ledger.event_log") == kAll; }));
  const auto start = std::chrono::steady_clock::now();
  Supervisor owner([&] { return StartOwner(GetParam().ttl); });
  ASSERT_TRUE(Eventually([&] { return Int("SELECT count(*) FROM public.effect") >= kAll - 1; },
                         absl::Seconds(60)));
  const absl::Duration stood = absl::FromChrono(std::chrono::steady_clock::now() - start);
  std::printf("%d deaths; the stream stood %.1f s\n", owner.deaths(), absl::ToDoubleSeconds(stood));
  EXPECT_EQ(owner.deaths(), 3);
  EXPECT_LE(stood, testing::Stretched(absl::Seconds(25)));
  EXPECT_EQ(database_.Query("SELECT concat_ws('|', grp, topic, part, pos, version, attempts, "
                            "state, reason) FROM ledger.dlq"),
            "analytics|2|1|3|3|3|parked|the process died 3 times while it handled this entry, at "
            "first within a batch");
  ExpectOnceAndInOrder(kAll - 1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ConsumerDeathsTest,
                         ::testing::Values(Death{"Abort", "abort", absl::Seconds(1)},
                                           Death{"Segfault", "segfault", absl::Seconds(1)},
                                           Death{"InProduction", "abort", LeaseTimes().ttl}),
                         [](const auto& death) { return death.param.name; });

// Two poisons in one stream and one in another: each costs its own deaths, and nobody else is
// taken for the culprit.
TEST_F(ConsumerDeathTest, EachEntryIsParkedForItsOwnDeaths) {
  StartRelay();
  PoisonIs(1, 3, "abort");
  PoisonIs(1, 5, "abort");
  PoisonIs(2, 4, "abort");
  PoisonIs(3, 2, "error");
  AppendAll();
  Supervisor owner([&] { return StartOwner(absl::Milliseconds(700)); });
  ASSERT_TRUE(Eventually([&] { return Int("SELECT count(*) FROM public.effect") >= kAll - 4; },
                         absl::Seconds(60)));
  EXPECT_EQ(database_.Query("SELECT string_agg(concat_ws('|', entity, version, split_part(reason, "
                            "' ', 1)), ' ' ORDER BY entity, version) FROM ledger.dlq"),
            absl::StrCat(Entity(1), "|3|the ", Entity(1), "|5|the ", Entity(2), "|4|the ",
                         Entity(3), "|2|INTERNAL:"));
  EXPECT_LE(owner.deaths(), 9);
  ExpectOnceAndInOrder(kAll - 4);
}

TEST_F(ConsumerDeathTest, AnOwnerThatIsKilledAgainAndAgainParksNobody) {
  StartRelay();
  PoisonIs(99, 1, "none");
  std::atomic<int> appended{0};
  Supervisor owner([&] { return StartOwner(absl::Milliseconds(500)); });
  Supervisor other([&] { return StartOwner(absl::Milliseconds(500)); });
  int kills = 0;
  for (int version = 1; version <= 60; ++version) {
    for (int e = 0; e < 16; ++e) ASSERT_THAT(Append(database_.pool(), e, version, version), IsOk());
    appended += 16;
    // In the middle of the work: as soon as something has been done since the last kill.
    if (version % 6 == 0) {
      ASSERT_TRUE(EffectsReach(appended - 90));
      (kills++ % 2 == 0 ? owner : other).Kill();
    }
  }
  ASSERT_TRUE(EffectsReach(960));
  EXPECT_GE(owner.deaths() + other.deaths(), 8);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0);
  EXPECT_GT(Int("SELECT count(*) FROM ledger.consumer_offset WHERE careful_until > 0"), 0);
  ExpectOnceAndInOrder(960);
}

// A clean handover is no death: whatever attempt was under way has ended.
TEST_F(ConsumerDeathTest, ARestartThatGivesItsLeasesBackCountsForNothing) {
  StartRelay();
  database_.Query("UPDATE ledger.consumer_offset SET careful_until = 100 WHERE grp = 'analytics'");
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  for (int restart = 0; restart < 4; ++restart) {
    std::atomic<int> runs{0};
    Consumer consumer(ConsumerDefaults(), database_.pool(),
                      [&](pg::Tx&, const std::vector<LogEntry>&) {
                        ++runs;
                        return absl::UnavailableError("not yet");
                      });
    consumer.Start();
    ASSERT_TRUE(Eventually([&] { return runs > 0; }));
  }
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  EXPECT_TRUE(EffectsReach(1));
  EXPECT_EQ(Int("SELECT max(deaths) FROM ledger.consumer_offset"), 0);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0);
}

TEST_F(ConsumerDeathTest, AnotherProcessTakesOverFromOneThatDied) {
  StartRelay();
  auto dead = std::make_unique<LeaseKeeper>(
      LeaseOptions{.family = "consumer:analytics",
                   .parts = AllParts(),
                   .owner = "dead",
                   .times = ShortLeases(),
                   .hooks = {}},
      database_.pool(), [](pg::Tx&, const std::vector<Held>&) { return absl::OkStatus(); });
  ASSERT_THAT(dead->Round(), IsOk());  // holds every lease and never renews
  const auto start = std::chrono::steady_clock::now();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  ASSERT_TRUE(EffectsReach(1));
  const absl::Duration took = absl::FromChrono(std::chrono::steady_clock::now() - start);
  EXPECT_GT(took, absl::Milliseconds(700)) << "the dead one's lease was not respected";
  EXPECT_LT(took, testing::Stretched(absl::Seconds(5)));
}

}  // namespace
}  // namespace potok::log
