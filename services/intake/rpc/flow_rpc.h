// potok.intake.v1.FlowService on the wire; the work is in Flows. Thread-safe.
#pragma once

#include "intake/rpc/flows.h"
#include "platform/rpc/front.h"
#include "potok/intake/v1/flow.grpc.pb.h"

namespace potok::intake {

class FlowRpc final : public v1::FlowService::CallbackService {
 public:
  // Both outlive it.
  FlowRpc(rpc::Front& front, const Flows& flows) : front_(front), flows_(flows) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* ListFlowTemplates(Context* c, const v1::ListFlowTemplatesRequest* q,
                             v1::ListFlowTemplatesResponse* a) override;
  Reactor* CreateFlow(Context* c, const v1::CreateFlowRequest* q, v1::Flow* a) override;
  Reactor* GetFlow(Context* c, const v1::GetFlowRequest* q, v1::Flow* a) override;
  Reactor* ListFlows(Context* c, const v1::ListFlowsRequest* q, v1::ListFlowsResponse* a) override;
  Reactor* UpdateFlow(Context* c, const v1::UpdateFlowRequest* q, v1::Flow* a) override;

 private:
  rpc::Front& front_;
  const Flows& flows_;
};

}  // namespace potok::intake
