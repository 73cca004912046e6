// Row 9: owners of leases that freeze and come back.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "chaos/die.h"
#include "chaos/probe.h"
#include "chaos/row.h"

namespace potok::chaos {
namespace {

struct Victim {
  Service* service;
  std::vector<std::string> leases;
  int64_t sent_before;
};

// Tokens that these processes had and that others have replaced by now.
std::set<std::string> SupersededTokens(Plant& plant, const std::vector<Victim>& victims) {
  std::vector<std::string> pids;
  for (const Victim& victim : victims) {
    pids.push_back(absl::StrCat("'", victim.service->pid(), "'"));
  }
  std::set<std::string> tokens;
  for (const auto& row :
       OrDie(plant.postgres().Rows(absl::StrCat(
                 "SELECT l.token FROM ledger.lease_log l WHERE split_part(l.owner, ':', 2) IN (",
                 absl::StrJoin(pids, ","),
                 ") AND EXISTS (SELECT FROM ledger.lease_log n WHERE n.name = l.name"
                 " AND n.epoch > l.epoch)")),
             "tokens")) {
    tokens.insert(row[0]);
  }
  return tokens;
}

// Statements in the server's log from `offset` on whose parameters hold one of the tokens, by the
// table that such a statement writes.
std::map<std::string, int> StaleWrites(const std::string& log, std::streamoff offset,
                                       const std::set<std::string>& tokens) {
  std::map<std::string, int> found;
  std::map<std::string, std::string> statement_of;  // By pid: "[123]".
  std::string pid;
  std::ifstream in(log);
  in.seekg(offset);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '\t') {  // A statement goes on.
      statement_of[pid] += line;
      continue;
    }
    const size_t open = line.find('[');
    pid = open == std::string::npos ? "" : line.substr(open, line.find(']') - open);
    if (!absl::StrContains(line, "DETAIL:  parameters:")) {
      statement_of[pid] = line;
      continue;
    }
    // A pooled connection of a loop is prepared, bound and executed; only the last one counts.
    const std::string& statement = statement_of[pid];
    if (!absl::StrContains(statement, "execute ")) continue;
    if (std::none_of(tokens.begin(), tokens.end(),
                     [&](const std::string& token) { return absl::StrContains(line, token); })) {
      continue;
    }
    ++found[absl::StrContains(statement, "ledger.outbox")            ? "relay"
            : absl::StrContains(statement, "ledger.consumer_offset") ? "consumer"
            : absl::StrContains(statement, "UPDATE ledger.lease")    ? "renewal"
                                                                     : "other"];
  }
  return found;
}

// One replica of each service stands still for 20 s. What it had just sent to Postgres is on its
// way all that time and arrives before it wakes; what it was about to send, it sends with the
// tokens of leases that others have by then.
absl::Status Freeze(Scene& scene) {
  Postgres& postgres = scene.plant.postgres();
  std::vector<Victim> victims;
  for (const std::string& name : ServiceNames()) {
    Service& service = scene.plant.service(name, scene.choices.Below(2));
    victims.push_back({&service, LeasesOf(scene.plant, service), 0});
  }
  scene.Let(scene.choices.Between(absl::Milliseconds(100), absl::Milliseconds(900)));
  for (Victim& victim : victims) {
    victim.sent_before = victim.service->to_postgres().counts().bytes_up;
    victim.service->to_postgres().Set({.hold_up = true});
  }
  scene.Let(absl::Milliseconds(50));
  const double frozen = scene.plant.Now();
  const absl::Duration began = Monotonic();
  for (Victim& victim : victims) victim.service->Pause();
  for (const Victim& victim : victims) {
    const Takeover takeover = AwaitTakeover(scene.plant, victim.leases, frozen);
    scene.Say(absl::StrCat(victim.service->label(), " is frozen; its ", victim.leases.size(),
                           " leases were taken after ", takeover.seconds, " s"));
    if (!victim.leases.empty()) CountTakeover(scene, takeover, 7);
  }
  scene.Let(std::max(absl::ZeroDuration(), began + absl::Seconds(20) - Monotonic()));
  const std::set<std::string> tokens = SupersededTokens(scene.plant, victims);
  std::ifstream log(postgres.log(), std::ios::ate);
  const std::streamoff offset = log.tellg();
  postgres.LogStatements(true);
  int64_t late = 0;
  for (const Victim& victim : victims) {
    late += victim.service->to_postgres().counts().bytes_up - victim.sent_before;
    victim.service->to_postgres().Heal();
  }
  scene.Let(absl::Milliseconds(200));
  for (const Victim& victim : victims) victim.service->Continue();
  scene.Say("all go on");
  scene.Let(absl::Seconds(2));
  postgres.LogStatements(false);
  // That they changed nothing is what the invariants say: positions dense, offsets within the log,
  // every fire and every event one to one.
  int64_t stale = 0;
  for (const auto& [kind, count] : StaleWrites(postgres.log(), offset, tokens)) {
    stale += count;
    scene.evidence.Note(absl::StrCat(count, " stale writes of kind ", kind));
  }
  scene.evidence.Bite("writes with superseded tokens that reached Postgres", stale);
  scene.evidence.Bite("bytes that arrived 20 s late", late);
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> ZombieRows() {
  Row row{.number = 9,
          .fault = "SIGSTOP of an owner of each kind of lease for 20 s, then SIGCONT",
          .expects = "takeover within 7 s; what the zombie still writes is refused",
          .fault_of = Freeze};
  // A client that waits three seconds for a frozen replica each other time would file little.
  row.traffic.patience.attempt = absl::Seconds(1);
  return {row};
}

}  // namespace potok::chaos
