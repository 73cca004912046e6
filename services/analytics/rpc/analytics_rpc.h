// Boards and agent reports.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/front.h"
#include "platform/rpc/page_token.h"
#include "potok/analytics/v1/analytics.grpc.pb.h"

namespace potok::analytics {

// Thread-safe. All arguments outlive it.
class AnalyticsRpc final : public v1::AnalyticsService::CallbackService {
 public:
  AnalyticsRpc(rpc::Front& front, pg::Pool& pool, ledger::Reference& reference, const Clock& clock,
               const rpc::PageTokens& tokens)
      : front_(front), pool_(pool), reference_(reference), clock_(clock), tokens_(tokens) {}

  grpc::ServerUnaryReactor* GetBoard(grpc::CallbackServerContext* context,
                                     const v1::GetBoardRequest* request,
                                     v1::Board* answer) override;
  grpc::ServerUnaryReactor* ListBoards(grpc::CallbackServerContext* context,
                                       const v1::ListBoardsRequest* request,
                                       v1::ListBoardsResponse* answer) override;
  grpc::ServerUnaryReactor* ListAgentReports(grpc::CallbackServerContext* context,
                                             const v1::ListAgentReportsRequest* request,
                                             v1::ListAgentReportsResponse* answer) override;

 private:
  absl::StatusOr<std::vector<v1::Board>> Boards(const CallContext& call,
                                                const ledger::ReferenceSnapshot& reference,
                                                const std::vector<const desk::Flow*>& flows);

  rpc::Front& front_;
  pg::Pool& pool_;
  ledger::Reference& reference_;
  const Clock& clock_;
  const rpc::PageTokens& tokens_;
};

}  // namespace potok::analytics
