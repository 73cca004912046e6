#include "platform/log/lease.h"

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

#include "base/entropy.h"
#include "base/status_macros.h"
#include "platform/log/sql.h"

namespace potok::log {
namespace {

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
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

double Uniform() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

std::string MakeOwner() {
  char host[256] = "host";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, ":", getpid(), ":", absl::Hex(KernelEntropy(), absl::kZeroPad16));
}

LeaseKeeper::LeaseKeeper(LeaseOptions options, pg::Pool& pool, Stamp stamp)
    : options_(std::move(options)),
      pool_(pool),
      stamp_(std::move(stamp)),
      core_({.owner = options_.owner,
             .parts = options_.parts,
             .times = options_.times,
             .new_token = RandomToken}) {}

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
    held = core_.Stop();
  }
  // Best effort: an unreachable database ends the leases by their time.
  if (absl::Status status = Release(held); !status.ok()) {
    options_.hooks.Error("lease:" + options_.family, status);
  }
}

std::vector<Held> LeaseKeeper::Get() const {
  absl::MutexLock lock(&mu_);
  return core_.Get(Monotonic());
}

std::int64_t LeaseKeeper::version() const {
  absl::MutexLock lock(&mu_);
  return core_.version();
}

LeaseKeeper::Holding LeaseKeeper::GetWithVersion() const {
  absl::MutexLock lock(&mu_);
  return {core_.version(), core_.Get(Monotonic())};
}

std::string LeaseKeeper::NameOf(int part) const { return absl::StrCat(options_.family, ":", part); }

int LeaseKeeper::PartOf(const std::string& name) const {
  int part = -1;
  (void)absl::SimpleAtoi(absl::string_view(name).substr(options_.family.size() + 1), &part);
  return part;
}

std::string LeaseKeeper::MemberName() const {
  return absl::StrCat(MemberPrefix(), options_.owner, "#", absl::StrJoin(options_.parts, ","));
}

void LeaseKeeper::Run() {
  while (!stop_.closed()) {
    LeaseAction action;
    {
      absl::MutexLock lock(&mu_);
      action = core_.Next();
    }
    if (action.kind == LeaseAction::kWait) {
      stop_.WaitFor(action.wait);
    } else if (const absl::Status status = Perform(action); !status.ok()) {
      options_.hooks.Error("lease:" + options_.family, status);
    }
  }
}

absl::StatusOr<absl::Duration> LeaseKeeper::Round() {
  {
    absl::MutexLock lock(&mu_);
    core_.StartRound();
  }
  while (true) {
    LeaseAction action;
    {
      absl::MutexLock lock(&mu_);
      action = core_.Next();
    }
    if (action.kind == LeaseAction::kWait) return action.wait;
    POTOK_RETURN_IF_ERROR(Perform(action));
  }
}

absl::Status LeaseKeeper::Perform(const LeaseAction& action) {
  absl::Status status;
  switch (action.kind) {
    case LeaseAction::kWait: break;
    case LeaseAction::kLook: status = Look(); break;
    case LeaseAction::kRenew: status = RenewAndLook(action.leases); break;
    case LeaseAction::kGain: status = Gain(action.leases); break;
    case LeaseAction::kRelease: status = Release(action.leases); break;
  }
  if (!status.ok()) {
    absl::MutexLock lock(&mu_);
    core_.Failed(Monotonic(), Uniform());
  }
  return status;
}

LeasePicture LeaseKeeper::Picture(pg::Tx& tx) const {
  std::vector<std::string> names;
  for (const int part : options_.parts) names.push_back(NameOf(part));
  const std::string member_prefix = MemberPrefix();
  LeasePicture picture;
  for (const auto& row : tx.Run(sql::kLeaseLook, pg::TextArray(names), member_prefix)) {
    const std::string name = row["name"].as<std::string>();
    const bool live = row["live"].as<bool>();
    const absl::Duration left = absl::Milliseconds(row["left_ms"].as<std::int64_t>());
    if (absl::StartsWith(name, member_prefix)) {
      if (!live) continue;
      LeasePicture::Member member{row["owner"].as<std::string>(), {}, left};
      for (const auto& text : absl::StrSplit(name.substr(name.rfind('#') + 1), ',')) {
        int part = -1;
        if (absl::SimpleAtoi(text, &part)) member.parts.push_back(part);
      }
      picture.members.push_back(std::move(member));
    } else {
      picture.leases[PartOf(name)] = {row["owner"].as<std::string>(), live, left};
    }
  }
  return picture;
}

absl::Status LeaseKeeper::Look() {
  LeasePicture picture;
  POTOK_RETURN_IF_ERROR(pg::InAutocommit(pool_, {.read_only = true}, [&](pg::Tx& tx) {
    picture = Picture(tx);
    return absl::OkStatus();
  }));
  absl::MutexLock lock(&mu_);
  core_.Looked(Monotonic(), picture);
  return absl::OkStatus();
}

absl::Status LeaseKeeper::RenewAndLook(const std::vector<Held>& leases) {
  std::vector<std::string> names, tokens;
  for (const Held& held : leases) {
    names.push_back(NameOf(held.part));
    tokens.push_back(held.token);
  }
  const std::int64_t ttl_ms = absl::ToInt64Milliseconds(options_.times.ttl);
  const absl::Duration sent = Monotonic();
  std::vector<Held> renewed;
  LeasePicture picture;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    renewed.clear();
    tx.Run(sql::kLeaseRegister, MemberName(), options_.owner, ttl_ms);
    for (const auto& row :
         tx.Run(sql::kLeaseRenew, pg::TextArray(names), pg::TextArray(tokens), ttl_ms)) {
      renewed.push_back({PartOf(row["name"].as<std::string>()), row["token"].as<std::string>()});
    }
    picture = Picture(tx);
    return absl::OkStatus();
  }));
  bool more = false;
  {
    absl::MutexLock lock(&mu_);
    more = core_.Renewed(sent, Monotonic(), renewed, picture);
  }
  if (more && on_gain_ != nullptr) on_gain_->Ring();
  return absl::OkStatus();
}

absl::Status LeaseKeeper::Gain(const std::vector<Held>& wanted) {
  std::vector<std::string> names, tokens;
  for (const Held& held : wanted) {
    names.push_back(NameOf(held.part));
    tokens.push_back(held.token);
  }
  const absl::Duration sent = Monotonic();
  std::vector<Held> gained;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    gained.clear();
    for (const auto& row : tx.Run(sql::kLeaseGain, pg::TextArray(names), pg::TextArray(tokens),
                                  options_.owner, absl::ToInt64Milliseconds(options_.times.ttl))) {
      gained.push_back({PartOf(row["name"].as<std::string>()), row["token"].as<std::string>(),
                        row["unclean"].as<bool>()});
    }
    return gained.empty() ? absl::OkStatus() : stamp_(tx, gained);
  }));
  {
    absl::MutexLock lock(&mu_);
    core_.Gained(sent, Monotonic(), gained);
  }
  if (gained.empty()) return absl::OkStatus();
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

}  // namespace potok::log
