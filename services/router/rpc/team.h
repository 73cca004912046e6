// The work behind potok.router.v1.TeamService. Knows no transport. Thread-safe; may block.
//
// Every change is one transaction, remembered under its request_id, and rings the bell of the flows
// it concerns after the commit: who comes online gets waiting tickets at once.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/empty.pb.h"

#include "base/call_context.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/page_token.h"
#include "potok/router/v1/team.pb.h"
#include "router/domain/flow_bell.h"
#include "router/store/team_store.h"

namespace potok::router {

class Team {
 public:
  // Everything outlives it.
  Team(pg::Pool& pool, ledger::Reference& reference, const rpc::PageTokens& page_tokens,
       const Clock& clock, FlowBell& bell)
      : pool_(pool), reference_(reference), page_tokens_(page_tokens), clock_(clock), bell_(bell) {}

  absl::StatusOr<v1::BatchUpsertMembersResponse> UpsertMembers(
      const CallContext& call, const v1::BatchUpsertMembersRequest& q) const;
  absl::StatusOr<v1::ListMembersResponse> ListMembers(const CallContext& call,
                                                      const v1::ListMembersRequest& q) const;
  absl::StatusOr<google::protobuf::Empty> DeleteMember(const CallContext& call,
                                                       const v1::DeleteMemberRequest& q) const;
  absl::StatusOr<v1::Presence> SetPresence(const CallContext& call,
                                           const v1::SetPresenceRequest& q) const;
  absl::StatusOr<v1::Presence> GetPresence(const CallContext& call,
                                           const v1::GetPresenceRequest& q) const;
  absl::StatusOr<v1::Absence> CreateAbsence(const CallContext& call,
                                            const v1::CreateAbsenceRequest& q) const;
  absl::StatusOr<v1::ListAbsencesResponse> ListAbsences(const CallContext& call,
                                                        const v1::ListAbsencesRequest& q) const;
  absl::StatusOr<google::protobuf::Empty> DeleteAbsence(const CallContext& call,
                                                        const v1::DeleteAbsenceRequest& q) const;

 private:
  // A snapshot that knows the flow or the employee, if anybody does: one written a moment ago by
  // another process is read before it is called unknown.
  std::shared_ptr<const ledger::ReferenceSnapshot> KnowingFlow(const std::string& flow) const;
  std::shared_ptr<const ledger::ReferenceSnapshot> KnowingEmployee(const std::string& id) const;
  absl::Status MayAdminister(const CallContext& call, const ledger::ReferenceSnapshot& reference,
                             const std::string& flow) const;
  // The employee themselves, the admin of a flow they work in, their manager, an administrator.
  absl::Status MaySpeakFor(const CallContext& call, const ledger::ReferenceSnapshot& reference,
                           const std::string& employee) const;
  absl::StatusOr<std::vector<MemberDraft>> DraftsOf(const v1::BatchUpsertMembersRequest& q,
                                                    const ledger::ReferenceSnapshot& reference,
                                                    const desk::Flow& flow) const;
  void Changed(const std::vector<std::string>& flows) const;

  pg::Pool& pool_;
  ledger::Reference& reference_;
  const rpc::PageTokens& page_tokens_;
  const Clock& clock_;
  FlowBell& bell_;
};

}  // namespace potok::router
