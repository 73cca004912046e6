// The small reference tables every service decides by: flows, SLA policies, calendars, people,
// teams.
//
// Each service keeps one immutable snapshot in memory and swaps it when ledger.reference_epoch
// moves. A snapshot may be up to a refresh interval old; what must be exact (caps, states) is read
// under lock instead.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

#include "base/call_context.h"
#include "desk/access/visibility.h"
#include "desk/calendar/calendar.h"
#include "desk/flow/flow.h"
#include "desk/sla/policy.h"
#include "platform/pg/pool.h"

namespace potok::ledger {

struct Employee {
  std::string id;
  std::string name;  // As it is shown, "Иванова Анна".
  std::string email;
  std::string department;              // Department id, may be empty.
  std::string manager;                 // Employee id, may be empty.
  std::string zone = "Europe/Moscow";  // IANA.
  std::string locale = "ru";
  bool active = true;
};

struct Department {
  std::string id;
  std::string name;
  std::string head;    // Employee id.
  std::string parent;  // Department id.
};

struct Member {
  std::string flow_id;
  std::string employee;
  int line = 1;
  std::string calendar;  // Working hours of this agent; empty = those of the flow's policy.
  std::vector<std::string> skills;
  std::vector<std::string> languages;
};

using EmployeeMap = absl::flat_hash_map<std::string, std::shared_ptr<const Employee>>;  // By id.

// Immutable; safe to share between threads.
struct ReferenceSnapshot {
  // Every published version, because a ticket keeps the one it was opened under.
  std::map<std::pair<std::string, int>, std::shared_ptr<const desk::Flow>> flow_versions;
  std::map<std::string, std::shared_ptr<const desk::Flow>> flows;  // Latest version by id.
  std::map<std::string, std::shared_ptr<const desk::SlaPolicy>> policies;
  std::map<std::string, std::shared_ptr<const desk::Calendar>> calendars;
  // Never null; shared with the snapshot before unless somebody's row changed.
  std::shared_ptr<const EmployeeMap> employees = std::make_shared<EmployeeMap>();
  std::string employees_since = "0";  // Rows of this Postgres transaction on may be missing.
  std::map<std::string, Department> departments;
  std::map<std::string, std::vector<Member>> members;  // By flow id, ordered by employee.

  // nullptr when unknown.
  const desk::Flow* Flow(const std::string& id) const;
  const desk::Flow* FlowVersion(const std::string& id, int version) const;
  const desk::SlaPolicy* PolicyOf(const desk::Flow& flow) const;
  const desk::Calendar* CalendarOf(const desk::SlaPolicy& policy) const;
  const Employee* FindEmployee(const std::string& id) const;

  // Who is told about and may step into the flow: its manager, else its admins.
  std::vector<std::string> ManagersOf(const desk::Flow& flow) const;

  // The viewer behind a call: the one bridge from authentication to visibility.
  desk::Viewer ViewerOf(const Caller& caller) const;
};

// Thread-safe. Owns one thread that looks at the epochs.
class Reference {
 public:
  // Reads everything once; fails when the schema is not there. `pool` must outlive it.
  static absl::StatusOr<std::unique_ptr<Reference>> Start(pg::Pool& pool);
  ~Reference();

  std::shared_ptr<const ReferenceSnapshot> Snapshot() const;

  // Re-reads what moved, now. Call it after writing reference data, and once on an unknown name
  // before refusing it: another service may have written it a moment ago.
  absl::Status Refresh();

 private:
  explicit Reference(pg::Pool& pool) : pool_(pool) {}
  void Run();

  pg::Pool& pool_;
  absl::Mutex refresh_mu_;  // One refresh at a time.
  mutable absl::Mutex mu_;
  std::shared_ptr<const ReferenceSnapshot> snapshot_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int64_t> epochs_ ABSL_GUARDED_BY(refresh_mu_);
  absl::Notification stop_;
  std::thread thread_;
};

}  // namespace potok::ledger
