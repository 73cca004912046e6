// SIGTERM to every replica of every service in turn, under load: nobody who keeps to the documented
// retry policy notices.
#include <algorithm>
#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "e2e/crowd.h"
#include "e2e/fleet.h"
#include "platform/testing/signal.h"

namespace potok::testing {
namespace {

using ::testing::IsEmpty;

constexpr char kServices[][16] = {"intake", "router", "sla-timer", "notifier", "analytics"};
constexpr double kCallsPerSecond = 80;

double Number(const std::string& text) {
  double number = 0;
  EXPECT_TRUE(absl::SimpleAtod(text, &number)) << text;
  return number;
}

class RollingRestart : public ::testing::Test {
 protected:
  // Milliseconds from the signal until another process held the last of the leases of `pid`;
  // nothing when it held none.
  std::optional<double> Takeover(Fleet& fleet, double signalled, const std::string& leases) {
    if (leases.empty()) return std::nullopt;
    std::string last;
    EXPECT_TRUE(Eventually([&] {
      last = fleet.database().Query(
          absl::StrCat("SELECT max(first) FROM (SELECT l.name, min(g.acquired_at) AS first FROM"
                       " unnest(string_to_array('",
                       leases,
                       "', ' ')) AS l (name) LEFT JOIN ledger.lease_log g"
                       " ON g.name = l.name AND g.acquired_at > to_timestamp(",
                       absl::StrFormat("%.6f", signalled),
                       ")"
                       " GROUP BY l.name) t HAVING bool_and(first IS NOT NULL)"));
      return !last.empty();
    })) << leases;
    if (last.empty()) return std::nullopt;
    return 1000 * (Number(fleet.database().Query(
                       absl::StrCat("SELECT extract(epoch FROM '", last, "'::timestamptz)"))) -
                   signalled);
  }
  static double Now(Fleet& fleet) {
    return Number(fleet.database().Query("SELECT extract(epoch FROM clock_timestamp())"));
  }
  static std::string LeasesOf(Fleet& fleet, pid_t pid) {
    return fleet.database().Query(absl::StrCat(
        "SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM ledger.lease WHERE owner"
        " LIKE '%:",
        pid, ":%' AND name NOT LIKE '%@%' AND expires_at > clock_timestamp()"));
  }

  void Roll(Fleet& fleet, int rounds) {
    Crowd crowd(fleet);
    crowd.Begin(kCallsPerSecond);
    std::vector<double> exits, takeovers;
    for (int round = 0; round < rounds; ++round) {
      for (const char* service : kServices) {
        for (int replica = 0; replica < 2; ++replica) {
          const std::string leases = LeasesOf(fleet, fleet.pid(service, replica));
          const double signalled = Now(fleet);
          const Fleet::End end = fleet.Terminate(service, replica);
          EXPECT_EQ(end.how, "exit 0") << service << " " << replica;
          exits.push_back(absl::ToDoubleMilliseconds(end.took));
          const auto takeover = Takeover(fleet, signalled, leases);
          if (takeover.has_value()) takeovers.push_back(*takeover);
          std::printf("  %-10s %d  exit %5.0f ms  takeover %5.0f ms  leases %zu\n", service,
                      replica, exits.back(), takeover.value_or(-1),
                      static_cast<size_t>(std::count(leases.begin(), leases.end(), ' ')) + 1);
          fleet.Start(service, replica);
        }
      }
    }
    const CrowdTally tally = crowd.End();
    std::printf(
        "%ld calls, %zu failed, %ld asked again; p50 %.1f ms, p99 %.1f ms, max %.0f ms; %ld filed, "
        "%ld resolved; %ld streams resumed\n",
        static_cast<long>(tally.calls), tally.failed.size(), static_cast<long>(tally.asked_again),
        PercentileMs(tally.seconds, 0.5), PercentileMs(tally.seconds, 0.99),
        PercentileMs(tally.seconds, 1), static_cast<long>(tally.filed),
        static_cast<long>(tally.resolved), static_cast<long>(tally.streams_resumed));
    for (const auto& [why, times] : tally.again) {
      std::printf("  asked again %ld times: %s\n", static_cast<long>(times), why.c_str());
    }
    std::sort(exits.begin(), exits.end());
    std::sort(takeovers.begin(), takeovers.end());
    std::printf("exit: median %.0f ms, longest %.0f ms\n", exits[exits.size() / 2], exits.back());
    if (!takeovers.empty()) {
      std::printf("takeover after SIGTERM: median %.0f ms, longest %.0f ms\n",
                  takeovers[takeovers.size() / 2], takeovers.back());
    }
    EXPECT_THAT(tally.failed, IsEmpty());
    EXPECT_THAT(tally.stream_faults, IsEmpty());
    EXPECT_GT(tally.calls, 100);
    EXPECT_GT(tally.resolved, 0);
    EXPECT_GT(tally.streams_resumed, 0);
    EXPECT_EQ(fleet.Verify(), "");
  }
};

TEST_F(RollingRestart, OfTwoReplicasEachCostsNoCallAndNoEventOfAStream) {
  setenv("POTOK_TEST_PAGE_KEY", std::string(64, 'a').c_str(), 1);
  Fleet fleet({.replicas = 2,
               .config = {"page_tokens.key.env=POTOK_TEST_PAGE_KEY"},
               .found = Crowd::Found});
  Roll(fleet, 3);
}

}  // namespace
}  // namespace potok::testing
