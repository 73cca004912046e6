#include "integration/suite.h"

#include <cstdio>
#include <cstdlib>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "intake/bind.h"
#include "integration/company.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/config/load.h"
#include "platform/testing/signal.h"

namespace potok::testing {
namespace {

[[noreturn]] void Die(const std::string& what, const absl::Status& status) {
  std::fprintf(stderr, "the suite cannot start: %s: %s\n", what.c_str(), status.ToString().c_str());
  std::exit(3);
}

template <class T>
T OrDie(absl::StatusOr<T> value, const std::string& what) {
  if (!value.ok()) Die(what, value.status());
  return *std::move(value);
}

// "sla-timer" is potok_sla_timer in the database and sla_timer in the configuration.
std::string Underscored(const std::string& service) {
  return absl::StrReplaceAll(service, {{"-", "_"}});
}

struct Running {
  app::ServiceSpec spec;
  std::string label;
  std::unique_ptr<app::Process> process;
  std::shared_ptr<grpc::Channel> channel;
};

}  // namespace

// Members are destroyed in reverse: services, the suite's own ledger, then what they stand on.
struct Suite::State {
  explicit State(SuiteOptions o) : options(std::move(o)) {}

  SuiteOptions options;
  TestDatabase database;
  std::unique_ptr<TestRedis> redis;
  std::unique_ptr<DbClock> clock;
  std::unique_ptr<ledger::Reference> reference;
  std::unique_ptr<ledger::Ledger> ledger;
  std::vector<Running> services;
  std::unique_ptr<intake::v1::IntakeService::Stub> intake;

  Running& Find(const std::string& name) {
    for (Running& service : services) {
      if (service.label == name) return service;
    }
    Die(name, absl::NotFoundError("the suite was not asked for this service"));
  }

  void Start(Running& service) {
    const std::string& name = service.spec.name;
    std::vector<std::string> config = {
        "listen=127.0.0.1:0", "auth.mode=MODE_DEV", "drain.timeout_ms=5000",
        // Most suites have no consumers, and a slow machine must not put anything off for that.
        "ledger.log_lag_limit_ms=3600000",
        absl::StrCat("postgres.dsn=", database.dsn("potok_" + Underscored(name)))};
    if (redis != nullptr) config.push_back(absl::StrCat("redis.address=", redis->address()));
    for (const Running& other : services) {
      if (other.process == nullptr || &other == &service) continue;
      config.push_back(
          absl::StrCat("peers.", Underscored(other.spec.name), "=", other.process->addresses()[0]));
    }
    const auto more = options.config.find(name);
    if (more != options.config.end()) {
      config.insert(config.end(), more->second.begin(), more->second.end());
    }
    service.process = OrDie(
        app::Process::Start(OrDie(config::Load("", config), name), {service.spec}, "dev"), name);
    if (!Eventually([&] { return service.process->ready(); })) {
      Die(name, absl::DeadlineExceededError("it never became ready"));
    }
    service.channel =
        grpc::CreateChannel(service.process->addresses()[0], grpc::InsecureChannelCredentials());
    if (service.label == "intake") intake = intake::v1::IntakeService::NewStub(service.channel);
  }
};

Suite::Suite(SuiteOptions options) : state_(std::make_unique<State>(std::move(options))) {
  State& s = *state_;
  if (s.options.redis) s.redis = std::make_unique<TestRedis>();
  if (s.options.company) FoundCompany(s.database);
  pg::Pool& own = s.database.pool(8);
  OrDie(EnsureOrigin(own, {.scale = s.options.time_scale, .origin = s.options.time_origin}),
        "clock origin");
  s.clock = OrDie(DbClock::Start(own), "clock");
  s.reference = OrDie(ledger::Reference::Start(own), "reference data");
  s.ledger =
      std::make_unique<ledger::Ledger>(own, *s.reference, *s.clock, ledger::LedgerOptions{}, [] {});
  if (s.options.services.empty()) s.options.services.push_back(intake::Spec());
  std::map<std::string, int> replicas;
  for (const app::ServiceSpec& spec : s.options.services) {
    const int replica = ++replicas[spec.name];
    const std::string label = replica == 1 ? spec.name : absl::StrCat(spec.name, "/", replica);
    s.services.push_back({spec, label, nullptr, nullptr});
  }
  for (Running& service : s.services) s.Start(service);
}

Suite::~Suite() {
  for (auto service = state_->services.rbegin(); service != state_->services.rend(); ++service) {
    service->process.reset();
  }
}

void Suite::Stop(const std::string& service) { state_->Find(service).process.reset(); }
void Suite::Start(const std::string& service) { state_->Start(state_->Find(service)); }

TestDatabase& Suite::database() { return state_->database; }
TestRedis& Suite::redis() { return *state_->redis; }
const Clock& Suite::clock() const { return *state_->clock; }
app::Process& Suite::process(const std::string& service) const {
  return *state_->Find(service).process;
}
std::shared_ptr<grpc::Channel> Suite::channel(const std::string& service) const {
  return state_->Find(service).channel;
}
intake::v1::IntakeService::Stub& Suite::intake() const { return *state_->intake; }

std::unique_ptr<grpc::ClientContext> Suite::As(const std::string& who, const std::string& locale) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(absl::ToChronoTime(absl::Now() + Stretched(absl::Seconds(20))));
  if (!who.empty()) context->AddMetadata("authorization", absl::StrCat("Bearer dev:", who));
  context->AddMetadata("accept-language", locale);
  return context;
}

absl::StatusOr<ledger::Outcome> Suite::Do(const std::string& ticket_name, desk::Action action) {
  desk::Command command;
  command.ticket_id = ticket_name.substr(ticket_name.rfind('/') + 1);
  command.viewer = desk::SystemViewer();
  command.method = "suite";
  command.action = std::move(action);
  return state_->ledger->Execute(std::move(command),
                                 std::chrono::steady_clock::now() + std::chrono::seconds(20));
}

std::string Uuid() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  const uint64_t high = random(), low = random();
  return absl::StrFormat("%08x-%04x-4%03x-a%03x-%012x", high >> 32, (high >> 16) & 0xffff,
                         high & 0xfff, low >> 52, low & 0xffffffffffffull);
}

intake::v1::CreateTicketRequest SupportRequest(const std::string& title) {
  intake::v1::CreateTicketRequest request;
  request.set_request_id(Uuid());
  request.mutable_ticket()->set_flow("flows/it-support");
  request.mutable_ticket()->set_title(title);
  return request;
}

intake::v1::CreateTicketRequest CertificateRequest() {
  intake::v1::CreateTicketRequest request;
  request.set_request_id(Uuid());
  request.mutable_ticket()->set_flow("flows/hr-certificates");
  request.mutable_ticket()->set_title("Справка 2-НДФЛ");
  (*request.mutable_ticket()->mutable_fields()->mutable_fields())["kind"].set_string_value("2ndfl");
  return request;
}

}  // namespace potok::testing
