#include "intake/domain/flow_templates.h"

#include <algorithm>

namespace potok::intake {

const std::vector<FlowTemplate>& FlowTemplates() {
  static const auto* const templates = [] {
    auto* all = new std::vector<FlowTemplate>{AccountingTemplate(),     FacilitiesTemplate(),
                                              HrCertificatesTemplate(), ItSupportTemplate(),
                                              LeaveTemplate(),          PassesTemplate()};
    for (FlowTemplate& each : *all) each.flow.sla_policy = kTemplatePolicy;
    return all;
  }();
  return *templates;
}

const FlowTemplate* FindFlowTemplate(const std::string& id) {
  const auto& all = FlowTemplates();
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const FlowTemplate& each) { return each.id == id; });
  return it == all.end() ? nullptr : &*it;
}

}  // namespace potok::intake
