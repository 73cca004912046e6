// The work behind the dead letters of potok.admin.v1.AdminService. Knows no transport: AdminRpc
// brings the calls, tests call it directly. Carrying them out again is the business of the process
// that owns their part (platform/log/dead_letter_replay.h). Thread-safe; may block.
#pragma once

#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "intake/store/dead_letter_store.h"
#include "platform/clock/clock.h"
#include "platform/obs/metrics.h"
#include "platform/pg/pool.h"
#include "platform/rpc/page_token.h"
#include "potok/admin/v1/admin.pb.h"

namespace potok::intake {

class DeadLetters {
 public:
  // Everything outlives it.
  DeadLetters(pg::Pool& pool, const rpc::PageTokens& page_tokens, const Clock& clock,
              obs::Metrics& metrics)
      : pool_(pool), store_(pool), page_tokens_(page_tokens), clock_(clock), metrics_(metrics) {}

  absl::StatusOr<admin::v1::ListDeadLettersResponse> List(
      const CallContext& call, const admin::v1::ListDeadLettersRequest& request) const;
  absl::StatusOr<admin::v1::DeadLetter> Get(const CallContext& call,
                                            const admin::v1::GetDeadLetterRequest& request) const;
  // What changes is idempotent by request_id and leaves a line in the log with the principal.
  absl::StatusOr<admin::v1::ReplayDeadLettersResponse> Replay(
      const CallContext& call, const admin::v1::ReplayDeadLettersRequest& request) const;
  absl::StatusOr<admin::v1::DropDeadLettersResponse> Drop(
      const CallContext& call, const admin::v1::DropDeadLettersRequest& request) const;

 private:
  pg::Pool& pool_;
  const DeadLetterStore store_;
  const rpc::PageTokens& page_tokens_;
  const Clock& clock_;
  obs::Metrics& metrics_;
};

}  // namespace potok::intake
