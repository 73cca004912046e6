#include "load_calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace potok::ctl {
namespace {

using analytics::v1::AnalyticsService;
using intake::v1::DirectoryService;
using intake::v1::IntakeService;

// One HTTP/2 connection is read by one thread at a time; callers of a real installation have their
// own.
constexpr int kMostChannels = 8;

// Stubs on connections of their own, to one of the addresses each.
template <class Service>
auto Stubs(const std::string& comma_separated, int callers) {
  const std::vector<std::string> addresses = absl::StrSplit(comma_separated, ',');
  std::vector<std::unique_ptr<typename Service::StubInterface>> stubs;
  for (int i = 0; i < std::min(callers, kMostChannels); ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs.push_back(Service::NewStub(
        grpc::CreateCustomChannel(addresses[static_cast<size_t>(i) % addresses.size()],
                                  grpc::InsecureChannelCredentials(), arguments)));
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

}  // namespace

std::string LoadEmployee(int64_t i, int callers) { return absl::StrCat("load-", i % callers); }

LoadCalls::LoadCalls(Connection& connection, const LoadOptions& options, const std::string& intake,
                     const std::string& analytics)
    : connection_(connection), options_(options) {
  const auto or_to = [&](const std::string& own) { return options.to.empty() ? own : options.to; };
  if (options.what == "boards" || options.what == "reports") {
    analytics_ = Stubs<AnalyticsService>(or_to(analytics), options.callers);
  } else if (options.what == "employees") {
    directory_ = Stubs<DirectoryService>(or_to(intake), options.callers);
  } else {
    intake_ = Stubs<IntakeService>(or_to(intake), options.callers);
  }
}

const std::string& LoadCalls::FlowOf(int64_t i) const {
  return options_.flows[static_cast<size_t>(i) % options_.flows.size()];
}

absl::Status LoadCalls::Prepare() {
  return options_.what == "gets" ? FindTickets() : absl::OkStatus();
}

absl::Status LoadCalls::FindTickets() {
  if (!options_.to.empty()) {  // Whoever answers there, it is not asked what it has.
    tickets_.emplace_back("tickets/00000000-0000-7000-8000-000000000000");
    return absl::OkStatus();
  }
  intake::v1::ListTicketsRequest request;
  request.set_page_size(1000);
  request.set_filter(absl::StrCat("flow = \"flows/", FlowOf(0), "\""));
  const auto page =
      connection_.Call(*connection_.intake, &IntakeService::Stub::ListTickets, request, As{});
  if (!page.ok()) return page.status();
  for (const intake::v1::Ticket& ticket : page->tickets()) tickets_.push_back(ticket.name());
  return tickets_.empty() ? absl::NotFoundError(
                                "there are no tickets to read: run `potokctl load creates` first")
                          : absl::OkStatus();
}

template <class Stub, class Q, class A>
void LoadCalls::Start(std::vector<std::unique_ptr<Stub>>& stubs,
                      void (Stub::async_interface::*method)(grpc::ClientContext*, const Q*, A*,
                                                            std::function<void(grpc::Status)>),
                      int64_t i, const As& as, Q request, Done done) {
  auto call = std::make_shared<InFlight<Q, A>>();
  call->context = connection_.Context(as, absl::Seconds(30));
  call->request = std::move(request);
  if (request_bytes_ == 0) request_bytes_ = static_cast<int64_t>(call->request.ByteSizeLong());
  (stubs[static_cast<size_t>(i) % stubs.size()]->async()->*method)(
      call->context.get(), &call->request, &call->answer,
      [this, call, done = std::move(done)](const grpc::Status& status) {
        if (answer_bytes_ == 0 && status.ok()) {
          answer_bytes_ = static_cast<int64_t>(call->answer.ByteSizeLong());
        }
        done(status);
      });
}

void LoadCalls::Send(int64_t i, Done done) {
  if (options_.what == "creates") {
    intake::v1::CreateTicketRequest request;
    intake::v1::Ticket& ticket = *request.mutable_ticket();
    ticket.set_flow(absl::StrCat("flows/", FlowOf(i)));
    ticket.set_title(absl::StrCat("Request ", i, " of a load"));
    ticket.set_description(
        "The printer on the second floor does not print, and the report is due.");
    request.set_request_id(NewRequestId());
    return Start(intake_, &IntakeService::StubInterface::async_interface::CreateTicket, i,
                 Requester(LoadEmployee(i, options_.callers)), std::move(request), std::move(done));
  }
  if (options_.what == "employees") {
    // Call number i brings people of its own, new in each run.
    intake::v1::BatchUpsertEmployeesRequest request;
    for (int k = 0; k < options_.batch; ++k) {
      intake::v1::Employee& employee = *request.add_employees();
      const std::string id = absl::StrCat("import-", salt_, "-", i, "-", k);
      employee.set_name(absl::StrCat("employees/", id));
      employee.set_display_name(absl::StrCat("Person ", i, " ", k));
      employee.set_email(absl::StrCat(id, "@example.test"));
      employee.set_time_zone("Europe/Moscow");
    }
    request.set_request_id(NewRequestId());
    return Start(directory_,
                 &DirectoryService::StubInterface::async_interface::BatchUpsertEmployees, i, As{},
                 std::move(request), std::move(done));
  }
  if (options_.what == "gets") {
    intake::v1::GetTicketRequest request;
    // A step that shares no factor with the number of tickets visits all of them, neighbours far
    // apart.
    request.set_name(tickets_[static_cast<size_t>(i * 7919) % tickets_.size()]);
    return Start(intake_, &IntakeService::StubInterface::async_interface::GetTicket, i, As{},
                 std::move(request), std::move(done));
  }
  if (options_.what == "lists") {
    intake::v1::ListTicketsRequest request;
    request.set_page_size(50);
    request.set_filter(options_.filter.empty() ? absl::StrCat("flow = \"flows/", FlowOf(i), "\"")
                                               : options_.filter);
    return Start(intake_, &IntakeService::StubInterface::async_interface::ListTickets, i, As{},
                 std::move(request), std::move(done));
  }
  if (options_.what == "boards") {
    analytics::v1::GetBoardRequest request;
    request.set_name(absl::StrCat("flows/", FlowOf(i), "/board"));
    return Start(analytics_, &AnalyticsService::StubInterface::async_interface::GetBoard, i, As{},
                 std::move(request), std::move(done));
  }
  analytics::v1::ListAgentReportsRequest request;
  request.set_parent(absl::StrCat("flows/", FlowOf(i)));
  request.set_page_size(50);
  Start(analytics_, &AnalyticsService::StubInterface::async_interface::ListAgentReports, i, As{},
        std::move(request), std::move(done));
}

}  // namespace potok::ctl
