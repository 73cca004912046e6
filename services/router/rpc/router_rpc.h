// potok.router.v1.RouterService: each call is handed to Moves or Explain on the front's pool.
// Thread-safe.
#pragma once

#include "platform/rpc/front.h"
#include "potok/router/v1/router.grpc.pb.h"
#include "router/rpc/explain.h"
#include "router/rpc/moves.h"

namespace potok::router {

class RouterRpc final : public v1::RouterService::CallbackService {
 public:
  // Everything outlives it.
  RouterRpc(rpc::Front& front, const Moves& moves, const Explain& explain)
      : front_(front), moves_(moves), explain_(explain) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* AssignTicket(Context* c, const v1::AssignTicketRequest* q, v1::Placement* a) override;
  Reactor* ClaimTicket(Context* c, const v1::ClaimTicketRequest* q, v1::Placement* a) override;
  Reactor* ClaimNext(Context* c, const v1::ClaimNextRequest* q, v1::Placement* a) override;
  Reactor* DeclineTicket(Context* c, const v1::DeclineTicketRequest* q, v1::Placement* a) override;
  Reactor* ReturnTicket(Context* c, const v1::ReturnTicketRequest* q, v1::Placement* a) override;
  Reactor* TransferTicket(Context* c, const v1::TransferTicketRequest* q,
                          v1::Placement* a) override;
  Reactor* EscalateLine(Context* c, const v1::EscalateLineRequest* q, v1::Placement* a) override;
  Reactor* ListQueue(Context* c, const v1::ListQueueRequest* q, v1::ListQueueResponse* a) override;
  Reactor* ExplainAssignment(Context* c, const v1::ExplainAssignmentRequest* q,
                             v1::ExplainAssignmentResponse* a) override;
  Reactor* ListAgentLoads(Context* c, const v1::ListAgentLoadsRequest* q,
                          v1::ListAgentLoadsResponse* a) override;

 private:
  rpc::Front& front_;
  const Moves& moves_;
  const Explain& explain_;
};

}  // namespace potok::router
