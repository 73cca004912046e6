// Services of Potok in the test's process, bound as in production, each with its own database role,
// on a database of the test's own, reached over real sockets.
//
//   Suite suite({.services = {intake::Spec(), router::Spec()}});
//   intake::v1::Ticket ticket;
//   ASSERT_TRUE(suite.intake().GetTicket(Suite::As("ivanova").get(), request, &ticket).ok());
//   auto router = suite.Stub<router::v1::RouterService>("router");
//
// Authentication is the development one: "ivanova" is a requester, "sidorov:requester+agent" an
// agent, "root:admin" an administrator. Thread-safe once constructed; a context is for one call.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/ticket/command.h"
#include "ledger/ledger.h"
#include "platform/app/run_service.h"
#include "platform/testing/stack.h"
#include "potok/intake/v1/intake.grpc.pb.h"

namespace potok::testing {

struct SuiteOptions {
  // Started in this order, so that each knows the addresses of those before it; empty: intake
  // alone. The same one again is a further replica, called "intake/2" by the functions below.
  std::vector<app::ServiceSpec> services;
  bool redis = false;     // A Redis of the suite's own; without one the log is read from Postgres.
  bool company = true;    // FoundCompany (company.h) before the services start.
  double time_scale = 1;  // Business seconds per real second.
  std::optional<absl::Time> time_origin;  // Business time at the start; unset: the real time.
  // More configuration of a service, by its name: {"notifier", {"smtp.url=smtp://127.0.0.1:2525"}}.
  std::map<std::string, std::vector<std::string>> config;
};

class Suite {
 public:
  // A failure to start ends the test program with the reason: nothing in it could pass.
  explicit Suite(SuiteOptions options = {});
  ~Suite();
  Suite(const Suite&) = delete;
  Suite& operator=(const Suite&) = delete;

  TestDatabase& database();
  TestRedis& redis();  // Only with SuiteOptions::redis.
  const Clock& clock() const;

  // The process that runs the service, and a channel to it.
  app::Process& process(const std::string& service) const;
  std::shared_ptr<grpc::Channel> channel(const std::string& service) const;
  template <class S>
  std::unique_ptr<typename S::Stub> Stub(const std::string& service) const {
    return S::NewStub(channel(service));
  }
  intake::v1::IntakeService::Stub& intake() const;

  // A context for one call with a deadline of 20 s. `who`: "EMPLOYEE[:role[+role...]]", "" for
  // nobody.
  static std::unique_ptr<grpc::ClientContext> As(const std::string& who,
                                                 const std::string& locale = "en");

  // A command by the suite itself, as the loops of a service would give it: assign, fire a timer.
  absl::StatusOr<ledger::Outcome> Do(const std::string& ticket_name, desk::Action action);
  absl::StatusOr<ledger::Outcome> Assign(const std::string& ticket_name, const std::string& agent) {
    return Do(ticket_name, desk::AssignTicket{agent, "manual"});
  }

  // Stops one service as SIGTERM does, and starts it again at another address. Stubs and channels
  // of it that a test holds are of no use afterwards.
  void Stop(const std::string& service);
  void Start(const std::string& service);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A fresh random UUID.
std::string Uuid();

// A filing that is accepted: it-support, or hr-certificates with its form answered.
intake::v1::CreateTicketRequest SupportRequest(const std::string& title = "Принтер не печатает");
intake::v1::CreateTicketRequest CertificateRequest();

}  // namespace potok::testing
