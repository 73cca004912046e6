// A flow: a stream of similar requests with its form, people rules, promise and options.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "desk/form/form.h"
#include "desk/routing/plan.h"

namespace potok::desk {

struct WhoMayFile {
  bool all = true;
  std::vector<std::string> departments;
  std::vector<std::string> employees;
};

// Shipped defaults are those of the product description.
struct FlowOptions {
  bool agent_may_extend = false;  // The holder may move the deadline; the flow admin always may.
  bool half_term_reminder = true;
  bool requester_accepts = true;    // RESOLVED waits for the requester; otherwise resolve closes.
  int autoclose_working_days = 3;   // 1..60.
  int overload_threshold = 5;       // Queued tickets above which the admin is told.
  int max_active = 3;               // Per agent and flow, 1..1000; a member may have its own.
  bool working_hours_only = false;  // Assign only inside the agent's working hours.
  int reopen_days = 14;             // Calendar days after closing, 0 = never.
};

// Bounds between green, yellow and red.
struct HealthThresholds {
  int yellow_on_time_percent = 90;
  int red_on_time_percent = 75;
  int yellow_oldest_wait_minutes = 60;  // Real elapsed minutes in the queue.
  int red_oldest_wait_minutes = 240;
};

struct Flow {
  std::string id;   // [a-z]([a-z0-9-]{1,61}[a-z0-9])
  int version = 1;  // Published version; a ticket keeps the one it was opened under.
  std::string name_ru;
  std::string name_en;
  std::string description;
  std::string knowledge_link;
  std::string project;
  std::string prefix;  // Of ticket numbers, [A-Z]{2,8}.
  Form form;
  WhoMayFile who_may_file;
  DistributionMode mode = DistributionMode::kRoundRobin;
  std::string sla_policy;  // SlaPolicy id; its calendar counts the term.
  FlowOptions options;
  HealthThresholds health;
  std::vector<std::string> admins;  // Employee ids.
  std::string manager;              // Employee id told of breaches; empty = the admins.
  int lines = 1;                    // Support tiers in use, 1..3.

  std::string Name(const std::string& locale) const {
    return locale == "ru" && !name_ru.empty() ? name_ru : name_en.empty() ? name_ru : name_en;
  }
};

// Whether a definition may be published; every bad field is named.
absl::Status ValidateFlow(const Flow& flow);

}  // namespace potok::desk
