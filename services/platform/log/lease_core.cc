#include "platform/log/lease_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/backoff.h"

namespace potok::log {
namespace {

// How long after its end a lease is looked at again: just enough for the clock to have passed it.
constexpr absl::Duration kJustAfter = absl::Milliseconds(10);
// Looks between two renewals, while others hold something: an owner that ends in order gives its
// leases back and tells nobody, and has heirs within a second.
constexpr int kLooks = 4;

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

LeaseCore::LeaseCore(Options options) : options_(std::move(options)) {}

void LeaseCore::StartRound() { phase_ = FirstPhase(); }

LeaseAction LeaseCore::Next() {
  switch (phase_) {
    case Phase::kLooking: return {.kind = LeaseAction::kLook, .wait = {}, .leases = {}};
    case Phase::kRenewing: {
      LeaseAction action{.kind = LeaseAction::kRenew, .wait = {}, .leases = {}};
      for (const auto& [part, mine] : mine_) action.leases.push_back({part, mine.token});
      for (const InDoubt& doubt : in_doubt_) action.leases.push_back(doubt.lease);
      return action;
    }
    case Phase::kReleasing:
      phase_ = Phase::kGaining;
      if (!releasing_.empty()) {
        return {.kind = LeaseAction::kRelease, .wait = {}, .leases = std::exchange(releasing_, {})};
      }
      [[fallthrough]];
    case Phase::kGaining:
      // Stays in the phase until the answer: a failure must know what it was about.
      if (!gaining_.empty()) return {.kind = LeaseAction::kGain, .wait = {}, .leases = gaining_};
      [[fallthrough]];
    case Phase::kWaiting: break;
  }
  phase_ = look_first_ ? Phase::kLooking : FirstPhase();
  return {.kind = LeaseAction::kWait, .wait = wait_, .leases = {}};
}

bool LeaseCore::Renewed(absl::Duration sent, absl::Duration now, const std::vector<Held>& renewed,
                        const LeasePicture& picture) {
  failures_ = 0;
  std::map<int, Mine> still;
  bool more = false;
  for (const Held& held : renewed) {
    const auto known = mine_.find(held.part);
    if (known != mine_.end() && known->second.token == held.token) {
      still.emplace(held.part, known->second);
    } else {
      still.emplace(held.part, Mine{held.token, now});
      more = true;
    }
  }
  if (more || still.size() != mine_.size()) ++version_;
  mine_ = std::move(still);
  std::erase_if(in_doubt_, [&](const InDoubt& doubt) {
    return doubt.until < now || mine_.contains(doubt.lease.part);
  });
  renewed_at_ = sent;
  Weigh(now, picture);
  for (const Held& held : releasing_) mine_.erase(held.part);
  if (!releasing_.empty()) {
    ++version_;
    LookIn(options_.times.renew / kLooks);
  }
  phase_ = Phase::kReleasing;
  return more;
}

void LeaseCore::Looked(absl::Duration now, const LeasePicture& picture) {
  phase_ = Phase::kRenewing;
  if (failures_ > 0) return;
  Weigh(now, picture);
  // The renewal weighs it again.
  if (releasing_.empty() && gaining_.empty()) phase_ = Phase::kWaiting;
  releasing_.clear();
  gaining_.clear();
}

void LeaseCore::LookIn(absl::Duration wait) {
  if (wait >= wait_) return;
  wait_ = wait;
  look_first_ = true;
}

void LeaseCore::Weigh(absl::Duration now, const LeasePicture& picture) {
  const LeaseTimes& times = options_.times;
  releasing_.clear();
  gaining_.clear();
  // The fence counts from sending, so the next renewal does too.
  wait_ = std::max(renewed_at_ + times.renew - now, absl::ZeroDuration());
  look_first_ = false;
  for (const int part : options_.parts) {
    const bool preferred = Preferred(part, picture.members);
    const auto held = mine_.find(part);
    if (held != mine_.end()) {
      // The successor's stamp waits for our running transaction or finds it refused, so handing
      // over needs no pause on our side. But a member whose link comes and goes must not make the
      // lease change hands each time: what was gained stays for at least a ttl.
      if (!preferred && now - held->second.since >= times.ttl) {
        releasing_.push_back({part, held->second.token});
      }
      continue;
    }
    const auto seen = picture.leases.find(part);
    if (seen == picture.leases.end() || !seen->second.live) {
      // Whoever should not own it takes it only when the preferred one has let it lie.
      const bool abandoned = seen == picture.leases.end() || -seen->second.left > times.ttl / 2;
      if (preferred || abandoned) {
        gaining_.push_back({part, options_.new_token()});
      } else {
        LookIn(times.renew / kLooks);
      }
    } else if (preferred) {
      // Either its owner is about to hand it over, or it died and the lease ends soon.
      // Not std::clamp: of renewals that follow each other fast, an eighth may be below the least.
      LookIn(std::max(kJustAfter, std::min(seen->second.left, times.renew / 8)));
    } else {
      // Its owner may end, and then somebody else is preferred; or it has died, and whoever is
      // preferred with it: an owner that lives has prolonged its lease by then.
      LookIn(std::min(std::max(seen->second.left, absl::ZeroDuration()) + kJustAfter,
                      times.renew / kLooks));
    }
  }
}

void LeaseCore::Gained(absl::Duration sent, absl::Duration now, const std::vector<Held>& gained) {
  failures_ = 0;
  if (gained.size() < gaining_.size()) LookIn(options_.times.renew / kLooks);
  gaining_.clear();
  if (gained.empty()) return;
  if (mine_.empty()) renewed_at_ = sent;
  for (const Held& held : gained) mine_[held.part] = {held.token, now};
  ++version_;
}

void LeaseCore::Failed(absl::Duration now, double uniform) {
  // Without this a process whose gain was committed and whose answer was lost would own leases that
  // nobody works under until they end.
  for (Held& held : gaining_) in_doubt_.push_back({std::move(held), now + options_.times.ttl});
  gaining_.clear();
  releasing_.clear();
  const Backoff backoff{.initial = absl::Milliseconds(100), .cap = options_.times.renew};
  wait_ = backoff.Wait(++failures_, uniform);
  look_first_ = false;
  phase_ = Phase::kWaiting;
}

std::vector<Held> LeaseCore::Stop() {
  std::vector<Held> held;
  for (const auto& [part, mine] : mine_) held.push_back({part, mine.token});
  for (const InDoubt& doubt : in_doubt_) held.push_back(doubt.lease);
  mine_.clear();
  in_doubt_.clear();
  ++version_;
  return held;
}

std::vector<Held> LeaseCore::Get(absl::Duration now) const {
  std::vector<Held> held;
  if (now - renewed_at_ > options_.times.fence) return held;
  held.reserve(mine_.size());
  for (const auto& [part, mine] : mine_) held.push_back({part, mine.token});
  return held;
}

bool LeaseCore::Preferred(int part, const std::vector<LeasePicture::Member>& members) const {
  const auto weight = [part](const std::string& owner) {
    return std::make_pair(StableHash(absl::StrCat(owner, "#", part)), owner);
  };
  const auto mine = weight(options_.owner);
  return std::none_of(members.begin(), members.end(), [&](const LeasePicture::Member& member) {
    // One that has missed a renewal may stand still or be dead: nothing is given to it.
    if (member.left <= options_.times.ttl / 2) return false;
    return std::find(member.parts.begin(), member.parts.end(), part) != member.parts.end() &&
           weight(member.owner) > mine;
  });
}

}  // namespace potok::log
