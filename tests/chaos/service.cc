// One replica: starting and ending it, and looking at it from outside.
#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "chaos/die.h"
#include "chaos/plant.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

namespace fs = std::filesystem;

// The body of http://127.0.0.1:PORT/metrics; empty when nobody answers within a second.
std::string HttpGet(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  std::string page;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
    if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      char buffer[16384];
      for (ssize_t got; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) page.append(buffer, got);
    }
  }
  close(fd);
  return page;
}

std::string Line(const std::string& file, const std::string& prefix) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (absl::StartsWith(line, prefix)) return line.substr(prefix.size());
  }
  return "";
}

}  // namespace

std::string Service::label() const { return absl::StrCat(name_, "/", replica_); }

std::string Service::tcp_address() const {
  return Line(addresses_, "listen=127.0.0.1:").empty()
             ? ""
             : "127.0.0.1:" + Line(addresses_, "listen=127.0.0.1:");
}

void Service::Start(bool wait_until_ready) {
  std::error_code ignored;
  fs::remove(socket_, ignored);
  fs::remove(addresses_, ignored);
  {
    absl::MutexLock lock(&mu_);
    log_from_ = fs::exists(log_) ? fs::file_size(log_) : 0;
    process_ = OrDie(testing::Process::Start(
                         {program_, "--config", config_, "--address-file", addresses_}, "", log_),
                     label());
    expected_ = true;
    paused_ = false;
  }
  if (wait_until_ready) AwaitReady();
}

void Service::AwaitReady() {
  if (!testing::Eventually([&] { return ready(); }, absl::Seconds(60))) {
    Die(absl::StrCat(label(), " does not become ready:\n", Log()));
  }
}

bool Service::ready() const {
  if (!fs::exists(addresses_)) return false;
  const std::string log = Log();
  const size_t ready = log.rfind("process.ready");
  const size_t not_ready = log.rfind("process.not_ready");
  return ready != std::string::npos && (not_ready == std::string::npos || ready > not_ready);
}

void Service::Kill(bool wait) {
  absl::MutexLock lock(&mu_);
  expected_ = paused_ = false;
  if (wait) {
    process_.Stop(SIGKILL);
  } else {
    process_.Signal(SIGKILL);
  }
}

void Service::AskToStop() {
  absl::MutexLock lock(&mu_);
  expected_ = false;
  process_.Signal(SIGTERM);
}

bool Service::Ended(std::string* how) {
  absl::MutexLock lock(&mu_);
  return process_.Ended(how);
}

absl::Duration Service::Stop(absl::Duration patience) {
  const auto start = std::chrono::steady_clock::now();
  AskToStop();
  const bool ended = testing::Eventually([&] { return Ended(nullptr); }, patience);
  if (ended) return absl::FromChrono(std::chrono::steady_clock::now() - start);
  Kill();
  return absl::InfiniteDuration();
}

void Service::Pause() {
  paused_ = true;
  process_.Signal(SIGSTOP);
}

void Service::Continue() {
  paused_ = false;
  process_.Signal(SIGCONT);
}

std::string Service::Unexpected() {
  absl::MutexLock lock(&mu_);
  std::string how;
  if (!expected_ || !process_.Ended(&how)) return "";
  expected_ = false;
  return absl::StrCat(label(), " ended by itself: ", how);
}

int64_t Service::rss_kib() const {
  int64_t kib = 0;
  std::istringstream(Line(absl::StrCat("/proc/", pid(), "/status"), "VmRSS:")) >> kib;
  return kib;
}

int Service::fds() const {
  std::error_code error;
  int count = 0;
  for (auto it = fs::directory_iterator(absl::StrCat("/proc/", pid(), "/fd"), error);
       it != fs::directory_iterator(); it.increment(error)) {
    ++count;
  }
  return count;
}

std::string Service::MetricsPage() const {
  const std::string address = Line(addresses_, "metrics=");
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return "";
  return HttpGet(port);
}

std::optional<double> Service::Metric(const std::string& prefix) const {
  std::istringstream page(MetricsPage());
  std::optional<double> sum;
  for (std::string line; std::getline(page, line);) {
    double value = 0;
    if (absl::StartsWith(line, prefix) &&
        absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) {
      sum = sum.value_or(0) + value;
    }
  }
  return sum;
}

std::string Service::Log(bool whole) const {
  std::ifstream in(log_);
  if (!whole) in.seekg(static_cast<std::streamoff>(log_from_));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace potok::chaos
