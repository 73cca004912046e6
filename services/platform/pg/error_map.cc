#include "platform/pg/error_map.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

#include "base/error.h"

namespace potok::pg {
namespace {

constexpr char kSqlState[] = "potok.pg/sqlstate";
constexpr char kConstraint[] = "potok.pg/constraint";
constexpr char kCause[] = "potok.pg/cause";

std::string PayloadOf(const absl::Status& status, const char* key) {
  const auto payload = status.GetPayload(key);
  return payload.has_value() ? std::string(*payload) : std::string();
}

// libpqxx 6.4.5 keeps only the message; the server's English wording quotes the name last.
std::string ConstraintIn(absl::string_view message) {
  const auto at = message.find("constraint \"");
  if (at == absl::string_view::npos) return "";
  const auto begin = at + sizeof("constraint \"") - 1;
  const auto end = message.find('"', begin);
  if (end == absl::string_view::npos) return "";
  return std::string(message.substr(begin, end - begin));
}

MappedError Make(absl::StatusCode code, const char* reason, const char* en, const char* ru,
                 Disposition disposition, const std::exception& cause, const std::string& state) {
  ErrorDetail detail;
  detail.ru = ru;
  if (code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kAborted ||
      code == absl::StatusCode::kResourceExhausted) {
    detail.retry_after = absl::Seconds(1);
  }
  absl::Status status = MakeError(code, reason, en, std::move(detail));
  status.SetPayload(kCause, absl::Cord(cause.what()));
  if (!state.empty()) status.SetPayload(kSqlState, absl::Cord(state));
  if (std::string name = ConstraintIn(cause.what()); !name.empty()) {
    status.SetPayload(kConstraint, absl::Cord(name));
  }
  return {std::move(status), disposition};
}

}  // namespace

MappedError MapError(const std::exception& error) {
  using absl::StatusCode;
  const auto unavailable = [&](const std::string& state) {
    return Make(StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
                "the database cannot be reached; retry later",
                "база данных недоступна; повторите позже", Disposition::kDropSession, error, state);
  };
  // Types first: in libpqxx 6.4.5 these carry no SQLSTATE.
  if (dynamic_cast<const pqxx::in_doubt_error*>(&error) != nullptr ||
      dynamic_cast<const pqxx::statement_completion_unknown*>(&error) != nullptr) {
    return Make(StatusCode::kUnknown, "OUTCOME_UNKNOWN",
                "the connection was lost while the change was being saved; repeat the request with "
                "the same request id to learn its outcome",
                "связь оборвалась во время сохранения; повторите запрос с тем же request_id, чтобы "
                "узнать его исход",
                Disposition::kInDoubt, error, "");
  }
  if (dynamic_cast<const pqxx::broken_connection*>(&error) != nullptr) return unavailable("");
  if (dynamic_cast<const pqxx::transaction_rollback*>(&error) != nullptr) {
    const bool deadlock = dynamic_cast<const pqxx::deadlock_detected*>(&error) != nullptr;
    const bool conflict = dynamic_cast<const pqxx::serialization_failure*>(&error) != nullptr;
    return Make(StatusCode::kAborted, "CONFLICT",
                "another change to the same records got in the way; retry",
                "помешало одновременное изменение тех же записей; повторите",
                Disposition::kRetryBody, error,
                deadlock   ? "40P01"
                : conflict ? "40001"
                           : "40000");
  }
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  if (sql == nullptr) {
    return Make(StatusCode::kInternal, "INTERNAL", "the database answered in an unexpected form",
                "база данных ответила неожиданным образом", Disposition::kFail, error, "");
  }
  const std::string& state = sql->sqlstate();
  if (dynamic_cast<const pqxx::unique_violation*>(&error) != nullptr) {
    return Make(StatusCode::kAlreadyExists, "ALREADY_EXISTS", "such a record exists already",
                "такая запись уже существует", Disposition::kFail, error, "23505");
  }
  if (dynamic_cast<const pqxx::foreign_key_violation*>(&error) != nullptr) {
    return Make(StatusCode::kFailedPrecondition, "STILL_IN_USE",
                "a record this one refers to does not exist or is still in use",
                "связанная запись не существует или ещё используется", Disposition::kFail, error,
                "23503");
  }
  // 57014 statement timeout or cancel; 57P01..3 shutting down, crashed, starting; 25P03 our own
  // idle-in-transaction limit; 25006 a primary that became a standby. The last five end the
  // session.
  if (state == "57014") {
    return Make(StatusCode::kDeadlineExceeded, "DEADLINE_PASSED",
                "the database did not finish in the time allowed",
                "база данных не успела выполнить работу в отведённое время", Disposition::kFail,
                error, state);
  }
  if (absl::StartsWith(state, "57P") || absl::StartsWith(state, "08") || state == "25P03" ||
      state == "25006" || state == "53300") {
    return unavailable(state);
  }
  if (state == "55P03") {
    return Make(
        StatusCode::kAborted, "CONFLICT", "the record is held by a longer operation; retry later",
        "запись занята более долгой операцией; повторите позже", Disposition::kFail, error, state);
  }
  if (state == "40001" || state == "40P01") {
    return Make(StatusCode::kAborted, "CONFLICT",
                "another change to the same records got in the way; retry",
                "помешало одновременное изменение тех же записей; повторите",
                Disposition::kRetryBody, error, state);
  }
  if (absl::StartsWith(state, "53")) {
    return Make(StatusCode::kResourceExhausted, "OVERLOADED",
                "the database has run out of disk space or memory; the administrator must act",
                "у базы данных кончилось место или память; нужен администратор", Disposition::kFail,
                error, state);
  }
  // The disk of the database answers with errors: another server, or this one after a repair, may
  // not.
  if (absl::StartsWith(state, "58")) {
    return Make(StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
                "the database cannot use its disk; the administrator must act",
                "база данных не может работать с диском; нужен администратор", Disposition::kFail,
                error, state);
  }
  return Make(StatusCode::kInternal, "INTERNAL", "the database refused the statement",
              "база данных отвергла запрос", Disposition::kFail, error, state);
}

std::string SqlState(const absl::Status& status) { return PayloadOf(status, kSqlState); }
std::string Constraint(const absl::Status& status) { return PayloadOf(status, kConstraint); }
std::string Cause(const absl::Status& status) { return PayloadOf(status, kCause); }

}  // namespace potok::pg
