// A client's end of a connection to a server on this machine, for tests that speak its protocol by
// hand.
#pragma once

#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace potok::testing {

// A connected blocking socket, the caller's to close; -1 when nobody takes it. `address` ends in
// :PORT, as "127.0.0.1:8080"; IPv4 loopback whatever stands before it.
inline int ConnectToLoopback(absl::string_view address) {
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return -1;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<uint16_t>(port));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace potok::testing
