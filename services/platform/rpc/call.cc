#include "platform/rpc/call.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "platform/obs/log.h"
#include "platform/rpc/error_to_grpc.h"
#include "platform/rpc/trace.h"
#include "platform/rpc/validate.h"

namespace potok::rpc {
namespace {

constexpr std::chrono::seconds kSlow{1};

// "ru" when the first language the caller can read is Russian, else "en". Weights are ignored:
// callers list languages in their order.
std::string LocaleOf(absl::string_view accept_language) {
  for (const absl::string_view item : absl::StrSplit(accept_language, ',')) {
    const absl::string_view language = absl::StripAsciiWhitespace(item);
    if (absl::StartsWithIgnoreCase(language, "ru")) return "ru";
    if (absl::StartsWithIgnoreCase(language, "en")) return "en";
  }
  return "en";
}

obs::LogLevel LevelOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DATA_LOSS: return obs::LogLevel::kError;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::DEADLINE_EXCEEDED: return obs::LogLevel::kWarn;
    default: return obs::LogLevel::kInfo;
  }
}

absl::Status Overloaded() {
  ErrorDetail detail;
  detail.retry_after = absl::Milliseconds(500);
  detail.ru = "Сервис перегружен: слишком много вызовов ждут очереди; повторите позже";
  return MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "too many calls are waiting; try again later", std::move(detail));
}

absl::Status HalfGone() {
  ErrorDetail detail;
  detail.retry_after = absl::Milliseconds(500);
  detail.ru =
      "Сервис перегружен: больше половины времени вызова ушло на ожидание; ничего не "
      "изменено, повторите";
  return MakeError(
      absl::StatusCode::kResourceExhausted, "OVERLOADED",
      "more than half of the call's time passed in the queue; nothing was changed, try "
      "again",
      std::move(detail));
}

absl::Status TooLate() {
  ErrorDetail detail;
  detail.ru = "Время вызова истекло до начала работы; ничего не изменено";
  return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_TOO_SHORT",
                   "the deadline passed before the work could start; nothing was changed",
                   std::move(detail));
}

absl::Status ToStatus(Work::Refusal why) {
  switch (why) {
    case Work::Refusal::kLate: return TooLate();
    case Work::Refusal::kHalfGone: return HalfGone();
    case Work::Refusal::kGone:
      return MakeError(absl::StatusCode::kCancelled, "CALLER_GONE",
                       "the caller gave up before the work started; nothing was changed");
    case Work::Refusal::kStopping: break;
  }
  ErrorDetail detail;
  detail.retry_after = absl::Seconds(1);
  detail.ru = "Сервер останавливается; повторите вызов";
  return MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN",
                   "the server is stopping; repeat the call", std::move(detail));
}

obs::LogScope::Names NamesOf(const CallContext& call) {
  const std::optional<TraceContext> trace = ParseTraceparent(call.traceparent);
  return {"", trace ? trace->trace_id : "", call.request_id};
}

}  // namespace

absl::string_view MetadataOf(const grpc::CallbackServerContext& context, const char* key) {
  const auto& all = context.client_metadata();
  const auto it = all.find(key);
  if (it == all.end()) return {};
  return {it->second.data(), it->second.size()};
}

CallContext ReadContext(const std::string& path, const grpc::CallbackServerContext& context) {
  CallContext call;
  call.method = path;
  const std::optional<TraceContext> parent = ParseTraceparent(MetadataOf(context, "traceparent"));
  call.traceparent = FormatTraceparent(parent ? NewSpan(*parent) : NewTrace());
  const absl::string_view id = MetadataOf(context, "x-request-id");
  call.request_id = IsRequestId(id) ? std::string(id) : NewRequestId();
  call.locale = LocaleOf(MetadataOf(context, "accept-language"));
  return call;
}

CallBase::CallBase(CallDesk& desk, grpc::CallbackServerContext& context,
                   const google::protobuf::Message* request)
    : desk_(desk),
      context_(context),
      request_(request),
      method_(MethodInScope::Current()),
      started_(std::chrono::steady_clock::now()) {
  if (method_ != nullptr) {
    method_->started.Increment();
    method_->in_flight.Increment();
  }
}

CallBase::~CallBase() {
  if (method_ != nullptr) method_->in_flight.Decrement();
}

absl::Status CallBase::CheckRequest() const { return Validate(*request_, method_->mutating); }

void CallBase::Begin() {
  if (method_ == nullptr) {
    // Only a service added around rpc::Server gets here; nothing of it may run unauthorised.
    Complete(absl::InternalError("the service was not registered through rpc::Server::Add"));
    return;
  }
  call_ = ReadContext(method_->path, context_);
  absl::StatusOr<Admission> admitted = desk_.Admit(*method_, context_);
  if (!admitted.ok()) {
    Complete(admitted.status());
    return;
  }
  call_.caller = std::move(admitted->caller);
  call_.deadline = admitted->deadline;
  if (std::chrono::steady_clock::now() >= call_.deadline) {
    Complete(TooLate());
    return;
  }
  if (absl::Status fault = CheckRequest(); !fault.ok()) {
    Complete(fault);
    return;
  }
  if (RunAtOnce()) return;
  // From here on the pool may already be running, or have ended, the call.
  if (!desk_.Queue(this)) Complete(Overloaded());
}

bool CallBase::RunAtOnce() {
  if (!at_once_) return false;
  const obs::LogScope scope(NamesOf(call_));
  return at_once_(*this);
}

void CallBase::Run() {
  const obs::LogScope scope(NamesOf(call_));
  Handle();
}

void CallBase::Refuse(Refusal why) { Complete(ToStatus(why)); }

void CallBase::Complete(const absl::Status& status) {
  Report(status);
  context_.AddTrailingMetadata("x-request-id", call_.request_id);
  Send(ToGrpc(status, call_.locale, call_.request_id));
}

void CallBase::Report(const absl::Status& status) const {
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const auto took = std::chrono::steady_clock::now() - started_;
  bool streaming = false;
  if (method_ != nullptr) {
    method_->Handled(code);
    streaming = method_->streaming;
    if (!streaming) method_->seconds.Observe(std::chrono::duration<double>(took).count());
  }
  const obs::LogLevel level = LevelOf(code);
  if (!obs::LogEnabled(level)) return;
  if (status.ok() && (streaming || took < kSlow) && !desk_.MayLogSuccess()) return;
  const obs::LogScope scope(NamesOf(call_));
  const double ms = std::chrono::duration<double, std::milli>(took).count();
  if (status.ok()) {
    obs::Log(level, "rpc.done", "call answered",
             {{"method", call_.method},
              {"code", CodeName(code)},
              {"duration_ms", ms},
              {"principal", call_.caller.principal}});
    return;
  }
  obs::Log(level, "rpc.failed", status.message(),
           {{"method", call_.method},
            {"code", CodeName(code)},
            {"reason", ReasonOf(status)},
            {"duration_ms", ms},
            {"principal", call_.caller.principal}});
}

}  // namespace potok::rpc
