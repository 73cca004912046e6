// What admins look at: the invariants, dead letters, leases, how far the transport is.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "intake/domain/admission.h"
#include "intake/rpc/dead_letters.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "platform/rpc/front.h"
#include "platform/rpc/page_token.h"
#include "potok/admin/v1/admin.grpc.pb.h"

namespace potok::intake {

// Thread-safe. All arguments outlive it.
class AdminRpc final : public admin::v1::AdminService::CallbackService {
 public:
  AdminRpc(rpc::Front& front, pg::Pool& pool, const ledger::Reference& reference,
           const rpc::PageTokens& tokens, const DeadLetters& letters, const Admission& admission)
      : front_(front),
        pool_(pool),
        reference_(reference),
        tokens_(tokens),
        letters_(letters),
        admission_(admission) {}

  grpc::ServerUnaryReactor* VerifyLedger(grpc::CallbackServerContext* context,
                                         const admin::v1::VerifyLedgerRequest* request,
                                         admin::v1::VerifyLedgerResponse* answer) override;
  grpc::ServerUnaryReactor* ListDeadLetters(grpc::CallbackServerContext* context,
                                            const admin::v1::ListDeadLettersRequest* request,
                                            admin::v1::ListDeadLettersResponse* answer) override;
  grpc::ServerUnaryReactor* GetDeadLetter(grpc::CallbackServerContext* context,
                                          const admin::v1::GetDeadLetterRequest* request,
                                          admin::v1::DeadLetter* answer) override;
  grpc::ServerUnaryReactor* ReplayDeadLetters(
      grpc::CallbackServerContext* context, const admin::v1::ReplayDeadLettersRequest* request,
      admin::v1::ReplayDeadLettersResponse* answer) override;
  grpc::ServerUnaryReactor* DropDeadLetters(grpc::CallbackServerContext* context,
                                            const admin::v1::DropDeadLettersRequest* request,
                                            admin::v1::DropDeadLettersResponse* answer) override;
  grpc::ServerUnaryReactor* ListLeases(grpc::CallbackServerContext* context,
                                       const admin::v1::ListLeasesRequest* request,
                                       admin::v1::ListLeasesResponse* answer) override;
  grpc::ServerUnaryReactor* GetTransportStatus(grpc::CallbackServerContext* context,
                                               const admin::v1::GetTransportStatusRequest* request,
                                               admin::v1::TransportStatus* answer) override;

 private:
  rpc::Front& front_;
  pg::Pool& pool_;
  const ledger::Reference& reference_;
  const rpc::PageTokens& tokens_;
  const DeadLetters& letters_;
  const Admission& admission_;
};

}  // namespace potok::intake
