// No Redis anywhere: everything works from Postgres, a little later.
#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"

#include "e2e/crowd.h"
#include "e2e/fleet.h"
#include "integration/suite.h"
#include "platform/testing/signal.h"

namespace potok::testing {
namespace {

using ::testing::IsEmpty;

class WithoutRedis : public ::testing::Test {
 protected:
  Fleet fleet_{{.redis = false, .mail = true, .found = Crowd::Found}};
};

TEST_F(WithoutRedis, RequestsAreAssignedResolvedToldAndCountedAndTheLedgerIsClean) {
  Crowd crowd(fleet_);
  crowd.Begin(40);
  // Until agents have resolved a good number, whatever the machine is doing otherwise.
  EXPECT_TRUE(Eventually(
      [&] {
        return fleet_.database().Query(
                   "SELECT count(*) >= 40 FROM ledger.ticket WHERE state = "
                   "'CLOSED'") == "t";
      },
      absl::Seconds(60)));
  const CrowdTally tally = crowd.End();
  EXPECT_THAT(tally.failed, IsEmpty());
  EXPECT_THAT(tally.stream_faults, IsEmpty());
  EXPECT_EQ(fleet_.Verify(), "");
  // Everybody who filed was told, although nothing but a poll told the notifier.
  EXPECT_EQ(
      fleet_.database().Query(
          "SELECT count(*) FROM ledger.ticket t WHERE NOT EXISTS (SELECT FROM notifier.delivery"
          " d WHERE d.ticket_id = t.id)"),
      "0");
  EXPECT_GT(fleet_.Mails(), 40);
  const std::string wait =
      "SELECT round(1000 * percentile_cont(%s) WITHIN GROUP (ORDER BY extract(epoch FROM a.at - "
      "c.at))) FROM ledger.ticket_event c JOIN ledger.ticket_event a ON a.ticket_id = c.ticket_id "
      "AND a.version = 2 AND a.type = 'assigned' WHERE c.version = 1";
  const auto percentile = [&](const std::string& share) {
    return fleet_.database().Query(absl::StrReplaceAll(wait, {{"%s", share}}));
  };
  std::printf(
      "created to assigned without Redis: p50 %s ms, p99 %s ms, longest %s ms (%ld calls)\n",
      percentile("0.5").c_str(), percentile("0.99").c_str(), percentile("1").c_str(),
      static_cast<long>(tally.calls));
}

}  // namespace
}  // namespace potok::testing
