#include "replay_tickets.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"

#include "base/utf8.h"
#include "replay_parallel.h"

namespace potok::ctl {
namespace {

constexpr int kCallers = 8;
constexpr size_t kLongestTitle = 200;

// "[INC0000045] Category 55": the id, or nothing.
std::string CaseIdOf(const std::string& title) {
  const size_t end = title.find(']');
  return title.empty() || title[0] != '[' || end == std::string::npos ? ""
                                                                      : title.substr(1, end - 1);
}

absl::Status ReadFlow(Connection& connection, const CastFlow& flow, absl::Mutex& mu,
                      std::map<std::string, ReplayedTicket>* found) {
  intake::v1::ListTicketsRequest request;
  request.set_page_size(1000);
  request.set_filter(absl::StrCat("flow = \"flows/", flow.id, "\""));
  request.set_order_by("create_time");
  do {
    const auto page = connection.Call(*connection.intake,
                                      &intake::v1::IntakeService::Stub::ListTickets, request, As{});
    if (!page.ok()) return page.status();
    absl::MutexLock lock(&mu);
    for (const intake::v1::Ticket& ticket : page->tickets()) {
      const std::string id = CaseIdOf(ticket.title());
      if (!id.empty()) (*found)[id].ticket = ticket;
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::Status ReadEvents(Connection& connection, ReplayedTicket* replayed) {
  intake::v1::ListTicketEventsRequest request;
  request.set_parent(replayed->ticket.name());
  request.set_page_size(1000);
  do {
    const auto page = connection.Call(
        *connection.intake, &intake::v1::IntakeService::Stub::ListTicketEvents, request, As{});
    if (!page.ok()) return page.status();
    replayed->events.insert(replayed->events.end(), page->events().begin(), page->events().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<std::string, ReplayedTicket>> ReadReplayed(
    Connection& connection, const Cast& cast, const std::function<void(int64_t, int64_t)>& shown) {
  std::map<std::string, ReplayedTicket> found;
  absl::Mutex mu;
  absl::Status read = InParallel(cast.flows.size(), kCallers, [&](size_t i) {
    return ReadFlow(connection, cast.flows[i], mu, &found);
  });
  if (!read.ok()) return read;
  std::vector<ReplayedTicket*> tickets;
  for (auto& [id, replayed] : found) tickets.push_back(&replayed);
  int64_t done = 0;
  read = InParallel(tickets.size(), kCallers, [&](size_t i) {
    absl::Status status = ReadEvents(connection, tickets[i]);
    absl::MutexLock lock(&mu);
    shown(++done, static_cast<int64_t>(tickets.size()));
    return status;
  });
  if (!read.ok()) return read;
  return found;
}

std::string TitleOf(const RecordedCase& c) {
  std::vector<std::string> about;
  for (const std::string* part : {&c.title, &c.category, &c.subcategory}) {
    if (!part->empty()) about.push_back(*part);
  }
  std::string title =
      absl::StrCat("[", c.id, "] ", about.empty() ? "request" : absl::StrJoin(about, ", "));
  for (char& letter : title) {
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  }
  return std::string(Utf8Prefix(title, kLongestTitle));
}

}  // namespace potok::ctl
