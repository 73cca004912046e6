#include "platform/app/flags.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include <CLI/CLI.hpp>

#include "base/status_macros.h"
#include "platform/config/load.h"

namespace potok::app {
namespace {

constexpr char kFooter[] = R"(
Without --config everything comes from flags and defaults:

  POTOK_ENV=dev {program} --listen 127.0.0.1:0 --set auth.mode=MODE_DEV \
      --set postgres.dsn='host=/run/potok dbname=potok user=potok_{program}' \
      --address-file {program}.addr --log-format text

The file is protobuf text format; protos/potok/config/v1/config.proto explains each key.
Health: grpcurl -plaintext ADDRESS grpc.health.v1.Health/Check
Stop:   SIGTERM drains and exits with 0; a second one ends at once.)";

}  // namespace

Flags ParseFlags(int argc, char** argv, const std::string& program, const std::string& version) {
  Flags flags;
  CLI::App app(absl::StrCat("Runs ", program, " of Potok, the service desk."), program);
  app.footer(absl::StrReplaceAll(kFooter, {{"{program}", program}}));
  app.set_version_flag("--version", absl::StrCat(program, " ", version));
  app.option_defaults()->ignore_case(false);

  std::string metrics, scale, origin, format;
  std::vector<std::string> set;
  app.add_option("--config", flags.config_file, "Configuration file")->type_name("FILE");
  app.add_option("--listen", flags.listen,
                 "Address of the gRPC server, HOST:PORT or unix:PATH; port 0 lets the kernel pick. "
                 "Repeatable; replaces those of the file")
      ->type_name("ADDRESS")
      ->take_all();
  app.add_option("--metrics-listen", metrics, "Address of the Prometheus page, HOST:PORT")
      ->type_name("ADDRESS");
  app.add_option("--address-file", flags.address_file,
                 "Write the real addresses there, as listen=ADDRESS and metrics=ADDRESS lines")
      ->type_name("FILE");
  app.add_option("--time-scale", scale,
                 "Business seconds per real second (demonstrations, replays)")
      ->type_name("N");
  app.add_option("--time-origin", origin,
                 "Business time at the very first start, such as 2026-03-02T09:00:00+03:00")
      ->type_name("RFC3339");
  app.add_option("--log-format", format, "How to log")->type_name("json|text");
  app.add_option("--set", set,
                 "Set one key of the configuration, such as postgres.pool_size=4. Repeatable")
      ->type_name("KEY=VALUE")
      ->take_all();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Prints the help, the version or the error with a hint to --help.
    flags.exit_code = app.exit(error) == 0 ? 0 : 2;
    return flags;
  }
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) flags.overrides.push_back(absl::StrCat(key, "=", value));
  };
  for (const std::string& assignment : set) flags.overrides.push_back(assignment);
  add("metrics_listen", metrics);
  add("clock.time_scale", scale);
  add("clock.time_origin", origin);
  add("log.format", format);
  return flags;
}

absl::StatusOr<config::v1::ServiceConfig> LoadConfig(const Flags& flags) {
  std::vector<std::string> overrides = flags.overrides;
  if (!flags.listen.empty()) {
    overrides.insert(overrides.begin(), "listen=");  // Clears the list; see config::Set.
    for (const std::string& address : flags.listen) {
      overrides.push_back(absl::StrCat("listen=", address));
    }
  }
  return config::Load(flags.config_file, overrides);
}

absl::Status WriteAddressFile(const std::string& path, const std::vector<std::string>& addresses,
                              const std::string& metrics_address) {
  const std::string part = absl::StrCat(path, ".part");
  {
    std::ofstream out(part, std::ios::trunc);
    for (const std::string& address : addresses) out << "listen=" << address << "\n";
    if (!metrics_address.empty()) out << "metrics=" << metrics_address << "\n";
    out.close();
    if (!out) return absl::UnavailableError(absl::StrCat("cannot write ", part));
  }
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot rename ", part, " to ", path, ": errno ", errno));
  }
  return absl::OkStatus();
}

}  // namespace potok::app
