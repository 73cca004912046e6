#include "platform/log/lease.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <unistd.h>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "base/backoff.h"
#include "base/entropy.h"
#include "base/status_macros.h"
#include "platform/log/sql.h"

namespace potok::log {
namespace {

std::int64_t MonotonicNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// From the system's entropy: a token must differ even between processes forked from one snapshot.
std::string RandomToken() {
  const std::uint64_t high = KernelEntropy(), low = KernelEntropy();
  const std::uint32_t w[4] = {
      static_cast<std::uint32_t>(high >> 32), static_cast<std::uint32_t>(high),
      static_cast<std::uint32_t>(low >> 32), static_cast<std::uint32_t>(low)};
  return absl::StrFormat("%08x-%04x-4%03x-%04x-%04x%08x", w[0], w[1] >> 16, w[1] & 0xfff,
                         (w[2] >> 16 & 0x3fff) | 0x8000, w[2] & 0xffff, w[3]);
}

// FNV-1a with a final mix: the same on every machine and in every release.
std::uint64_t StableHash(absl::string_view text) {
  std::uint64_t h = 14695981039346656037ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33;
  return h;
}

}  // namespace

std::string MakeOwner() {
  char host[256] = "host";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, ":", getpid(), ":", absl::Hex(KernelEntropy(), absl::kZeroPad16));
}

LeaseKeeper::LeaseKeeper(LeaseOptions options, pg::Pool& pool, Stamp stamp)
    : options_(std::move(options)), pool_(pool), stamp_(std::move(stamp)) {}

LeaseKeeper::~LeaseKeeper() { Stop(); }

void LeaseKeeper::Start() {
  if (!thread_.joinable() && !stop_.closed()) thread_ = std::thread([this] { Run(); });
}

void LeaseKeeper::Stop() {
  stop_.Close();
  if (!thread_.joinable()) return;
  thread_.join();
  std::vector<Held> held;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [part, token] : tokens_) held.push_back({part, token});
    tokens_.clear();
    ++version_;
  }
  // Best effort: an unreachable database ends the leases by their time.
  if (absl::Status status = Release(held); !status.ok()) {
    options_.hooks.Error("lease:" + options_.family, status);
  }
}

std::vector<Held> LeaseKeeper::Get() const {
  absl::MutexLock lock(&mu_);
  std::vector<Held> held;
  if (MonotonicNanos() - renewed_ns_ > absl::ToInt64Nanoseconds(options_.times.fence)) return held;
  held.reserve(tokens_.size());
  for (const auto& [part, token] : tokens_) held.push_back({part, token});
  return held;
}

std::int64_t LeaseKeeper::version() const {
  absl::MutexLock lock(&mu_);
  return version_;
}

std::string LeaseKeeper::NameOf(int part) const { return absl::StrCat(options_.family, ":", part); }

std::string LeaseKeeper::MemberName() const {
  return absl::StrCat(MemberPrefix(), options_.owner, "#", absl::StrJoin(options_.parts, ","));
}

bool LeaseKeeper::Preferred(int part, const std::vector<Member>& members) const {
  const auto weight = [part](const std::string& owner) {
    return std::make_pair(StableHash(absl::StrCat(owner, "#", part)), owner);
  };
  const auto mine = weight(options_.owner);
  return std::none_of(members.begin(), members.end(), [&](const Member& member) {
    return std::find(member.parts.begin(), member.parts.end(), part) != member.parts.end() &&
           weight(member.owner) > mine;
  });
}

void LeaseKeeper::Run() {
  const Backoff backoff{.initial = absl::Milliseconds(100), .cap = options_.times.renew};
  std::minstd_rand random{std::random_device{}()};
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  int failures = 0;
  while (!stop_.closed()) {
    const absl::StatusOr<absl::Duration> next = Round();
    if (next.ok()) {
      failures = 0;
      stop_.WaitFor(*next);
    } else {
      options_.hooks.Error("lease:" + options_.family, next.status());
      stop_.WaitFor(backoff.Wait(++failures, uniform(random)));
    }
  }
}

absl::StatusOr<LeaseKeeper::Picture> LeaseKeeper::RenewAndLook() {
  std::vector<std::string> names, tokens, all_names;
  for (const int part : options_.parts) all_names.push_back(NameOf(part));
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [part, token] : tokens_) {
      names.push_back(NameOf(part));
      tokens.push_back(token);
    }
  }
  const std::int64_t ttl_ms = absl::ToInt64Milliseconds(options_.times.ttl);
  const std::string member_prefix = MemberPrefix();
  const std::int64_t sent_ns = MonotonicNanos();
  std::map<int, std::string> renewed;
  Picture picture;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    renewed.clear();
    picture = {};
    tx.Run(sql::kLeaseRegister, MemberName(), options_.owner, ttl_ms);
    const auto part_of = [&](const std::string& name) {
      int part = -1;
      (void)absl::SimpleAtoi(absl::string_view(name).substr(options_.family.size() + 1), &part);
      return part;
    };
    for (const auto& row :
         tx.Run(sql::kLeaseRenew, pg::TextArray(names), pg::TextArray(tokens), ttl_ms)) {
      renewed[part_of(row["name"].as<std::string>())] = row["token"].as<std::string>();
    }
    for (const auto& row : tx.Run(sql::kLeaseLook, pg::TextArray(all_names), member_prefix)) {
      const std::string name = row["name"].as<std::string>();
      const bool live = row["live"].as<bool>();
      if (absl::StartsWith(name, member_prefix)) {
        if (!live) continue;
        Member member{row["owner"].as<std::string>(), {}};
        for (const auto& text : absl::StrSplit(name.substr(name.rfind('#') + 1), ',')) {
          int part = -1;
          if (absl::SimpleAtoi(text, &part)) member.parts.push_back(part);
        }
        picture.members.push_back(std::move(member));
      } else {
        picture.leases[part_of(name)] = {row["owner"].as<std::string>(), live,
                                         absl::Milliseconds(row["left_ms"].as<std::int64_t>())};
      }
    }
    return absl::OkStatus();
  }));
  absl::MutexLock lock(&mu_);
  if (renewed != tokens_) {
    tokens_ = renewed;
    ++version_;
  }
  renewed_ns_ = sent_ns;
  return picture;
}

absl::Status LeaseKeeper::Gain(const std::vector<int>& parts) {
  std::vector<std::string> names, tokens;
  for (const int part : parts) {
    names.push_back(NameOf(part));
    tokens.push_back(RandomToken());
  }
  const std::int64_t sent_ns = MonotonicNanos();
  std::vector<Held> gained;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    gained.clear();
    const pqxx::result rows = tx.Run(sql::kLeaseGain, pg::TextArray(names), pg::TextArray(tokens),
                                     options_.owner, absl::ToInt64Milliseconds(options_.times.ttl));
    for (const auto& row : rows) {
      const std::string name = row["name"].as<std::string>();
      const auto at = std::find(names.begin(), names.end(), name) - names.begin();
      gained.push_back({parts[at], row["token"].as<std::string>()});
    }
    if (gained.empty()) return absl::OkStatus();
    return stamp_(tx, gained);
  }));
  if (gained.empty()) return absl::OkStatus();
  {
    absl::MutexLock lock(&mu_);
    if (tokens_.empty()) renewed_ns_ = sent_ns;
    for (const Held& held : gained) tokens_[held.part] = held.token;
    ++version_;
  }
  options_.hooks.Notice(
      "lease:" + options_.family,
      absl::StrCat("gained ", gained.size(),
                   " parts: ", absl::StrJoin(gained, ",", [](std::string* out, const Held& h) {
                     absl::StrAppend(out, h.part);
                   })));
  if (on_gain_ != nullptr) on_gain_->Ring();
  return absl::OkStatus();
}

absl::Status LeaseKeeper::Release(const std::vector<Held>& leases) {
  std::vector<std::string> names, tokens;
  for (const Held& held : leases) {
    names.push_back(NameOf(held.part));
    tokens.push_back(held.token);
  }
  // On stop the member goes too: the others divide the parts anew at their next look.
  const bool leaving = stop_.closed();
  return pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    if (!names.empty()) tx.Run(sql::kLeaseRelease, pg::TextArray(names), pg::TextArray(tokens));
    if (leaving) tx.Run(sql::kLeaseLeave, MemberName(), MemberPrefix());
    return absl::OkStatus();
  });
}

absl::StatusOr<absl::Duration> LeaseKeeper::Round() {
  POTOK_ASSIGN_OR_RETURN(const Picture picture, RenewAndLook());
  std::map<int, std::string> mine;
  {
    absl::MutexLock lock(&mu_);
    mine = tokens_;
  }
  std::vector<int> wanted;
  std::vector<Held> handing_over;
  absl::Duration next = options_.times.renew;
  for (const int part : options_.parts) {
    const bool preferred = Preferred(part, picture.members);
    const auto held = mine.find(part);
    if (held != mine.end()) {
      // The successor's stamp waits for our running transaction or finds it refused, so handing
      // over needs no pause on our side.
      if (!preferred) handing_over.push_back({part, held->second});
      continue;
    }
    const auto seen = picture.leases.find(part);
    const bool free = seen == picture.leases.end() || !seen->second.live;
    if (free) {
      // Whoever should not own it takes it only when the preferred one has let it lie.
      const bool abandoned =
          seen == picture.leases.end() || -seen->second.left > options_.times.ttl / 2;
      if (preferred || abandoned) {
        wanted.push_back(part);
      } else {
        next = std::min(next, options_.times.renew / 4);
      }
    } else if (preferred) {
      // Either its owner is about to hand it over, or it died and the lease ends soon.
      next = std::min(
          next, std::clamp(seen->second.left, absl::Milliseconds(10), options_.times.renew / 8));
    }
  }
  if (!handing_over.empty()) {
    {
      absl::MutexLock lock(&mu_);
      for (const Held& held : handing_over) tokens_.erase(held.part);
      ++version_;
    }
    POTOK_RETURN_IF_ERROR(Release(handing_over));
  }
  if (!wanted.empty()) POTOK_RETURN_IF_ERROR(Gain(wanted));
  return next;
}

}  // namespace potok::log
