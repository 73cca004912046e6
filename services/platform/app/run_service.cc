#include "platform/app/run_service.h"

#include <cstdio>
#include <cstdlib>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <signal.h>
#include <sys/resource.h>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

#include "platform/app/flags.h"
#include "platform/obs/log.h"

namespace potok::app {
namespace {

// The libraries' own messages become log lines; on standard error they would be unparsable, and a
// caller who sends bad text could fill a disk with them.
void RouteLibraryLogs() {
  google::protobuf::SetLogHandler([](google::protobuf::LogLevel level, const char*, int,
                                     const std::string& message) {
    const bool serious = level >= google::protobuf::LOGLEVEL_FATAL;
    obs::Log(serious ? obs::LogLevel::kError : obs::LogLevel::kDebug, "library.protobuf", message);
  });
  gpr_set_log_function([](gpr_log_func_args* args) {
    obs::Log(
        args->severity == GPR_LOG_SEVERITY_ERROR ? obs::LogLevel::kWarn : obs::LogLevel::kDebug,
        "library.grpc", args->message);
  });
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// As many file descriptors as we may have: the usual soft limit of 1024 is for programs that use
// select(), which none of our libraries does.
void RaiseDescriptorLimit() {
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  descriptors.rlim_cur = descriptors.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &descriptors);
}

const char* WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  return signal == SIGINT ? "SIGINT" : "SIGTERM";
}

int StartFailed(const std::string& program, const absl::Status& status) {
  // To standard error as well: whoever starts by hand looks there, and logging may not be up yet.
  std::fprintf(stderr, "%s: cannot start: %s\n", program.c_str(),
               std::string(status.message()).c_str());
  obs::LogError("process.start_failed", status.message());
  obs::FlushLog();
  return 1;
}

}  // namespace

int RunServices(int argc, char** argv, const std::string& program, std::vector<ServiceSpec> specs) {
  const std::string version = specs.empty() ? "" : specs.front().version;
  const Flags flags = ParseFlags(argc, argv, program, version);
  if (flags.exit_code >= 0) return flags.exit_code;

  // Blocked before the first thread exists, so that all inherit it and only this thread takes them.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);  // A peer that hangs up is an error of one write, not of the process.
  // Debian's Abseil is built with its assertions, so that each lock would look for cycles among all
  // held ones: a twentieth of a create, and a lock of its own inside.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

  auto config = LoadConfig(flags);
  if (!config.ok()) return StartFailed(program, config.status());
  const auto level = obs::ParseLogLevel(config->log().level());
  if (!level.ok()) return StartFailed(program, level.status());
  const auto format = obs::ParseLogFormat(config->log().format());
  if (!format.ok()) return StartFailed(program, format.status());
  obs::InitLog({.service = program, .version = version, .format = *format, .level = *level});
  RouteLibraryLogs();

  RaiseDescriptorLimit();
  const char* env = std::getenv("POTOK_ENV");  // NOLINT(concurrency-mt-unsafe): no thread runs yet.
  auto process = Process::Start(
      *std::move(config), std::move(specs), env == nullptr ? "" : env,
      [&flags](const std::vector<std::string>& addresses, const std::string& metrics_address) {
        for (const std::string& address : addresses) {
          obs::LogInfo("process.listening", "the gRPC server listens", {{"address", address}});
        }
        if (!metrics_address.empty()) {
          obs::LogInfo("process.metrics", "the metrics page is served",
                       {{"address", metrics_address}});
        }
        return flags.address_file.empty()
                   ? absl::OkStatus()
                   : WriteAddressFile(flags.address_file, addresses, metrics_address);
      });
  if (!process.ok()) return StartFailed(program, process.status());

  obs::LogInfo("process.stopping", "a signal asked for the stop",
               {{"signal", WaitForSignal(signals)}});
  // Detached on purpose: it waits for a second signal that mostly never comes.
  std::thread([signals, program] {
    obs::LogWarn("process.killed", "a second signal ends the process at once",
                 {{"signal", WaitForSignal(signals)}});
    std::_Exit(1);
  }).detach();
  (*process)->Stop();
  obs::LogInfo("process.stopped", "the stop is complete");
  obs::FlushLog();
  // Not through main's return: the destructors of statics would race with the thread above and with
  // gRPC's own threads, and there is nothing left for them to do.
  std::_Exit(0);
}

int RunService(int argc, char** argv, ServiceSpec spec) {
  const std::string program = spec.name;
  std::vector<ServiceSpec> specs;
  specs.push_back(std::move(spec));
  return RunServices(argc, argv, program, std::move(specs));
}

}  // namespace potok::app
