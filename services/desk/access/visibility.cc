#include "desk/access/visibility.h"

#include <algorithm>

namespace potok::desk {
namespace {

bool Contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

Relation RelationOf(const Viewer& viewer, const Ticket& ticket) {
  Relation relation;
  relation.system = viewer.system;
  if (!viewer.employee.empty()) {
    relation.requester = ticket.requester == viewer.employee;
    relation.holder = ticket.assignee == viewer.employee;
  }
  relation.team = Contains(viewer.flows_served, ticket.flow_id);
  relation.flow_admin = viewer.admin || Contains(viewer.flows_administered, ticket.flow_id);
  relation.department_head =
      !ticket.department.empty() && Contains(viewer.departments_headed, ticket.department);
  relation.sees = viewer.system || viewer.sees_all || relation.requester || relation.holder ||
                  relation.team || relation.flow_admin || relation.department_head;
  relation.sees_internal =
      viewer.system || viewer.sees_all || relation.holder || relation.team || relation.flow_admin;
  return relation;
}

bool MayFile(const Flow& flow, const std::string& employee, const std::string& department) {
  return flow.who_may_file.all || Contains(flow.who_may_file.employees, employee) ||
         (!department.empty() && Contains(flow.who_may_file.departments, department));
}

Viewer SystemViewer() {
  Viewer viewer;
  viewer.principal = "system";
  viewer.sees_all = true;
  viewer.system = true;
  return viewer;
}

}  // namespace potok::desk
