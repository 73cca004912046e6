#include "router/rpc/router_rpc.h"

namespace potok::router {

RouterRpc::Reactor* RouterRpc::AssignTicket(Context* c, const v1::AssignTicketRequest* q,
                                            v1::Placement* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return moves_.Assign(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::ClaimTicket(Context* c, const v1::ClaimTicketRequest* q,
                                           v1::Placement* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return moves_.Claim(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::ClaimNext(Context* c, const v1::ClaimNextRequest* q,
                                         v1::Placement* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return moves_.ClaimNext(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::DeclineTicket(Context* c, const v1::DeclineTicketRequest* q,
                                             v1::Placement* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return moves_.Decline(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::ReturnTicket(Context* c, const v1::ReturnTicketRequest* q,
                                            v1::Placement* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return moves_.Return(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::TransferTicket(Context* c, const v1::TransferTicketRequest* q,
                                              v1::Placement* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return moves_.Transfer(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::EscalateLine(Context* c, const v1::EscalateLineRequest* q,
                                            v1::Placement* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return moves_.EscalateLine(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::ListQueue(Context* c, const v1::ListQueueRequest* q,
                                         v1::ListQueueResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return explain_.Queue(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::ExplainAssignment(Context* c, const v1::ExplainAssignmentRequest* q,
                                                 v1::ExplainAssignmentResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return explain_.Assignment(call, request);
  });
}

RouterRpc::Reactor* RouterRpc::ListAgentLoads(Context* c, const v1::ListAgentLoadsRequest* q,
                                              v1::ListAgentLoadsResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return explain_.Loads(call, request);
  });
}

}  // namespace potok::router
