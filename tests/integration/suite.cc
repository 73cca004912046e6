#include "integration/suite.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <grpc/support/time.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "desk/access/permissions.h"
#include "intake/rpc/intake_rpc.h"
#include "intake/work/watch_hub.h"
#include "integration/company.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/obs/metrics.h"
#include "platform/rpc/front.h"
#include "platform/rpc/server.h"

namespace potok::testing {
namespace {

template <class T>
T OrDie(absl::StatusOr<T> value, const char* what) {
  if (!value.ok()) {
    std::fprintf(stderr, "the suite cannot start: %s: %s\n", what,
                 value.status().ToString().c_str());
    std::exit(3);
  }
  return *std::move(value);
}

}  // namespace

struct Suite::State {
  explicit State(SuiteOptions o) : options(std::move(o)) {}

  SuiteOptions options;
  TestDatabase database;
  std::unique_ptr<TestRedis> redis;
  std::unique_ptr<DbClock> clock;
  std::unique_ptr<ledger::Reference> reference;
  std::unique_ptr<ledger::Ledger> ledger;  // The suite's own.

  obs::Metrics metrics;
  rpc::DevAuthenticator authenticator;
  std::unique_ptr<pg::Pool> pool;
  std::unique_ptr<rpc::WorkerPool> workers;
  std::unique_ptr<rpc::Front> front;
  std::unique_ptr<intake::TicketReads> reads;
  std::unique_ptr<intake::TicketLists> lists;
  std::unique_ptr<intake::WatchHub> hub;
  std::unique_ptr<ledger::Ledger> intake_ledger;
  std::unique_ptr<rpc::PageTokens> tokens;
  std::unique_ptr<intake::IntakeRpc> intake_rpc;
  std::unique_ptr<rpc::Server> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<intake::v1::IntakeService::Stub> intake;
};

Suite::Suite(SuiteOptions options) : state_(std::make_unique<State>(std::move(options))) {
  State& s = *state_;
  if (s.options.redis) s.redis = std::make_unique<TestRedis>();
  if (s.options.company) FoundCompany(s.database);
  pg::Pool& own = s.database.pool(8);
  OrDie(EnsureOrigin(own, {.scale = s.options.time_scale, .origin = {}}), "clock origin");
  s.clock = OrDie(DbClock::Start(own), "clock");
  s.reference = OrDie(ledger::Reference::Start(own), "reference data");
  s.ledger =
      std::make_unique<ledger::Ledger>(own, *s.reference, *s.clock, ledger::LedgerOptions{}, [] {});

  s.pool = std::make_unique<pg::Pool>(
      pg::PoolOptions{.dsn = s.database.dsn("potok_intake"), .size = 12});
  s.workers = std::make_unique<rpc::WorkerPool>(rpc::WorkerPoolOptions{}, s.metrics);
  s.front = std::make_unique<rpc::Front>(
      rpc::FrontOptions{}, s.authenticator,
      [](const Caller& caller, absl::string_view permission) {
        return desk::Allowed(caller.roles, permission);
      },
      *s.workers);
  s.reads = std::make_unique<intake::TicketReads>(*s.pool);
  s.lists = std::make_unique<intake::TicketLists>(*s.pool);
  s.hub = std::make_unique<intake::WatchHub>(*s.reads);
  s.intake_ledger =
      std::make_unique<ledger::Ledger>(*s.pool, *s.reference, *s.clock, ledger::LedgerOptions{},
                                       [hub = s.hub.get()] { hub->Wake(); });
  s.tokens = std::make_unique<rpc::PageTokens>(OrDie(rpc::PageTokens::Create(""), "page tokens"));
  s.intake_rpc = std::make_unique<intake::IntakeRpc>(intake::IntakeParts{
      *s.front, *s.intake_ledger, *s.reference, *s.reads, *s.lists, *s.hub, *s.tokens, *s.clock});
  s.server = std::make_unique<rpc::Server>(rpc::ServerOptions{.listen = {"127.0.0.1:0"}}, *s.front,
                                           s.metrics);
  s.server->Add<intake::v1::IntakeService>(s.intake_rpc.get());
  OrDie(absl::StatusOr<bool>([&]() -> absl::StatusOr<bool> {
          if (absl::Status started = s.server->Start(); !started.ok()) return started;
          return true;
        }()),
        "server");
  s.server->SetReady(true);
  s.channel = grpc::CreateChannel(s.server->addresses()[0], grpc::InsecureChannelCredentials());
  s.intake = intake::v1::IntakeService::NewStub(s.channel);
}

Suite::~Suite() { Stop(); }

void Suite::Stop() {
  State& s = *state_;
  if (s.server == nullptr) return;
  s.front->EndStreams();
  s.server->Shutdown(std::chrono::seconds(5));
  s.server.reset();
  s.workers->Stop();
  s.intake_ledger.reset();
  s.hub.reset();
}

TestDatabase& Suite::database() { return state_->database; }
TestRedis& Suite::redis() { return *state_->redis; }
std::shared_ptr<grpc::Channel> Suite::channel(Part) const { return state_->channel; }
intake::v1::IntakeService::Stub& Suite::intake() const { return *state_->intake; }

std::unique_ptr<grpc::ClientContext> Suite::As(const std::string& who, const std::string& locale) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(gpr_time_from_seconds(20, GPR_TIMESPAN));
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
