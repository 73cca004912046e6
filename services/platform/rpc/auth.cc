#include "platform/rpc/auth.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "base/error.h"
#include "base/status_macros.h"

namespace potok::rpc {
namespace {

constexpr std::array<absl::string_view, 8> kRoles = {
    "requester", "agent", "flowAdmin", "departmentHead", "analyst", "auditor", "admin", "service"};

absl::Status Unauthenticated(std::string reason, std::string en, std::string ru) {
  ErrorDetail detail;
  detail.ru = std::move(ru);
  return MakeError(absl::StatusCode::kUnauthenticated, std::move(reason), std::move(en),
                   std::move(detail));
}

// Ids of people and services as they stand in resource names.
bool IsId(absl::string_view id) {
  return !id.empty() && id.size() <= 63 && absl::ascii_isalnum(id[0]) &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

absl::StatusOr<Caller> DevAuthenticator::Authenticate(absl::string_view authorization) const {
  if (authorization.empty()) {
    return Unauthenticated(
        "CREDENTIALS_MISSING", "no credentials: send the metadata 'authorization: Bearer TOKEN'",
        "Нет данных для входа: пришлите метаданные 'authorization: Bearer TOKEN'");
  }
  absl::string_view token = authorization;
  if (!absl::StartsWithIgnoreCase(token, "bearer ")) {
    return Unauthenticated("CREDENTIALS_MALFORMED",
                           "the authorization metadata is not a bearer token",
                           "Метаданные authorization не содержат bearer-токена");
  }
  token = absl::StripAsciiWhitespace(token.substr(7));
  if (!absl::ConsumePrefix(&token, "dev:")) {
    return Unauthenticated(
        "CREDENTIALS_INVALID",
        "this server takes development tokens only: 'Bearer dev:EMPLOYEE[:role[+role...][@scope]]'",
        "Этот сервер принимает только токены разработки: 'Bearer "
        "dev:EMPLOYEE[:role[+role...][@scope]]'");
  }
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(token, absl::MaxSplits(':', 1));
  const absl::string_view id = parts.first;
  if (!IsId(id)) {
    return Unauthenticated("CREDENTIALS_MALFORMED",
                           "the employee of the token is not 1 to 63 of A-Z a-z 0-9 . _ -",
                           "Сотрудник в токене: от 1 до 63 знаков из A-Z a-z 0-9 . _ -");
  }
  const std::pair<absl::string_view, absl::string_view> grant =
      absl::StrSplit(parts.second, absl::MaxSplits('@', 1));
  Caller caller;
  caller.scope = std::string(grant.second);
  caller.roles = absl::StrSplit(grant.first, '+', absl::SkipEmpty());
  if (caller.roles.empty()) caller.roles = {"requester"};
  for (const std::string& role : caller.roles) {
    if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
      return Unauthenticated(
          "CREDENTIALS_INVALID",
          absl::StrCat("unknown role in the token; known are ", absl::StrJoin(kRoles, ", ")),
          absl::StrCat("Неизвестная роль в токене; известны ", absl::StrJoin(kRoles, ", ")));
    }
  }
  if (caller.Has("service")) {
    caller.principal = absl::StrCat("serviceAccounts/", id);
  } else {
    caller.principal = absl::StrCat("users/", id);
    caller.employee = std::string(id);
  }
  return caller;
}

bool IsLocalAddress(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return false;
  const absl::string_view host = address.substr(0, colon);
  return host == "localhost" || host == "[::1]" ||
         (absl::StartsWith(host, "127.") &&
          host.find_first_not_of("0123456789.") == absl::string_view::npos);
}

absl::Status CheckDevAuthAllowed(const std::vector<std::string>& listeners,
                                 absl::string_view potok_env) {
  if (potok_env != "dev") {
    return absl::FailedPreconditionError(
        "auth.mode MODE_DEV believes any caller; set POTOK_ENV=dev to say that this is wanted");
  }
  for (const std::string& listener : listeners) {
    if (!IsLocalAddress(listener)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "auth.mode MODE_DEV believes any caller, but ", listener,
          " can be reached from other machines; listen on 127.0.0.1 or a unix socket"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Caller> ActFor(const Caller& portal, absl::string_view principal) {
  absl::string_view id = principal;
  if (!absl::ConsumePrefix(&id, "users/") || !IsId(id)) {
    return BadField("x-potok-on-behalf-of", "must name an employee, such as users/ivanova",
                    "должно называть сотрудника, например users/ivanova");
  }
  Caller caller;
  caller.principal = std::string(principal);
  caller.employee = std::string(id);
  caller.on_behalf_of = portal.principal;
  caller.roles = {"requester"};
  return caller;
}

}  // namespace potok::rpc
