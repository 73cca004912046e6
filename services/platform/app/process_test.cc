#include <atomic>
#include <cstdio>
#include <fstream>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <iterator>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"

#include "base/status_macros.h"
#include "platform/app/run_service.h"
#include "platform/config/load.h"
#include "platform/testing/signal.h"

namespace potok::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

config::v1::ServiceConfig Config() {
  auto config = config::Load("", {"listen=127.0.0.1:0", "auth.mode=MODE_DEV",
                                  "metrics_listen=127.0.0.1:0", "workers.threads=1"});
  EXPECT_TRUE(config.ok()) << config.status();
  return *config;
}

// Writes down in which order it is told things.
struct Diary {
  absl::Mutex mutex;
  std::vector<std::string> lines ABSL_GUARDED_BY(mutex);
  void Write(const std::string& line) {
    const absl::MutexLock lock(&mutex);
    lines.push_back(line);
  }
  std::vector<std::string> Read() {
    const absl::MutexLock lock(&mutex);
    return lines;
  }
};

class Remembering : public Bound {
 public:
  Remembering(Diary& diary, std::string name) : diary_(diary), name_(std::move(name)) {}
  ~Remembering() override { diary_.Write(name_ + " gone"); }

 private:
  Diary& diary_;
  const std::string name_;
};

ServiceSpec Spec(const std::string& name, Diary& diary, std::atomic<bool>* healthy = nullptr) {
  ServiceSpec spec;
  spec.name = name;
  spec.version = "1.0";
  spec.authorize = [](const Caller&, absl::string_view) { return true; };
  spec.bind = [&diary, name, healthy](Parts& parts) -> absl::StatusOr<std::unique_ptr<Bound>> {
    diary.Write(name + " bound");
    parts.AddLoop(name + "-loop", [](const std::stop_token&) { return absl::Hours(1); });
    parts.OnStop([&diary, name] { diary.Write(name + " closed first added"); });
    parts.OnStop([&diary, name] { diary.Write(name + " closed last added"); });
    if (healthy != nullptr) {
      parts.AddReadiness("database", [healthy]() -> absl::Status {
        if (*healthy) return absl::OkStatus();
        return absl::UnavailableError("no answer");
      });
    }
    EXPECT_EQ(parts.peer_token, "dev:" + name + ":service");
    return std::make_unique<Remembering>(diary, name);
  };
  return spec;
}

TEST(Process, StopsInTheReverseOrderOfItsStart) {
  Diary diary;
  auto process = Process::Start(Config(), {Spec("intake", diary), Spec("router", diary)}, "dev");
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_TRUE((*process)->ready());
  EXPECT_EQ((*process)->addresses().size(), 1u);
  EXPECT_THAT((*process)->metrics().Render(), HasSubstr("potok_build_info{service=\"router\""));
  (*process)->Stop();
  (*process)->Stop();
  EXPECT_THAT(diary.Read(), ElementsAre("intake bound", "router bound", "router closed last added",
                                        "router closed first added", "intake closed last added",
                                        "intake closed first added", "router gone", "intake gone"));
}

TEST(Process, HandsItsWorkOverFirstWhileItStillAnswersCallsButIsNotReady) {
  Diary diary;
  ServiceSpec spec = Spec("intake", diary);
  std::string address;
  const auto ask = [&](const std::string& name) {
    const auto health = grpc::health::v1::Health::NewStub(
        grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    grpc::health::v1::HealthCheckResponse answer;
    const grpc::Status status = health->Check(&context, request, &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return answer.status() == grpc::health::v1::HealthCheckResponse::SERVING;
  };
  const auto bind = spec.bind;
  spec.bind = [&](Parts& parts) {
    Loop& loop = parts.AddLoop("leased", [](const std::stop_token&) { return absl::Hours(1); });
    parts.OnDrain([&] { diary.Write("leases released"); });
    parts.OnDrain([&] {
      diary.Write(absl::StrCat("alive ", ask("liveness"), " ready ", ask("readiness")));
      loop.Stop();
      diary.Write("loop ended");
    });
    return bind(parts);
  };
  auto process = Process::Start(Config(), {spec}, "dev");
  ASSERT_TRUE(process.ok()) << process.status();
  address = (*process)->addresses()[0];
  (*process)->Stop();
  EXPECT_THAT(diary.Read(),
              ElementsAre("intake bound", "alive 1 ready 0", "loop ended", "leases released",
                          "intake closed last added", "intake closed first added", "intake gone"));
}

TEST(Process, IsReadyOnlyWhileItsChecksPass) {
  Diary diary;
  std::atomic<bool> healthy{false};
  auto process = Process::Start(Config(), {Spec("intake", diary, &healthy)}, "dev");
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_FALSE((*process)->ready());
  const auto health = grpc::health::v1::Health::NewStub(
      grpc::CreateChannel((*process)->addresses()[0], grpc::InsecureChannelCredentials()));
  const auto serving = [&](const std::string& name) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    grpc::health::v1::HealthCheckResponse answer;
    EXPECT_TRUE(health->Check(&context, request, &answer).ok());
    return answer.status() == grpc::health::v1::HealthCheckResponse::SERVING;
  };
  EXPECT_FALSE(serving("readiness"));
  EXPECT_TRUE(serving("liveness"));
  healthy = true;
  ASSERT_TRUE(testing::Eventually([&] { return (*process)->ready(); }));
  EXPECT_TRUE(serving("readiness"));
}

TEST(Process, AFailedBindNamesTheServiceAndUndoesTheOthers) {
  Diary diary;
  ServiceSpec broken = Spec("router", diary);
  broken.bind = [](Parts&) -> absl::StatusOr<std::unique_ptr<Bound>> {
    return absl::UnavailableError("no database");
  };
  const auto process = Process::Start(Config(), {Spec("intake", diary), broken}, "dev");
  EXPECT_THAT(std::string(process.status().message()), HasSubstr("router: no database"));
  EXPECT_THAT(diary.Read(), ::testing::Contains("intake gone"));
}

TEST(Process, SaysWhereItListensBeforeItSaysThatItIsReady) {
  Diary diary;
  std::vector<std::string> order;
  ServiceSpec spec = Spec("intake", diary);
  spec.bind = [&](Parts& parts) -> absl::StatusOr<std::unique_ptr<Bound>> {
    parts.AddReadiness("asked", [&] {
      if (order.size() < 2) order.push_back("asked");  // Later by another thread.
      return absl::OkStatus();
    });
    return std::make_unique<Bound>();
  };
  const auto listening = [&](const std::vector<std::string>& addresses, const std::string&) {
    EXPECT_THAT(addresses, ElementsAre(::testing::MatchesRegex("127.0.0.1:[1-9][0-9]*")));
    order.emplace_back("told");
    return absl::OkStatus();
  };
  ASSERT_TRUE(Process::Start(Config(), {spec}, "dev", listening).ok());
  EXPECT_THAT(order, ElementsAre("told", "asked"));
}

TEST(Process, AnAddressThatCannotBeToldEndsTheStart) {
  Diary diary;
  const auto listening = [](const std::vector<std::string>&, const std::string&) {
    return absl::UnavailableError("the disk is full");
  };
  EXPECT_EQ(Process::Start(Config(), {Spec("intake", diary)}, "dev", listening).status().message(),
            "the disk is full");
  EXPECT_THAT(diary.Read(), ::testing::Contains("intake gone"));
}

TEST(Process, DevelopmentLoginIsRefusedOutsideDevelopment) {
  Diary diary;
  EXPECT_FALSE(Process::Start(Config(), {Spec("intake", diary)}, "").ok());
  auto remote = Config();
  remote.set_listen(0, "0.0.0.0:0");
  EXPECT_FALSE(Process::Start(remote, {Spec("intake", diary)}, "dev").ok());
}

// Starts app_probe_service, which stands beside this test, with its standard output in `log`.
pid_t StartProbe(const std::string& log, std::vector<std::string> arguments) {
  char self[4096] = {};
  EXPECT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
  const std::string path(self);
  arguments.insert(arguments.begin(), path.substr(0, path.rfind('/') + 1) + "app_probe_service");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    setenv("POTOK_ENV", "dev", 1);
    if (std::freopen(log.c_str(), "w", stdout) == nullptr) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
  }
  return child;
}

int ExitCode(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string Slurp(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(RunService, ASigtermEndsItWithExitCodeZero) {
  const std::string addresses = ::testing::TempDir() + "probe.addr";
  const std::string log = ::testing::TempDir() + "probe.log";
  unlink(addresses.c_str());
  const pid_t child = StartProbe(
      log, {"--listen", "127.0.0.1:0", "--set", "auth.mode=MODE_DEV", "--address-file", addresses});
  ASSERT_GT(child, 0);
  ASSERT_TRUE(testing::Eventually([&] { return access(addresses.c_str(), R_OK) == 0; }));
  EXPECT_THAT(Slurp(addresses), ::testing::MatchesRegex("listen=127.0.0.1:[1-9][0-9]*\n"));
  kill(child, SIGTERM);
  EXPECT_EQ(ExitCode(child), 0);
  EXPECT_THAT(Slurp(log), HasSubstr("\"event\":\"process.stopped\""));
}

TEST(RunService, AWrongConfigurationIsExitCodeOneAndAWrongFlagTwo) {
  const std::string log = ::testing::TempDir() + "probe_wrong.log";
  EXPECT_EQ(ExitCode(StartProbe(log, {"--listen", "127.0.0.1:0"})), 1) << "auth.mode is not chosen";
  EXPECT_EQ(ExitCode(StartProbe(log, {"--no-such-flag"})), 2);
  EXPECT_EQ(ExitCode(StartProbe(log, {"--version"})), 0);
  EXPECT_THAT(Slurp(log), HasSubstr("probe 1.0"));
}

}  // namespace
}  // namespace potok::app
