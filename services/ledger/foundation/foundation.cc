#include "ledger/foundation/foundation.h"

#include <map>
#include <utility>

#include "absl/base/const_init.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "desk/access/permissions.h"
#include "desk/stream_names.h"
#include "platform/config/load.h"
#include "platform/log/lease.h"
#include "platform/obs/log.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {
namespace {

absl::Mutex mu(absl::kConstInit);
// The open foundations of this process by database; weak, so that the last service to go closes it.
std::map<std::string, std::weak_ptr<Foundation>>& OpenOnes() {
  static auto* open = new std::map<std::string, std::weak_ptr<Foundation>>();
  return *open;
}

absl::StatusOr<TimeFlags> FlagsOf(const config::v1::ClockConfig& config) {
  TimeFlags flags;
  if (config.time_scale() > 0) flags.scale = config.time_scale();
  if (!config.time_origin().empty()) {
    absl::Time origin;
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, config.time_origin(), &origin, &error)) {
      return absl::InvalidArgumentError(absl::StrCat("time origin: ", error));
    }
    flags.origin = origin;
  }
  return flags;
}

absl::Status Ping(pg::Pool& pool) {
  pg::TxOptions options;
  options.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(900);
  return pg::InAutocommit(pool, options, [](pg::Tx& tx) -> absl::Status {
    tx.RunText("SELECT 1");
    return absl::OkStatus();
  });
}

}  // namespace

app::ServiceSpec SpecOf(
    std::string name,
    std::function<absl::StatusOr<std::unique_ptr<app::Bound>>(app::Parts&)> bind) {
  app::ServiceSpec spec;
  spec.name = std::move(name);
  spec.version = POTOK_VERSION;
  spec.authorize = [](const Caller& caller, absl::string_view permission) {
    return desk::Allowed(caller.roles, permission);
  };
  spec.bind = std::move(bind);
  return spec;
}

LedgerOptions LedgerOptionsOf(const config::v1::LedgerConfig& config, log::RemoteWake* queue_bell) {
  LedgerOptions options;
  options.executors = static_cast<int>(config.executors());
  options.max_batch = static_cast<int>(config.batch_size());
  options.max_queued = static_cast<int>(config.queue_bound());
  if (queue_bell != nullptr) {
    options.on_queued = [queue_bell](const desk::Ticket& ticket) {
      queue_bell->Notify(desk::MakeQueuedWord(ticket.part, ticket.flow_id));
    };
  }
  return options;
}

absl::StatusOr<std::shared_ptr<Foundation>> Foundation::Open(app::Parts& parts) {
  const std::string dsn = config::PostgresDsn(parts.config.postgres());
  absl::MutexLock lock(&mu);
  std::shared_ptr<Foundation> foundation = OpenOnes()[dsn].lock();
  if (foundation == nullptr) {
    foundation.reset(new Foundation);
    pg::PoolOptions pool;
    pool.dsn = dsn;
    pool.application_name = absl::StrCat("potok-", parts.service);
    pool.size = static_cast<int>(parts.config.postgres().pool_size());
    if (parts.config.postgres().acquire_timeout_ms() > 0) {
      pool.acquire_timeout = absl::Milliseconds(parts.config.postgres().acquire_timeout_ms());
    }
    foundation->calls_ = std::make_unique<pg::Pool>(pool);
    foundation->loops_ = std::make_unique<pg::Pool>(pool);
    POTOK_ASSIGN_OR_RETURN(const TimeFlags flags, FlagsOf(parts.config.clock()));
    POTOK_ASSIGN_OR_RETURN(const std::string warning, EnsureOrigin(*foundation->loops_, flags));
    if (!warning.empty()) obs::LogWarn("clock.origin", warning);
    POTOK_ASSIGN_OR_RETURN(foundation->clock_, DbClock::Start(*foundation->loops_));
    POTOK_ASSIGN_OR_RETURN(foundation->reference_, Reference::Start(*foundation->loops_));
    foundation->redis_.address = parts.config.redis().address();
    foundation->redis_.user = parts.config.redis().user();
    if (parts.config.redis().has_password()) {
      POTOK_ASSIGN_OR_RETURN(foundation->redis_.password,
                             config::ReadSecret(parts.config.redis().password()));
    }
    foundation->owner_ = log::MakeOwner();
    foundation->hooks_ = foundation->HooksFor(parts.metrics);
    OpenOnes()[dsn] = foundation;
  }
  parts.AddReadiness("postgres", [foundation] { return Ping(foundation->loops()); });
  return foundation;
}

log::ConsumerOptions Foundation::ConsumerFor(const std::string& group,
                                             std::vector<int> topics) const {
  log::ConsumerOptions options;
  options.group = group;
  options.topics = std::move(topics);
  options.parts = desk::AllParts();
  options.owner = owner_;
  options.stream_key = desk::EventStream;
  options.redis = redis_;
  options.hooks = hooks_;
  return options;
}

std::unique_ptr<log::RemoteWake> Foundation::BellFor(const char* channel,
                                                     obs::Metrics& metrics) const {
  if (redis_.address.empty()) return nullptr;
  return std::make_unique<log::RemoteWake>(redis_, channel, HooksFor(metrics));
}

log::Hooks Foundation::HooksFor(obs::Metrics& metrics) const {
  log::Hooks hooks;
  hooks.on_error = [](absl::string_view where, const absl::Status& status) {
    obs::LogWarn("transport.error", "the log transport will try again",
                 {{"where", where}, {"error", status}});
  };
  hooks.on_notice = [](absl::string_view where, absl::string_view what) {
    obs::LogInfo("transport.notice", what, {{"where", where}});
  };
  hooks.on_replay = [&metrics](absl::string_view group, bool done) {
    metrics
        .Counter("potok_dead_letters_replayed_total",
                 "Dead letters carried out again by this process, by outcome.",
                 {{"group", std::string(group)}, {"outcome", done ? "done" : "failed"}})
        .Increment();
  };
  prometheus::Counter& entries = metrics.Counter(
      "potok_log_entries_total", "Log entries sequenced or consumed by this process.", {});
  hooks.on_batch = [&entries](absl::string_view, int count, absl::Duration) {
    entries.Increment(count);
  };
  return hooks;
}

}  // namespace potok::ledger
