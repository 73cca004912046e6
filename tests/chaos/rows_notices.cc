// Rows 36, 38 and 39: the mail server is away or slow, a downtime leaves much to catch up with, and
// a whole team leaves at once.
#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "chaos/row.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

using testing::Eventually;

constexpr char kPendingMails[] =
    "SELECT count(*) FROM notifier.delivery WHERE channel = 'email' AND state IN ('pending', "
    "'sending')";
constexpr char kInboxNotices[] = "SELECT count(*) FROM notifier.inbox";

// Row 36. The mail server is down, then slow, then cuts every connection now and then; inboxes go
// on, no try of a message is spent while the breaker is open, and all mail goes out afterwards.
absl::Status LoseMailServer(Scene& scene) {
  Plant& plant = scene.plant;
  const int64_t notices = plant.postgres().Count(kInboxNotices);
  plant.sink().Kill();
  scene.Let(scene.length);
  const int64_t waiting = plant.postgres().Count(kPendingMails);
  scene.evidence.Bite("mails that waited", waiting);
  scene.evidence.Expect(plant.postgres().Count(kInboxNotices) > notices,
                        "inboxes stood still while the mail server was down");
  scene.evidence.Expect(
      plant.postgres().Count("SELECT count(*) FROM notifier.delivery WHERE state = 'dead'") == 0,
      "a mail was given up because the server was down");
  plant.sink().Start();
  const absl::Duration back = Monotonic();
  LinkFault slow;
  slow.delay_up = absl::Milliseconds(200);
  for (Service* notifier : plant.replicas("notifier")) notifier->to_sink().Set(slow);
  int64_t cut = 0;
  for (int i = 0; i < 10; ++i) {
    scene.Let(scene.length / 10);
    for (Service* notifier : plant.replicas("notifier")) cut += notifier->to_sink().Cut();
  }
  scene.evidence.Bite("mail connections cut", cut);
  for (Service* notifier : plant.replicas("notifier")) notifier->to_sink().Heal();
  const bool drained = Eventually(
      [&] {
        return plant.postgres().Count(absl::StrCat(kPendingMails, " AND created_at < to_timestamp(",
                                                   absl::StrFormat("%.3f", plant.Now() - 5),
                                                   ")")) == 0;
      },
      absl::Seconds(300));
  const double seconds = absl::ToDoubleSeconds(Monotonic() - back);
  scene.evidence.Expect(drained, "mail was not delivered after the server was back");
  scene.evidence.Measure("mail delivered after the server was back", seconds, 300);
  scene.evidence.Recovered(seconds);
  return absl::OkStatus();
}

// Row 38. Both timers' processes are away while terms pass; afterwards everything is caught up with
// in the order of its due instants, and no half-term reminder comes after the term itself.
absl::Status StopTheTimers(Scene& scene) {
  Plant& plant = scene.plant;
  for (Service* timer : plant.replicas("sla-timer")) timer->Kill();
  scene.Let(scene.length);
  const int64_t overdue = plant.postgres().Count(
      "SELECT count(*) FROM ledger.sla_timer WHERE state = 'armed' AND due_at < "
      "ledger.business_now()");
  scene.evidence.Bite("timers overdue", overdue);
  const std::string since = plant.postgres().Query("SELECT ledger.business_now()");
  for (Service* timer : plant.replicas("sla-timer")) timer->Start(/*wait_until_ready=*/false);
  const absl::Duration started = Monotonic();
  scene.evidence.Expect(
      Eventually(
          [&] {
            return plant.postgres().Count(absl::StrCat(
                       "SELECT count(*) FROM ledger.sla_timer WHERE state = 'armed' AND due_at < '",
                       since, "'")) == 0;
          },
          absl::Seconds(60)),
      "timers that were due before the restart have not fired");
  const double seconds = absl::ToDoubleSeconds(Monotonic() - started);
  scene.evidence.Measure("caught up", seconds, 8 + static_cast<double>(overdue) / 400);
  scene.evidence.Recovered(seconds);
  scene.evidence.Expect(
      plant.postgres().Count(
          "SELECT count(*) FROM ledger.sla_fired h JOIN ledger.sla_fired b ON b.part = h.part AND"
          " b.ticket_id = h.ticket_id AND b.gen = h.gen AND b.kind = 'breach' AND h.kind = 'half'"
          " WHERE h.fired_at > b.fired_at") == 0,
      "a half-term reminder came after the term");
  return absl::OkStatus();
}

// Row 39. Everybody of a large team who holds anything leaves at once; the others, who have room,
// get it.
absl::Status EverybodyLeaves(Scene& scene) {
  Plant& plant = scene.plant;
  constexpr int kEach = 20;
  intake::v1::BatchUpsertEmployeesRequest people;
  router::v1::BatchUpsertMembersRequest members;
  members.set_parent("flows/express");
  people.set_request_id(scene.choices.Uuid());
  members.set_request_id(scene.choices.Uuid());
  std::vector<std::string> team;
  for (int i = 0; i < 2 * kEach; ++i) {
    team.push_back(absl::StrCat(i < kEach ? "goes-" : "stays-", i));
    intake::v1::Employee& employee = *people.add_employees();
    employee.set_name("employees/" + team.back());
    employee.set_display_name(team.back());
    router::v1::Member& member = *members.add_members();
    member.set_employee("employees/" + team.back());
    member.set_line(1);
    member.set_max_active(100);
  }
  Caller& caller = scene.traffic.caller();
  intake::v1::BatchUpsertEmployeesResponse made;
  router::v1::BatchUpsertMembersResponse joined;
  if (!caller
           .Call(&Stubs::directory, &intake::v1::DirectoryService::Stub::BatchUpsertEmployees,
                 people, As{}, &made)
           .ok() ||
      !caller
           .Call(&Stubs::team, &router::v1::TeamService::Stub::BatchUpsertMembers, members, As{},
                 &joined)
           .ok()) {
    return absl::InternalError("the team cannot be made");
  }
  const auto set = [&](const std::string& agent, router::v1::Presence::Status status) {
    router::v1::SetPresenceRequest presence;
    presence.set_request_id(scene.choices.Uuid());
    presence.set_name(absl::StrCat("employees/", agent, "/presence"));
    presence.set_status(status);
    router::v1::Presence answer;
    (void)caller.Call(&Stubs::team, &router::v1::TeamService::Stub::SetPresence, presence, As{},
                      &answer);
  };
  for (const std::string& agent : team) set(agent, router::v1::Presence::STATUS_ONLINE);
  scene.Let(scene.length);
  constexpr char kHeld[] =
      "SELECT count(*) FROM ledger.assignment WHERE released_at IS NULL AND agent_id LIKE 'goes-%'";
  const int64_t held = plant.postgres().Count(kHeld);
  scene.evidence.Bite("tickets held by those who left", held);
  const absl::Duration left = Monotonic();
  const int64_t now =
      plant.postgres().Count("SELECT extract(epoch FROM ledger.business_now())::bigint");
  for (int i = 0; i < kEach; ++i) {
    router::v1::CreateAbsenceRequest leave;
    leave.set_request_id(scene.choices.Uuid());
    leave.set_parent("employees/" + team[static_cast<size_t>(i)]);
    leave.mutable_absence()->set_kind(router::v1::Absence::KIND_SICK);
    leave.mutable_absence()->mutable_start_time()->set_seconds(now - 60);
    leave.mutable_absence()->mutable_end_time()->set_seconds(now + 365 * 86400);
    router::v1::Absence answer;
    const Told told = caller.Call(&Stubs::team, &router::v1::TeamService::Stub::CreateAbsence,
                                  leave, As{}, &answer);
    scene.evidence.Expect(told.ok(), "an absence was refused: " + told.status.error_message());
  }
  scene.evidence.Expect(
      Eventually([&] { return plant.postgres().Count(kHeld) == 0; }, absl::Seconds(30)),
      "tickets are still held by people who left");
  scene.evidence.Expect(Eventually(
                            [&] {
                              return plant.postgres().Count(
                                         "SELECT count(*) FROM ledger.ticket t WHERE t.flow_id = "
                                         "'express' AND t.state = "
                                         "'QUEUED' AND t.hops > 0") == 0;
                            },
                            absl::Seconds(30)),
                        "tickets of people who left are still queued");
  const double seconds = absl::ToDoubleSeconds(Monotonic() - left);
  scene.evidence.Measure("reassigned", seconds, 5);
  scene.evidence.Recovered(seconds);
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> NoticeRows() {
  std::vector<Row> rows;
  rows.push_back({.number = 36,
                  .fault = "mail server down, then slow, its connections cut",
                  .expects = "no mail given up, inboxes go on, all mail delivered afterwards",
                  .length = absl::Seconds(8),
                  .in_short_suite = false,
                  .drain = absl::Seconds(120),
                  .fault_of = LoseMailServer});
  rows.push_back({.number = 38,
                  .fault = "sla-timer away while terms pass",
                  .expects = "caught up in due order, no reminder after its term",
                  .length = absl::Seconds(10),
                  .in_short_suite = false,
                  .fault_of = StopTheTimers});
  rows.push_back({.number = 39,
                  .fault = "twenty agents leave a team at once",
                  .expects = "their tickets reassigned within 5 s, caps hold",
                  .length = absl::Seconds(8),
                  .in_short_suite = false,
                  .fault_of = EverybodyLeaves});
  return rows;
}

}  // namespace potok::chaos
