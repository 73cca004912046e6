#include "chaos/link.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "chaos/die.h"

namespace potok::chaos {
namespace {

constexpr size_t kReadAtOnce = 64 << 10;
constexpr size_t kMostQueued = 1 << 20;  // Of one direction; a sender then feels the back pressure.

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// A socket with this filter never sees the packets that arrive: they are dropped before TCP knows
// of them, so that nothing is acknowledged.
void LosePackets(int fd, bool lose) {
  sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  sock_fprog program{.len = 1, .filter = &drop};
  int none = 0;
  if (lose) {
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
      Die("a packet filter cannot be attached");
    }
  } else {
    setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
  }
}

int ConnectTo(const std::string& target) {
  int fd = -1, done = -1;
  if (absl::StartsWith(target, "unix:")) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, target.c_str() + 5, sizeof(address.sun_path) - 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    done = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int port = 0;
    (void)absl::SimpleAtoi(target.substr(target.rfind(':') + 1), &port);
    address.sin_port = htons(static_cast<uint16_t>(port));
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    done = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  if (done == 0 || errno == EINPROGRESS) return fd;
  close(fd);
  return -1;
}

struct Packet {
  std::string bytes;
  size_t sent = 0;
  absl::Duration due;
};

// One direction of a connection.
struct Direction {
  int from = -1;
  int to = -1;
  std::deque<Packet> queue;
  size_t queued = 0;
  bool ended = false;      // The sender has said that nothing more comes.
  bool told = false;       // ... and the receiver knows.
  double allowance = 0;    // Bytes that the rate allows now.
  absl::Duration counted;  // Since when.
};

}  // namespace

struct Link::Pair {
  Link* link = nullptr;
  Direction up, down;
  bool closed = false;
};

std::string Link::address() const { return absl::StrCat("127.0.0.1:", port_); }

void Link::Set(const LinkFault& fault) {
  absl::MutexLock lock(&hub_.mu_);
  fault_ = fault;
  hub_.Apply(*this);
  for (Pair* pair : pairs_) hub_.timed_.insert(pair);
  hub_.Wake();
}

LinkFault Link::fault() const {
  absl::MutexLock lock(&hub_.mu_);
  return fault_;
}

int Link::Cut() {
  absl::MutexLock lock(&hub_.mu_);
  const std::set<Pair*> pairs = pairs_;
  for (Pair* pair : pairs) hub_.Close(*pair, /*reset=*/true);
  counts_.cut += static_cast<int64_t>(pairs.size());
  hub_.Wake();
  return static_cast<int>(pairs.size());
}

LinkCounts Link::counts() const {
  absl::MutexLock lock(&hub_.mu_);
  LinkCounts counts = counts_;
  counts.open = static_cast<int64_t>(pairs_.size());
  return counts;
}

LinkHub::LinkHub() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  thread_ = std::thread([this] { Run(); });
}

LinkHub::~LinkHub() {
  stop_ = true;
  Wake();
  thread_.join();
  absl::MutexLock lock(&mu_);
  for (const auto& link : links_) {
    const std::set<Link::Pair*> pairs = link->pairs_;
    for (Link::Pair* pair : pairs) Close(*pair, true);
    close(link->listener_);
  }
  close(epoll_);
  close(wake_);
}

void LinkHub::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof(one));
}

Link& LinkHub::Add(std::string name, std::string target) {
  std::unique_ptr<Link> link(new Link(*this, std::move(name), std::move(target)));
  link->listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(link->listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(link->listener_, 512) != 0 ||
      getsockname(link->listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Die(absl::StrCat("no socket for the link ", link->name()));
  }
  link->port_ = ntohs(address.sin_port);
  absl::MutexLock lock(&mu_);
  // Tagged in the lowest bit: a listener, not a connection.
  epoll_event event{.events = EPOLLIN, .data = {.u64 = reinterpret_cast<uint64_t>(link.get()) | 1}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, link->listener_, &event);
  links_.push_back(std::move(link));
  return *links_.back();
}

void LinkHub::HealAll() {
  std::vector<Link*> links;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& link : links_) links.push_back(link.get());
  }
  for (Link* link : links) link->Heal();
}

// One-way loss is lost both ways for TCP: what goes the good way is never acknowledged. On the side
// of the target the difference still shows.
void LinkHub::Apply(Link& link) {
  const bool lose = link.fault_.lose_up || link.fault_.lose_down;
  LosePackets(link.listener_, lose);
  for (Link::Pair* pair : link.pairs_) LosePackets(pair->up.from, lose);
}

void LinkHub::Accept(Link& link, Instant now) {
  while (true) {
    const int client = accept4(link.listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = link.fault_.refuse ? -1 : ConnectTo(link.target_);
    if (server < 0) {
      const linger now_or_never{.l_onoff = 1, .l_linger = 0};
      setsockopt(client, SOL_SOCKET, SO_LINGER, &now_or_never, sizeof(now_or_never));
      close(client);
      ++link.counts_.refused;
      continue;
    }
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto* pair = new Link::Pair;
    pair->link = &link;
    pair->up = {.from = client, .to = server, .counted = now};
    pair->down = {.from = server, .to = client, .counted = now};
    link.pairs_.insert(pair);
    ++link.counts_.opened;
    for (const int fd : {client, server}) {
      epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = pair}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
  }
}

void LinkHub::Close(Link::Pair& pair, bool reset) {
  if (pair.closed) return;
  pair.closed = true;
  if (reset) {
    const linger now_or_never{.l_onoff = 1, .l_linger = 0};
    setsockopt(pair.up.from, SOL_SOCKET, SO_LINGER, &now_or_never, sizeof(now_or_never));
    setsockopt(pair.up.to, SOL_SOCKET, SO_LINGER, &now_or_never, sizeof(now_or_never));
  }
  // Not by close() alone: between fork and exec a new process holds the sockets too, and epoll
  // would go on telling of a pair that is gone.
  for (const int fd : {pair.up.from, pair.up.to}) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    close(fd);
  }
  pair.link->pairs_.erase(&pair);
  timed_.erase(&pair);
  closed_.emplace_back(&pair);  // An event of this round may still name it.
}

LinkHub::Instant LinkHub::Pump(Link::Pair& pair, Instant now) {
  const LinkFault& fault = pair.link->fault_;
  Instant again = absl::InfiniteDuration();
  for (const bool up : {true, false}) {
    Direction& way = up ? pair.up : pair.down;
    if (up ? fault.lose_up : fault.lose_down) continue;
    const bool hold = up ? fault.hold_up : fault.hold_down;
    const absl::Duration delay = up ? fault.delay_up : fault.delay_down;
    int64_t& bytes = up ? pair.link->counts_.bytes_up : pair.link->counts_.bytes_down;
    if (fault.bytes_per_second > 0) {
      way.allowance += absl::ToDoubleSeconds(now - way.counted) * fault.bytes_per_second;
      way.allowance = std::min(way.allowance, fault.bytes_per_second / 20);
    }
    way.counted = now;
    bool moved = true;
    while (moved) {
      moved = false;
      if (!way.ended && way.queued < kMostQueued) {
        char buffer[kReadAtOnce];
        const ssize_t got = read(way.from, buffer, sizeof(buffer));
        if (got > 0) {
          bytes += got;
          way.queue.push_back({std::string(buffer, static_cast<size_t>(got)), 0, now + delay});
          way.queued += static_cast<size_t>(got);
          moved = true;
        } else if (got == 0) {
          way.ended = true;
        } else if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
          Close(pair, true);
          return again;
        }
      }
      while (!hold && !way.queue.empty()) {
        Packet& packet = way.queue.front();
        if (packet.due > now) {
          again = std::min(again, packet.due);
          break;
        }
        size_t size = packet.bytes.size() - packet.sent;
        if (fault.bytes_per_second > 0) {
          size = std::min(size, static_cast<size_t>(std::max(0.0, way.allowance)));
          if (size == 0) {
            again = std::min(again, now + absl::Milliseconds(5));
            break;
          }
        }
        const ssize_t put = send(way.to, packet.bytes.data() + packet.sent, size, MSG_NOSIGNAL);
        if (put < 0) {
          if (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) break;
          Close(pair, true);
          return again;
        }
        packet.sent += static_cast<size_t>(put);
        way.queued -= static_cast<size_t>(put);
        way.allowance -= static_cast<double>(put);
        moved = true;
        if (packet.sent == packet.bytes.size()) way.queue.pop_front();
      }
    }
    if (way.ended && way.queue.empty() && !way.told && !hold) {
      way.told = true;
      shutdown(way.to, SHUT_WR);
    }
  }
  if (pair.up.told && pair.down.told) Close(pair, false);
  return again;
}

void LinkHub::Run() {
  std::vector<epoll_event> events(256);
  Instant again = absl::InfiniteDuration();
  while (!stop_) {
    int timeout = -1;
    if (again != absl::InfiniteDuration()) {
      timeout = static_cast<int>(std::max<int64_t>(
          0, absl::ToInt64Milliseconds(again - Monotonic() + absl::Milliseconds(1))));
    }
    const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
    absl::MutexLock lock(&mu_);
    const Instant now = Monotonic();
    std::set<Link::Pair*> look = std::exchange(timed_, {});
    for (int i = 0; i < ready; ++i) {
      const uint64_t tag = events[i].data.u64;
      if (tag == 0) {
        uint64_t ignored;
        [[maybe_unused]] const auto got = read(wake_, &ignored, sizeof(ignored));
      } else if ((tag & 1) != 0) {
        Accept(*reinterpret_cast<Link*>(tag & ~uint64_t{1}), now);
      } else {
        look.insert(reinterpret_cast<Link::Pair*>(tag));
      }
    }
    again = absl::InfiniteDuration();
    for (Link::Pair* pair : look) {
      if (pair->closed) continue;
      const Instant next = Pump(*pair, now);
      if (next == absl::InfiniteDuration() || pair->closed) continue;
      timed_.insert(pair);
      again = std::min(again, next);
    }
    closed_.clear();
  }
}

}  // namespace potok::chaos
