// The border between absl::Status and gRPC: the only file that knows google.rpc error details.
// Pure functions.
#pragma once

#include <grpcpp/support/status.h>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace potok::rpc {

// The error as a client sees it: ErrorInfo (domain "potok"), BadRequest, PreconditionFailure,
// RetryInfo, RequestInfo, LocalizedMessage in `locale` ("ru" or "en"). Texts of the BadRequest are
// in `locale` too; the status message stays English, for programs and logs. Serialized details stay
// below 4 KiB, since trailers share one bound with all other metadata: what does not fit is cut
// from the end.
//
// An error without an ErrorDetail keeps its code; the message of INTERNAL, UNKNOWN and DATA_LOSS is
// replaced, because such texts may quote SQL or addresses. The log keeps the original.
grpc::Status ToGrpc(const absl::Status& status, absl::string_view locale,
                    absl::string_view request_id);

// The reverse, for a client of another Potok service: code, message and ErrorDetail.
absl::Status FromGrpc(const grpc::Status& status);

// The reason a status carries, or the general one of its code, such as "NOT_FOUND".
std::string ReasonOf(const absl::Status& status);

}  // namespace potok::rpc
