#include "platform/obs/log.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <ostream>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "base/utf8.h"
#include "platform/obs/redact.h"

namespace potok::obs {
namespace {

thread_local LogScope::Names scope;

struct State {
  std::shared_ptr<spdlog::logger> logger;
  std::string service;
  std::string version;
  LogFormat format = LogFormat::kJson;
};

// Replaced as a whole by InitLog; readers take a reference and so never see half of a change.
std::shared_ptr<const State> state;
std::mutex state_mutex;
std::atomic<LogLevel> least_level{LogLevel::kInfo};

std::shared_ptr<const State> Current() {
  const std::lock_guard<std::mutex> lock(state_mutex);
  return state;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

absl::string_view Name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug: return "debug";
    case spdlog::level::info: return "info";
    case spdlog::level::warn: return "warn";
    default: return "error";
  }
}

// Puts the time of the record, taken once by spdlog, in front of the body made by Log().
class LineFormatter : public spdlog::formatter {
 public:
  explicit LineFormatter(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& record, spdlog::memory_buf_t& dest) override {
    const absl::Time at = absl::FromChrono(record.time);
    std::string head;
    if (format_ == LogFormat::kJson) {
      head = absl::StrCat("{\"ts\":\"",
                          absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", at, absl::UTCTimeZone()),
                          "\",\"level\":\"", Name(record.level), "\"");
    } else {
      head = absl::StrCat(absl::FormatTime("%H:%M:%E3S", at, absl::LocalTimeZone()), " ",
                          absl::AsciiStrToUpper(Name(record.level)), " ");
    }
    dest.append(head.data(), head.data() + head.size());
    dest.append(record.payload.data(), record.payload.data() + record.payload.size());
    dest.push_back('\n');
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(format_);
  }

 private:
  const LogFormat format_;
};

void AppendJsonText(absl::string_view text, std::string& out) {
  out.push_back('"');
  while (!text.empty()) {
    absl::string_view rest = text;
    if (!TakeCharacter(rest)) {
      out += "\\ufffd";  // A reader of JSON would stop at a byte that is no character.
      text.remove_prefix(1);
      continue;
    }
    const size_t length = text.size() - rest.size();
    const char c = text[0];
    if (length > 1) {
      out.append(text.data(), length);
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
    text = rest;
  }
  out.push_back('"');
}

void AppendPair(absl::string_view key, absl::string_view text, std::string& out) {
  if (text.empty()) return;
  absl::StrAppend(&out, ",\"", key, "\":");
  AppendJsonText(text, out);
}

std::string ValueText(const LogField& field) {
  if (IsSecretName(field.key) && field.value.quoted()) return "[redacted]";
  return field.value.quoted() ? RedactText(field.value.text()) : field.value.text();
}

std::string JsonBody(const State& s, absl::string_view event, absl::string_view msg,
                     LogFields fields) {
  std::string out;
  out.reserve(256);
  AppendPair("service", scope.service.empty() ? s.service : scope.service, out);
  AppendPair("version", s.version, out);
  AppendPair("event", event, out);
  AppendPair("msg", RedactText(msg), out);
  AppendPair("trace_id", scope.trace_id, out);
  AppendPair("request_id", scope.request_id, out);
  for (const LogField& field : fields) {
    absl::StrAppend(&out, ",\"", field.key, "\":");
    // "nan" and "inf" are no JSON numbers.
    const std::string text = ValueText(field);
    const bool bare =
        !field.value.quoted() && text.find("n") != 0 && text.find("inf") == std::string::npos;
    if (bare || text == "true" || text == "false") {
      out += text;
    } else {
      AppendJsonText(text, out);
    }
  }
  out.push_back('}');
  return out;
}

std::string TextBody(const State& s, absl::string_view event, absl::string_view msg,
                     LogFields fields) {
  std::string out = absl::StrCat(scope.service.empty() ? s.service : scope.service, " ", event,
                                 ": ", RedactText(msg));
  for (const LogField& field : fields) absl::StrAppend(&out, " ", field.key, "=", ValueText(field));
  if (!scope.request_id.empty()) absl::StrAppend(&out, " request_id=", scope.request_id);
  return absl::StrReplaceAll(out, {{"\n", "\\n"}});
}

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return absl::InvalidArgumentError(
      absl::StrCat("log level '", name, "' is not one of debug, info, warn, error"));
}

absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view name) {
  if (name == "json") return LogFormat::kJson;
  if (name == "text") return LogFormat::kText;
  return absl::InvalidArgumentError(
      absl::StrCat("log format '", name, "' is not one of json, text"));
}

void InitLog(const LogOptions& options) {
  spdlog::sink_ptr sink;
  if (options.out != nullptr) {
    sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(*options.out, /*force_flush=*/true);
  } else {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  }
  auto next = std::make_shared<State>();
  next->logger = std::make_shared<spdlog::logger>("potok", std::move(sink));
  next->logger->set_formatter(std::make_unique<LineFormatter>(options.format));
  next->logger->set_level(spdlog::level::debug);  // Filtering is done once, by least_level.
  next->service = options.service;
  next->version = options.version;
  next->format = options.format;
  least_level = options.level;
  const std::lock_guard<std::mutex> lock(state_mutex);
  state = std::move(next);
}

void SetLogLevel(LogLevel level) { least_level = level; }

bool LogEnabled(LogLevel level) { return level >= least_level.load(std::memory_order_relaxed); }

void FlushLog() {
  if (const auto s = Current()) s->logger->flush();
}

void Log(LogLevel level, absl::string_view event, absl::string_view msg, LogFields fields) {
  if (!LogEnabled(level)) return;
  const auto s = Current();
  if (s == nullptr) return;
  const std::string body = s->format == LogFormat::kJson ? JsonBody(*s, event, msg, fields)
                                                         : TextBody(*s, event, msg, fields);
  s->logger->log(ToSpdlog(level), spdlog::string_view_t(body.data(), body.size()));
}

LogScope::LogScope(Names names) : outer_(scope) {
  if (!names.service.empty()) scope.service = std::move(names.service);
  if (!names.trace_id.empty()) scope.trace_id = std::move(names.trace_id);
  if (!names.request_id.empty()) scope.request_id = std::move(names.request_id);
}

LogScope::~LogScope() { scope = std::move(outer_); }

}  // namespace potok::obs
