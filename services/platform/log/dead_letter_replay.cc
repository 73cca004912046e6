#include "platform/log/dead_letter_replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "platform/log/failure.h"
#include "platform/log/pace.h"
#include "platform/log/sql.h"

namespace potok::log {
namespace {

std::string PartArray(const std::vector<Held>& held) {
  std::vector<int> parts;
  for (const Held& h : held) parts.push_back(h.part);
  return pg::IntArray(parts);
}

std::string TokenArray(const std::vector<Held>& held) {
  std::vector<std::string> tokens;
  for (const Held& h : held) tokens.push_back(h.token);
  return pg::TextArray(tokens);
}

std::string Place(const LogEntry& entry) {
  return absl::StrCat("topic ", entry.topic, " part ", entry.part, " pos ", entry.pos, " (",
                      entry.type, " of ", entry.entity, ")");
}

}  // namespace

DeadLetterReplay::DeadLetterReplay(ReplayOptions options, pg::Pool& pool)
    : options_(std::move(options)), pool_(pool) {}

absl::Duration DeadLetterReplay::Turn(const std::vector<Held>& held) {
  const absl::Duration start = Monotonic();
  if (start < next_look_) return next_look_ - start;
  next_look_ = start + options_.look;
  if (held.empty()) return options_.look;
  do {
    absl::StatusOr<absl::Duration> wait = UntilNext(held);
    absl::StatusOr<std::optional<Begun>> begun = std::nullopt;
    if (wait.ok() && *wait <= absl::ZeroDuration()) begun = Begin(held);
    if (!wait.ok() || !begun.ok()) {
      options_.hooks.Error(Where(), wait.ok() ? begun.status() : wait.status());
      return options_.look;
    }
    if (!begun->has_value()) {
      // Nothing is due, or what is due is another's: not ours by the database's tokens.
      if (*wait > absl::ZeroDuration()) next_look_ = Monotonic() + *wait;
      return std::max(next_look_ - Monotonic(), absl::ZeroDuration());
    }
    if (const absl::Status status = CarryOut(**begun); !status.ok()) {
      // Of the database, not of the entry: it is due again by itself.
      options_.hooks.Error(Where(), status);
      return options_.look;
    }
  } while (Monotonic() - start < options_.turn);
  next_look_ = Monotonic();
  return absl::ZeroDuration();
}

absl::StatusOr<absl::Duration> DeadLetterReplay::UntilNext(const std::vector<Held>& held) {
  return pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<absl::Duration> {
    const pqxx::result rows = tx.Run(sql::kReplayNext, options_.group, PartArray(held));
    if (rows[0]["wait_ms"].is_null()) return options_.look;
    return std::min(options_.look, absl::Milliseconds(rows[0]["wait_ms"].as<std::int64_t>()));
  });
}

absl::StatusOr<std::optional<DeadLetterReplay::Begun>> DeadLetterReplay::Begin(
    const std::vector<Held>& held) {
  return pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::optional<Begun>> {
    const pqxx::result rows =
        tx.Run(sql::kReplayBegin, options_.group, PartArray(held), TokenArray(held), options_.owner,
               absl::ToInt64Milliseconds(options_.forgotten_after));
    if (rows.empty()) return std::optional<Begun>();
    const pqxx::row row = rows[0];
    Begun begun;
    begun.entry = {.topic = row["topic"].as<int>(),
                   .part = row["part"].as<int>(),
                   .pos = row["pos"].as<std::int64_t>(),
                   .entity = row["entity"].as<std::string>(),
                   .version = row["version"].as<std::int64_t>(),
                   .type = row["type"].as<std::string>(),
                   .at = pg::FromTimestamp(row["at"])};
    begun.token = row["token"].as<std::string>();
    begun.deaths = row["replay_deaths"].as<int>();
    return std::optional<Begun>(std::move(begun));
  });
}

absl::Status DeadLetterReplay::CarryOut(const Begun& begun) {
  const LogEntry& entry = begun.entry;
  if (begun.deaths >= options_.deaths) {
    return Fail(entry,
                absl::StrCat(begun.deaths, " processes ended while they carried it out again"));
  }
  const absl::Duration start = Monotonic();
  const HandlerRun::Outcome done = Run([group = options_.group, owner = options_.owner,
                                        begun](pg::Tx& tx) -> std::vector<LogEntry> {
    const LogEntry& entry = begun.entry;
    const bool settled =
        !tx.Run(sql::kReplaySettle, group, entry.topic, entry.part, entry.pos, owner, begun.token)
             .empty();
    // Nothing when it was dropped meanwhile, or the part has passed to another owner.
    if (!settled) return {};
    return {entry};
  });
  if (done.status.ok()) {
    if (done.entries.empty()) return absl::OkStatus();
    ++replayed_;
    options_.hooks.Replay(options_.group, true);
    options_.hooks.Batch(Where(), 1, Monotonic() - start);
    options_.hooks.Notice(Where(), absl::StrCat("carried out ", Place(entry)));
    if (options_.after_commit) options_.after_commit({entry});
    return absl::OkStatus();
  }
  // Nothing was taken, or the answer to the commit was lost: what became of it stands in its row.
  const bool in_doubt = done.handled && absl::IsUnknown(done.status);
  if (done.entries.empty() || in_doubt || IsTransient(done.status)) return done.status;
  return Fail(entry, Why(done.status));
}

HandlerRun::Outcome DeadLetterReplay::Run(HandlerRun::Take take) {
  if (options_.run) return options_.run(std::move(take));
  HandlerRun run(std::move(take), options_.handler);
  run.CarryOut(pool_);
  return run.Wait(absl::InfiniteDuration());
}

absl::Status DeadLetterReplay::Fail(const LogEntry& entry, const std::string& reason) {
  bool noted = false;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    noted = !tx.Run(sql::kReplayFail, options_.group, entry.topic, entry.part, entry.pos,
                    options_.owner, reason)
                 .empty();
    return absl::OkStatus();
  }));
  if (!noted) return absl::OkStatus();
  ++failed_;
  options_.hooks.Replay(options_.group, false);
  options_.hooks.Notice(Where(), absl::StrCat("failed again: ", Place(entry), ": ", reason));
  return absl::OkStatus();
}

}  // namespace potok::log
