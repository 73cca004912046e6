#include "tale.h"

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace potok::ctl {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(40);

// The newest decision that chose somebody; the service lists the newest first.
const router::v1::Decision* LastChoice(const router::v1::ExplainAssignmentResponse& explained) {
  for (const router::v1::Decision& decision : explained.decisions()) {
    if (!decision.agent().empty()) return &decision;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<TicketEvent> Expect(Stage& stage, TicketWatch& watch, TicketEvent::Type type,
                                   int64_t after_version, absl::Time expected) {
  const absl::Duration ahead =
      std::max(absl::ZeroDuration(), stage.clock.Real(expected - stage.clock.Now()));
  const auto event = watch.Await(type, after_version, ahead + kGrace);
  if (event) return *event;
  return absl::DeadlineExceededError(absl::StrCat("no event ", TicketEvent::Type_Name(type), " by ",
                                                  Stamp(expected), " and ",
                                                  absl::FormatDuration(kGrace), " more"));
}

absl::StatusOr<Ticket> Begun(Stage& stage, const std::string& ticket) {
  absl::Status last = absl::DeadlineExceededError("nobody has got it");
  const absl::Time give_up = absl::Now() + kGrace;
  while (absl::Now() < give_up) {
    absl::StatusOr<Ticket> now = Read(stage.connection, ticket);
    if (now.ok() && now->state() == Ticket::STATE_IN_PROGRESS) return now;
    if (now.ok() && now->state() == Ticket::STATE_ASSIGNED) {
      now = Start(stage.connection, *now, IdOf(now->assignee()));
      if (now.ok()) return now;
    }
    if (!now.ok()) last = now.status();
    if (!last.ok() && !MovedMeanwhile(last) && !absl::IsDeadlineExceeded(last)) return last;
    std::this_thread::sleep_for(kPoll);
  }
  return last;
}

absl::StatusOr<notifier::v1::Notice> ExpectNotice(Stage& stage, absl::string_view employee,
                                                  notifier::v1::NoticeKind kind,
                                                  const std::string& ticket) {
  notifier::v1::ListInboxRequest request;
  request.set_parent(absl::StrCat("employees/", IdOf(employee)));
  request.set_page_size(100);
  const absl::Time give_up = absl::Now() + kGrace;
  while (absl::Now() < give_up) {
    const auto inbox = stage.connection.Call(*stage.connection.notifier,
                                             &notifier::v1::NotifierService::Stub::ListInbox,
                                             request, Requester(IdOf(employee)));
    if (!inbox.ok()) return inbox.status();
    for (const notifier::v1::Notice& notice : inbox->notices()) {
      if (notice.kind() == kind && notice.ticket() == ticket) return notice;
    }
    std::this_thread::sleep_for(kPoll);
  }
  return absl::DeadlineExceededError(absl::StrCat("no notice ", notifier::v1::NoticeKind_Name(kind),
                                                  " for ", std::string(employee)));
}

absl::StatusOr<router::v1::ExplainAssignmentResponse> Explain(Stage& stage,
                                                              const std::string& ticket) {
  router::v1::ExplainAssignmentRequest request;
  request.set_name(ticket);
  return stage.connection.Call(*stage.connection.router,
                               &router::v1::RouterService::Stub::ExplainAssignment, request, As{});
}

std::string WhyChosen(const router::v1::ExplainAssignmentResponse& explained) {
  const router::v1::Decision* decision = LastChoice(explained);
  return decision == nullptr ? "" : decision->summary().ru();
}

std::optional<router::v1::Exclusion> LeftOut(const router::v1::ExplainAssignmentResponse& explained,
                                             const std::string& agent) {
  const router::v1::Decision* decision = LastChoice(explained);
  if (decision == nullptr) return std::nullopt;
  for (const router::v1::Exclusion& exclusion : decision->exclusions()) {
    if (IdOf(exclusion.agent()) == agent) return exclusion;
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<router::v1::AgentLoad>> Loads(Stage& stage, const std::string& flow,
                                                         const As& as) {
  router::v1::ListAgentLoadsRequest request;
  request.set_parent(absl::StrCat("flows/", flow));
  POTOK_ASSIGN_OR_RETURN(
      const auto answer,
      stage.connection.Call(*stage.connection.router,
                            &router::v1::RouterService::Stub::ListAgentLoads, request, as));
  return std::vector<router::v1::AgentLoad>(answer.agent_loads().begin(),
                                            answer.agent_loads().end());
}

absl::StatusOr<sla_timer::v1::Clock> ClockOf(Stage& stage, const std::string& ticket) {
  sla_timer::v1::GetClockRequest request;
  request.set_name(absl::StrCat(ticket, "/clock"));
  return stage.connection.Call(*stage.connection.clocks,
                               &sla_timer::v1::SlaTimerService::Stub::GetClock, request, As{});
}

std::string PromiseRu(const Ticket& ticket) {
  return absl::StrCat("до ", Stamp(TimeOf(ticket.due_time())), " (", TermRu(SpanOf(ticket.term())),
                      ")");
}

}  // namespace potok::ctl
