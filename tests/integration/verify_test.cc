// What VerifyLedger answers and `potokctl verify` prints when every invariant is broken at once.
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <sys/wait.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "intake/bind.h"
#include "integration/suite.h"
#include "ledger/invariants.h"
#include "ledger/invariants/desk_fixture.h"
#include "ledger/invariants/planted_violations_fixture.h"
#include "platform/config/load.h"
#include "platform/testing/signal.h"
#include "potok/admin/v1/admin.grpc.pb.h"

namespace potok::ledger {
namespace {

using Check = admin::v1::InvariantCheck;

class VerifyTest : public DeskFixture {
 protected:
  VerifyTest() {
    FillTheDesk();
    Quiesce();
    const auto config =
        config::Load("", {"listen=127.0.0.1:0", "auth.mode=MODE_DEV",
                          absl::StrCat("postgres.dsn=", database_.dsn("potok_intake"))});
    auto process = app::Process::Start(*config, {intake::Spec()}, "dev");
    EXPECT_THAT(process, ::potok::testing::IsOk());
    intake_ = *std::move(process);
    EXPECT_TRUE(::potok::testing::Eventually([&] { return intake_->ready(); }));
  }

  std::string address() const { return intake_->addresses()[0]; }

  admin::v1::VerifyLedgerResponse Ask(bool quiescent) {
    const auto stub = admin::v1::AdminService::NewStub(
        grpc::CreateChannel(address(), grpc::InsecureChannelCredentials()));
    admin::v1::VerifyLedgerRequest request;
    request.set_quiescent(quiescent);
    admin::v1::VerifyLedgerResponse answer;
    const grpc::Status status = stub->VerifyLedger(
        ::potok::testing::Suite::As("controller:auditor").get(), request, &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return answer;
  }

  // What `potokctl verify` prints, and its exit status.
  std::pair<std::string, int> Print(const std::string& flags) {
    std::string text;
    std::FILE* pipe = popen(
        absl::StrCat(POTOK_POTOKCTL " --intake ", address(), " verify ", flags, " 2>&1").c_str(),
        "r");
    std::array<char, 4096> piece;
    while (const size_t n = std::fread(piece.data(), 1, piece.size(), pipe)) {
      text.append(piece.data(), n);
    }
    const int status = pclose(pipe);
    return {text, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
  }

  std::unique_ptr<app::Process> intake_;
};

TEST_F(VerifyTest, ACleanLedgerIsSaidToBeCleanCheckByCheck) {
  const auto answer = Ask(/*quiescent=*/true);
  EXPECT_TRUE(answer.clean());
  EXPECT_GE(answer.checks_size(), 30);
  for (const Check& check : answer.checks()) {
    EXPECT_EQ(check.row_count(), 0) << check.id();
    EXPECT_NE(check.title().ru(), "") << check.id();
    EXPECT_EQ(check.outcome() == Check::OUTCOME_SKIPPED, check.skip_reason() != "") << check.id();
  }
  const auto [text, status] = Print("");
  EXPECT_EQ(status, 0) << text;
  EXPECT_THAT(text, ::testing::HasSubstr("every request accounted for"));
  EXPECT_THAT(text, ::testing::HasSubstr("not checked here"));
}

TEST_F(VerifyTest, EveryViolationReachesTheAdminByNameWithItsRows) {
  // One of each that do not undo one another; what the service mends by itself is left out.
  const std::set<absl::string_view> clashing = {
      "a ticket without any event",
      "a held ticket without an assignment",
      "an outbox that is not empty",
      "answers kept too long",
      "answers of definitions kept too long",
      "numbers nobody counted",
      "held tickets that no counter knows of",
  };
  std::map<std::string, const Plant*> planted;
  for (const Plant& plant : kPlants) {
    if (clashing.count(plant.what) == 0) planted.emplace(plant.invariant, &plant);
  }
  for (const auto& [id, plant] : planted) Sql(plant->sql);
  const auto answer = Ask(/*quiescent=*/true);
  const auto [text, status] = Print("--wait 0");
  EXPECT_FALSE(answer.clean());
  EXPECT_EQ(status, 1);
  EXPECT_THAT(text, ::testing::HasSubstr("NOT every request is accounted for"));
  std::set<std::string> broken;
  for (const Check& check : answer.checks()) {
    if (check.outcome() != Check::OUTCOME_BROKEN) continue;
    broken.insert(check.id());
    EXPECT_GT(check.row_count(), 0);
    EXPECT_GT(check.examples_size(), 0) << check.id();
    for (const std::string& example : check.examples()) {
      // Without the time of the check: between the two the clock, slow as it is, may have gone on.
      const std::string what = example.substr(0, example.find(", now "));
      EXPECT_THAT(text, ::testing::HasSubstr(absl::StrCat(check.id(), "  ", what)));
    }
  }
  for (const auto& [id, plant] : planted) EXPECT_EQ(broken.count(id), 1u) << id << plant->what;
}

}  // namespace
}  // namespace potok::ledger
