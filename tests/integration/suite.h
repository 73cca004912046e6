// The services of Potok in the test's process, on a database of its own, reached over real sockets.
//
//   Suite suite({.services = {Part::kIntake, Part::kRouter}});
//   auto call = suite.As("ivanova");
//   intake::v1::Ticket ticket;
//   ASSERT_TRUE(suite.intake().GetTicket(call.get(), request, &ticket).ok());
//
// Authentication is the development one: "ivanova" is a requester, "sidorov:agent" an agent,
// "root:admin" an administrator. Thread-safe after construction; contexts are used once each.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "desk/ticket/command.h"
#include "ledger/ledger.h"
#include "platform/testing/stack.h"
#include "potok/intake/v1/intake.grpc.pb.h"

namespace potok::testing {

enum class Part { kIntake, kRouter, kSlaTimer, kNotifier, kAnalytics };

struct SuiteOptions {
  std::vector<Part> services = {Part::kIntake};
  bool redis = false;     // A Redis of its own; without one the log is read from Postgres.
  bool company = true;    // FoundCompany (company.h) before the services start.
  double time_scale = 1;  // Business seconds per real second.
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

  std::shared_ptr<grpc::Channel> channel(Part service) const;
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

  // Drains and stops the services in order, as SIGTERM does. Legal once, before the end of the
  // suite.
  void Stop();

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
