#include "platform/config/load.h"

#include <cstdlib>
#include <fstream>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "base/status_macros.h"

namespace potok::config {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;

class Errors : public google::protobuf::io::ErrorCollector {
 public:
  explicit Errors(absl::string_view name) : name_(name) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    // Lines and columns come counted from 0; people and editors count from 1.
    found_.push_back(absl::StrCat(name_, ":", line + 1, ":", column + 1, ": ", message));
  }
  absl::Status ToStatus() const { return absl::InvalidArgumentError(absl::StrJoin(found_, "\n")); }

 private:
  const std::string name_;
  std::vector<std::string> found_;
};

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot read file ", path));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string FieldNames(const Descriptor& message) {
  std::vector<absl::string_view> names;
  for (int i = 0; i < message.field_count(); ++i) names.push_back(message.field(i)->name());
  return absl::StrJoin(names, ", ");
}

}  // namespace

absl::StatusOr<ServiceConfig> Parse(absl::string_view text, absl::string_view name) {
  Errors errors(name);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  ServiceConfig config;
  if (!parser.ParseFromString(std::string(text), &config)) return errors.ToStatus();
  return config;
}

absl::Status Set(ServiceConfig& config, absl::string_view assignment) {
  const size_t equals = assignment.find('=');
  if (equals == absl::string_view::npos || equals == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", assignment, "' is not key=value, such as postgres.pool_size=4"));
  }
  const std::string key(assignment.substr(0, equals));
  const std::vector<std::string> path = absl::StrSplit(key, '.');
  const Descriptor* message = ServiceConfig::descriptor();
  const FieldDescriptor* field = nullptr;
  for (size_t i = 0; i < path.size(); ++i) {
    field = message->FindFieldByName(path[i]);
    if (field == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("no key '", path[i], "' in '", key,
                                                     "'; known here: ", FieldNames(*message)));
    }
    const bool last = i + 1 == path.size();
    if (last == (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)) {
      return absl::InvalidArgumentError(
          absl::StrCat("key '", key, "' must name a single value, not ",
                       last ? absl::StrCat("the group '", path[i], "'") : "something below one"));
    }
    if (!last) message = field->message_type();
  }
  std::string value(assignment.substr(equals + 1));
  if (field->is_repeated() && value.empty() && path.size() == 1) {
    config.GetReflection()->ClearField(&config, field);
    return absl::OkStatus();
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    value = absl::StrCat("\"", absl::CEscape(value), "\"");
  }
  // Written as text and merged, so that numbers, booleans and enums are read by one set of rules.
  std::string text = absl::StrCat(path.back(), ": ", value);
  for (size_t i = path.size() - 1; i-- > 0;) text = absl::StrCat(path[i], " { ", text, " }");
  Errors errors(key);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.MergeFromString(text, &config)) return errors.ToStatus();
  return absl::OkStatus();
}

void FillDefaults(ServiceConfig& config) {
  const auto standard = [](auto* message, auto getter, auto setter, auto value) {
    if ((message->*getter)() == 0) (message->*setter)(value);
  };
  auto* postgres = config.mutable_postgres();
  standard(postgres, &v1::PostgresConfig::pool_size, &v1::PostgresConfig::set_pool_size, 8u);
  standard(postgres, &v1::PostgresConfig::acquire_timeout_ms,
           &v1::PostgresConfig::set_acquire_timeout_ms, 2000u);
  standard(config.mutable_redis(), &v1::RedisConfig::timeout_ms, &v1::RedisConfig::set_timeout_ms,
           1000u);
  auto* workers = config.mutable_workers();
  standard(workers, &v1::WorkerConfig::threads, &v1::WorkerConfig::set_threads, 8u);
  standard(workers, &v1::WorkerConfig::queue_bound, &v1::WorkerConfig::set_queue_bound, 1024u);
  auto* log = config.mutable_log();
  if (log->level().empty()) log->set_level("info");
  if (log->format().empty()) log->set_format("json");
  standard(log, &v1::LogConfig::access_lines_per_second,
           &v1::LogConfig::set_access_lines_per_second, 20u);
  standard(config.mutable_drain(), &v1::DrainConfig::timeout_ms, &v1::DrainConfig::set_timeout_ms,
           8000u);
  standard(config.mutable_clock(), &v1::ClockConfig::time_scale, &v1::ClockConfig::set_time_scale,
           1.0);
  auto* ledger = config.mutable_ledger();
  standard(ledger, &v1::LedgerConfig::executors, &v1::LedgerConfig::set_executors, 2u);
  standard(ledger, &v1::LedgerConfig::batch_size, &v1::LedgerConfig::set_batch_size, 128u);
  standard(ledger, &v1::LedgerConfig::queue_bound, &v1::LedgerConfig::set_queue_bound, 4096u);
  standard(ledger, &v1::LedgerConfig::outbox_soft_limit, &v1::LedgerConfig::set_outbox_soft_limit,
           50000u);
  standard(ledger, &v1::LedgerConfig::outbox_hard_limit, &v1::LedgerConfig::set_outbox_hard_limit,
           200000u);
  standard(ledger, &v1::LedgerConfig::log_lag_limit_ms, &v1::LedgerConfig::set_log_lag_limit_ms,
           30000u);
  standard(config.mutable_smtp(), &v1::SmtpConfig::timeout_ms, &v1::SmtpConfig::set_timeout_ms,
           15000u);
  if (config.templates().default_locale().empty()) {
    config.mutable_templates()->set_default_locale("ru");
  }
  if (config.auth().oidc().audience().empty() && config.auth().has_oidc()) {
    config.mutable_auth()->mutable_oidc()->set_audience("potok");
  }
  auto* rpc = config.mutable_rpc();
  standard(rpc, &v1::RpcConfig::default_deadline_ms, &v1::RpcConfig::set_default_deadline_ms,
           30000u);
  standard(rpc, &v1::RpcConfig::max_deadline_ms, &v1::RpcConfig::set_max_deadline_ms, 120000u);
  standard(rpc, &v1::RpcConfig::max_connection_age_s, &v1::RpcConfig::set_max_connection_age_s,
           600u);
  standard(rpc, &v1::RpcConfig::memory_mib, &v1::RpcConfig::set_memory_mib, 128u);
  standard(rpc, &v1::RpcConfig::max_connections, &v1::RpcConfig::set_max_connections, 1024u);
}

absl::Status Check(const ServiceConfig& config) {
  std::vector<std::string> wrong;
  if (config.listen().empty()) {
    wrong.push_back("listen: name at least one address, such as listen: \"127.0.0.1:0\"");
  }
  for (const std::string& address : config.listen()) {
    if (absl::StartsWith(address, "unix:")) {
      // The kernel's own bound; without this check the bind fails with an unclear message.
      if (address.size() - 5 > 107) {
        wrong.push_back(absl::StrCat("listen: ", address, ": a socket path has at most 107 bytes"));
      }
    } else if (!absl::StrContains(address, ':')) {
      wrong.push_back(absl::StrCat("listen: ", address, ": neither host:port nor unix:/path"));
    }
  }
  if (config.auth().mode() == v1::AuthConfig::MODE_UNSPECIFIED) {
    wrong.push_back("auth.mode: choose MODE_DEV (own machine only) or MODE_OIDC");
  }
  if (absl::StrContains(absl::AsciiStrToLower(config.postgres().dsn()), "password")) {
    wrong.push_back("postgres.dsn: holds a password; put it into the file of postgres.passfile");
  }
  if (config.ledger().outbox_soft_limit() > config.ledger().outbox_hard_limit()) {
    wrong.push_back("ledger.outbox_soft_limit: at most ledger.outbox_hard_limit");
  }
  if (config.workers().threads() > 256) wrong.push_back("workers.threads: at most 256");
  if (config.postgres().pool_size() > 256) wrong.push_back("postgres.pool_size: at most 256");
  if (!(config.clock().time_scale() > 0) || config.clock().time_scale() > 1e6) {
    wrong.push_back("clock.time_scale: above 0 and at most 1000000");
  }
  absl::Time origin;
  std::string why;
  if (!config.clock().time_origin().empty() &&
      !absl::ParseTime(absl::RFC3339_full, config.clock().time_origin(), &origin, &why)) {
    wrong.push_back(
        absl::StrCat("clock.time_origin: not RFC 3339 (2026-03-02T09:00:00+03:00): ", why));
  }
  if (config.rpc().default_deadline_ms() > config.rpc().max_deadline_ms()) {
    wrong.push_back("rpc.default_deadline_ms: not above rpc.max_deadline_ms");
  }
  if (config.templates().default_locale() != "ru" && config.templates().default_locale() != "en") {
    wrong.push_back("templates.default_locale: \"ru\" or \"en\"");
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(wrong, "\n"));
}

absl::StatusOr<ServiceConfig> Load(const std::string& path,
                                   const std::vector<std::string>& overrides) {
  ServiceConfig config;
  if (!path.empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    POTOK_ASSIGN_OR_RETURN(config, Parse(text, path));
  }
  for (const std::string& assignment : overrides) POTOK_RETURN_IF_ERROR(Set(config, assignment));
  FillDefaults(config);
  POTOK_RETURN_IF_ERROR(Check(config));
  return config;
}

absl::StatusOr<std::string> ReadSecret(const v1::SecretSource& source) {
  switch (source.source_case()) {
    case v1::SecretSource::kFile: {
      POTOK_ASSIGN_OR_RETURN(std::string secret, ReadFile(source.file()));
      if (absl::EndsWith(secret, "\n")) secret.pop_back();
      if (secret.empty()) {
        return absl::FailedPreconditionError(
            absl::StrCat("secret file ", source.file(), " is empty"));
      }
      return secret;
    }
    case v1::SecretSource::kEnv: {
      // Called once at start, before any thread could change the environment.
      const char* value = std::getenv(source.env().c_str());  // NOLINT(concurrency-mt-unsafe)
      if (value == nullptr || *value == '\0') {
        return absl::FailedPreconditionError(
            absl::StrCat("environment variable ", source.env(), " is not set"));
      }
      return std::string(value);
    }
    case v1::SecretSource::SOURCE_NOT_SET: return std::string();
  }
  return std::string();
}

std::string PostgresDsn(const v1::PostgresConfig& postgres) {
  if (postgres.passfile().empty()) return postgres.dsn();
  const std::string quoted =
      absl::StrReplaceAll(postgres.passfile(), {{"\\", "\\\\"}, {"'", "\\'"}});
  return absl::StrCat(postgres.dsn(), " passfile='", quoted, "'");
}

}  // namespace potok::config
