#include "platform/rpc/trace.h"

#include <algorithm>
#include <cstdint>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace potok::rpc {
namespace {

uint64_t Random() {
  thread_local absl::InsecureBitGen generator;
  return absl::Uniform<uint64_t>(generator, 1, UINT64_MAX);
}

std::string Hex(uint64_t value) { return absl::StrCat(absl::Hex(value, absl::kZeroPad16)); }

bool IsHex(absl::string_view text, size_t size) {
  return text.size() == size && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

bool AllZero(absl::string_view text) {
  return text.find_first_not_of('0') == absl::string_view::npos;
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(absl::string_view value) {
  // version "-" trace-id "-" parent-id "-" flags; a later version may append, but not change,
  // fields.
  if (value.size() < 55 || value[2] != '-' || value[35] != '-' || value[52] != '-') {
    return std::nullopt;
  }
  const absl::string_view version = value.substr(0, 2);
  const absl::string_view trace = value.substr(3, 32);
  const absl::string_view span = value.substr(36, 16);
  const absl::string_view flags = value.substr(53, 2);
  if (!IsHex(version, 2) || version == "ff" || !IsHex(trace, 32) || AllZero(trace) ||
      !IsHex(span, 16) || AllZero(span) || !IsHex(flags, 2)) {
    return std::nullopt;
  }
  if (value.size() > 55 && (version == "00" || value[55] != '-')) return std::nullopt;
  const int last = absl::ascii_isdigit(flags[1]) ? flags[1] - '0' : flags[1] - 'a' + 10;
  return TraceContext{std::string(trace), std::string(span), (last & 1) != 0};
}

std::string FormatTraceparent(const TraceContext& trace) {
  return absl::StrCat("00-", trace.trace_id, "-", trace.span_id, trace.sampled ? "-01" : "-00");
}

TraceContext NewTrace() { return {Hex(Random()) + Hex(Random()), Hex(Random()), false}; }

TraceContext NewSpan(const TraceContext& parent) {
  return {parent.trace_id, Hex(Random()), parent.sampled};
}

bool IsRequestId(absl::string_view value) {
  return !value.empty() && value.size() <= 64 &&
         std::all_of(value.begin(), value.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

std::string NewRequestId() { return Hex(Random()); }

}  // namespace potok::rpc
