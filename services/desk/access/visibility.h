// Who may see a ticket and in which role they stand to it. The one place: get, list, counters,
// streams and the commands that change a ticket all ask here; a list renders the same Viewer into
// its WHERE clause.
#pragma once

#include <string>
#include <vector>

#include "desk/flow/flow.h"
#include "desk/ticket/ticket.h"

namespace potok::desk {

// A caller with everything visibility depends on, resolved before any ticket is read.
struct Viewer {
  std::string principal;
  std::string employee;                         // Empty for services.
  bool sees_all = false;                        // admin, auditor or a service of the suite.
  bool admin = false;                           // May act as flow admin everywhere.
  bool system = false;                          // A loop of the suite itself.
  std::vector<std::string> flows_administered;  // Flow ids, as admin or manager.
  std::vector<std::string> flows_served;        // Flow ids whose team they belong to.
  std::vector<std::string> departments_headed;  // Department ids.
};

// How the viewer stands to one ticket. Several may hold at once.
struct Relation {
  bool requester = false;
  bool holder = false;
  bool team = false;
  bool flow_admin = false;  // Flow admin, manager of the flow, or an administrator.
  bool department_head = false;
  bool system = false;
  bool sees = false;
  // Internal notes are for those who work on the ticket, never for its requester alone.
  bool sees_internal = false;
};

Relation RelationOf(const Viewer& viewer, const Ticket& ticket);

// Whether `employee` of `department` may file into the flow.
bool MayFile(const Flow& flow, const std::string& employee, const std::string& department);

// The viewer of a loop of the suite, acting as "system".
Viewer SystemViewer();

}  // namespace potok::desk
