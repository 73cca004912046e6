#include "platform/rpc/error_to_grpc.h"

#include "absl/strings/str_cat.h"
#include <google/protobuf/any.pb.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "base/error.h"
#include "base/utf8.h"

namespace potok::rpc {
namespace {

constexpr char kDomain[] = "potok";
constexpr size_t kMaxDetails = 3800;  // Serialized; base64 in the trailer makes it a third longer.
constexpr size_t kMaxMessage = 600;   // The wire escapes each byte beyond ASCII as three.
constexpr size_t kMaxText = 300;

// One byte that is not UTF-8 makes all details of an error unreadable to the client.
std::string Cut(absl::string_view text, size_t max) {
  return std::string(Utf8Prefix(MendUtf8(text.substr(0, max)), max));
}

bool IsOurFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

// Texts for errors that came without their own, by code.
absl::string_view GeneralRussian(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled: return "Вызов отменён";
    case absl::StatusCode::kInvalidArgument: return "Неверный запрос";
    case absl::StatusCode::kDeadlineExceeded: return "Время вызова истекло";
    case absl::StatusCode::kNotFound: return "Не найдено";
    case absl::StatusCode::kAlreadyExists: return "Уже существует";
    case absl::StatusCode::kPermissionDenied: return "Недостаточно прав";
    case absl::StatusCode::kResourceExhausted: return "Сервис перегружен, повторите позже";
    case absl::StatusCode::kFailedPrecondition: return "Сейчас это невозможно";
    case absl::StatusCode::kAborted: return "Данные изменились, повторите";
    case absl::StatusCode::kUnavailable: return "Сервис временно недоступен, повторите позже";
    case absl::StatusCode::kUnauthenticated: return "Нужно войти";
    default: return "Внутренняя ошибка";
  }
}

template <class Detail>
void Add(google::rpc::Status& out, const Detail& detail) {
  out.add_details()->PackFrom(detail);
}

google::rpc::Status Build(const absl::Status& status, const ErrorDetail& detail,
                          const std::string& message, bool russian, absl::string_view request_id,
                          size_t fields) {
  google::rpc::Status out;
  out.set_code(static_cast<int>(status.code()));
  out.set_message(message);

  google::rpc::ErrorInfo info;
  info.set_domain(kDomain);
  info.set_reason(Cut(ReasonOf(status), 64));
  for (const auto& [key, value] : detail.metadata) {
    (*info.mutable_metadata())[Cut(key, 64)] = Cut(value, kMaxText);
  }
  Add(out, info);

  if (fields > 0) {
    google::rpc::BadRequest bad;
    for (size_t i = 0; i < fields; ++i) {
      auto* violation = bad.add_field_violations();
      const FieldViolation& field = detail.fields[i];
      violation->set_field(Cut(field.field, kMaxText));
      violation->set_description(Cut(russian && !field.ru.empty() ? field.ru : field.en, kMaxText));
    }
    Add(out, bad);
  }
  if (!detail.preconditions.empty()) {
    google::rpc::PreconditionFailure failure;
    for (size_t i = 0; i < detail.preconditions.size() && i < 4; ++i) {
      auto* violation = failure.add_violations();
      violation->set_type(Cut(detail.preconditions[i].type, 64));
      violation->set_subject(Cut(detail.preconditions[i].subject, kMaxText));
      violation->set_description(Cut(detail.preconditions[i].description, kMaxText));
    }
    Add(out, failure);
  }
  if (detail.retry_after) {
    google::rpc::RetryInfo retry;
    const int64_t millis = absl::ToInt64Milliseconds(*detail.retry_after);
    retry.mutable_retry_delay()->set_seconds(millis / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(millis % 1000) * 1000000);
    Add(out, retry);
  }
  if (!request_id.empty()) {
    google::rpc::RequestInfo request;
    request.set_request_id(Cut(request_id, 64));
    Add(out, request);
  }
  google::rpc::LocalizedMessage localized;
  localized.set_locale(russian ? "ru" : "en");
  if (!russian) {
    localized.set_message(message);
  } else {
    localized.set_message(
        Cut(detail.ru.empty() ? GeneralRussian(status.code()) : detail.ru, kMaxMessage));
  }
  Add(out, localized);
  return out;
}

}  // namespace

std::string ReasonOf(const absl::Status& status) {
  const std::string reason = GetErrorDetail(status).reason;
  if (!reason.empty()) return reason;
  switch (status.code()) {
    case absl::StatusCode::kCancelled: return "CALLER_GONE";
    case absl::StatusCode::kInvalidArgument: return "INVALID_FIELD";
    case absl::StatusCode::kDeadlineExceeded: return "DEADLINE_PASSED";
    case absl::StatusCode::kNotFound: return "NOT_FOUND";
    case absl::StatusCode::kAlreadyExists: return "ALREADY_EXISTS";
    case absl::StatusCode::kPermissionDenied: return "PERMISSION_DENIED";
    case absl::StatusCode::kResourceExhausted: return "OVERLOADED";
    case absl::StatusCode::kAborted: return "CONFLICT";
    case absl::StatusCode::kUnavailable: return "STORAGE_UNAVAILABLE";
    case absl::StatusCode::kUnauthenticated: return "CREDENTIALS_INVALID";
    case absl::StatusCode::kUnimplemented: return "NOT_OFFERED";
    default: return "INTERNAL";
  }
}

grpc::Status ToGrpc(const absl::Status& status, absl::string_view locale,
                    absl::string_view request_id) {
  if (status.ok()) return grpc::Status::OK;
  const ErrorDetail detail = GetErrorDetail(status);
  std::string message = Cut(status.message(), kMaxMessage);
  if (detail.reason.empty() && IsOurFault(status.code())) {
    message = absl::StrCat("internal error; the log has it under request id ", request_id);
  }
  const bool russian = locale == "ru";
  size_t fields = detail.fields.size();
  google::rpc::Status out = Build(status, detail, message, russian, request_id, fields);
  while (out.ByteSizeLong() > kMaxDetails && fields > 0) {
    fields /= 2;
    out = Build(status, detail, message, russian, request_id, fields);
  }
  if (out.ByteSizeLong() > kMaxDetails) {
    ErrorDetail bare;
    bare.retry_after = detail.retry_after;
    out = Build(status, bare, message, russian, request_id, 0);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message,
                      out.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  google::rpc::Status wire;
  if (!wire.ParseFromString(status.error_details())) return {code, status.error_message()};
  ErrorDetail detail;
  for (const google::protobuf::Any& any : wire.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::PreconditionFailure failure;
    google::rpc::RetryInfo retry;
    google::rpc::LocalizedMessage localized;
    if (any.UnpackTo(&info)) {
      detail.reason = info.reason();
      detail.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (any.UnpackTo(&bad)) {
      // One language came over the wire; it stands for both.
      for (const auto& v : bad.field_violations()) {
        detail.fields.push_back({v.field(), v.description(), v.description()});
      }
    } else if (any.UnpackTo(&failure)) {
      for (const auto& v : failure.violations()) {
        detail.preconditions.push_back({v.type(), v.subject(), v.description()});
      }
    } else if (any.UnpackTo(&retry)) {
      detail.retry_after = absl::Seconds(retry.retry_delay().seconds()) +
                           absl::Nanoseconds(retry.retry_delay().nanos());
    } else if (any.UnpackTo(&localized) && localized.locale() == "ru") {
      detail.ru = localized.message();
    }
  }
  if (detail.reason.empty()) return {code, status.error_message()};
  std::string reason = detail.reason;
  return MakeError(code, std::move(reason), status.error_message(), std::move(detail));
}

}  // namespace potok::rpc
