// Row 35: an entry of the log that its handler cannot take: it is refused, does not come back, or
// takes the process along. It is put aside within its budget while everything else goes on, and is
// handled after all once the fault is mended.
#include <algorithm>
#include <csignal>

#include "absl/strings/str_cat.h"

#include "chaos/row.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

using testing::Eventually;

// What stands in the notifier's way: a trigger that its own statements meet.
constexpr char kPoison[] =
    "CREATE FUNCTION public.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF NEW.recipient = 'poison-refused' THEN RAISE EXCEPTION 'a poison'; END IF;"
    " IF NEW.recipient = 'poison-hanging' THEN PERFORM pg_sleep(60); END IF;"
    " IF NEW.recipient = 'poison-deadly' THEN PERFORM pg_sleep(4); END IF;"
    " RETURN NEW; END $$;"
    "CREATE TRIGGER poison BEFORE INSERT ON notifier.delivery FOR EACH ROW"
    " EXECUTE FUNCTION public.poison()";
constexpr char kCure[] = "DROP TRIGGER poison ON notifier.delivery";

bool FileFor(Scene& scene, const std::string& requester, std::string* ticket) {
  intake::v1::BatchUpsertEmployeesRequest people;
  people.set_request_id(scene.choices.Uuid());
  intake::v1::Employee& employee = *people.add_employees();
  employee.set_name("employees/" + requester);
  employee.set_display_name(requester);
  intake::v1::BatchUpsertEmployeesResponse made;
  Caller& caller = scene.traffic.caller();
  if (!caller
           .Call(&Stubs::directory, &intake::v1::DirectoryService::Stub::BatchUpsertEmployees,
                 people, As{}, &made)
           .ok()) {
    return false;
  }
  intake::v1::CreateTicketRequest request;
  request.set_request_id(scene.choices.Uuid());
  request.mutable_ticket()->set_flow("flows/express");
  request.mutable_ticket()->set_title("Poison of " + requester);
  intake::v1::Ticket answer;
  const Told told = caller.Call(&Stubs::intake, &intake::v1::IntakeService::Stub::CreateTicket,
                                request, As{requester, "requester"}, &answer);
  Filing filing;
  filing.request_id = request.request_id();
  filing.title = request.ticket().title();
  filing.outcome = told.outcome;
  filing.code = told.status.error_code();
  filing.ticket = answer.uid();
  filing.number = answer.number();
  filing.due = filing.answered = Monotonic();
  scene.traffic.oracle().Add(filing);
  *ticket = answer.uid();
  return told.ok();
}

int64_t Parked(Plant& plant, const std::string& ticket) {
  return plant.postgres().Count(
      absl::StrCat("SELECT count(*) FROM ledger.dlq WHERE grp = 'notifier'"
                   " AND state = 'parked' AND entity = '",
                   ticket, "'"));
}

// Both replicas of the notifier die whenever one of them is at the poison, and start again.
int64_t KillWhoeverTakesIt(Scene& scene, const std::string& ticket, absl::Duration patience) {
  Plant& plant = scene.plant;
  int64_t deaths = 0;
  const absl::Duration end = Monotonic() + patience;
  while (Monotonic() < end && Parked(plant, ticket) == 0) {
    const int64_t at_it = plant.postgres().Count(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name = "
        "'potok-notifier'");
    if (at_it == 0) {
      scene.Let(absl::Milliseconds(20));
      continue;
    }
    ++deaths;
    for (Service* notifier : plant.replicas("notifier")) notifier->Kill();
    // Its session would sleep on, with its locks; the end of a real machine ends it as well.
    (void)plant.postgres().Query(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
        "'potok-notifier'");
    for (Service* notifier : plant.replicas("notifier"))
      notifier->Start(/*wait_until_ready=*/false);
  }
  return deaths;
}

absl::Status Poison(Scene& scene) {
  Plant& plant = scene.plant;
  if (!plant.postgres().Rows(kPoison).ok()) return absl::InternalError("no poison could be made");
  struct Kind {
    const char* who;
    double bound;
  };
  std::vector<std::string> tickets;
  for (const Kind& kind :
       {Kind{"poison-refused", 10}, Kind{"poison-hanging", 25}, Kind{"poison-deadly", 25}}) {
    std::string ticket;
    if (!FileFor(scene, kind.who, &ticket))
      return absl::InternalError("the ticket cannot be filed");
    tickets.push_back(ticket);
    const absl::Duration filed = Monotonic();
    const int64_t notices = plant.postgres().Count("SELECT count(*) FROM notifier.inbox");
    const std::string who = kind.who;
    if (who == "poison-deadly") {
      scene.evidence.Bite("deaths at the poison",
                          KillWhoeverTakesIt(scene, ticket, absl::Seconds(60)));
    }
    const bool parked = Eventually([&] { return Parked(plant, ticket) > 0; }, absl::Seconds(60));
    const double seconds = absl::ToDoubleSeconds(Monotonic() - filed);
    scene.evidence.Expect(parked, absl::StrCat(who, " was never put aside"));
    scene.evidence.Measure(absl::StrCat("put aside: ", who), seconds, kind.bound);
    scene.evidence.Recovered(seconds);
    const int64_t meanwhile =
        plant.postgres().Count("SELECT count(*) FROM notifier.inbox") - notices;
    scene.evidence.Bite(absl::StrCat("other notices during ", who), meanwhile);
    scene.Say(absl::StrCat(who, " put aside after ", seconds, " s, ", meanwhile,
                           " other notices meanwhile"));
  }
  (void)plant.postgres().Rows(kCure);
  admin::v1::ReplayDeadLettersRequest replay;
  replay.set_filter("group = \"notifier\" AND state = PARKED");
  replay.set_rate_per_second(50);
  replay.set_request_id(scene.choices.Uuid());
  admin::v1::ReplayDeadLettersResponse scheduled;
  const Told told = scene.traffic.caller().Call(
      &Stubs::admin, &admin::v1::AdminService::Stub::ReplayDeadLetters, replay, As{}, &scheduled);
  scene.evidence.Expect(told.ok(), "the replay was refused: " + told.status.error_message());
  scene.evidence.Bite("dead letters replayed", scheduled.scheduled_count());
  for (const std::string& ticket : tickets) {
    scene.evidence.Expect(Eventually([&] { return Parked(plant, ticket) == 0; }, absl::Seconds(30)),
                          "a dead letter is still parked after its replay");
    // A refused batch may have put innocent entries aside with it; the notice itself must be there.
    scene.evidence.Expect(
        Eventually(
            [&] {
              return plant.postgres().Count(
                         absl::StrCat("SELECT count(*) FROM notifier.delivery WHERE ticket_id = '",
                                      ticket, "' AND recipient LIKE 'poison-%'")) > 0;
            },
            absl::Seconds(30)),
        "a replayed notice is missing");
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> PoisonRows() {
  std::vector<Row> rows;
  rows.push_back({.number = 35,
                  .fault = "an entry that its handler refuses, hangs on, or dies of",
                  .expects = "put aside within 10, 25 and 25 s; others go on; handled by a replay",
                  .length = absl::Seconds(5),
                  .in_short_suite = false,
                  .fault_of = Poison});
  return rows;
}

}  // namespace potok::chaos
