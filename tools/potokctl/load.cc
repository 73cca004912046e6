// potokctl load: how many calls a second a running Potok answers, and how fast.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "commands.h"
#include "load_generator.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

using intake::v1::IntakeService;

// One HTTP/2 connection is read by one thread at a time; callers of a real installation have their
// own.
constexpr int kMostChannels = 8;
constexpr char kOwnFlow[] = "load";

struct LoadOptions {
  std::string what;
  int callers = 32;
  int in_flight = 8;
  double seconds = 10;
  double warm_up = 1;
  double rate = 0;
  int64_t count = 0;
  std::string flow;
};

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

absl::Status FineIfExists(const absl::Status& status) {
  return absl::IsAlreadyExists(status) ? absl::OkStatus() : status;
}

std::string Employee(int64_t i, int callers) { return absl::StrCat("load-", i % callers); }

// People who file, and a flow that nobody works on: what is measured is filing, not what follows.
absl::Status SetUp(Connection& connection, const LoadOptions& options) {
  intake::v1::BatchUpsertEmployeesRequest people;
  for (int i = 0; i < options.callers; ++i) {
    intake::v1::Employee& employee = *people.add_employees();
    employee.set_name(absl::StrCat("employees/", Employee(i, options.callers)));
    employee.set_display_name(absl::StrCat("Load ", i));
  }
  people.set_request_id(NewRequestId());
  absl::Status done =
      connection
          .Call(*connection.directory, &intake::v1::DirectoryService::Stub::BatchUpsertEmployees,
                people, As{})
          .status();
  if (!done.ok() || !options.flow.empty()) return done;

  sla_timer::v1::CreateCalendarRequest calendar;
  calendar.set_calendar_id("around-the-clock");
  calendar.set_calendar_template("around-the-clock");
  calendar.set_request_id(NewRequestId());
  done =
      FineIfExists(connection
                       .Call(*connection.calendars,
                             &sla_timer::v1::CalendarService::Stub::CreateCalendar, calendar, As{})
                       .status());
  if (!done.ok()) return done;
  sla_timer::v1::CreateSlaPolicyRequest policy;
  policy.set_sla_policy_id(kOwnFlow);
  policy.mutable_sla_policy()->set_display_name("Load");
  policy.mutable_sla_policy()->set_calendar("calendars/around-the-clock");
  sla_timer::v1::Term& term =
      *policy.mutable_sla_policy()->mutable_fallback_target()->mutable_resolution();
  term.set_amount(2);
  term.set_unit(sla_timer::v1::Term::UNIT_WORKING_DAYS);
  policy.set_request_id(NewRequestId());
  done =
      FineIfExists(connection
                       .Call(*connection.policies,
                             &sla_timer::v1::SlaPolicyService::Stub::CreateSlaPolicy, policy, As{})
                       .status());
  if (!done.ok()) return done;
  intake::v1::CreateFlowRequest flow;
  flow.set_flow_id(kOwnFlow);
  flow.mutable_flow()->mutable_display_name()->set_en("Load");
  flow.mutable_flow()->set_prefix("LOAD");
  flow.mutable_flow()->set_sla_policy(absl::StrCat("slaPolicies/", kOwnFlow));
  flow.mutable_flow()->set_distribution_mode(api::v1::DISTRIBUTION_MODE_MANUAL);
  flow.set_request_id(NewRequestId());
  return FineIfExists(
      connection.Call(*connection.flows, &intake::v1::FlowService::Stub::CreateFlow, flow, As{})
          .status());
}

// Stubs on connections of their own.
std::vector<std::unique_ptr<IntakeService::Stub>> Stubs(const std::string& address, int callers) {
  std::vector<std::unique_ptr<IntakeService::Stub>> stubs;
  for (int i = 0; i < std::min(callers, kMostChannels); ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs.push_back(IntakeService::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments)));
  }
  return stubs;
}

// A call in flight: lives until its answer.
template <class Q, class A>
struct InFlight {
  std::unique_ptr<grpc::ClientContext> context;
  Q request;
  A answer;
};

class Sender {
 public:
  Sender(Connection& connection, const LoadOptions& options, const std::string& address)
      : connection_(connection), options_(options), stubs_(Stubs(address, options.callers)) {}

  void Create(int64_t i, std::function<void(const grpc::Status&)> done) {
    auto call = Prepare<intake::v1::CreateTicketRequest, intake::v1::Ticket>(i);
    intake::v1::Ticket& ticket = *call->request.mutable_ticket();
    ticket.set_flow(absl::StrCat("flows/", options_.flow.empty() ? kOwnFlow : options_.flow));
    ticket.set_title(absl::StrCat("Request ", i, " of a load"));
    ticket.set_description(
        "The printer on the second floor does not print, and the report is due.");
    call->request.set_request_id(NewRequestId());
    StubOf(i).async()->CreateTicket(
        call->context.get(), &call->request, &call->answer,
        [call, done = std::move(done)](const grpc::Status& status) { done(status); });
  }

  void Get(int64_t i, std::function<void(const grpc::Status&)> done) {
    auto call = Prepare<intake::v1::GetTicketRequest, intake::v1::Ticket>(i);
    // A step that shares no factor with the number of tickets visits all of them, neighbours far
    // apart.
    call->request.set_name(tickets_[static_cast<size_t>(i * 7919) % tickets_.size()]);
    call->context = connection_.Context(As{}, absl::Seconds(30));
    StubOf(i).async()->GetTicket(
        call->context.get(), &call->request, &call->answer,
        [call, done = std::move(done)](const grpc::Status& status) { done(status); });
  }

  absl::Status FindTickets() {
    intake::v1::ListTicketsRequest request;
    request.set_page_size(1000);
    if (!options_.flow.empty())
      request.set_filter(absl::StrCat("flow = \"flows/", options_.flow, "\""));
    const auto page =
        connection_.Call(*connection_.intake, &IntakeService::Stub::ListTickets, request, As{});
    if (!page.ok()) return page.status();
    for (const intake::v1::Ticket& ticket : page->tickets()) tickets_.push_back(ticket.name());
    return tickets_.empty() ? absl::NotFoundError(
                                  "there are no tickets to read: run `potokctl load creates` first")
                            : absl::OkStatus();
  }

 private:
  template <class Q, class A>
  std::shared_ptr<InFlight<Q, A>> Prepare(int64_t i) {
    auto call = std::make_shared<InFlight<Q, A>>();
    call->context =
        connection_.Context(Requester(Employee(i, options_.callers)), absl::Seconds(30));
    return call;
  }
  IntakeService::Stub& StubOf(int64_t i) { return *stubs_[static_cast<size_t>(i) % stubs_.size()]; }

  Connection& connection_;
  const LoadOptions& options_;
  std::vector<std::unique_ptr<IntakeService::Stub>> stubs_;
  std::vector<std::string> tickets_;
};

double Quantile(const std::vector<double>& sorted, double share) {
  return sorted.empty()
             ? 0
             : sorted[std::min(sorted.size() - 1,
                               static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

int RunLoad(Connection& connection, const LoadOptions& options, const std::string& address) {
  if (const absl::Status made = SetUp(connection, options); !made.ok()) return Fail(made);
  Sender sender(connection, options, address);
  const bool creates = options.what == "creates";
  if (!creates) {
    if (const absl::Status found = sender.FindTickets(); !found.ok()) return Fail(found);
  }
  LoadPlan plan;
  plan.slots = options.callers * options.in_flight;
  plan.rate = options.rate;
  plan.count = options.count;
  plan.warm_up = options.count > 0 ? absl::ZeroDuration() : absl::Seconds(options.warm_up);
  plan.length = options.count > 0 ? absl::ZeroDuration() : absl::Seconds(options.seconds);
  LoadResult result =
      GenerateLoad(plan, [&](int64_t i, std::function<void(const grpc::Status&)> done) {
        creates ? sender.Create(i, std::move(done)) : sender.Get(i, std::move(done));
      });
  std::sort(result.seconds.begin(), result.seconds.end());
  const double length = absl::ToDoubleSeconds(result.length);
  Say(absl::StrFormat(
      "%s: %s", options.what,
      options.rate > 0 ? absl::StrFormat("open loop at %.0f/s, latency from the intended send time",
                                         options.rate)
                       : absl::StrFormat("closed loop, %d callers x %d in flight", options.callers,
                                         options.in_flight)));
  const auto at = [&](double share) {
    return Short(absl::Seconds(Quantile(result.seconds, share)));
  };
  Say(absl::StrFormat("  throughput %.0f/s (%d in %.1f s)   p50 %s   p99 %s   p99.9 %s   max %s",
                      length > 0 ? static_cast<double>(result.answered) / length : 0.0,
                      result.answered, length, at(0.5), at(0.99), at(0.999), at(1)));
  for (const auto& [why, times] : result.failed)
    Say(absl::StrCat("  failed ", times, " times: ", why));
  if (result.unsent > 0)
    Say(absl::StrCat("  not sent: ", result.unsent,
                     ", as too many were unanswered: the rate is too high"));
  return result.failed.empty() && result.unsent == 0 && result.answered > 0 ? 0 : 1;
}

}  // namespace

void AddLoad(CLI::App& app, Where& where, Run& run) {
  CLI::App* sub = app.add_subcommand(
      "load",
      "call Potok many times and tell throughput and latency\n\n"
      "  potokctl --stack .cache/stack/dev load creates\n"
      "  potokctl --stack .cache/stack/dev load creates --rate 200\n"
      "  potokctl --stack .cache/stack/dev load gets --callers 8 --in-flight 4\n\n"
      "Closed loop: each of callers x in-flight sends its next call when the last is answered. "
      "--rate: an open loop, each call\n"
      "at its time whatever the answers do, latency counted from that time.");
  auto options = std::make_shared<LoadOptions>();
  sub->add_option("what", options->what,
                  "creates: file requests, each with its own request_id; gets: read tickets")
      ->required()
      ->check(CLI::IsMember({"creates", "gets"}));
  sub->add_option("--callers", options->callers, "different employees")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  sub->add_option("--in-flight", options->in_flight, "unanswered calls of each caller")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->add_option("--seconds", options->seconds, "counted time")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  sub->add_option("--warm-up", options->warm_up, "seconds before it")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  sub->add_option("--count", options->count,
                  "end after so many calls instead; nothing is warmed up")
      ->check(CLI::PositiveNumber);
  sub->add_option("--rate", options->rate, "open loop: calls a second")
      ->check(CLI::Range(0.1, 1e6));
  sub->add_option("--flow", options->flow,
                  "id of the flow; for creates one without required fields (made: load)");
  sub->callback([&where, &run, options] {
    run = [&where, options] {
      const auto connection = OpenOrSay(where);
      if (connection == nullptr) return 1;
      const std::string stack = connection->StackValue("intake");
      return RunLoad(*connection, *options, stack.empty() ? where.targets["intake"] : stack);
    };
  });
}

}  // namespace potok::ctl
