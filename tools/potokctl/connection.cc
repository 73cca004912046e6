#include "connection.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <openssl/sha.h>
#include <optional>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

#include "base/entropy.h"
#include "platform/rpc/client.h"

namespace potok::ctl {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr absl::Duration kCallBudget = absl::Seconds(30);

absl::StatusCode CodeOf(const grpc::Status& status) {
  return static_cast<absl::StatusCode>(status.error_code());
}

absl::Duration At(const std::vector<int64_t>& sorted, double share) {
  if (sorted.empty()) return absl::ZeroDuration();
  const size_t index = std::min(sorted.size() - 1, static_cast<size_t>(share * sorted.size()));
  return absl::Nanoseconds(sorted[index]);
}

std::string Uuid(const uint8_t (&bytes)[16]) {
  return absl::StrFormat("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                         bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5],
                         (bytes[6] & 0x0f) | 0x40, bytes[7], (bytes[8] & 0x3f) | 0x80, bytes[9],
                         bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]);
}

}  // namespace

void Latencies::Add(const std::string& method, absl::Duration elapsed, bool ok) {
  absl::MutexLock lock(&mu_);
  nanos_[method].push_back(absl::ToInt64Nanoseconds(elapsed));
  if (!ok) ++failed_[method];
}

std::vector<Latencies::Row> Latencies::Rows() const {
  absl::MutexLock lock(&mu_);
  std::vector<Row> rows;
  std::vector<int64_t> all;
  size_t all_failed = 0;
  const auto add = [&rows](const std::string& method, std::vector<int64_t> nanos, size_t failed) {
    std::sort(nanos.begin(), nanos.end());
    rows.push_back({method, nanos.size(), failed, At(nanos, 0.5), At(nanos, 0.99), At(nanos, 1)});
  };
  for (const auto& [method, nanos] : nanos_) {
    const auto failed = failed_.find(method);
    add(method, nanos, failed == failed_.end() ? 0 : failed->second);
    all.insert(all.end(), nanos.begin(), nanos.end());
    all_failed += rows.back().failed;
  }
  add("", std::move(all), all_failed);
  return rows;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Where& where) {
  std::unique_ptr<Connection> connection(new Connection(where));
  std::map<std::string, std::string> targets = where.targets;
  if (!where.stack.empty()) {
    std::ifstream file(where.stack);
    if (std::ifstream inside(where.stack + "/addresses"); inside) file = std::move(inside);
    std::string line;
    while (std::getline(file, line)) {
      const std::vector<std::string> pair = absl::StrSplit(line, absl::MaxSplits('=', 1));
      if (pair.size() == 2) connection->stack_values_[pair[0]] = pair[1];
    }
    for (const char* service : {"intake", "router", "sla-timer", "notifier", "analytics"}) {
      if (const std::string target = connection->StackValue(service); !target.empty()) {
        targets[service] = target;
      }
    }
    if (targets.empty()) {
      return absl::NotFoundError(
          absl::StrCat(where.stack, " has no addresses: start a stack with `tools/dev up`"));
    }
  }
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels;
  const auto channel = [&](const std::string& service) {
    std::shared_ptr<grpc::Channel>& made = channels[service];
    if (made == nullptr) {
      made = grpc::CreateCustomChannel(targets[service], grpc::InsecureChannelCredentials(),
                                       rpc::ClientArguments());
    }
    return made;
  };
  connection->intake = intake::v1::IntakeService::NewStub(channel("intake"));
  connection->flows = intake::v1::FlowService::NewStub(channel("intake"));
  connection->directory = intake::v1::DirectoryService::NewStub(channel("intake"));
  connection->admin = admin::v1::AdminService::NewStub(channel("intake"));
  connection->router = router::v1::RouterService::NewStub(channel("router"));
  connection->team = router::v1::TeamService::NewStub(channel("router"));
  connection->calendars = sla_timer::v1::CalendarService::NewStub(channel("sla-timer"));
  connection->policies = sla_timer::v1::SlaPolicyService::NewStub(channel("sla-timer"));
  connection->clocks = sla_timer::v1::SlaTimerService::NewStub(channel("sla-timer"));
  connection->notifier = notifier::v1::NotifierService::NewStub(channel("notifier"));
  connection->analytics = analytics::v1::AnalyticsService::NewStub(channel("analytics"));
  return connection;
}

std::string Connection::StackValue(const std::string& key) const {
  const auto it = stack_values_.find(key);
  return it == stack_values_.end() ? "" : it->second;
}

std::unique_ptr<grpc::ClientContext> Connection::Context(const As& as,
                                                         absl::Duration budget) const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(budget));
  const std::string token =
      where_.token.empty()
          ? absl::StrCat("dev:", as.employee, as.roles.empty() ? "" : ":", as.roles)
          : where_.token;
  context->AddMetadata("authorization", absl::StrCat("Bearer ", token));
  context->AddMetadata("accept-language", "ru");
  return context;
}

absl::Status Connection::Timed(const std::string& request_name, const As& as,
                               absl::Duration patience, const Attempt& attempt) {
  const std::string method = request_name.substr(0, request_name.rfind("Request"));
  const auto give_up = SteadyClock::now() + absl::ToChronoNanoseconds(patience);
  grpc::Status unreachable;
  for (int repeats = 0;; ++repeats) {
    // Who has more patience than that has it for a call that takes long.
    const std::unique_ptr<grpc::ClientContext> context =
        Context(as, std::max(kCallBudget, patience));
    // A service that is away is said to be away, by the first call. Those after it wait for its
    // return, as the retry policy would have every call do.
    context->set_wait_for_ready(!unreachable.ok());
    if (!unreachable.ok()) {
      const absl::Duration left = absl::FromChrono(give_up - SteadyClock::now());
      context->set_deadline(
          std::chrono::system_clock::now() +
          absl::ToChronoMilliseconds(std::clamp(left, absl::Seconds(1), kCallBudget)));
    }
    const auto start = SteadyClock::now();
    grpc::Status status = attempt(*context);
    latencies_.Add(method, absl::FromChrono(SteadyClock::now() - start), status.ok());
    if (status.ok()) return absl::OkStatus();
    const std::optional<absl::Duration> pause = rpc::MayRepeat(status, repeats);
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      unreachable = status;
    } else if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && !unreachable.ok()) {
      status = unreachable;  // It never came back: that says more than that time is over.
    } else {
      unreachable = grpc::Status::OK;
    }
    if (!pause || SteadyClock::now() + absl::ToChronoNanoseconds(*pause) >= give_up) {
      return absl::Status(CodeOf(status), absl::StrCat(method, ": ", Describe(status)));
    }
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(*pause));
  }
}

std::string NewRequestId() {
  static thread_local std::mt19937_64 random(KernelEntropy());
  uint8_t bytes[16];
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return Uuid(bytes);
}

std::string RequestIdFor(const std::string& name) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(name.data()), name.size(), digest);
  uint8_t bytes[16];
  std::copy(digest, digest + 16, bytes);
  return Uuid(bytes);
}

std::string Describe(const grpc::Status& status) {
  std::string out = status.error_message();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return out;
  std::string localized;
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::LocalizedMessage message;
    if (any.UnpackTo(&info)) {
      absl::StrAppend(&out, "\n  reason ", info.reason());
    } else if (any.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) {
        absl::StrAppend(&out, "\n  ", violation.field(), ": ", violation.description());
      }
    } else if (any.UnpackTo(&message) && message.message() != status.error_message()) {
      localized = message.message();
    }
  }
  if (!localized.empty()) absl::StrAppend(&out, "\n  ", localized);
  return out;
}

}  // namespace potok::ctl
