// The told requests, one thread each, and what their tellers share.
//
// A teller acts at business instants and waits for events of its ticket, so that a service that is
// down for a while delays the story and does not break it. What it promises to show it reports to
// Stage::checks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "background.h"
#include "stage.h"
#include "ticket_watch.h"

namespace potok::ctl {

// "Справка 2-НДФЛ": number, promise, half-term reminder, correspondence, result, accepted, rated 5.
absl::Status TellCertificate(Stage& stage, Background& background);
// "Срочно, нужно сегодня": three requests fill one accountant, the urgent one passes her over; a
// question pauses its clock; the result comes back once.
absl::Status TellUrgent(Stage& stage, Background& background);
// A term that runs out: reminder, breach, the manager steps in and reassigns; rated 2.
absl::Status TellOverdue(Stage& stage, Background& background);
// Filed in the night from another zone.
absl::Status TellNight(Stage& stage, Background& background);
// Declined by the first agent.
absl::Status TellDeclined(Stage& stage, Background& background);

// The head of the accounting desk's free hands: kept away until TellUrgent lets them in.
std::vector<std::string> LateAccountants();

// Real time that is granted beyond the expected instant: restarts of services, leases that have to
// expire.
inline constexpr absl::Duration kGrace = absl::Seconds(40);

// Waits for an event that is expected at a business instant. DEADLINE_EXCEEDED names it when it
// does not come.
absl::StatusOr<TicketEvent> Expect(Stage& stage, TicketWatch& watch, TicketEvent::Type type,
                                   int64_t after_version, absl::Time expected);
// The ticket once somebody holds it, begun by its holder when it was not yet.
absl::StatusOr<Ticket> Begun(Stage& stage, const std::string& ticket);
// The notice of a kind about a ticket in somebody's inbox.
absl::StatusOr<notifier::v1::Notice> ExpectNotice(Stage& stage, absl::string_view employee,
                                                  notifier::v1::NoticeKind kind,
                                                  const std::string& ticket);
absl::StatusOr<router::v1::ExplainAssignmentResponse> Explain(Stage& stage,
                                                              const std::string& ticket);
// The newest decision that chose somebody, in one sentence.
std::string WhyChosen(const router::v1::ExplainAssignmentResponse& explained);
// The reason for which `agent` was left out of the newest decision that chose somebody; nothing
// when not.
std::optional<router::v1::Exclusion> LeftOut(const router::v1::ExplainAssignmentResponse& explained,
                                             const std::string& agent);
absl::StatusOr<std::vector<router::v1::AgentLoad>> Loads(Stage& stage, const std::string& flow,
                                                         const As& as);
absl::StatusOr<sla_timer::v1::Clock> ClockOf(Stage& stage, const std::string& ticket);

// "до Ср 18.11 09:05 (2 рабочих дня)".
std::string PromiseRu(const Ticket& ticket);

}  // namespace potok::ctl
