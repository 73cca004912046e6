// Idempotency of the calls that change reference data (flows, people, calendars, policies, members,
// ...).
//
// The answer of such a call is stored in the transaction of its effect under (caller, method,
// request_id). The same call again gets that answer without doing anything; the same id with other
// content is refused. Commands on tickets have their own, in ledger.idem, because they are answered
// from the event they made.
#pragma once

#include <google/protobuf/message.h>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {

// SHA-256, in hex, over what `request` means: its fields in a fixed order, without `request_id`.
std::string RequestHash(const google::protobuf::Message& request);

struct ReferenceCall {
  std::string caller;  // Principal.
  std::string method;
  std::string request_id;  // UUID; empty: the call is not remembered.
  std::string body_hash;
};

// The key of a call whose request has a `request_id` field.
ReferenceCall ReferenceCallOf(const CallContext& call, const google::protobuf::Message& request);

// The serialized answer of an earlier identical call; nothing when this is the first.
// ALREADY_EXISTS (REQUEST_ID_REUSED) when the id was used with other content. Waits for a twin that
// is running now, so call it first in the transaction. Throws pqxx.
absl::StatusOr<std::optional<std::string>> FindAnswer(pg::Tx& tx, const ReferenceCall& key);

// Remembers the answer; part of the caller's transaction. Throws pqxx.
void StoreAnswer(pg::Tx& tx, const ReferenceCall& key, const std::string& answer);

// Runs `change`, a StatusOr<Answer>(pg::Tx&) that writes, once for each (caller, method,
// request_id), and answers repeats from store. One transaction; `change` may be run again after a
// serialization failure and must start from nothing each time.
template <class Answer, class F>
absl::StatusOr<Answer> WriteOnce(pg::Pool& pool, const CallContext& call,
                                 const google::protobuf::Message& request, F&& change) {
  const ReferenceCall key = ReferenceCallOf(call, request);
  pg::TxOptions options;
  options.deadline = call.deadline;
  // An admin's call may bring ten thousand rows at once: found by key in any table, and compared
  // with each other by hashing.
  options.whole_tables = true;
  return pg::InTransaction(pool, options, [&](pg::Tx& tx) -> absl::StatusOr<Answer> {
    absl::StatusOr<std::optional<std::string>> earlier = FindAnswer(tx, key);
    if (!earlier.ok()) return earlier.status();
    if (Answer answer; earlier->has_value()) {
      if (!answer.ParseFromString(**earlier)) {
        return absl::DataLossError("a remembered answer cannot be read");
      }
      return answer;
    }
    absl::StatusOr<Answer> answer = change(tx);
    if (answer.ok()) StoreAnswer(tx, key, answer->SerializeAsString());
    return answer;
  });
}

}  // namespace potok::ledger
