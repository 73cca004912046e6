#include "intake/rpc/flow_rpc.h"

namespace potok::intake {

FlowRpc::Reactor* FlowRpc::ListFlowTemplates(Context* c, const v1::ListFlowTemplatesRequest* q,
                                             v1::ListFlowTemplatesResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return flows_.ListTemplates(call, request);
  });
}

FlowRpc::Reactor* FlowRpc::CreateFlow(Context* c, const v1::CreateFlowRequest* q, v1::Flow* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return flows_.Create(call, request);
  });
}

FlowRpc::Reactor* FlowRpc::GetFlow(Context* c, const v1::GetFlowRequest* q, v1::Flow* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return flows_.Get(call, request);
  });
}

FlowRpc::Reactor* FlowRpc::ListFlows(Context* c, const v1::ListFlowsRequest* q,
                                     v1::ListFlowsResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return flows_.List(call, request);
  });
}

FlowRpc::Reactor* FlowRpc::UpdateFlow(Context* c, const v1::UpdateFlowRequest* q, v1::Flow* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return flows_.Update(call, request);
  });
}

}  // namespace potok::intake
