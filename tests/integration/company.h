// A small company for integration tests: people, teams, flows and promises, written straight into a
// migrated database, so that a test of one service needs no other.
#pragma once

#include <string>

#include "platform/testing/stack.h"

namespace potok::testing {

// Departments: sales (head zaitsev), it (head belov), hr (head kuzmina).
// Requesters: ivanova, petrov (sales); volkov (hr). Left the company: lisina.
// Agents: sidorov, orlova (it-support, line 1), gusev (it-support, line 2), kuzmina
// (hr-certificates). Flow admin and manager: belov (the it flows), kuzmina (hr-certificates).
//
// Flows:
//   it-support       IT-, no form, two working days, agents may extend, lines 1 and 2
//   hr-certificates  HR-, form: kind (2ndfl | work, required), period, copies (1..5), for_whom
//   it-internal      OPS-, only department it may file
//   quick            QQ-, no review by the requester, around the clock, 4 hours
void FoundCompany(TestDatabase& database);

// One more flow like `quick` under another id and prefix, with `agents` agents "NAME-0".. of `cap`
// each.
void AddFlow(TestDatabase& database, const std::string& id, const std::string& prefix, int agents,
             int cap);

// One more agent of a flow: employee, membership and load row.
void AddAgent(TestDatabase& database, const std::string& employee, const std::string& flow,
              int line, int cap);

}  // namespace potok::testing
