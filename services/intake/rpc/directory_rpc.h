// potok.intake.v1.DirectoryService on the wire; the work is in Directory. Thread-safe.
#pragma once

#include "intake/rpc/directory.h"
#include "platform/rpc/front.h"
#include "potok/intake/v1/directory.grpc.pb.h"

namespace potok::intake {

class DirectoryRpc final : public v1::DirectoryService::CallbackService {
 public:
  // Both outlive it.
  DirectoryRpc(rpc::Front& front, const Directory& directory)
      : front_(front), directory_(directory) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* BatchUpsertEmployees(Context* c, const v1::BatchUpsertEmployeesRequest* q,
                                v1::BatchUpsertEmployeesResponse* a) override;
  Reactor* BatchUpsertDepartments(Context* c, const v1::BatchUpsertDepartmentsRequest* q,
                                  v1::BatchUpsertDepartmentsResponse* a) override;
  Reactor* GetEmployee(Context* c, const v1::GetEmployeeRequest* q, v1::Employee* a) override;
  Reactor* ListEmployees(Context* c, const v1::ListEmployeesRequest* q,
                         v1::ListEmployeesResponse* a) override;
  Reactor* ListDepartments(Context* c, const v1::ListDepartmentsRequest* q,
                           v1::ListDepartmentsResponse* a) override;

 private:
  rpc::Front& front_;
  const Directory& directory_;
};

}  // namespace potok::intake
