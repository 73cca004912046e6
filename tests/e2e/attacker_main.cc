// Does to a gRPC server what it must survive: raw HTTP/2 over loopback, bounded in number and time.
//
//   e2e_attacker MODE PORT CONNECTIONS SECONDS
//
//   idle   opens connections, says that it speaks HTTP/2, and then nothing
//   slow   dribbles half sentences: of the preface, of a frame of headers, of a message
//   reset  begins calls and takes each back at once
//   ping   sends nothing but pings
//   churn  connects and hangs up, again and again
//
// Connections that the server ends are opened again, up to a bound: what is to be tried is the
// server, not how many ports and half-closed connections the machine's network has. For the same
// reason every end is a reset that leaves nothing behind. Prints what it did as KEY=VALUE words.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload,
                  size_t announced = 0) {
  const size_t size = announced == 0 ? payload.size() : announced;
  std::string frame;
  for (const int shift : {16, 8, 0}) frame.push_back(static_cast<char>(size >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  return frame + payload;
}

constexpr long kMostOpened = 8000;

constexpr uint8_t kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6;
constexpr uint8_t kEndStream = 1, kEndHeaders = 4;

std::string Hello() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "") +
         Frame(kSettings, 1, 0, "");
}

std::string Text(const std::string& text) {  // HPACK, without Huffman; below 127 bytes.
  return std::string(1, static_cast<char>(text.size())) + text;
}

// The headers of IntakeService/ListTickets as the employee ivanova.
std::string CallHeaders() {
  return std::string("\x83\x86") +                                      // POST, http
         '\x04' + Text("/potok.intake.v1.IntakeService/ListTickets") +  // :path
         '\x01' + Text("localhost") +                                   // :authority
         "\x0f\x10" + Text("application/grpc") +                        // content-type
         std::string(1, '\0') + Text("te") + Text("trailers") +         //
         "\x0f\x08" + Text("Bearer dev:ivanova");                       // authorization
}

// One call and its end before anybody could answer. Every second one is complete before it is taken
// back, so that the server has begun to work on it.
std::string TakenBackCall(uint32_t stream) {
  std::string frames = Frame(kHeaders, kEndHeaders, stream, CallHeaders());
  if (stream % 4 == 1) frames += Frame(kData, kEndStream, stream, std::string(5, '\0'));
  return frames + Frame(kReset, 0, stream, std::string("\0\0\0\x08", 4));
}

struct Attacker {
  int fd = -1;
  std::string pending;  // What is to be sent.
  size_t at = 0;        // How much of it has been.
  uint32_t stream = 1;
  Steady::time_point next;  // Not before.
};

class Attack {
 public:
  Attack(std::string mode, uint16_t port, size_t connections, double seconds)
      : mode_(std::move(mode)),
        attackers_(connections),
        end_(Steady::now() +
             std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds))) {
    server_.sin_family = AF_INET;
    server_.sin_port = htons(port);
    server_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }

  int Run() {
    // On a slow machine longer, until each of them has come at least once.
    const auto latest = end_ + std::chrono::seconds(20);
    while (Steady::now() < end_ ||
           (opened_ < static_cast<long>(attackers_.size()) && Steady::now() < latest)) {
      const auto tick = Steady::now() + std::chrono::milliseconds(2);
      int opened_now = 0;
      for (Attacker& each : attackers_) {
        if (each.fd < 0) {  // At most ten thousand a second.
          if (opened_now >= 20 || opened_ >= kMostOpened) continue;
          Open(each);
          ++opened_now;
        } else {
          Go(each);
        }
      }
      std::this_thread::sleep_until(tick);
    }
    size_t open = 0;
    for (const Attacker& each : attackers_) open += each.fd >= 0 ? 1 : 0;
    std::printf("opened=%ld ended=%ld open=%zu frames=%ld refused=%ld\n", opened_, ended_, open,
                frames_, refused_);
    return 0;
  }

 private:
  void Open(Attacker& each) {
    each.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (each.fd < 0) return;
    const linger nothing_stays{.l_onoff = 1, .l_linger = 0};
    setsockopt(each.fd, SOL_SOCKET, SO_LINGER, &nothing_stays, sizeof(nothing_stays));
    if (connect(each.fd, reinterpret_cast<sockaddr*>(&server_), sizeof(server_)) != 0 &&
        errno != EINPROGRESS) {
      ++refused_;
      close(each.fd);
      each.fd = -1;
      return;
    }
    ++opened_;
    each.at = 0;
    each.stream = 1;
    each.next = Steady::now();
    const size_t which = static_cast<size_t>(&each - attackers_.data());
    each.pending = mode_ == "churn" ? "" : Hello();
    if (mode_ == "slow" && which % 3 == 1) {
      each.pending += Frame(kHeaders, 0, 1, CallHeaders() + std::string(4000, '\x40'), 16000);
    } else if (mode_ == "slow" && which % 3 == 2) {
      each.pending +=
          Frame(kHeaders, kEndHeaders, 1, CallHeaders()) +
          Frame(kData, 0, 1, std::string("\0\0\1\0\0", 5) + std::string(4000, 'x'), 16000);
    }
  }

  void Ended(Attacker& each) {
    ++ended_;
    close(each.fd);
    each.fd = -1;
  }

  void Go(Attacker& each) {
    // What the server says is thrown away, but not by those who never read.
    char waste[4096];
    ssize_t got = 0;
    while ((got = recv(each.fd, waste, sizeof(waste), MSG_DONTWAIT)) > 0) {
    }
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return Ended(each);
    if (mode_ == "churn") return Ended(each);
    if (each.at == each.pending.size()) Refill(each);
    if (each.at == each.pending.size() || Steady::now() < each.next) return;
    // Half a sentence: what has not been said of a dribbler is said byte by byte.
    const bool dribble = mode_ == "slow" && each.at >= 10;
    const size_t most = dribble ? 1 : (mode_ == "slow" ? 10 : each.pending.size() - each.at);
    if (dribble) each.next = Steady::now() + std::chrono::milliseconds(100);
    const ssize_t sent = send(each.fd, each.pending.data() + each.at, most, MSG_NOSIGNAL);
    if (sent > 0) each.at += static_cast<size_t>(sent);
    if (sent < 0 && errno != EAGAIN && errno != ENOTCONN && errno != EINPROGRESS) Ended(each);
  }

  void Refill(Attacker& each) {
    if (mode_ != "reset" && mode_ != "ping") return;
    each.pending.clear();
    each.at = 0;
    for (int i = 0; i < 50; ++i) {
      each.pending += mode_ == "ping" ? Frame(kPing, 0, 0, "12345678") : TakenBackCall(each.stream);
      each.stream += 2;
      ++frames_;
    }
  }

  const std::string mode_;
  std::vector<Attacker> attackers_;
  const Steady::time_point end_;
  sockaddr_in server_{};
  long opened_ = 0, ended_ = 0, frames_ = 0, refused_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s idle|slow|reset|ping|churn PORT CONNECTIONS SECONDS\n",
                 argv[0]);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  const size_t connections = std::min<size_t>(std::strtoul(argv[3], nullptr, 10), 10000);
  const double seconds = std::min(std::strtod(argv[4], nullptr), 60.0);
  return Attack(argv[1], static_cast<uint16_t>(std::atoi(argv[2])), connections, seconds).Run();
}
