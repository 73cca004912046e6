#include "chaos/judge.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

#include "chaos/die.h"
#include "ledger/verify.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

// Invariants whose rows are effects that happened twice.
bool IsDoubling(const std::string& id) {
  static const std::set<std::string> ids = {"I1", "I7", "I17", "I20", "I24"};
  return ids.contains(id);
}

}  // namespace

Judge::Judge(Plant& plant, Evidence& evidence) : plant_(plant), evidence_(evidence) {
  reference_ = OrDie(ledger::Reference::Start(plant_.postgres().pool()), "reference data");
}

Judge::~Judge() { StopWatching(); }

void Judge::Watch() {
  thread_ = std::thread([this] {
    while (!stop_.HasBeenNotified()) {
      const absl::Duration start = Monotonic();
      Check(/*quiescent=*/false, "during the run");
      for (const std::string& ended : plant_.Unexpected()) evidence_.Violation(ended);
      // At most a fifth of a core goes into looking.
      stop_.WaitForNotificationWithTimeout(std::max(absl::Seconds(1), (Monotonic() - start) * 4));
    }
  });
}

void Judge::StopWatching() {
  if (!stop_.HasBeenNotified()) stop_.Notify();
  if (thread_.joinable()) thread_.join();
}

void Judge::Check(bool quiescent, const char* when) {
  (void)reference_->Refresh();
  const auto result = ledger::Verify(plant_.postgres().pool(), *reference_->Snapshot(), quiescent);
  if (!result.ok()) {
    if (quiescent) evidence_.Violation(absl::StrCat("no verdict: ", result.status().message()));
    return;
  }
  ++looks_;
  for (const ledger::InvariantResult& check : result->checks) {
    // One that is broken stays so, with another example each time.
    if (check.rows == 0 || !told_.insert(absl::StrCat(check.id, when)).second) continue;
    evidence_.Violation(absl::StrCat(check.id, " ", when, ": ", check.title_en, "; rows, such as ",
                                     check.examples.empty() ? "-" : check.examples.front()));
    if (IsDoubling(check.id)) evidence_.Doubled(check.rows);
  }
}

bool Judge::Quiet(std::string* left) {
  const auto rows = plant_.postgres().Rows(
      "SELECT 'outbox rows', count(*) FROM ledger.outbox"
      " UNION ALL SELECT 'streams behind', count(*) FROM ledger.consumer_offset o"
      "   JOIN ledger.part_head h USING (topic, part) WHERE o.pos <> h.next_pos - 1"
      " UNION ALL SELECT 'timers due', count(*) FROM ledger.sla_timer"
      "   WHERE state = 'armed' AND due_at < ledger.business_now()"
      " UNION ALL SELECT 'notices to be sent', count(*) FROM notifier.delivery"
      "   WHERE state IN ('pending', 'sending') AND next_at < 'infinity'"
      " UNION ALL SELECT 'queued without a reason', count(*) FROM ledger.ticket t"
      "   LEFT JOIN router.queue_entry q ON q.part = t.part AND q.ticket_id = t.id"
      "   WHERE t.state = 'QUEUED' AND q.reason IS NULL");
  if (!rows.ok()) {
    *left = std::string(rows.status().message());
    return false;
  }
  std::vector<std::string> what;
  for (const auto& row : *rows) {
    if (row[1] != "0") what.push_back(absl::StrCat(row[1], " ", row[0]));
  }
  *left = absl::StrJoin(what, ", ");
  return what.empty();
}

void Judge::Final(const Oracle& oracle, absl::Duration patience) {
  StopWatching();
  const absl::Duration start = Monotonic();
  const absl::Duration end = start + patience;
  std::string left;
  bool clean = false;
  // Timers of open tickets still fire now and then, so a look may fall beside a quiet moment.
  while (!clean && Monotonic() < end) {
    if (!testing::Eventually([&] { return Quiet(&left); }, end - Monotonic())) break;
    (void)reference_->Refresh();
    const auto result = ledger::Verify(plant_.postgres().pool(), *reference_->Snapshot(), true);
    clean = result.ok() && result->clean;
  }
  evidence_.Measure("drain", absl::ToDoubleSeconds(Monotonic() - start));
  if (!left.empty()) evidence_.Violation("not drained: " + left);
  if (!clean) Check(/*quiescent=*/true, "after the drain");
  for (const std::string& ended : plant_.Unexpected()) evidence_.Violation(ended);
  CheckTickets(oracle);
  CheckMails();
}

void Judge::CheckTickets(const Oracle& oracle) {
  struct Row {
    std::string id, number, title;
  };
  std::multimap<std::string, Row> by_request;
  for (const auto& row :
       OrDie(plant_.postgres().Rows("SELECT request_id, id, number, title FROM ledger.ticket"),
             "tickets")) {
    by_request.emplace(row[0], Row{row[1], row[2], row[3]});
  }
  std::set<std::string> asked;
  for (const Filing& filing : oracle.filings()) {
    asked.insert(filing.request_id);
    const auto [from, to] = by_request.equal_range(filing.request_id);
    const auto count = std::distance(from, to);
    if (count > 1) {
      evidence_.Doubled(count - 1);
      evidence_.Violation(absl::StrCat(count, " tickets of one request: ", filing.title));
    }
    if (filing.outcome == Told::Outcome::kOk) {
      if (count == 0) {
        evidence_.Lost(1);
        evidence_.Violation(
            absl::StrCat("acknowledged and lost: ", filing.title, ", ticket ", filing.number));
      } else if (from->second.id != filing.ticket || from->second.number != filing.number ||
                 from->second.title != filing.title) {
        evidence_.Violation(absl::StrCat(filing.title, " was told ", filing.number, " and is ",
                                         from->second.number));
      }
    } else if (filing.outcome == Told::Outcome::kRefused) {
      // The load asks for nothing that may be refused.
      evidence_.Violation(
          absl::StrCat(filing.title, " was refused: code ", filing.code, ", ", filing.why));
      if (count > 0) evidence_.Violation(absl::StrCat("refused and there: ", filing.title));
    }
  }
  for (const auto& [request, row] : by_request) {
    if (!asked.contains(request)) {
      evidence_.Violation(absl::StrCat("a ticket nobody asked for: ", row.number, " ", row.title));
    }
  }
  std::map<std::string, int> winners;
  for (const Pick& pick : oracle.picks()) {
    if (pick.outcome != Told::Outcome::kOk) continue;
    if (++winners[absl::StrCat(pick.ticket, " ", pick.etag)] == 2) {
      evidence_.Doubled(1);
      evidence_.Violation("two agents were told that they took " + pick.ticket);
    }
  }
  std::set<std::string> known;
  for (const auto& row :
       OrDie(plant_.postgres().Rows("SELECT request_id FROM ledger.idem"), "answers")) {
    known.insert(row[0]);
  }
  for (const Act& act : oracle.acts()) {
    if (known.contains(act.request_id)) continue;
    evidence_.Lost(1);
    evidence_.Violation(absl::StrCat("acknowledged and lost: ", act.method, " of ", act.ticket));
  }
}

// At least one copy of every mail that was marked as sent, and, told apart by their Message-ID, no
// mail without a delivery behind it: resending the same id is one effect.
void Judge::CheckMails() {
  // What is marked is read before what came and what came before what was planned: a run that did
  // not drain goes on sending meanwhile.
  std::set<std::string> sent, ids;
  for (const auto& row :
       OrDie(plant_.postgres().Rows("SELECT message_id FROM notifier.delivery WHERE channel = "
                                    "'email' AND state = 'sent' AND message_id <> ''"),
             "deliveries")) {
    sent.insert(row[0]);
  }
  std::map<std::string, int> copies;
  for (const Mail& mail : plant_.sink().Mails()) ++copies[mail.message_id];
  for (const auto& row :
       OrDie(plant_.postgres().Rows("SELECT message_id FROM notifier.delivery WHERE channel = "
                                    "'email' AND message_id <> ''"),
             "deliveries")) {
    if (!ids.insert(row[0]).second) {
      evidence_.Doubled(1);
      evidence_.Violation("two deliveries of one Message-ID: " + row[0]);
    }
  }
  for (const std::string& id : sent) {
    if (copies.contains(id)) continue;
    evidence_.Lost(1);
    evidence_.Violation("marked as sent and never received: " + id);
  }
  int64_t resent = 0;
  for (const auto& [id, times] : copies) {
    resent += times - 1;
    if (!ids.contains(id)) {
      evidence_.Doubled(1);
      evidence_.Violation("a mail without a delivery: " + id);
    }
  }
  evidence_.Note(
      absl::StrCat(sent.size(), " mails, ", resent, " of them more than once on the wire"));
}

}  // namespace potok::chaos
