// potok.router.v1.TeamService: each call is handed to Team on the front's pool. Thread-safe.
#pragma once

#include "platform/rpc/front.h"
#include "potok/router/v1/team.grpc.pb.h"
#include "router/rpc/team.h"

namespace potok::router {

class TeamRpc final : public v1::TeamService::CallbackService {
 public:
  // Everything outlives it.
  TeamRpc(rpc::Front& front, const Team& team) : front_(front), team_(team) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* BatchUpsertMembers(Context* c, const v1::BatchUpsertMembersRequest* q,
                              v1::BatchUpsertMembersResponse* a) override;
  Reactor* ListMembers(Context* c, const v1::ListMembersRequest* q,
                       v1::ListMembersResponse* a) override;
  Reactor* DeleteMember(Context* c, const v1::DeleteMemberRequest* q,
                        google::protobuf::Empty* a) override;
  Reactor* SetPresence(Context* c, const v1::SetPresenceRequest* q, v1::Presence* a) override;
  Reactor* GetPresence(Context* c, const v1::GetPresenceRequest* q, v1::Presence* a) override;
  Reactor* CreateAbsence(Context* c, const v1::CreateAbsenceRequest* q, v1::Absence* a) override;
  Reactor* ListAbsences(Context* c, const v1::ListAbsencesRequest* q,
                        v1::ListAbsencesResponse* a) override;
  Reactor* DeleteAbsence(Context* c, const v1::DeleteAbsenceRequest* q,
                         google::protobuf::Empty* a) override;

 private:
  rpc::Front& front_;
  const Team& team_;
};

}  // namespace potok::router
