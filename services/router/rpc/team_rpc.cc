#include "router/rpc/team_rpc.h"

namespace potok::router {

TeamRpc::Reactor* TeamRpc::BatchUpsertMembers(Context* c, const v1::BatchUpsertMembersRequest* q,
                                              v1::BatchUpsertMembersResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return team_.UpsertMembers(call, request);
  });
}

TeamRpc::Reactor* TeamRpc::ListMembers(Context* c, const v1::ListMembersRequest* q,
                                       v1::ListMembersResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return team_.ListMembers(call, request);
  });
}

TeamRpc::Reactor* TeamRpc::DeleteMember(Context* c, const v1::DeleteMemberRequest* q,
                                        google::protobuf::Empty* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return team_.DeleteMember(call, request);
  });
}

TeamRpc::Reactor* TeamRpc::SetPresence(Context* c, const v1::SetPresenceRequest* q,
                                       v1::Presence* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return team_.SetPresence(call, request);
  });
}

TeamRpc::Reactor* TeamRpc::GetPresence(Context* c, const v1::GetPresenceRequest* q,
                                       v1::Presence* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return team_.GetPresence(call, request);
  });
}

TeamRpc::Reactor* TeamRpc::CreateAbsence(Context* c, const v1::CreateAbsenceRequest* q,
                                         v1::Absence* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return team_.CreateAbsence(call, request);
  });
}

TeamRpc::Reactor* TeamRpc::ListAbsences(Context* c, const v1::ListAbsencesRequest* q,
                                        v1::ListAbsencesResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return team_.ListAbsences(call, request);
  });
}

TeamRpc::Reactor* TeamRpc::DeleteAbsence(Context* c, const v1::DeleteAbsenceRequest* q,
                                         google::protobuf::Empty* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return team_.DeleteAbsence(call, request);
  });
}

}  // namespace potok::router
