#include "platform/rpc/acceptor.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/status_macros.h"
#include "platform/obs/log.h"

namespace potok::rpc {
namespace {

constexpr int kBacklog = 1024;
// Preface and settings of the usual clients stay below this; a call does not.
constexpr int64_t kNoCallBytes = 256;
constexpr absl::Duration kSilentEnough = absl::Seconds(1);
// A look at all connections costs a system call each, so one makes room for many newcomers.
constexpr int kShareCutAtOnce = 16;
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(100);
constexpr absl::Duration kRest = absl::Milliseconds(50);  // After accept() failed.
constexpr int kUserTimeoutMs = 20000;                     // As the keepalive timeout of the server.
// A connection costs gRPC about a millisecond and some memory for a while after its end. One that
// was ended for a flood had more: it costs the next ones as many turns.
constexpr double kCostOfFlood = 50;
constexpr double kMostDebt = 400;
constexpr absl::Duration kBetweenTurns = absl::Milliseconds(5);  // While connections wait.

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

absl::Status CannotListen(const std::string& address) {
  const int error = errno;
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, ": ", std::strerror(error),
                   error == EADDRINUSE ? "; it is taken by another process" : ""));
}

ino_t InodeOf(int fd) {
  struct stat about {};
  return fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

absl::StatusOr<int> ListenOnUnix(const std::string& address, const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(name.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(address, ": not a path of 1 to 107 bytes"));
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  // What a process that was killed has left behind; one that lives is found by connecting to it.
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(probe, reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0) {
    close(probe);
    errno = EADDRINUSE;
    return CannotListen(address);
  }
  if (errno == ECONNREFUSED) unlink(path.c_str());
  close(probe);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)) != 0 ||
      listen(fd, kBacklog) != 0) {
    const absl::Status status = CannotListen(address);
    close(fd);
    return status;
  }
  return fd;
}

absl::StatusOr<int> ListenOnTcp(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(address, ": neither host:port nor unix:/path"));
  }
  absl::string_view host = absl::string_view(address).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(std::string(host).c_str(), address.c_str() + colon + 1, &hints, &found);
      error != 0) {
    return absl::InvalidArgumentError(absl::StrCat(address, ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  // A restart on the same port must not wait for the old connections' last packets. Not REUSEPORT:
  // two processes on one port would silently share the connections.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, kBacklog) != 0) {
    const absl::Status status = CannotListen(address);
    close(fd);
    return status;
  }
  return fd;
}

int PortOf(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                                          : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
}

bool HungUp(int fd) {
  char byte = 0;
  const ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

// Cuts the connection `fd`, if the number still means the socket of that inode: the copy holds on
// to whatever it is while that is found out.
bool Cut(int fd, ino_t inode) {
  const int copy = dup(fd);
  if (copy < 0) return false;
  const bool same = InodeOf(copy) == inode;
  if (same) shutdown(copy, SHUT_RDWR);
  close(copy);
  return same;
}

}  // namespace

std::vector<int> ChooseVictims(std::vector<ConnectionSigns> connections, size_t most) {
  connections.erase(
      std::remove_if(connections.begin(), connections.end(),
                     [](const ConnectionSigns& c) { return c.silent < kSilentEnough; }),
      connections.end());
  std::sort(connections.begin(), connections.end(),
            [](const ConnectionSigns& a, const ConnectionSigns& b) {
              const bool a_idle = a.received_bytes < kNoCallBytes;
              const bool b_idle = b.received_bytes < kNoCallBytes;
              return a_idle != b_idle ? a_idle : a.silent > b.silent;
            });
  std::vector<int> victims;
  for (const ConnectionSigns& connection : connections) {
    if (victims.size() >= most) break;
    victims.push_back(connection.fd);
  }
  return victims;
}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(const AcceptorOptions& options,
                                                           obs::Metrics& metrics) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(options, metrics));
  for (const std::string& address : options.listen) {
    POTOK_RETURN_IF_ERROR(acceptor->Add(address));
  }
  return acceptor;
}

Acceptor::Acceptor(const AcceptorOptions& options, obs::Metrics& metrics)
    : options_(options),
      max_connections_(std::max(1, options.max_connections)),
      accepted_(metrics.Counter("potok_connections_accepted_total", "Connections accepted.")),
      cut_(metrics.Counter("potok_connections_closed_total",
                           "Connections closed for want of room, by whose place was taken.",
                           {{"whose", "idle"}})),
      refused_(metrics.Counter("potok_connections_closed_total",
                               "Connections closed for want of room, by whose place was taken.",
                               {{"whose", "newcomer"}})),
      failed_(metrics.Counter("potok_accept_failures_total",
                              "Calls of accept() that failed for want of a resource.")),
      flooded_(metrics.Counter("potok_connections_flooded_total",
                               "Connections ended for a flood of frames.")),
      early_(metrics.Counter("potok_connections_hung_up_early_total",
                             "Connections that ended before they were handed to the server.")),
      floods_(std::make_shared<FloodTally>()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pace_(options.handed_over_at_once),
      paced_(Monotonic()) {
  metrics.Gauge("potok_connections_max", "Connections that may be open at once.")
      .Set(max_connections_);
  prometheus::Gauge& open = metrics.Gauge("potok_connections_open", "Open connections.");
  prometheus::Gauge& waiting =
      metrics.Gauge("potok_connections_waiting", "Open connections not handed to the server yet.");
  scrape_ = metrics.BeforeScrape([this, &open, &waiting] {
    open.Set(this->open());
    waiting.Set(waiting_count_);
    const absl::MutexLock lock(&flooded_mu_);
    flooded_.Increment(static_cast<double>(floods_->ended - flooded_told_));
    flooded_told_ = floods_->ended;
  });
}

Acceptor::~Acceptor() {
  Stop();
  close(wake_);
}

absl::Status Acceptor::Add(const std::string& address) {
  Listener listener;
  absl::string_view path = address;
  if (absl::ConsumePrefix(&path, "unix:")) {
    listener.is_unix = true;
    listener.path = std::string(path);
    POTOK_ASSIGN_OR_RETURN(listener.fd, ListenOnUnix(address, listener.path));
    addresses_.push_back(address);
  } else {
    POTOK_ASSIGN_OR_RETURN(listener.fd, ListenOnTcp(address));
    addresses_.push_back(
        absl::StrCat(address.substr(0, address.rfind(':')), ":", PortOf(listener.fd)));
  }
  listeners_.push_back(std::move(listener));
  return absl::OkStatus();
}

void Acceptor::Start(HandOver hand_over) {
  if (thread_.joinable() || stop_) return;
  hand_over_ = std::move(hand_over);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "accept");
}

void Acceptor::Stop() {
  stop_ = true;
  (void)eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
  CloseListeners();
}

void Acceptor::CloseListeners() {
  for (const Listener& listener : listeners_) {
    close(listener.fd);
    if (listener.is_unix) unlink(listener.path.c_str());
  }
  listeners_.clear();
}

int Acceptor::open() const {
  const absl::MutexLock lock(&mu_);
  ForgetClosed();
  return static_cast<int>(open_.size());
}

void Acceptor::Run() {
  std::vector<pollfd> waiting;
  for (const Listener& listener : listeners_) waiting.push_back({listener.fd, POLLIN, 0});
  waiting.push_back({wake_, POLLIN, 0});
  bool rest = false;
  while (!stop_) {
    // While resting only the end is waited for: the listeners would answer at once.
    const size_t first = rest ? waiting.size() - 1 : 0;
    (void)poll(&waiting[first], waiting.size() - first, Patience(rest));
    rest = false;
    for (const Listener& listener : listeners_) {
      if (!stop_ && !AcceptAll(listener)) rest = true;
    }
    HandOverWaiting();
  }
  for (const int fd : waiting_) close(fd);
  waiting_.clear();
}

int Acceptor::Patience(bool rest) const {
  if (!waiting_.empty()) return static_cast<int>(absl::ToInt64Milliseconds(kBetweenTurns));
  return rest ? static_cast<int>(absl::ToInt64Milliseconds(kRest)) : -1;
}

void Acceptor::HandOverWaiting() {
  const absl::Duration now = Monotonic();
  const int64_t floods = floods_->ended;
  pace_ = std::min(options_.handed_over_at_once,
                   pace_ + absl::ToDoubleSeconds(now - paced_) * options_.handed_over_per_second);
  pace_ = std::max(-kMostDebt, pace_ - kCostOfFlood * static_cast<double>(floods - floods_paid_));
  paced_ = now;
  if (floods > floods_paid_ && now - complained_ > absl::Seconds(10)) {
    complained_ = now;
    obs::LogWarn("accept.flood", "connections were ended for flooding the server with frames",
                 {{"ended_since_start", floods}});
  }
  floods_paid_ = floods;
  while (!waiting_.empty() && pace_ >= 1) {
    const int fd = waiting_.front();
    waiting_.pop_front();
    if (HungUp(fd)) {
      early_.Increment();
      close(fd);
      continue;
    }
    pace_ -= 1;
    WatchForFloods(fd, floods_);
    hand_over_(fd, false);
  }
  waiting_count_ = static_cast<int>(waiting_.size());
}

bool Acceptor::AcceptAll(const Listener& listener) {
  while (!stop_) {
    const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        failed_.Increment();
        if (Monotonic() - complained_ > absl::Seconds(10)) {
          complained_ = Monotonic();
          obs::LogWarn("accept.no_resources", "a connection waits for a resource of the system",
                       {{"error", std::strerror(errno)}});
        }
        const absl::MutexLock lock(&mu_);
        (void)MakeRoom();
        return false;
      }
      continue;  // The fault of that one connection: it is gone already.
    }
    accepted_.Increment();
    {
      const absl::MutexLock lock(&mu_);
      if (static_cast<int>(open_.size()) >= max_connections_ && !MakeRoom()) {
        refused_.Increment();
        close(fd);
        continue;
      }
      open_[fd] = InodeOf(fd);
    }
    if (!listener.is_unix) {
      const int yes = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
      setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof(kUserTimeoutMs));
      waiting_.push_back(fd);
    } else {
      hand_over_(fd, true);  // Whoever may open those is trusted.
    }
  }
  return true;
}

void Acceptor::ForgetClosed() const {
  for (auto it = open_.begin(); it != open_.end();) {
    it = InodeOf(it->first) == it->second ? std::next(it) : open_.erase(it);
  }
}

bool Acceptor::MakeRoom() {
  if (Monotonic() - looked_ < kBetweenLooks) return false;
  looked_ = Monotonic();
  ForgetClosed();
  if (static_cast<int>(open_.size()) < max_connections_ * (kShareCutAtOnce - 1) / kShareCutAtOnce) {
    return true;
  }
  std::vector<ConnectionSigns> signs;
  for (const auto& [fd, inode] : open_) {
    tcp_info info{};
    socklen_t size = sizeof(info);
    // Fails for unix sockets: whoever may open those is trusted.
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) continue;
    signs.push_back({fd, static_cast<int64_t>(info.tcpi_bytes_received),
                     absl::Milliseconds(info.tcpi_last_data_recv)});
  }
  int cut = 0;
  for (const int fd : ChooseVictims(std::move(signs), 1 + max_connections_ / kShareCutAtOnce)) {
    if (Cut(fd, open_[fd])) ++cut;
    open_.erase(fd);
  }
  cut_.Increment(cut);
  if (cut > 0 && Monotonic() - complained_ > absl::Seconds(10)) {
    complained_ = Monotonic();
    obs::LogWarn("accept.crowded", "idle connections were cut to make room",
                 {{"cut", cut}, {"max_connections", max_connections_}});
  }
  return static_cast<int>(open_.size()) < max_connections_;
}

}  // namespace potok::rpc
