#include "chaos/plant.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include <nlohmann/json.hpp>

#include "chaos/die.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

namespace fs = std::filesystem;
using testing::Process;

std::string NewRunFolder() {
  static int runs = 0;
  std::string folder = absl::StrCat(ScratchFolder(), "/", ++runs);
  fs::create_directory(folder);
  return folder;
}

// The root of the source tree and the folder of the programs, from where this program stands:
// ROOT/build/TREE/bin/potok-chaos, or what the environment says.
fs::path Programs() { return fs::read_symlink("/proc/self/exe").parent_path(); }

fs::path SinkProgram() {
  const char* root = std::getenv("POTOK_ROOT");
  return (root != nullptr ? fs::path(root) : Programs() / "../../..") / "tools/sink";
}

}  // namespace

Sink::Sink(std::string folder, std::vector<std::string> arguments)
    : folder_(std::move(folder)), arguments_(std::move(arguments)) {
  fs::create_directories(folder_);
  Start();
}

void Sink::Start() {
  const std::string port_file = folder_ + "/address";
  fs::remove(port_file);
  std::vector<std::string> command = {"/usr/bin/python3", SinkProgram().string(), "--dir",
                                      folder_ + "/mail",  "--port-file",          port_file};
  if (!target_.empty()) {
    command.push_back("--port");
    command.push_back(target_.substr(target_.rfind(':') + 1));
  }
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = OrDie(Process::Start(command, "", folder_ + "/log"), "sink");
  if (!testing::Eventually([&] { return fs::exists(port_file); }))
    Die("the mail sink did not start");
  std::ifstream(port_file) >> target_;
}

void Sink::Kill() { process_.Stop(SIGKILL); }

std::string Sink::target() const { return target_; }

std::vector<Mail> Sink::Mails() const {
  std::vector<Mail> mails;
  std::ifstream index(folder_ + "/mail/index.jsonl");
  std::string line;
  while (std::getline(index, line)) {
    const auto mail = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (mail.is_discarded()) continue;  // Half a line: the sink is writing it.
    mails.push_back({mail["headers"].value("Message-ID", ""),
                     mail["to"].empty() ? "" : mail["to"][0].get<std::string>(),
                     mail.value("subject", "")});
  }
  return mails;
}

int64_t Sink::count() const {
  std::ifstream index(folder_ + "/mail/index.jsonl");
  return std::count(std::istreambuf_iterator<char>(index), {}, '\n');
}

const std::vector<std::string>& ServiceNames() {
  static const auto* const names =
      new std::vector<std::string>{"intake", "router", "sla-timer", "notifier", "analytics"};
  return *names;
}

Plant::Plant(PlantOptions options) : options_(std::move(options)), folder_(NewRunFolder()) {
  setenv("POTOK_ENV", "dev", 1);
  signal(SIGPIPE, SIG_IGN);
  postgres_ = std::make_unique<Postgres>(
      options_.postgres_folder.empty() ? folder_ + "/pg" : options_.postgres_folder,
      options_.postgres);
  redis_ = std::make_unique<Redis>(
      options_.redis_folder.empty() ? folder_ + "/redis" : options_.redis_folder, options_.redis);
  sink_ = std::make_unique<Sink>(folder_ + "/sink", options_.sink);
  for (const std::string& name : ServiceNames()) {
    for (int replica = 0; replica < options_.replicas; ++replica) MakeService(name, replica);
  }
  // The first one writes the clock's origin; the others find it.
  services_.front()->Start();
  for (size_t i = 1; i < services_.size(); ++i) services_[i]->Start(false);
  for (const auto& service : services_) service->AwaitReady();
}

Plant::~Plant() {
  for (const auto& service : services_) {
    absl::MutexLock lock(&service->mu_);
    service->expected_ = false;
  }
  for (const auto& service : services_) service->process_.Stop(SIGKILL);
  services_.clear();
  sink_.reset();
  postgres_.reset();
  redis_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Plant::MakeService(const std::string& name, int replica) {
  std::unique_ptr<Service> service(new Service);
  service->plant_ = this;
  service->name_ = name;
  service->replica_ = replica;
  const auto program = options_.programs.find(name);
  service->program_ = program != options_.programs.end()
                          ? program->second
                          : (Programs() / ("potok-" + name)).string();
  service->own_program_ = service->program_;
  const std::string stem = absl::StrCat(folder_, "/", name, replica);
  service->socket_ = stem + ".sock";
  service->config_ = stem + ".textproto";
  service->log_ = stem + ".log";
  service->addresses_ = stem + ".addresses";
  service->to_postgres_ =
      &links_.Add(absl::StrCat(service->label(), "->postgres"), postgres_->target());
  service->to_redis_ = &links_.Add(absl::StrCat(service->label(), "->redis"), redis_->target());
  service->to_sink_ = &links_.Add(absl::StrCat(service->label(), "->sink"), sink_->target());
  WriteConfig(*service);
  services_.push_back(std::move(service));
}

void Plant::WriteConfig(const Service& service) {
  std::ofstream out(service.config_);
  const std::string role = "potok_" + absl::StrReplaceAll(service.name_, {{"-", "_"}});
  out << "listen: \"" << service.address() << "\"\nlisten: \"127.0.0.1:0\"\n"
      << "metrics_listen: \"127.0.0.1:0\"\nauth { mode: MODE_DEV }\n"
      << "postgres { dsn: \"host=127.0.0.1 port=" << service.to_postgres_->port()
      << " sslmode=disable gssencmode=disable user=" << role << " dbname=potok\" }\n"
      << "redis { address: \"" << service.to_redis_->address() << "\" }\n"
      << "log { level: \"info\" format: \"json\" access_lines_per_second: 1 }\n"
      << "clock { time_scale: " << options_.time_scale << " }\n"
      << "peers {";
  for (const std::string& peer : ServiceNames()) {
    if (peer == service.name_) continue;
    out << " " << absl::StrReplaceAll(peer, {{"-", "_"}}) << ": \"unix:" << folder_ << "/" << peer
        << (service.replica_ % options_.replicas) << ".sock\"";
  }
  out << " }\n";
  if (service.name_ == "notifier") {
    out << "smtp { url: \"smtp://" << service.to_sink_->address()
        << "\" from: \"Potok <potok@example.test>\" allow_plaintext: true }\n";
  }
  for (const std::string& whose : {std::string(), service.name_}) {
    const auto more = options_.config.find(whose);
    if (more != options_.config.end()) out << more->second << "\n";
  }
}

Service& Plant::service(const std::string& name, int replica) {
  for (const auto& service : services_) {
    if (service->name_ == name && service->replica_ == replica) return *service;
  }
  Die(absl::StrCat("there is no ", name, "/", replica));
}

std::vector<Service*> Plant::replicas(const std::string& name) {
  std::vector<Service*> found;
  for (const auto& service : services_) {
    if (service->name_ == name) found.push_back(service.get());
  }
  return found;
}

std::vector<Service*> Plant::all() {
  std::vector<Service*> found;
  for (const auto& service : services_) found.push_back(service.get());
  return found;
}

double Plant::Now() {
  double now = 0;
  (void)absl::SimpleAtod(postgres_->Query("SELECT extract(epoch FROM clock_timestamp())"), &now);
  return now;
}

std::vector<std::string> Plant::Unexpected() {
  std::vector<std::string> found;
  for (const auto& service : services_) {
    if (const std::string how = service->Unexpected(); !how.empty()) found.push_back(how);
  }
  return found;
}

void Plant::Heal() {
  links_.HealAll();
  for (const auto& service : services_) {
    if (service->paused()) service->Continue();
  }
  if (!postgres_->Answers()) postgres_->Start();
  redis_->Continue();
  if (!redis_->running()) redis_->Start();
  for (const auto& service : services_) {
    if (!service->running()) service->Start(false);
  }
  for (const auto& service : services_) service->AwaitReady();
}

std::string Plant::LastWords(int lines_each) const {
  std::string out;
  for (const auto& service : services_) {
    std::vector<std::string> bad;
    std::istringstream log(service->Log(true));
    for (std::string line; std::getline(log, line);) {
      if (absl::StrContains(line, "\"warn\"") || absl::StrContains(line, "\"error\"")) {
        bad.push_back(line.substr(0, 400));
      }
    }
    absl::StrAppend(&out, service->label(), ": ", bad.size(), " warnings and errors\n");
    const size_t from = bad.size() > static_cast<size_t>(lines_each) ? bad.size() - lines_each : 0;
    for (size_t i = from; i < bad.size(); ++i) absl::StrAppend(&out, "  ", bad[i], "\n");
  }
  return out;
}

}  // namespace potok::chaos
