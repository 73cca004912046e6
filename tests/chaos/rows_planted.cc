// Row 0 breaks no Potok but its data: a judge that does not see this sees nothing.
#include "absl/strings/str_cat.h"

#include "chaos/die.h"
#include "chaos/row.h"

namespace potok::chaos {
namespace {

// As superuser, past every rule of the schema: an acknowledged ticket is forgotten, another is
// filed twice, a log entry vanishes, a mail that was never sent is marked as sent. And a bite that
// never bit, which makes a run void.
absl::Status Spoil(Scene& scene) {
  Postgres& postgres = scene.plant.postgres();
  const auto do_it = [&](const std::string& sql) {
    OrDie(postgres.Rows("SET session_replication_role = replica; " + sql +
                        "; SET session_replication_role = origin"),
          "planting");
  };
  const std::string lost = scene.traffic.oracle().filings().front().ticket;
  for (const char* table : {"ticket", "ticket_event", "event_text", "sla_timer", "idem"}) {
    do_it(absl::StrCat("DELETE FROM ledger.", table, " WHERE ",
                       std::string(table) == "ticket" ? "id" : "ticket_id", " = '", lost, "'"));
  }
  do_it(
      "DELETE FROM ledger.event_log WHERE ctid = (SELECT ctid FROM ledger.event_log"
      " WHERE pos = 2 LIMIT 1)");
  do_it(
      "INSERT INTO notifier.delivery (part, id, ticket_id, version, flow_id, rule, kind, role,"
      " recipient, channel, locale, facts, message_id, planned_at, state, next_at, caused_at,"
      " finished_at) VALUES (0, gen_random_uuid(), gen_random_uuid(), 1, 'ring', 'r', 'k', 'r',"
      " 'x', 'email', 'en', '{}', '<never@example.test>', now(), 'sent', now(), now(), now())");
  scene.Let(scene.length);
  scene.evidence.Bite("what was never done", 0);
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> PlantedRows() {
  return {
      {.number = 0,
       .fault = "a ticket, a log entry and a mail vanish from the database itself",
       .expects = "the judge sees each",
       .length = absl::Seconds(2),
       .drain = absl::Seconds(5),
       .fault_of = Spoil,
       .must_see = {"acknowledged and lost: Request", "I10 during the run", "I11 during the run",
                    "marked as sent and never received: <never@example.test>",
                    "the fault did not bite: what was never done"}}};
}

}  // namespace potok::chaos
