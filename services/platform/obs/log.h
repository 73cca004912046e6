// The log of a process: one JSON object per line on standard output (or readable text for a
// person).
//
// A line says `event` (a stable name to search for) and `msg` (a sentence), and carries key/value
// fields. Trace id, request id and service come from the LogScope of the thread, so the code that
// logs need not know them. Values under secret-looking keys and credentials inside text are masked
// here, because one careless caller is enough to leak a password.
//
// Thread-safe. Calls before InitLog go nowhere; InitLog may be called again (tests do).
#pragma once

#include <initializer_list>
#include <iosfwd>
#include <string>
#include <type_traits>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::obs {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kJson, kText };

// "debug" | "info" | "warn" | "error".
absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view name);
// "json" | "text".
absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view name);

struct LogOptions {
  std::string service;
  std::string version;
  LogFormat format = LogFormat::kJson;
  LogLevel level = LogLevel::kInfo;
  std::ostream* out = nullptr;  // Standard output when null; must outlive all logging.
};

void InitLog(const LogOptions& options);
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);
void FlushLog();

// A value of a log field: text is quoted, numbers and booleans are not, durations are milliseconds.
class LogValue {
 public:
  LogValue(absl::string_view text) : text_(text) {}
  LogValue(const std::string& text) : text_(text) {}
  LogValue(const char* text) : text_(text) {}
  LogValue(bool value) : text_(value ? "true" : "false"), quoted_(false) {}
  template <class N, std::enable_if_t<std::is_arithmetic_v<N> && !std::is_same_v<N, bool>, int> = 0>
  LogValue(N value) : text_(absl::StrCat(value)), quoted_(false) {}
  LogValue(absl::Duration value)
      : text_(absl::StrCat(absl::ToDoubleMilliseconds(value))), quoted_(false) {}
  LogValue(absl::Time value)
      : text_(absl::FormatTime(absl::RFC3339_full, value, absl::UTCTimeZone())) {}
  LogValue(const absl::Status& status)
      : text_(status.ToString(absl::StatusToStringMode::kWithNoExtraData)) {}

  const std::string& text() const { return text_; }
  bool quoted() const { return quoted_; }

 private:
  std::string text_;
  bool quoted_ = true;
};

struct LogField {
  absl::string_view key;
  LogValue value;
};
using LogFields = std::initializer_list<LogField>;

// `event` is lower.dotted ("relay.lease_lost"); `msg` is a sentence without the values in the
// fields.
void Log(LogLevel level, absl::string_view event, absl::string_view msg, LogFields fields = {});
inline void LogDebug(absl::string_view event, absl::string_view msg, LogFields fields = {}) {
  Log(LogLevel::kDebug, event, msg, fields);
}
inline void LogInfo(absl::string_view event, absl::string_view msg, LogFields fields = {}) {
  Log(LogLevel::kInfo, event, msg, fields);
}
inline void LogWarn(absl::string_view event, absl::string_view msg, LogFields fields = {}) {
  Log(LogLevel::kWarn, event, msg, fields);
}
inline void LogError(absl::string_view event, absl::string_view msg, LogFields fields = {}) {
  Log(LogLevel::kError, event, msg, fields);
}

// Names what the current thread works on until the end of the block. Scopes nest; an empty part
// keeps the outer one.
class LogScope {
 public:
  struct Names {
    std::string service;  // Several services share one process in allinone.
    std::string trace_id;
    std::string request_id;
  };
  explicit LogScope(Names names);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  Names outer_;
};

}  // namespace potok::obs
