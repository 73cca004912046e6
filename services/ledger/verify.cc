#include "ledger/verify.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "desk/ticket/decide.h"
#include "ledger/history.h"
#include "ledger/invariants.h"
#include "ledger/sql.h"
#include "ledger/writer.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {
namespace {

constexpr size_t kExamples = 5;
// Tickets folded for F1 and due instants recomputed for I27: all of them up to this many, else the
// ones that changed last. A fold costs about 50 microseconds.
constexpr int kFolded = 20000;

absl::Duration Since(std::chrono::steady_clock::time_point start) {
  return absl::FromChrono(std::chrono::steady_clock::now() - start);
}

void Broken(InvariantResult* check, std::string example) {
  ++check->rows;
  if (check->examples.size() < kExamples) check->examples.push_back(std::move(example));
}

InvariantResult Run(pg::Tx& tx, const Invariant& invariant) {
  InvariantResult check;
  check.id = std::string(invariant.id);
  check.title_en = std::string(invariant.title_en);
  check.title_ru = std::string(invariant.title_ru);
  check.quiescent = invariant.quiescent;
  if (invariant.statement == nullptr) {
    check.skipped = std::string(invariant.why_not);
    return check;
  }
  const auto start = std::chrono::steady_clock::now();
  for (const auto& row : tx.Run(*invariant.statement)) {
    Broken(&check,
           absl::StrCat("part ", row["part"].as<std::string>(""), " ",
                        row["what"].as<std::string>(""), ": ", row["detail"].as<std::string>("")));
  }
  check.elapsed = Since(start);
  return check;
}

bool SameFold(const desk::Ticket& row, const desk::Ticket& fold) {
  return row.state == fold.state && row.version == fold.version && row.assignee == fold.assignee &&
         row.sticky_agent == fold.sticky_agent && row.line == fold.line &&
         row.pending_line == fold.pending_line && row.priority == fold.priority &&
         row.queued_at == fold.queued_at && row.queued_seq == fold.queued_seq &&
         row.queue_front == fold.queue_front && row.excluded == fold.excluded &&
         row.sla == fold.sla && row.half_reminded == fold.half_reminded &&
         row.breached_at == fold.breached_at && row.escalation_level == fold.escalation_level &&
         row.first_response_at == fold.first_response_at && row.resolved_at == fold.resolved_at &&
         row.autoclose_at == fold.autoclose_at && row.closed_at == fold.closed_at &&
         row.closure_no == fold.closure_no && row.rated_closure == fold.rated_closure &&
         row.rating == fold.rating && row.result == fold.result &&
         row.return_count == fold.return_count && row.reopen_count == fold.reopen_count &&
         row.hops == fold.hops && row.comment_count == fold.comment_count;
}

// What SQL cannot say: the row is the fold of its events (F1), and the due instant of a running
// clock is what the calendar says (I27).
void CheckFolds(pg::Tx& tx, const ReferenceSnapshot& reference, VerifyResult* result) {
  InvariantResult fold{"F1", "a ticket's row is the fold of its events",
                       "строка заявки равна свёртке её событий"};
  InvariantResult due{"I27", "due instants equal the calendar", "сроки равны календарю"};
  const auto start = std::chrono::steady_clock::now();
  for (const auto& found : tx.Run(sql::kRecentTicketIds, kFolded)) {
    const std::string id = found[0].as<std::string>();
    const std::optional<desk::Ticket> row = FindTicket(tx, id);
    desk::Ticket folded = desk::Unborn(*row);
    for (const desk::Event& event : FindEvents(tx, id, 0, row->version, 100000)) {
      folded = desk::Apply(std::move(folded), event);
    }
    if (!SameFold(*row, folded)) Broken(&fold, absl::StrCat(row->number, " ", id));
    if (!row->sla.running_since || !row->sla.term) continue;
    const desk::Flow* flow = reference.FlowVersion(row->flow_id, row->flow_version);
    const desk::SlaPolicy* policy = flow == nullptr ? nullptr : reference.PolicyOf(*flow);
    const desk::Calendar* calendar = policy == nullptr ? nullptr : reference.CalendarOf(*policy);
    if (calendar == nullptr || *row->sla.term <= row->sla.consumed) continue;
    const absl::Time expected =
        calendar->Add(*row->sla.running_since, *row->sla.term - row->sla.consumed);
    if (row->sla.due_at != expected) {
      Broken(&due, absl::StrCat(row->number, ": due ",
                                absl::FormatTime(row->sla.due_at.value_or(absl::InfiniteFuture())),
                                ", calendar says ", absl::FormatTime(expected)));
    }
  }
  fold.elapsed = due.elapsed = Since(start);
  result->checks.push_back(std::move(fold));
  result->checks.push_back(std::move(due));
}

}  // namespace

absl::StatusOr<VerifyResult> Verify(pg::Pool& pool, const ReferenceSnapshot& reference,
                                    bool quiescent) {
  pg::TxOptions options;
  options.read_only = true;
  options.snapshot = true;
  return pg::InTransaction(pool, options, [&](pg::Tx& tx) -> absl::StatusOr<VerifyResult> {
    VerifyResult result;
    tx.Run(sql::kLongStatements);
    result.as_of = Writer::DatabaseNow(tx);
    for (const Invariant& invariant : Invariants()) {
      if (invariant.quiescent && !quiescent) continue;
      result.checks.push_back(Run(tx, invariant));
    }
    CheckFolds(tx, reference, &result);
    const pqxx::result counts = tx.Run(sql::kCountLedger);
    result.tickets = counts[0][0].as<int64_t>();
    result.events = counts[0][1].as<int64_t>();
    for (const InvariantResult& check : result.checks) result.clean &= check.rows == 0;
    return result;
  });
}

}  // namespace potok::ledger
