#include "platform/rpc/front.h"

#include <algorithm>
#include <grpcpp/support/slice.h>
#include <vector>

#include "base/error.h"
#include "base/status_macros.h"
#include "platform/rpc/validate.h"

namespace potok::rpc {
namespace {

constexpr char kAuthenticated[] = "authenticated";
constexpr char kPublic[] = "public";
constexpr char kImpersonate[] = "impersonate";

absl::Status Denied(const std::string& permission) {
  ErrorDetail detail;
  detail.metadata["permission"] = permission;
  detail.ru = absl::StrCat("Недостаточно прав: нужно право ", permission);
  return MakeError(absl::StatusCode::kPermissionDenied, "PERMISSION_DENIED",
                   absl::StrCat("the caller lacks the permission ", permission), std::move(detail));
}

absl::Status MayNotActFor() {
  ErrorDetail detail;
  detail.metadata["permission"] = kImpersonate;
  detail.ru = "Недостаточно прав действовать от имени другого";
  return MakeError(absl::StatusCode::kPermissionDenied, "IMPERSONATION_DENIED",
                   "the caller may not act on behalf of another principal", std::move(detail));
}

}  // namespace

Front::Front(const FrontOptions& options, const Authenticator& authenticator, Authorizer authorizer,
             WorkerPool& pool)
    : options_(options),
      authenticator_(authenticator),
      authorizer_(std::move(authorizer)),
      pool_(pool),
      streams_(options.waiting_streams) {}

Front::~Front() = default;

absl::StatusOr<Admission> Front::Admit(const Method& method,
                                       const grpc::CallbackServerContext& context) {
  Admission admission;
  if (method.permission != kPublic) {
    POTOK_ASSIGN_OR_RETURN(admission.caller,
                           authenticator_.Authenticate(MetadataOf(context, "authorization")));
    const absl::string_view behalf = MetadataOf(context, "x-potok-on-behalf-of");
    if (!behalf.empty()) {
      if (!authorizer_(admission.caller, kImpersonate)) return MayNotActFor();
      POTOK_ASSIGN_OR_RETURN(admission.caller, ActFor(admission.caller, behalf));
    }
    if (method.permission != kAuthenticated && !authorizer_(admission.caller, method.permission)) {
      return Denied(method.permission);
    }
  }

  std::chrono::milliseconds left = options_.default_deadline;
  if (!method.streaming && context.deadline() != std::chrono::system_clock::time_point::max()) {
    // gRPC gives the deadline in wall time, computed on arrival; the rest of the call uses what is
    // left.
    left = std::chrono::duration_cast<std::chrono::milliseconds>(context.deadline() -
                                                                 std::chrono::system_clock::now());
    left = std::min(left, options_.max_deadline);
  }
  admission.deadline = std::chrono::steady_clock::now() + left;
  return admission;
}

bool Front::MayLogSuccess() {
  const int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count();
  int64_t second = log_second_.load(std::memory_order_relaxed);
  // Two threads at the turn of a second may log a line too many; that is not worth a lock.
  if (second != now && log_second_.compare_exchange_strong(second, now)) log_lines_ = 0;
  return log_lines_.fetch_add(1, std::memory_order_relaxed) < options_.access_lines_per_second;
}

grpc::ServerUnaryReactor* Front::Undecodable(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer& bytes) {
  const Method* method = MethodInScope::Current();
  return Start(new UnaryCall(*this, *context, [method, bytes]() mutable {
    std::vector<grpc::Slice> slices;
    std::string all;
    if (bytes.Dump(&slices).ok()) {
      for (const grpc::Slice& slice : slices) {
        all.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      }
    }
    return ExplainUndecodable(*method->descriptor.input_type(), all);
  }));
}

void Front::EndStreams() {
  ErrorDetail detail;
  detail.retry_after = absl::Seconds(1);
  detail.ru = "Сервер останавливается; продолжите с последнего токена";
  streams_.EndAll(MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN",
                            "the server is stopping; resume from the last token",
                            std::move(detail)));
}

}  // namespace potok::rpc
