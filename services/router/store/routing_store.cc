#include "router/store/routing_store.h"

#include "platform/pg/column_params.h"
#include "router/sql.h"

namespace potok::router {
namespace {

std::optional<int> NullableInt(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional<int>(field.as<int>());
}

std::vector<std::string> FirstColumn(const pqxx::result& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.push_back(row[0].as<std::string>());
  return out;
}

}  // namespace

LockedFlow LockFlow(pg::Tx& tx, const std::string& flow, int limit) {
  pqxx::result rows = tx.Run(sql::kFlowLock, flow, limit);
  if (rows.empty()) {
    tx.Run(sql::kCursorMake, flow);
    rows = tx.Run(sql::kFlowLock, flow, limit);
  }
  LockedFlow locked{{rows[0]["last_agent"].as<std::string>()}, {}};
  const std::vector<std::string> tickets = pg::FromTextArray(rows[0]["tickets"]);
  const std::vector<std::string> holders = pg::FromTextArray(rows[0]["holders"]);
  for (size_t i = 0; i < tickets.size(); ++i) locked.moves.push_back({tickets[i], holders[i]});
  return locked;
}

std::vector<MemberFacts> ReadTeam(pg::Tx& tx, const std::string& flow, int own_cap, absl::Time now,
                                  const std::optional<std::string>& employee) {
  std::vector<MemberFacts> team;
  for (const auto& row : tx.Run(sql::kMembersNow, flow, own_cap, now, employee)) {
    // By place, as members_now.sql has them: each pass reads a whole team.
    MemberFacts member;
    member.employee = row[0].as<std::string>();
    member.line = row[1].as<int>();
    member.calendar = row[2].as<std::string>();
    member.skills = pg::FromTextArray(row[3]);
    member.languages = pg::FromTextArray(row[4]);
    member.wanted_cap = row[5].as<int>();
    member.active = NullableInt(row[6]);
    member.cap = NullableInt(row[7]);
    member.total_active = NullableInt(row[8]);
    member.total_cap = NullableInt(row[9]);
    member.presence = row[10].as<std::string>();
    member.until = pg::FromNullableTimestamp(row[11]);
    member.on_leave = row[12].as<bool>();
    team.push_back(std::move(member));
  }
  return team;
}

std::vector<desk::Candidate> CandidatesOf(const ledger::ReferenceSnapshot& reference,
                                          const desk::Flow& flow,
                                          const std::vector<MemberFacts>& team, absl::Time now) {
  const desk::SlaPolicy* policy = reference.PolicyOf(flow);
  const desk::Calendar* usual = policy == nullptr ? nullptr : reference.CalendarOf(*policy);
  std::vector<desk::Candidate> candidates;
  candidates.reserve(team.size());
  for (const MemberFacts& member : team) {
    const auto own = reference.calendars.find(member.calendar);
    candidates.push_back(
        CandidateOf(member, own == reference.calendars.end() ? usual : own->second.get(), now));
  }
  return candidates;
}

void AlignCaps(pg::Tx& tx, const std::string& flow, int own_cap) {
  tx.Run(sql::kCapsAlign, flow, own_cap);
}

std::vector<desk::WaitingTicket> ReadQueueHead(pg::Tx& tx, const desk::FlowRouting& flow,
                                               const std::vector<desk::Candidate>& available,
                                               absl::Time now, int limit) {
  std::vector<std::string> agents;
  std::vector<int> lines;
  for (const desk::Candidate& candidate : available) {
    agents.push_back(candidate.employee);
    lines.push_back(candidate.line);
  }
  std::vector<desk::WaitingTicket> head;
  for (const auto& row :
       tx.Run(sql::kQueueHead, flow.flow, pg::TextArray(agents), pg::IntArray(lines), now,
              absl::ToInt64Seconds(flow.ageing_step), limit)) {
    desk::WaitingTicket waiting;
    waiting.id = row[0].as<std::string>();
    waiting.number = row[1].as<std::string>();
    waiting.line = row[2].as<int>();
    waiting.priority = row[3].as<int>();
    waiting.queued_at = pg::FromTimestamp(row[4]);
    waiting.queued_seq = row[5].as<int64_t>();
    waiting.front = row[6].as<bool>();
    waiting.excluded = pg::FromTextArray(row[7]);
    if (waiting.front) waiting.sticky_agent = row[8].as<std::string>();  // As WaitingOf has it.
    head.push_back(std::move(waiting));
  }
  return head;
}

ReasonPage ReadReasonPage(pg::Tx& tx, const std::string& flow, const ReasonKey& after,
                          std::optional<absl::Time> until, int limit) {
  ReasonPage page;
  page.oldest = absl::InfiniteFuture();
  for (const auto& row : tx.Run(sql::kReasonsPage, flow, after.part, after.ticket, limit, until)) {
    page.reasons = row["entries"].as<int>();
    page.dropped = row["dropped"].as<int>();
    if (page.reasons > 0) {
      page.last = {row["part"].as<int>(), row["ticket_id"].as<std::string>()};
    }
    if (row["line"].is_null()) continue;
    page.profiles.push_back({row["line"].as<int>(), pg::FromTextArray(row["excluded"])});
    page.tickets += row["tickets"].as<int>();
    page.oldest = std::min(page.oldest, pg::FromTimestamp(row["oldest"]));
  }
  return page;
}

int WriteReasons(pg::Tx& tx, const std::string& flow, const std::vector<QueueProfile>& profiles,
                 const std::vector<desk::QueueReason>& reasons, absl::Time now,
                 const QueuedBetween& which) {
  std::vector<int> lines;
  std::vector<std::string> excluded, names;
  for (size_t i = 0; i < profiles.size(); ++i) {
    if (reasons[i] == desk::QueueReason::kReady) continue;
    lines.push_back(profiles[i].line);
    excluded.push_back(pg::TextArray(profiles[i].excluded));
    names.push_back(std::string(desk::Name(reasons[i])));
  }
  if (lines.empty()) return 0;
  return static_cast<int>(tx.Run(sql::kReasonsWrite, flow, pg::IntArray(lines),
                                 pg::TextArray(excluded), pg::TextArray(names), now, which.from,
                                 which.until)
                              .affected_rows());
}

Unexplained ReadUnexplained(pg::Tx& tx, const std::string& flow, std::optional<absl::Time> until,
                            std::optional<absl::Time> from, int limit) {
  const auto row = tx.Run(sql::kUnexplained, flow, until, from, limit)[0];
  Unexplained found{.tickets = row["tickets"].as<int>()};
  if (!row["oldest"].is_null()) found.oldest = pg::FromTimestamp(row["oldest"]);
  if (!row["youngest"].is_null()) found.youngest = pg::FromTimestamp(row["youngest"]);
  return found;
}

void RecordPass(pg::Tx& tx, const std::string& flow, const desk::Cursor& cursor,
                const std::vector<MadeDecision>& made) {
  pg::ColumnParams<7> decisions;
  for (const MadeDecision& each : made) {
    const desk::Decision& decision = each.stored.decision;
    decisions.AddRow(each.part, decision.ticket, each.version, each.flow_version, decision.chosen,
                     decision.at, ToJson(each.stored));
  }
  std::vector<pg::Param> arguments = {pg::ToParam(flow), pg::ToParam(cursor.last_agent)};
  decisions.TakeTo(&arguments);
  tx.RunBound(sql::kRecordPass, arguments);
}

std::vector<FlowQueue> ReadFlowsToVisit(pg::Tx& tx) {
  std::vector<FlowQueue> flows;
  for (const auto& row : tx.Run(sql::kFlowsToVisit)) {
    flows.push_back({row[0].as<std::string>(), pg::FromNullableTimestamp(row[1])});
  }
  return flows;
}

int64_t CountWaiting(pg::Tx& tx) { return tx.Run(sql::kCountWaiting)[0][0].as<int64_t>(); }

std::vector<std::string> ReadFlowsOfTickets(pg::Tx& tx, const std::vector<int>& parts,
                                            const std::vector<std::string>& ids) {
  return FirstColumn(tx.Run(sql::kFlowsOfTickets, pg::IntArray(parts), pg::TextArray(ids)));
}

std::vector<LeftHolder> ReadLeftHolders(pg::Tx& tx, absl::Time now) {
  std::vector<LeftHolder> left;
  for (const auto& row : tx.Run(sql::kLeftHolders, now)) {
    left.push_back({row[0].as<std::string>(), row[1].as<std::string>()});
  }
  return left;
}

std::vector<std::string> ReadHeldTickets(pg::Tx& tx, const LeftHolder& holder, int limit) {
  return FirstColumn(tx.Run(sql::kHeldTickets, holder.agent, holder.flow, limit));
}

}  // namespace potok::router
