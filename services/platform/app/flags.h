// The command line of every service. Flags win over the configuration file.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "potok/config/v1/config.pb.h"

namespace potok::app {

struct Flags {
  std::string config_file;
  std::string address_file;            // Where to write the real addresses; empty: nowhere.
  std::vector<std::string> overrides;  // "key=value" for config::Set, in order.
  std::vector<std::string> listen;     // Replaces the listen addresses of the file.
  int exit_code = -1;                  // 0 or above: exit with it, everything has been said.
};

// Parses; prints help, version or what is wrong by itself (see exit_code).
Flags ParseFlags(int argc, char** argv, const std::string& program, const std::string& version);

// The file and the overrides put together, checked.
absl::StatusOr<config::v1::ServiceConfig> LoadConfig(const Flags& flags);

// Writes "listen=ADDRESS" lines and one "metrics=ADDRESS" line; the file appears complete or not at
// all, so whoever waits for it can read it as soon as it exists.
absl::Status WriteAddressFile(const std::string& path, const std::vector<std::string>& addresses,
                              const std::string& metrics_address);

}  // namespace potok::app
