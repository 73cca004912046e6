// Names that tie the log lines of one call together: W3C trace context and request id.
// Thread-safe. The ids are unique, not secret: nothing may be authorised by knowing one.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace potok::rpc {

struct TraceContext {
  std::string trace_id;  // 32 lower-case hexadecimal digits, not all zero.
  std::string span_id;   // 16 of them.
  bool sampled = false;
};

// Reads a `traceparent` value; nothing when it is not valid by the W3C recommendation.
std::optional<TraceContext> ParseTraceparent(absl::string_view value);
std::string FormatTraceparent(const TraceContext& trace);

// A new trace, and a new span of a trace that came in.
TraceContext NewTrace();
TraceContext NewSpan(const TraceContext& parent);

// A request id is what may stand in a log and a header: 1 to 64 of A-Z a-z 0-9 . _ -
bool IsRequestId(absl::string_view value);
std::string NewRequestId();

}  // namespace potok::rpc
