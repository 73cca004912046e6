// Reads the configuration of a process: protobuf text format, checked before anything is started.
//
// A file with an unknown key, a wrong type or an impossible value is refused as a whole, and the
// message says where and what would be right. Not thread-safe; called once at start.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "potok/config/v1/config.pb.h"

namespace potok::config {

using v1::ServiceConfig;

// Parses `text`; `name` stands for the file in messages ("intake.cfg:3:5: ..."). No defaults, no
// checks.
absl::StatusOr<ServiceConfig> Parse(absl::string_view text, absl::string_view name);

// Sets one value by its path: "postgres.dsn=host=/run/potok". A repeated field gets one more
// element.
absl::Status Set(ServiceConfig& config, absl::string_view assignment);

// Fills in the defaults that config.proto documents.
void FillDefaults(ServiceConfig& config);

// Refuses values no service can run with. Expects the defaults filled in.
absl::Status Check(const ServiceConfig& config);

// Parse the file, apply `overrides` (each as for Set), fill defaults, check. An empty path starts
// from an empty file.
absl::StatusOr<ServiceConfig> Load(const std::string& path,
                                   const std::vector<std::string>& overrides = {});

// The secret, or an error that names the source but not its content. A source that is not set gives
// "".
absl::StatusOr<std::string> ReadSecret(const v1::SecretSource& source);

// The connection string with the password file, ready for libpq.
std::string PostgresDsn(const v1::PostgresConfig& postgres);

}  // namespace potok::config
