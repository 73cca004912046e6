#include "ledger/verify_folds.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "desk/ticket/decide.h"
#include "ledger/history.h"
#include "ledger/sql.h"

namespace potok::ledger {
namespace {

constexpr size_t kExamples = 5;
constexpr int kFolded = 20000;  // As the titles below say.
// Tickets read at once: bounds what is held in memory, and what a statement is planned for.
constexpr size_t kPage = 2000;

// The first field in which the row is not what its events made of it; empty when none.
std::string Difference(const desk::Ticket& row, const desk::Ticket& fold) {
  const std::pair<bool, const char*> fields[] = {
      {row.version == fold.version, "version"},
      {row.state == fold.state, "state"},
      {row.assignee == fold.assignee, "assignee"},
      {row.sticky_agent == fold.sticky_agent, "sticky_agent"},
      {row.line == fold.line, "line"},
      {row.pending_line == fold.pending_line, "pending_line"},
      {row.priority == fold.priority, "priority"},
      {row.queued_at == fold.queued_at, "queued_at"},
      {row.queued_seq == fold.queued_seq, "queued_seq"},
      {row.queue_front == fold.queue_front, "queue_front"},
      {row.excluded == fold.excluded, "excluded"},
      {row.sla == fold.sla, "the clock"},
      {row.half_reminded == fold.half_reminded, "half_reminded"},
      {row.breached_at == fold.breached_at, "breached_at"},
      {row.escalation_level == fold.escalation_level, "escalation_level"},
      {row.first_response_due == fold.first_response_due, "first_response_due"},
      {row.first_response_at == fold.first_response_at, "first_response_at"},
      {row.first_response_breached == fold.first_response_breached, "first_response_breached"},
      {row.resolved_at == fold.resolved_at, "resolved_at"},
      {row.autoclose_at == fold.autoclose_at, "autoclose_at"},
      {row.closed_at == fold.closed_at, "closed_at"},
      {row.closure_no == fold.closure_no, "closure_no"},
      {row.rated_closure == fold.rated_closure, "rated_closure"},
      {row.rating == fold.rating, "rating"},
      {row.rating_comment == fold.rating_comment, "rating_comment"},
      {row.result == fold.result, "result"},
      {row.return_count == fold.return_count, "return_count"},
      {row.reopen_count == fold.reopen_count, "reopen_count"},
      {row.hops == fold.hops, "hops"},
      {row.comment_count == fold.comment_count, "comment_count"},
      {row.updated_at == fold.updated_at, "updated_at"},
  };
  for (const auto& [same, name] : fields) {
    if (!same) return name;
  }
  return "";
}

std::string Named(const desk::Ticket& ticket) {
  return absl::StrCat("part ", ticket.part, " ", ticket.id, ": ", ticket.number);
}

class Folds {
 public:
  Folds(const ReferenceSnapshot& reference, InvariantResult* moves)
      : reference_(reference), moves_(moves) {}

  void Look(const desk::Ticket& row, const std::vector<desk::Event>& events) {
    desk::Ticket folded = desk::Unborn(row);
    for (const desk::Event& event : events) {
      const auto from =
          folded.version == 0 ? std::nullopt : std::optional<desk::State>(folded.state);
      if (moves_ != nullptr && !desk::IsLegal(event.type, from, event.state_after)) {
        Broken(moves_,
               absl::StrCat(Named(row), " version ", event.version, ": `", desk::Name(event.type),
                            "` from ", from ? desk::Name(*from) : "nothing", " to ",
                            desk::Name(event.state_after)));
      }
      folded = desk::Apply(std::move(folded), event);
    }
    if (const std::string field = Difference(row, folded); !field.empty()) {
      Broken(&fold_, absl::StrCat(Named(row), " is not the fold of its events in ", field));
    }
    LookAtDue(row);
  }

  void Finish(absl::Duration elapsed, std::vector<InvariantResult>* checks) {
    fold_.elapsed = due_.elapsed = elapsed;
    checks->push_back(std::move(fold_));
    checks->push_back(std::move(due_));
  }

 private:
  void LookAtDue(const desk::Ticket& row) {
    if (!row.sla.running_since || !row.sla.term || *row.sla.term <= row.sla.consumed) return;
    const desk::Flow* flow = reference_.FlowVersion(row.flow_id, row.flow_version);
    const desk::SlaPolicy* policy = flow == nullptr ? nullptr : reference_.PolicyOf(*flow);
    const desk::Calendar* calendar = policy == nullptr ? nullptr : reference_.CalendarOf(*policy);
    if (calendar == nullptr) return;
    const absl::Time expected =
        calendar->Add(*row.sla.running_since, *row.sla.term - row.sla.consumed);
    if (row.sla.due_at == expected) return;
    Broken(&due_, absl::StrCat(Named(row), " due ",
                               absl::FormatTime(row.sla.due_at.value_or(absl::InfiniteFuture())),
                               ", calendar says ", absl::FormatTime(expected)));
  }

  const ReferenceSnapshot& reference_;
  InvariantResult* const moves_;
  InvariantResult fold_{"F1", "a ticket's row is the fold of its events (the newest 20000 tickets)",
                        "строка заявки равна свёртке её событий (20000 последних заявок)"};
  InvariantResult due_{"I27", "due instants equal the calendar (the newest 20000 tickets)",
                       "сроки равны календарю (20000 последних заявок)"};
};

}  // namespace

void Broken(InvariantResult* check, std::string example) {
  ++check->rows;
  if (check->examples.size() < kExamples) check->examples.push_back(std::move(example));
}

void CheckFolds(pg::Tx& tx, const ReferenceSnapshot& reference,
                std::vector<InvariantResult>* checks) {
  const auto start = std::chrono::steady_clock::now();
  const auto moves = std::find_if(checks->begin(), checks->end(),
                                  [](const InvariantResult& check) { return check.id == "I9"; });
  Folds folds(reference, moves == checks->end() ? nullptr : &*moves);
  std::vector<std::pair<int, std::string>> tickets;
  for (const auto& row : tx.Run(sql::kRecentTicketIds, kFolded)) {
    tickets.emplace_back(row[0].as<int>(), row[1].as<std::string>());
  }
  std::sort(tickets.begin(), tickets.end());
  const auto look = [&](const desk::Ticket& row, const std::vector<desk::Event>& events) {
    folds.Look(row, events);
  };
  // Ids of one part lie in the order of filing, so a page is a range and holds nothing else.
  for (size_t from = 0, to = 0; from < tickets.size(); from = to) {
    while (to < std::min(from + kPage, tickets.size()) &&
           tickets[to].first == tickets[from].first) {
      ++to;
    }
    ReadHistories(tx, tickets[from].first, tickets[from].second, tickets[to - 1].second, look);
  }
  folds.Finish(absl::FromChrono(std::chrono::steady_clock::now() - start), checks);
}

}  // namespace potok::ledger
