// The work behind potok.intake.v1.FlowService: flows from templates and by hand, published as
// versions. Knows no transport: FlowRpc brings the calls, tests call it directly. Thread-safe; may
// block.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/call_context.h"
#include "desk/flow/flow.h"
#include "intake/store/flow_store.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/page_token.h"
#include "potok/intake/v1/flow.pb.h"

namespace potok::intake {

class Flows {
 public:
  // Everything outlives it.
  Flows(pg::Pool& pool, ledger::Reference& reference, const rpc::PageTokens& page_tokens,
        const Clock& clock)
      : pool_(pool),
        store_(pool),
        reference_(reference),
        page_tokens_(page_tokens),
        clock_(clock) {}

  absl::StatusOr<v1::ListFlowTemplatesResponse> ListTemplates(
      const CallContext& call, const v1::ListFlowTemplatesRequest& request) const;
  // All that changes is idempotent by request_id: flow, version and epoch move in one transaction
  // with the remembered answer.
  absl::StatusOr<v1::Flow> Create(const CallContext& call,
                                  const v1::CreateFlowRequest& request) const;
  absl::StatusOr<v1::Flow> Get(const CallContext& call, const v1::GetFlowRequest& request) const;
  absl::StatusOr<v1::ListFlowsResponse> List(const CallContext& call,
                                             const v1::ListFlowsRequest& request) const;
  // A change that changes nothing publishes no version.
  absl::StatusOr<v1::Flow> Update(const CallContext& call,
                                  const v1::UpdateFlowRequest& request) const;

 private:
  absl::Status MayWrite(const CallContext& call, const std::string& flow_id, bool is_new) const;
  // Whether everything the flow names exists: policy, people, departments.
  absl::Status CheckNames(const desk::Flow& flow) const;
  absl::StatusOr<desk::Flow> Draft(const v1::CreateFlowRequest& request) const;
  absl::StatusOr<StoredFlow> Changed(const v1::UpdateFlowRequest& request,
                                     const StoredFlow& stored) const;

  pg::Pool& pool_;
  const FlowStore store_;
  ledger::Reference& reference_;
  const rpc::PageTokens& page_tokens_;
  const Clock& clock_;
};

}  // namespace potok::intake
