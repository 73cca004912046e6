// Row 35: an entry of the log that its handler cannot take: it is refused, does not come back, or
// takes the process along. It is put aside within its budget while everything else goes on, and is
// handled after all once the fault is mended.
#include <algorithm>
#include <csignal>

#include "absl/strings/str_cat.h"

#include "chaos/probe.h"
#include "chaos/row.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

using testing::Eventually;

// What stands in the notifier's way: a trigger that its own statements meet. Whoever is at the
// deadly one can be told from all others by the name of its session.
constexpr char kTrigger[] =
    "CREATE TRIGGER poison BEFORE INSERT ON notifier.delivery FOR EACH ROW"
    " EXECUTE FUNCTION public.poison()";
constexpr char kCure[] = "DROP TRIGGER IF EXISTS poison ON notifier.delivery";

struct Kind {
  const char* who;
  const char* does;
  double bound;
};

constexpr Kind kKinds[] = {
    {"poison-refused", "RAISE EXCEPTION 'a poison'", 10},
    {"poison-hanging", "PERFORM pg_sleep(60)", 25},
    {"poison-deadly",
     "PERFORM set_config('application_name', 'at the poison', true); PERFORM pg_sleep(4)", 25}};

std::string Poisoning(const Kind& kind) {
  return absl::StrCat(
      "CREATE OR REPLACE FUNCTION public.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " IF NEW.recipient = '",
      kind.who, "' THEN ", kind.does, "; END IF; RETURN NEW; END $$");
}

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

// Whoever is at the poison dies there and starts again, until the entry is put aside.
int64_t KillWhoeverTakesIt(Scene& scene, const std::string& ticket, absl::Duration patience) {
  Plant& plant = scene.plant;
  const std::string lease = absl::StrCat(
      "consumer:notifier:", plant.postgres().Count(absl::StrCat(
                                "SELECT part FROM ledger.ticket WHERE id = '", ticket, "'")));
  const auto at_it = [&] {
    return plant.postgres().Count(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'at the poison'");
  };
  int64_t deaths = 0;
  const absl::Duration end = Monotonic() + patience;
  while (Monotonic() < end && Parked(plant, ticket) == 0) {
    if (at_it() == 0) {
      scene.Let(absl::Milliseconds(20));
      continue;
    }
    for (Service* notifier : plant.replicas("notifier")) {
      const auto held = LeasesOf(plant, *notifier, "consumer:notifier");
      if (std::find(held.begin(), held.end(), lease) == held.end()) continue;
      notifier->Kill();
      ++deaths;
      scene.Say(absl::StrCat("death ", deaths, " at the poison"));
      // Its session would sleep on, with its locks; the end of a real machine ends it as well.
      (void)plant.postgres().Query(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
          "'at the poison'");
      notifier->Start(/*wait_until_ready=*/false);
      break;
    }
    (void)Eventually([&] { return at_it() == 0; }, absl::Seconds(5));
  }
  return deaths;
}

absl::Status Poison(Scene& scene) {
  Plant& plant = scene.plant;
  std::vector<std::string> tickets;
  for (const Kind& kind : kKinds) {
    // The one before is harmless from now on: else its other entries would be in this one's way.
    if (!plant.postgres().Rows(Poisoning(kind)).ok() ||
        (tickets.empty() && !plant.postgres().Rows(kTrigger).ok())) {
      return absl::InternalError("no poison could be made");
    }
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
