// What arrives in headers and trailers: page tokens, credentials, trace contexts, etags, details of
// errors. The first letter of the input says which; the rest is the value.
#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/error.h"
#include "base/utf8.h"
#include "desk/ticket/ids.h"
#include "fuzz/target.h"
#include "intake/domain/list_fields.h"
#include "ledger/history.h"
#include "platform/rpc/auth.h"
#include "platform/rpc/error_to_grpc.h"
#include "platform/rpc/page_token.h"
#include "platform/rpc/trace.h"
#include "platform/rpc/validate.h"

namespace potok::fuzz {
namespace {

// gRPC's clients refuse headers and trailers over 8 KiB; base64 adds a third to the details and the
// message may take three bytes for each of its own.
constexpr size_t kMaxTrailers = 8192 - 512;

const rpc::PageTokens& Tokens() {
  static const auto& tokens = *new rpc::PageTokens(*rpc::PageTokens::Create(std::string(64, 'a')));
  return tokens;
}

void PageToken(absl::string_view value) {
  const absl::Time now = absl::FromUnixSeconds(1774900000);
  // No text is a token that nobody sealed.
  const auto forged = Tokens().Open(value, "list", now);
  FUZZ_CHECK(!forged.ok(), value);
  CheckRefusal(forged.status());

  // Larger cursors are of no list; the server refuses tokens above 4 KiB.
  const absl::string_view payload = value.substr(0, 2048);
  const std::string token = Tokens().Seal(payload, value, now);
  FUZZ_CHECK(std::all_of(token.begin(), token.end(),
                         [](char c) {
                           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
                                  c == '_' || c == '=' || c == '.';
                         }),
             token);
  const auto opened = Tokens().Open(token, value, now + rpc::PageTokens::kLife);
  FUZZ_CHECK(opened.ok() && *opened == payload, token);
  FUZZ_CHECK(!Tokens().Open(token, absl::StrCat(value, "x"), now).ok(), token);
  FUZZ_CHECK(!Tokens().Open(token, value, now + rpc::PageTokens::kLife + absl::Seconds(1)).ok(),
             token);
  // One changed byte, wherever it is.
  std::string raw;
  FUZZ_CHECK(absl::WebSafeBase64Unescape(token, &raw), token);
  size_t at = 0;
  for (const char c : value) at = at * 31 + static_cast<unsigned char>(c);
  at %= raw.size();
  raw[at] = static_cast<char>(raw[at] ^ (1 << (value.size() % 8)));
  FUZZ_CHECK(!Tokens().Open(absl::WebSafeBase64Escape(raw), value, now).ok(), token);
}

bool IsBareId(absl::string_view id) {
  return !id.empty() && id.size() <= 63 && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

void CheckCaller(const Caller& caller) {
  absl::string_view id = caller.principal;
  const bool service = absl::ConsumePrefix(&id, "serviceAccounts/");
  FUZZ_CHECK(service || absl::ConsumePrefix(&id, "users/"), caller.principal);
  FUZZ_CHECK(IsBareId(id), caller.principal);
  FUZZ_CHECK(service ? caller.employee.empty() : caller.employee == id, caller.employee);
  FUZZ_CHECK(!caller.roles.empty(), caller.principal);
}

void Credentials(absl::string_view value) {
  const auto caller = rpc::DevAuthenticator().Authenticate(value);
  if (caller.ok()) {
    CheckCaller(*caller);
  } else {
    CheckRefusal(caller.status(), absl::StatusCode::kUnauthenticated);
  }
  const auto other = rpc::ActFor(Caller{.principal = "serviceAccounts/portal"}, value);
  if (!other.ok()) return CheckRefusal(other.status());
  CheckCaller(*other);
  FUZZ_CHECK(other->principal == value && other->on_behalf_of == "serviceAccounts/portal", value);
  FUZZ_CHECK(other->roles == std::vector<std::string>{"requester"}, value);
}

void Trace(absl::string_view value) {
  if (const auto trace = rpc::ParseTraceparent(value)) {
    const auto again = rpc::ParseTraceparent(rpc::FormatTraceparent(*trace));
    FUZZ_CHECK(again.has_value() && again->trace_id == trace->trace_id &&
                   again->span_id == trace->span_id && again->sampled == trace->sampled,
               value);
    FUZZ_CHECK(rpc::NewSpan(*trace).trace_id == trace->trace_id, value);
  }
  if (rpc::IsRequestId(value)) {
    FUZZ_CHECK(value.size() <= 64 && CountUtf8(value) == value.size(), value);
  }
  // A listener that others can reach never counts as local.
  if (rpc::IsLocalAddress(value)) {
    FUZZ_CHECK(absl::StartsWith(value, "127.") || absl::StartsWith(value, "localhost:") ||
                   absl::StartsWith(value, "[::1]:") || absl::StartsWith(value, "unix:"),
               value);
  }
}

void Names(absl::string_view value) {
  if (const auto version = ledger::VersionOfEtag(std::string(value))) {
    FUZZ_CHECK(ledger::VersionOfEtag(ledger::EtagOf(*version)) == version, value);
  }
  FUZZ_CHECK(!desk::IsUuid(value) || rpc::IsUuid(value), value);
  if (const auto part = desk::PartOfTicketId(value)) {
    FUZZ_CHECK(desk::IsUuid(value) && *part >= 0 && *part < desk::kParts, value);
  }
  for (const size_t terms : {1, 4}) {
    const auto cursor = intake::ParseTicketCursor(value, terms);
    if (!cursor.ok()) {
      CheckRefusal(cursor.status());
      continue;
    }
    const auto again = intake::ParseTicketCursor(intake::FormatTicketCursor(*cursor), terms);
    FUZZ_CHECK(again.ok() && *again == *cursor, value);
  }
}

// The details another service sends with an error are passed on; they fit the trailers and stay
// text.
void Trailers(absl::string_view value) {
  const grpc::Status wire(grpc::StatusCode::FAILED_PRECONDITION, std::string(value.substr(0, 700)),
                          std::string(value));
  const absl::Status status = rpc::FromGrpc(wire);
  FUZZ_CHECK(status.code() == absl::StatusCode::kFailedPrecondition, status.ToString());
  for (const char* locale : {"ru", "en"}) {
    const grpc::Status out = rpc::ToGrpc(status, locale, "a1b2");
    FUZZ_CHECK(out.error_code() == wire.error_code(), out.error_message());
    const size_t escaped = 3 * out.error_message().size() + 4 * out.error_details().size() / 3;
    FUZZ_CHECK(escaped <= kMaxTrailers, absl::StrCat(escaped));
    const absl::Status again = rpc::FromGrpc(out);
    FUZZ_CHECK(rpc::ReasonOf(again) == rpc::ReasonOf(status), rpc::ReasonOf(again));
  }
}

}  // namespace

void FuzzToken(absl::string_view input) {
  if (input.empty()) return;
  const absl::string_view value = input.substr(1);
  switch (input[0]) {
    case 'p': return PageToken(value);
    case 'c': return Credentials(value);
    case 't': return Trace(value);
    case 'n': return Names(value);
    default: return Trailers(value);
  }
}

}  // namespace potok::fuzz
