#include "platform/pg/pool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "base/error.h"
#include "platform/pg/error_map.h"
#include "platform/pg/session.h"

namespace potok::pg {
namespace {

// A value of a keyword/value connection string.
std::string Quoted(absl::string_view value) {
  return absl::StrCat("'", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string UriEncoded(absl::string_view value) {
  std::string out;
  for (const unsigned char c : value) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(static_cast<char>(c));
    } else {
      absl::StrAppendFormat(&out, "%%%02X", c);
    }
  }
  return out;
}

absl::Duration Until(Pool::Deadline deadline) {
  if (deadline == Pool::Deadline::max()) return absl::InfiniteDuration();
  return absl::FromChrono(deadline - std::chrono::steady_clock::now());
}

// A service finds rows by key. A plan made while a table was small would read all of it, and would
// stay until statistics are gathered anew: minutes in which each batch costs milliseconds more. So
// plans are those for large tables from the beginning, made once (planning what writes a batch
// takes longer than running it). What is to read whole tables says so: TxOptions::whole_tables.
constexpr char kPlanByKey[] =
    " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"
    " -c plan_cache_mode=force_generic_plan";

}  // namespace

std::string WithSessionSettings(const PoolOptions& options) {
  // A process that freezes inside a transaction, or is cut off, keeps its locks. They end with its
  // leases (log::LeaseTimes), else whoever takes these over would wait for them.
  const std::string server_settings =
      absl::StrCat("-c statement_timeout=", absl::ToInt64Milliseconds(options.statement_timeout),
                   " -c lock_timeout=", absl::ToInt64Milliseconds(options.lock_timeout),
                   " -c idle_in_transaction_session_timeout=4000 -c timezone=UTC -c datestyle=ISO"
                   " -c client_min_messages=warning",
                   kPlanByKey);
  const std::pair<const char*, std::string> settings[] = {
      {"application_name", options.application_name},
      {"connect_timeout", "3"},
      {"client_encoding", "UTF8"},
      // A peer that vanished without a FIN is noticed in seconds, not in the two hours of the
      // kernel.
      {"keepalives_idle", "5"},
      {"keepalives_interval", "2"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "5000"},
      {"options", server_settings},
  };
  const bool uri =
      options.dsn.rfind("postgres://", 0) == 0 || options.dsn.rfind("postgresql://", 0) == 0;
  std::string out = options.dsn;
  char separator = options.dsn.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [key, value] : settings) {
    if (uri) {
      absl::StrAppend(&out, std::string(1, separator), key, "=", UriEncoded(value));
      separator = '&';
    } else {
      absl::StrAppend(&out, out.empty() ? "" : " ", key, "=", Quoted(value));
    }
  }
  return out;
}

Pool::Lease::Lease(Pool* pool, std::unique_ptr<Session> session)
    : pool_(pool), session_(std::move(session)) {}

Pool::Lease::Lease(Lease&& other) noexcept
    : pool_(other.pool_), session_(std::move(other.session_)) {}

Pool::Lease::~Lease() {
  if (session_ == nullptr) return;
  if (session_->IsOpen()) {
    pool_->Return(std::move(session_));
  } else {
    Discard(/*and_idle=*/false);
  }
}

void Pool::Lease::Discard(bool and_idle) {
  if (session_ == nullptr) return;
  session_.reset();
  pool_->Drop(and_idle);
}

Pool::Pool(PoolOptions options)
    : options_(std::move(options)), connect_string_(WithSessionSettings(options_)) {}

Pool::~Pool() = default;

absl::StatusOr<Pool::Lease> Pool::Acquire(Deadline deadline) {
  const absl::Duration until_deadline = Until(deadline);
  const absl::Duration patience = std::min(options_.acquire_timeout, until_deadline);
  {
    absl::MutexLock lock(&mu_);
    const auto available = [this] {
      mu_.AssertReaderHeld();
      return !idle_.empty() || in_use_ < options_.size;
    };
    ++waiting_;
    const bool got = mu_.AwaitWithTimeout(absl::Condition(&available), patience);
    --waiting_;
    if (!got) {
      ++timeouts_;
      if (until_deadline <= options_.acquire_timeout) {
        return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED",
                         "the deadline passed while waiting for a database connection",
                         {.ru = "срок вызова истёк в ожидании соединения с базой данных"});
      }
      return MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                       "all database connections are busy; retry later",
                       {.retry_after = absl::Seconds(1),
                        .ru = "все соединения с базой данных заняты; повторите позже"});
    }
    ++in_use_;
    if (!idle_.empty()) {
      auto session = std::move(idle_.back());
      idle_.pop_back();
      return Lease(this, std::move(session));
    }
    ++opened_;
  }
  // Opened outside the lock: connecting takes milliseconds, or seconds when the server is away.
  try {
    return Lease(this, std::make_unique<Session>(connect_string_, options_));
  } catch (const std::exception& error) {
    Drop(/*and_idle=*/false);
    return MapError(error).status;
  }
}

void Pool::Return(std::unique_ptr<Session> session) {
  absl::MutexLock lock(&mu_);
  --in_use_;
  idle_.push_back(std::move(session));
}

void Pool::Drop(bool and_idle) {
  std::vector<std::unique_ptr<Session>> closing;  // closed outside the lock
  absl::MutexLock lock(&mu_);
  --in_use_;
  ++discarded_;
  if (and_idle) {
    discarded_ += static_cast<std::int64_t>(idle_.size());
    closing.swap(idle_);
  }
}

PoolStats Pool::Stats() const {
  absl::MutexLock lock(&mu_);
  return {.size = options_.size,
          .in_use = in_use_,
          .idle = static_cast<int>(idle_.size()),
          .waiting = waiting_,
          .opened = opened_,
          .discarded = discarded_,
          .timeouts = timeouts_};
}

}  // namespace potok::pg
