// The work behind potok.intake.v1.DirectoryService. Knows no transport. Thread-safe; may block.
#pragma once

#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "intake/store/directory_store.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/page_token.h"
#include "potok/intake/v1/directory.pb.h"

namespace potok::intake {

class Directory {
 public:
  // Everything outlives it.
  Directory(pg::Pool& pool, ledger::Reference& reference, const rpc::PageTokens& page_tokens,
            const Clock& clock)
      : pool_(pool),
        store_(pool),
        reference_(reference),
        page_tokens_(page_tokens),
        clock_(clock) {}

  // All rows or none, in a fixed number of statements; idempotent by request_id.
  absl::StatusOr<v1::BatchUpsertEmployeesResponse> UpsertEmployees(
      const CallContext& call, const v1::BatchUpsertEmployeesRequest& request) const;
  absl::StatusOr<v1::BatchUpsertDepartmentsResponse> UpsertDepartments(
      const CallContext& call, const v1::BatchUpsertDepartmentsRequest& request) const;

  absl::StatusOr<v1::Employee> GetEmployee(const CallContext& call,
                                           const v1::GetEmployeeRequest& request) const;
  absl::StatusOr<v1::ListEmployeesResponse> ListEmployees(
      const CallContext& call, const v1::ListEmployeesRequest& request) const;
  absl::StatusOr<v1::ListDepartmentsResponse> ListDepartments(
      const CallContext& call, const v1::ListDepartmentsRequest& request) const;

 private:
  void CatchUp() const;

  pg::Pool& pool_;
  const DirectoryStore store_;
  ledger::Reference& reference_;
  const rpc::PageTokens& page_tokens_;
  const Clock& clock_;
};

}  // namespace potok::intake
