#include "analytics/rpc/analytics_rpc.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/time_util.h"

#include "analytics/domain/health.h"
#include "analytics/store/board_store.h"
#include "base/error.h"
#include "base/status_macros.h"
#include "platform/pg/transaction.h"

namespace potok::analytics {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kDefaultPage = 50;

google::protobuf::Duration Wire(absl::Duration duration) {
  return TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(duration));
}

v1::Share ShareOf(int64_t part, int64_t all) {
  v1::Share share;
  share.set_case_count(all);
  if (all > 0) share.set_percent(100.0 * static_cast<double>(part) / static_cast<double>(all));
  return share;
}

v1::Mean MeanOf(int64_t sum, int64_t all) {
  v1::Mean mean;
  mean.set_case_count(all);
  if (all > 0) mean.set_value(static_cast<double>(sum) / static_cast<double>(all));
  return mean;
}

std::vector<v1::AgentReport> AgentsOf(const std::string& flow, const BoardRows& rows,
                                      const ledger::ReferenceSnapshot& reference) {
  std::map<std::string, v1::AgentReport> agents;
  for (const AgentLoadRow& load : rows.loads) {
    v1::AgentReport& report = agents[load.agent];
    report.set_active_count(load.active);
    report.set_max_active(load.cap);
  }
  for (const Counters& c : rows.counters) {
    if (c.agent.empty()) continue;
    v1::AgentReport& report = agents[c.agent];
    report.set_assigned_count(c.handed);
    report.set_resolved_count(c.finished);
    *report.mutable_on_time_share() = ShareOf(c.on_time, c.judged);
    *report.mutable_rating() = MeanOf(c.rating_sum, c.rated);
  }
  std::vector<v1::AgentReport> out;
  for (auto& [agent, report] : agents) {
    report.set_agent(absl::StrCat("employees/", agent));
    report.set_flow(absl::StrCat("flows/", flow));
    const ledger::Employee* employee = reference.FindEmployee(agent);
    report.set_display_name(employee == nullptr ? agent : employee->name);
    out.push_back(std::move(report));
  }
  std::stable_sort(out.begin(), out.end(), [](const v1::AgentReport& a, const v1::AgentReport& b) {
    return a.active_count() > b.active_count();
  });
  return out;
}

v1::Board BoardOf(const desk::Flow& flow, const BoardRows& rows,
                  const ledger::ReferenceSnapshot& reference, absl::Time now) {
  Counters total;
  if (!rows.counters.empty() && rows.counters.front().agent.empty()) total = rows.counters.front();
  v1::Board board;
  board.set_name(absl::StrCat("flows/", flow.id, "/board"));
  board.mutable_display_name()->set_ru(flow.name_ru);
  board.mutable_display_name()->set_en(flow.name_en);
  *board.mutable_as_of_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(now));
  v1::Funnel& funnel = *board.mutable_funnel();
  funnel.set_pending_approval_count(total.pending_approval);
  funnel.set_queued_count(total.queued);
  funnel.set_assigned_count(total.assigned);
  funnel.set_in_progress_count(total.in_progress);
  funnel.set_waiting_count(total.waiting);
  funnel.set_resolved_count(total.resolved);
  funnel.set_closed_count(total.closed);
  funnel.set_cancelled_count(total.cancelled);
  HealthFacts facts{total.queued, rows.overdue, total.judged, total.on_time, absl::ZeroDuration()};
  if (rows.oldest_queued_at) {
    facts.oldest_wait = std::max(absl::ZeroDuration(), now - *rows.oldest_queued_at);
    *board.mutable_oldest_wait() = Wire(facts.oldest_wait);
    board.set_oldest_ticket(absl::StrCat("tickets/", rows.oldest_ticket));
  }
  board.set_overdue_count(rows.overdue);
  *board.mutable_on_time_share() = ShareOf(total.on_time, total.judged);
  *board.mutable_rating() = MeanOf(total.rating_sum, total.rated);
  if (rows.resolution_p50) *board.mutable_resolution_p50() = Wire(*rows.resolution_p50);
  if (rows.resolution_p90) *board.mutable_resolution_p90() = Wire(*rows.resolution_p90);
  board.set_sent_back_count(total.sent_back);
  board.set_reopened_count(total.reopened);
  const Health health = Judge(flow, facts);
  board.set_health(health.colour == Colour::kGreen    ? v1::Board::HEALTH_GREEN
                   : health.colour == Colour::kYellow ? v1::Board::HEALTH_YELLOW
                                                      : v1::Board::HEALTH_RED);
  for (const HealthReason& reason : health.reasons) {
    auto& text = *board.add_health_reasons();
    text.set_ru(reason.ru);
    text.set_en(reason.en);
  }
  for (v1::AgentReport& agent : AgentsOf(flow.id, rows, reference)) {
    *board.add_agents() = std::move(agent);
  }
  return board;
}

// Boards are for those who work on a flow or answer for it.
bool MaySee(const desk::Viewer& viewer, const CallContext& call, const std::string& flow) {
  const auto has = [&flow](const std::vector<std::string>& flows) {
    return std::find(flows.begin(), flows.end(), flow) != flows.end();
  };
  return viewer.sees_all || call.caller.Has("analyst") || call.caller.Has("departmentHead") ||
         has(viewer.flows_administered) || has(viewer.flows_served);
}

absl::Status NotYourFlow(const std::string& flow) {
  ErrorDetail detail;
  detail.metadata["flow"] = flow;
  detail.ru = "Доску потока видят его команда, администратор, руководители и аналитики.";
  return MakeError(absl::StatusCode::kPermissionDenied, "PERMISSION_DENIED",
                   absl::StrCat("the board of flow ", flow,
                                " is for its team, its admins, department heads and analysts"),
                   std::move(detail));
}

}  // namespace

absl::StatusOr<std::vector<v1::Board>> AnalyticsRpc::Boards(
    const CallContext& call, const ledger::ReferenceSnapshot& reference,
    const std::vector<const desk::Flow*>& flows) {
  pg::TxOptions options;
  options.read_only = true;
  options.snapshot = true;  // Counters, waits and loads of one moment.
  options.deadline = call.deadline;
  return pg::InTransaction(
      pool_, options, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<v1::Board>> {
        const absl::Time now = clock_.Now();
        std::vector<v1::Board> boards;
        for (const desk::Flow* flow : flows) {
          boards.push_back(BoardOf(*flow, ReadBoard(tx, flow->id, now), reference, now));
        }
        return boards;
      });
}

grpc::ServerUnaryReactor* AnalyticsRpc::GetBoard(grpc::CallbackServerContext* context,
                                                 const v1::GetBoardRequest* request,
                                                 v1::Board* answer) {
  return front_.Blocking(
      context, request, answer,
      [this](const CallContext& call, const v1::GetBoardRequest& q) -> absl::StatusOr<v1::Board> {
        const std::string id(absl::StripSuffix(absl::StripPrefix(q.name(), "flows/"), "/board"));
        std::shared_ptr<const ledger::ReferenceSnapshot> reference = reference_.Snapshot();
        if (reference->Flow(id) == nullptr) {
          POTOK_RETURN_IF_ERROR(reference_.Refresh());
          reference = reference_.Snapshot();
        }
        if (!MaySee(reference->ViewerOf(call.caller), call, id)) return NotYourFlow(id);
        const desk::Flow* flow = reference->Flow(id);
        if (flow == nullptr) {
          ErrorDetail detail;
          detail.metadata["flow"] = id;
          detail.ru = absl::StrCat("Потока ", id, " нет. Список потоков: FlowService.ListFlows.");
          return MakeError(absl::StatusCode::kNotFound, "FLOW_NOT_FOUND",
                           absl::StrCat("no flow ", id, "; FlowService.ListFlows lists them"),
                           std::move(detail));
        }
        POTOK_ASSIGN_OR_RETURN(std::vector<v1::Board> boards, Boards(call, *reference, {flow}));
        return std::move(boards.front());
      });
}

grpc::ServerUnaryReactor* AnalyticsRpc::ListBoards(grpc::CallbackServerContext* context,
                                                   const v1::ListBoardsRequest* request,
                                                   v1::ListBoardsResponse* answer) {
  return front_.Blocking(
      context, request, answer,
      [this](const CallContext& call,
             const v1::ListBoardsRequest& q) -> absl::StatusOr<v1::ListBoardsResponse> {
        std::string after;
        if (!q.page_token().empty()) {
          POTOK_ASSIGN_OR_RETURN(after, tokens_.Open(q.page_token(), "boards", absl::Now()));
        }
        const size_t size = q.page_size() == 0 ? kDefaultPage : q.page_size();
        const auto reference = reference_.Snapshot();
        const desk::Viewer viewer = reference->ViewerOf(call.caller);
        std::vector<const desk::Flow*> flows;
        v1::ListBoardsResponse out;
        for (auto it = reference->flows.upper_bound(after); it != reference->flows.end(); ++it) {
          if (!MaySee(viewer, call, it->first)) continue;
          if (flows.size() == size) {
            out.set_next_page_token(tokens_.Seal(flows.back()->id, "boards", absl::Now()));
            break;
          }
          flows.push_back(it->second.get());
        }
        POTOK_ASSIGN_OR_RETURN(std::vector<v1::Board> boards, Boards(call, *reference, flows));
        for (v1::Board& board : boards) *out.add_boards() = std::move(board);
        return out;
      });
}

grpc::ServerUnaryReactor* AnalyticsRpc::ListAgentReports(grpc::CallbackServerContext* context,
                                                         const v1::ListAgentReportsRequest* request,
                                                         v1::ListAgentReportsResponse* answer) {
  return front_.Blocking(
      context, request, answer,
      [this](const CallContext& call,
             const v1::ListAgentReportsRequest& q) -> absl::StatusOr<v1::ListAgentReportsResponse> {
        const std::string id(absl::StripPrefix(q.parent(), "flows/"));
        // The cursor is "flow agent" of the last report.
        std::string after;
        if (!q.page_token().empty()) {
          POTOK_ASSIGN_OR_RETURN(after, tokens_.Open(q.page_token(), q.parent(), absl::Now()));
        }
        const int size = q.page_size() == 0 ? kDefaultPage : q.page_size();
        const auto reference = reference_.Snapshot();
        const desk::Viewer viewer = reference->ViewerOf(call.caller);
        std::vector<const desk::Flow*> flows;
        for (const auto& [flow_id, flow] : reference->flows) {
          if (id != "-" && flow_id != id) continue;
          if (flow_id < after.substr(0, after.find(' '))) continue;
          if (MaySee(viewer, call, flow_id)) flows.push_back(flow.get());
        }
        if (id != "-" && flows.empty() && !MaySee(viewer, call, id)) return NotYourFlow(id);
        v1::ListAgentReportsResponse out;
        pg::TxOptions options;
        options.read_only = true;
        options.deadline = call.deadline;
        return pg::InTransaction(
            pool_, options, [&](pg::Tx& tx) -> absl::StatusOr<v1::ListAgentReportsResponse> {
              out.Clear();
              std::string last;
              for (const desk::Flow* flow : flows) {
                std::vector<v1::AgentReport> agents =
                    AgentsOf(flow->id, ReadBoard(tx, flow->id, clock_.Now()), *reference);
                std::sort(agents.begin(), agents.end(),
                          [](const auto& a, const auto& b) { return a.agent() < b.agent(); });
                for (v1::AgentReport& agent : agents) {
                  const std::string key = absl::StrCat(flow->id, " ", agent.agent());
                  if (key <= after) continue;
                  if (out.agent_reports_size() == size) {
                    out.set_next_page_token(tokens_.Seal(last, q.parent(), absl::Now()));
                    return out;
                  }
                  last = key;
                  *out.add_agent_reports() = std::move(agent);
                }
              }
              return out;
            });
      });
}

}  // namespace potok::analytics
