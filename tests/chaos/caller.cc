#include "chaos/caller.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

#include "base/backoff.h"
#include "base/entropy.h"

namespace potok::chaos {
namespace {

using SteadyClock = std::chrono::steady_clock;

const char* NameOf(grpc::StatusCode code) {
  static const char* const names[] = {"OK",
                                      "CANCELLED",
                                      "UNKNOWN",
                                      "INVALID_ARGUMENT",
                                      "DEADLINE_EXCEEDED",
                                      "NOT_FOUND",
                                      "ALREADY_EXISTS",
                                      "PERMISSION_DENIED",
                                      "RESOURCE_EXHAUSTED",
                                      "FAILED_PRECONDITION",
                                      "ABORTED",
                                      "OUT_OF_RANGE",
                                      "UNIMPLEMENTED",
                                      "INTERNAL",
                                      "UNAVAILABLE",
                                      "DATA_LOSS",
                                      "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(names) ? names[index] : "?";
}

// A definite no of the service, after which nothing has happened and nothing will.
bool Definite(grpc::StatusCode code) {
  switch (code) {
    case grpc::INVALID_ARGUMENT:
    case grpc::NOT_FOUND:
    case grpc::ALREADY_EXISTS:
    case grpc::PERMISSION_DENIED:
    case grpc::FAILED_PRECONDITION:
    case grpc::ABORTED:
    case grpc::OUT_OF_RANGE:
    case grpc::UNIMPLEMENTED:
    case grpc::UNAUTHENTICATED: return true;
    default: return false;
  }
}

absl::Duration RetryAfter(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return absl::ZeroDuration();
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::RetryInfo info;
    if (any.UnpackTo(&info)) {
      return absl::Seconds(info.retry_delay().seconds()) +
             absl::Nanoseconds(info.retry_delay().nanos());
    }
  }
  return absl::ZeroDuration();
}

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);  // Also the patience of one connect.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 250);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

double Uniform() {
  thread_local std::mt19937_64 generator(KernelEntropy());
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

bool Told::failed() const { return outcome != Outcome::kOk && !Definite(status.error_code()); }

Caller::Caller(const std::map<std::string, std::vector<std::string>>& addresses, Patience patience)
    : patience_(patience) {
  const size_t replicas = addresses.at("intake").size();
  for (size_t i = 0; i < replicas; ++i) {
    const auto channel = [&](const char* service) { return ChannelTo(addresses.at(service)[i]); };
    const auto intake = channel("intake"), router = channel("router"), sla = channel("sla-timer");
    Stubs& stubs = replicas_.emplace_back();
    stubs.intake = intake::v1::IntakeService::NewStub(intake);
    stubs.flows = intake::v1::FlowService::NewStub(intake);
    stubs.directory = intake::v1::DirectoryService::NewStub(intake);
    stubs.admin = admin::v1::AdminService::NewStub(intake);
    stubs.router = router::v1::RouterService::NewStub(router);
    stubs.team = router::v1::TeamService::NewStub(router);
    stubs.calendars = sla_timer::v1::CalendarService::NewStub(sla);
    stubs.policies = sla_timer::v1::SlaPolicyService::NewStub(sla);
    stubs.clocks = sla_timer::v1::SlaTimerService::NewStub(sla);
    stubs.notifier = notifier::v1::NotifierService::NewStub(channel("notifier"));
    stubs.analytics = analytics::v1::AnalyticsService::NewStub(channel("analytics"));
  }
}

Told Caller::Repeat(const std::string& method, const As& as, const Attempt& attempt) {
  const auto give_up = SteadyClock::now() + absl::ToChronoNanoseconds(patience_.whole);
  const Backoff backoff{.initial = patience_.first_pause, .cap = patience_.longest_pause};
  size_t replica = next_.fetch_add(1);
  Told told;
  bool open = false;  // An earlier attempt may have taken effect.
  while (true) {
    grpc::ClientContext context;
    const auto left = give_up - SteadyClock::now();
    context.set_deadline(
        std::chrono::system_clock::now() +
        std::max(std::chrono::milliseconds(100),
                 std::min(absl::ToChronoMilliseconds(patience_.attempt),
                          std::chrono::duration_cast<std::chrono::milliseconds>(left))));
    context.AddMetadata("authorization", absl::StrCat("Bearer dev:", as.employee, ":", as.roles));
    told.status = attempt(replicas_[replica++ % replicas_.size()], context);
    ++told.attempts;
    const grpc::StatusCode code = told.status.error_code();
    const absl::Duration advised = RetryAfter(told.status);
    {
      absl::MutexLock lock(&mu_);
      ++counts_.attempts;
      if (code != grpc::OK) ++counts_.bad_attempts[absl::StrCat(method, " ", NameOf(code))];
      if (advised > absl::ZeroDuration()) ++counts_.advised;
    }
    if (code == grpc::OK) {
      told.outcome = Told::Outcome::kOk;
      break;
    }
    if (Definite(code)) {
      // After an attempt of unknown fate even a definite no speaks of this attempt only.
      told.outcome = open ? Told::Outcome::kUnknown : Told::Outcome::kRefused;
      break;
    }
    // RESOURCE_EXHAUSTED is given before anything was begun.
    open |= code != grpc::RESOURCE_EXHAUSTED;
    told.outcome = open ? Told::Outcome::kUnknown : Told::Outcome::kRefused;
    const absl::Duration pause = std::max(backoff.Wait(told.attempts, Uniform()), advised);
    if (give_up_ || SteadyClock::now() + absl::ToChronoNanoseconds(pause) >= give_up) break;
    absl::SleepFor(pause);
  }
  absl::MutexLock lock(&mu_);
  ++counts_.calls;
  counts_.failed += told.failed() ? 1 : 0;
  return told;
}

CallCounts Caller::counts() const {
  absl::MutexLock lock(&mu_);
  return counts_;
}

}  // namespace potok::chaos
