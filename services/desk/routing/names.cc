#include <array>
#include <utility>

#include "desk/routing/plan.h"

namespace potok::desk {
namespace {

template <typename Enum, size_t N>
absl::string_view NameIn(const std::array<std::pair<Enum, absl::string_view>, N>& names,
                         Enum value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "UNKNOWN";
}

template <typename Enum, size_t N>
std::optional<Enum> ParseIn(const std::array<std::pair<Enum, absl::string_view>, N>& names,
                            absl::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

constexpr std::array<std::pair<DistributionMode, absl::string_view>, 5> kModes = {{
    {DistributionMode::kRoundRobin, "round_robin"},
    {DistributionMode::kLeastLoaded, "least_loaded"},
    {DistributionMode::kManual, "manual"},
    {DistributionMode::kSelfPick, "self_pick"},
    {DistributionMode::kRules, "rules"},
}};

constexpr std::array<std::pair<VerdictReason, absl::string_view>, 11> kVerdicts = {{
    {VerdictReason::kChosen, "CHOSEN"},
    {VerdictReason::kNotChosen, "NOT_CHOSEN"},
    {VerdictReason::kWrongLine, "WRONG_LINE"},
    {VerdictReason::kDeclined, "DECLINED"},
    {VerdictReason::kMissingSkill, "MISSING_SKILL"},
    {VerdictReason::kMissingLanguage, "MISSING_LANGUAGE"},
    {VerdictReason::kOnLeave, "ON_LEAVE"},
    {VerdictReason::kOutOfHours, "OUT_OF_HOURS"},
    {VerdictReason::kNotPresent, "NOT_PRESENT"},
    {VerdictReason::kAtTotalCap, "AT_TOTAL_CAP"},
    {VerdictReason::kAtCap, "AT_CAP"},
}};

constexpr std::array<std::pair<QueueReason, absl::string_view>, 8> kQueueReasons = {{
    {QueueReason::kReady, "READY"},
    {QueueReason::kNoAgentPresent, "NO_AGENT_PRESENT"},
    {QueueReason::kAllAtCap, "ALL_AT_CAP"},
    {QueueReason::kOutOfHours, "OUT_OF_HOURS"},
    {QueueReason::kManual, "MANUAL"},
    {QueueReason::kSelfPick, "SELF_PICK"},
    {QueueReason::kAllDeclined, "ALL_DECLINED"},
    {QueueReason::kNoMembers, "NO_MEMBERS"},
}};

}  // namespace

absl::string_view Name(DistributionMode mode) { return NameIn(kModes, mode); }
absl::string_view Name(VerdictReason reason) { return NameIn(kVerdicts, reason); }
absl::string_view Name(QueueReason reason) { return NameIn(kQueueReasons, reason); }

std::optional<DistributionMode> ParseDistributionMode(absl::string_view name) {
  return ParseIn(kModes, name);
}

std::optional<QueueReason> ParseQueueReason(absl::string_view name) {
  return ParseIn(kQueueReasons, name);
}

}  // namespace potok::desk
