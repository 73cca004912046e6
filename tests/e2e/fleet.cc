#include "e2e/fleet.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

#include "integration/company.h"
#include "integration/suite.h"
#include "platform/rpc/client.h"
#include "platform/testing/signal.h"
#include "potok/admin/v1/admin.grpc.pb.h"

namespace potok::testing {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "the fleet cannot sail: %s\n", why.c_str());
  std::exit(3);
}

// The services of this build stand beside this program.
std::string ProgramOf(const std::string& service) {
  return (fs::read_symlink("/proc/self/exe").parent_path() / ("potok-" + service)).string();
}

std::string Slurp(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string MakeFolder() {
  std::string path = (fs::temp_directory_path() / "potok_fleet_XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) Die("no temporary folder");
  return path;
}

}  // namespace

Fleet::Fleet(FleetOptions options) : options_(std::move(options)), folder_(MakeFolder()) {
  setenv("POTOK_ENV", "dev", 1);
  signal(SIGPIPE, SIG_IGN);
  if (options_.redis) redis_ = std::make_unique<TestRedis>();
  if (options_.mail) StartSink();
  FoundCompany(database_);
  if (options_.found) options_.found(database_);
  for (const std::string& service : options_.services) {
    for (int number = 0; number < options_.replicas; ++number) {
      Replica replica;
      replica.service = service;
      replica.number = number;
      replica.stem = absl::StrCat(folder_, "/", service, number);
      replicas_.push_back(std::move(replica));
    }
  }
  for (Replica& replica : replicas_) Spawn(replica);
  for (Replica& replica : replicas_) AwaitReady(replica);
}

Fleet::~Fleet() {
  for (Replica& replica : replicas_) replica.process.Signal(SIGTERM);
  for (Replica& replica : replicas_) replica.process.Stop(SIGTERM);
  std::error_code ignored;
  // GCC's UBSan beside ASan speaks to stderr only; the others into files that tools/dev test
  // judges.
  for (const auto& file : fs::directory_iterator(folder_, ignored)) {
    if (file.path().extension() != ".log") continue;
    const std::string log = Slurp(file.path().string());
    const size_t report = log.find(": runtime error: ");
    if (report != std::string::npos) {
      ADD_FAILURE() << file.path().filename() << ": "
                    << log.substr(log.rfind('\n', report) + 1, 2000);
    }
  }
  fs::remove_all(folder_, ignored);
}

void Fleet::StartSink() {
  const char* root = std::getenv("POTOK_ROOT");
  // ROOT/build/TREE/bin/this
  const fs::path sink =
      (root != nullptr ? fs::path(root) : fs::path(ProgramOf("")).parent_path() / "../../..") /
      "tools/sink";
  const std::string port_file = folder_ + "/sink.address";
  auto started = Process::Start(
      {"/usr/bin/python3", sink.string(), "--dir", folder_ + "/mail", "--port-file", port_file}, "",
      folder_ + "/sink.log");
  if (!started.ok()) Die(std::string(started.status().message()));
  sink_ = *std::move(started);
  if (!Eventually([&] { return sink_.Ended() || fs::exists(port_file); }) || !sink_.running()) {
    Die("no mail sink: " + Slurp(folder_ + "/sink.log"));
  }
  sink_address_ = std::string(absl::StripAsciiWhitespace(Slurp(port_file)));
}

int64_t Fleet::Mails() const {
  const std::string index = Slurp(folder_ + "/mail/index.jsonl");
  return std::count(index.begin(), index.end(), '\n');
}

std::string Fleet::LogFile(const Replica& replica) {
  return absl::StrCat(replica.stem, ".", replica.starts, ".log");
}

void Fleet::Spawn(Replica& replica) {
  ++replica.starts;
  std::error_code ignored;
  fs::remove(replica.stem + ".addresses", ignored);
  std::vector<std::string> command = options_.wrapper;
  const std::string role = "potok_" + absl::StrReplaceAll(replica.service, {{"-", "_"}});
  const std::string redis =
      redis_ != nullptr ? redis_->address() : absl::StrCat("unix:", folder_, "/no-redis.sock");
  for (const std::string& word : {ProgramOf(replica.service), std::string("--listen"),
                                  absl::StrCat("127.0.0.1:", replica.port),
                                  std::string("--address-file"), replica.stem + ".addresses"}) {
    command.push_back(word);
  }
  std::vector<std::string> config = {"auth.mode=MODE_DEV",
                                     absl::StrCat("postgres.dsn=", database_.dsn(role)),
                                     absl::StrCat("redis.address=", redis)};
  if (options_.mail && replica.service == "notifier") {
    config.push_back("smtp.url=smtp://" + sink_address_);
    config.push_back("smtp.from=Potok <potok@example.org>");
    config.push_back("smtp.allow_plaintext=true");
  }
  config.insert(config.end(), options_.config.begin(), options_.config.end());
  for (const std::string& setting : config) {
    command.push_back("--set");
    command.push_back(setting);
  }
  auto started = Process::Start(command, "", LogFile(replica));
  if (!started.ok()) Die(std::string(started.status().message()));
  replica.process = *std::move(started);
}

void Fleet::AwaitReady(Replica& replica) {
  const bool ready = Eventually(
      [&] {
        return replica.process.Ended() ||
               absl::StrContains(Slurp(LogFile(replica)), "process.ready");
      },
      absl::Seconds(60));
  if (!ready || !replica.process.running()) {
    Die(absl::StrCat(replica.service, " is not ready: ", Slurp(LogFile(replica))));
  }
  std::istringstream addresses(Slurp(replica.stem + ".addresses"));
  for (std::string line; std::getline(addresses, line);) {
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "listen=127.0.0.1:"))
      (void)absl::SimpleAtoi(rest, &replica.port);
  }
  if (replica.port == 0) Die(absl::StrCat(replica.service, " is ready and does not say where"));
}

Fleet::Replica& Fleet::Find(const std::string& service, int replica) {
  for (Replica& each : replicas_) {
    if (each.service == service && each.number == replica) return each;
  }
  Die(absl::StrCat("there is no ", service, " ", replica));
}

const Fleet::Replica& Fleet::Find(const std::string& service, int replica) const {
  return const_cast<Fleet*>(this)->Find(service, replica);
}

std::string Fleet::Address(const std::string& service, int replica) const {
  return absl::StrCat("127.0.0.1:", Find(service, replica).port);
}

std::string Fleet::Target(const std::string& service) const {
  std::vector<std::string> addresses;
  for (int i = 0; i < options_.replicas; ++i) addresses.push_back(Address(service, i));
  return "ipv4:" + absl::StrJoin(addresses, ",");
}

std::shared_ptr<grpc::Channel> Fleet::Channel(const std::string& service) const {
  grpc::ChannelArguments arguments = rpc::ClientArguments();
  // Channels of one program share their connections otherwise; clients are programs of their own.
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  return grpc::CreateCustomChannel(Target(service), grpc::InsecureChannelCredentials(), arguments);
}

Fleet::End Fleet::Terminate(const std::string& service, int number) {
  Replica& replica = Find(service, number);
  const auto start = std::chrono::steady_clock::now();
  End end;
  replica.process.Signal(SIGTERM);
  if (!Eventually([&] { return replica.process.Ended(&end.how); }, absl::Seconds(10))) {
    replica.process.Stop(SIGKILL);
    end.how = "killed";
  }
  end.took = absl::FromChrono(std::chrono::steady_clock::now() - start);
  return end;
}

void Fleet::Start(const std::string& service, int number) {
  Replica& replica = Find(service, number);
  Spawn(replica);
  AwaitReady(replica);
}

pid_t Fleet::pid(const std::string& service, int replica) const {
  return Find(service, replica).process.pid();
}

bool Fleet::running(const std::string& service, int replica) {
  return !Find(service, replica).process.Ended();
}

int64_t Fleet::rss_kib(const std::string& service, int replica) const {
  std::istringstream status(Slurp(absl::StrCat("/proc/", pid(service, replica), "/status")));
  for (std::string line; std::getline(status, line);) {
    if (absl::StartsWith(line, "VmRSS:")) return std::atoll(line.c_str() + 6);
  }
  return 0;
}

int Fleet::descriptors(const std::string& service, int replica) const {
  std::error_code error;
  return static_cast<int>(std::distance(
      fs::directory_iterator(absl::StrCat("/proc/", pid(service, replica), "/fd"), error),
      fs::directory_iterator()));
}

std::string Fleet::Log(const std::string& service, int replica) const {
  return Slurp(LogFile(Find(service, replica)));
}

std::string Fleet::Verify() {
  const auto admin = admin::v1::AdminService::NewStub(Channel("intake"));
  std::string broken;
  Eventually(
      [&] {
        admin::v1::VerifyLedgerRequest request;
        request.set_quiescent(true);
        admin::v1::VerifyLedgerResponse answer;
        const grpc::Status status =
            admin->VerifyLedger(Suite::As("root:admin").get(), request, &answer);
        broken = status.ok() ? "" : status.error_message();
        for (const auto& check : answer.checks()) {
          if (check.outcome() == admin::v1::InvariantCheck::OUTCOME_BROKEN) {
            absl::StrAppend(&broken, check.ShortDebugString(), "\n");
          }
        }
        return broken.empty();
      },
      absl::Seconds(60));
  return broken;
}

}  // namespace potok::testing
