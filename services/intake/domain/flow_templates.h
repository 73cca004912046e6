// Ready flows to start from: a company has a working desk before anybody has written a form.
// Pure; built once, safe from any thread.
#pragma once

#include <string>
#include <vector>

#include "desk/flow/flow.h"

namespace potok::intake {

struct FlowTemplate {
  std::string id;  // "hr-certificates"; stable, scripts name it.
  std::string description_ru;
  std::string description_en;
  desk::Flow flow;  // Without id, version, admins and manager.
};

// In the order of the ids. Each passes desk::ValidateFlow once it is given an id, and names the SLA
// policy kTemplatePolicy, which the installation has to make first.
const std::vector<FlowTemplate>& FlowTemplates();

// nullptr when there is none of that id.
const FlowTemplate* FindFlowTemplate(const std::string& id);

inline constexpr char kTemplatePolicy[] = "standard";

// One template each; used by FlowTemplates alone.
FlowTemplate AccountingTemplate();
FlowTemplate FacilitiesTemplate();
FlowTemplate HrCertificatesTemplate();
FlowTemplate ItSupportTemplate();
FlowTemplate LeaveTemplate();
FlowTemplate PassesTemplate();

}  // namespace potok::intake
