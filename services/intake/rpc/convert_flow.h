// Between a flow of the desk and a flow on the wire. Pure, thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "desk/flow/flow.h"
#include "intake/domain/flow_templates.h"
#include "intake/store/flow_store.h"
#include "potok/intake/v1/flow.pb.h"

namespace potok::intake {

// Every field with its effective value, defaults spelled out; without what only a stored flow has.
v1::Flow ToWire(const desk::Flow& flow);
v1::Flow ToWire(const StoredFlow& stored);
v1::FlowTemplate ToWire(const FlowTemplate& flow_template);

// Fields that are not set take their defaults; output-only fields are ignored. The id is `id`,
// whatever wire.name() says. Limits are judged by PublishableFlow.
desk::Flow FlowFromWire(const v1::Flow& wire, const std::string& id);

// desk::ValidateFlow, with each violation under the name its field has on the wire.
absl::Status PublishableFlow(const desk::Flow& flow);

}  // namespace potok::intake
