#include "intake/rpc/directory_rpc.h"

namespace potok::intake {

DirectoryRpc::Reactor* DirectoryRpc::BatchUpsertEmployees(Context* c,
                                                          const v1::BatchUpsertEmployeesRequest* q,
                                                          v1::BatchUpsertEmployeesResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return directory_.UpsertEmployees(call, request);
  });
}

DirectoryRpc::Reactor* DirectoryRpc::BatchUpsertDepartments(
    Context* c, const v1::BatchUpsertDepartmentsRequest* q, v1::BatchUpsertDepartmentsResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return directory_.UpsertDepartments(call, request);
  });
}

DirectoryRpc::Reactor* DirectoryRpc::GetEmployee(Context* c, const v1::GetEmployeeRequest* q,
                                                 v1::Employee* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return directory_.GetEmployee(call, request);
  });
}

DirectoryRpc::Reactor* DirectoryRpc::ListEmployees(Context* c, const v1::ListEmployeesRequest* q,
                                                   v1::ListEmployeesResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return directory_.ListEmployees(call, request);
  });
}

DirectoryRpc::Reactor* DirectoryRpc::ListDepartments(Context* c,
                                                     const v1::ListDepartmentsRequest* q,
                                                     v1::ListDepartmentsResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return directory_.ListDepartments(call, request);
  });
}

}  // namespace potok::intake
