// The company of the story: who works where, what each desk serves, and how it is set up by calls.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "connection.h"

namespace potok::ctl {

struct Person {
  const char* id;
  const char* name;
  const char* job;
  const char* department;
  const char* manager;
  const char* zone;
};

// Somebody who works on requests of a desk.
struct DeskMember {
  const char* employee;
  int line;
};

// One flow of the company, made from a ready template.
struct DeskPlan {
  const char* flow;  // Also the id of the template.
  const char* name;
  api::v1::DistributionMode mode;
  const char* policy;
  const char* manager;
  int lines;
  bool working_hours_only;
  int auto_close_days;
  std::vector<DeskMember> members;
};

const std::vector<Person>& People();
const std::vector<DeskPlan>& Desks();
// The ten who work on requests, each once.
std::vector<std::string> AgentIds();

// "Анна Иванова" of "ivanova" or "employees/ivanova"; the argument itself when unknown.
std::string NameOf(absl::string_view employee);
// "Иванова".
std::string SurnameOf(absl::string_view employee);
// Address that mail to them goes to.
std::string MailOf(absl::string_view employee);
const DeskPlan& DeskOf(absl::string_view flow);
// "по очереди", "наименее занятому", ...
const char* HowRu(api::v1::DistributionMode mode);

// Departments, employees, calendar, policies, flows and members. Each call carries a request_id
// made of what it does, so that a set-up that was cut off goes on where it was. ALREADY_EXISTS when
// another company lives here.
absl::Status SetUpCompany(Connection& connection);

}  // namespace potok::ctl
