// Moves by hand: one winner, exact caps, refusals that say the way out, and repeats that do nothing
// twice.
#include "router/rpc/moves.h"

#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "ledger/history.h"
#include "platform/testing/status_matchers.h"
#include "router/rpc/explain.h"
#include "router/work/testing/routing_fixture.h"

namespace potok::router {
namespace {

using desk::DistributionMode;
using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::StatusCode kPrecondition = absl::StatusCode::kFailedPrecondition;

class SilentBell final : public FlowBell {
 public:
  void Wake(const std::string&) override { ++wakes; }
  void SweepSoon() override {}
  std::atomic<int> wakes{0};
};

class MovesTest : public testing::RoutingTest {
 protected:
  MovesTest() {
    moves_ = std::make_unique<Moves>(MoveParts{router_pool_, ledger_, *reference_, clock_, bell_,
                                               metrics_registry_, [this] { ++commits_; }});
  }

  static CallContext As(const std::string& employee, const std::string& verb,
                        const std::string& role = "agent") {
    CallContext call;
    call.caller.principal = "users/" + employee;
    call.caller.employee = employee;
    call.caller.roles = {role};
    call.method = "/potok.router.v1.RouterService/" + verb;
    call.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    return call;
  }
  static std::string Name(const std::string& ticket) { return "tickets/" + ticket; }

  absl::StatusOr<v1::Placement> Claim(const std::string& agent, const std::string& ticket,
                                      const std::string& request_id = testing::Uuid(),
                                      const std::string& etag = "") {
    v1::ClaimTicketRequest q;
    q.set_name(Name(ticket));
    q.set_request_id(request_id);
    q.set_etag(etag);
    return moves_->Claim(As(agent, "ClaimTicket"), q);
  }
  absl::StatusOr<v1::Placement> ClaimNext(const std::string& agent, const std::string& flow,
                                          const std::string& request_id = testing::Uuid()) {
    v1::ClaimNextRequest q;
    q.set_flow("flows/" + flow);
    q.set_request_id(request_id);
    return moves_->ClaimNext(As(agent, "ClaimNext"), q);
  }
  absl::StatusOr<v1::Placement> Assign(const std::string& who, const std::string& ticket,
                                       const std::string& agent,
                                       const std::string& request_id = testing::Uuid()) {
    v1::AssignTicketRequest q;
    q.set_name(Name(ticket));
    q.set_agent("employees/" + agent);
    q.set_reason("лучше знает");
    q.set_request_id(request_id);
    return moves_->Assign(As(who, "AssignTicket", "admin"), q);
  }
  absl::StatusOr<v1::Placement> Transfer(const std::string& who, const std::string& ticket,
                                         const std::string& agent) {
    v1::TransferTicketRequest q;
    q.set_name(Name(ticket));
    q.set_agent("employees/" + agent);
    q.set_reason("её тема");
    q.set_request_id(testing::Uuid());
    return moves_->Transfer(As(who, "TransferTicket"), q);
  }
  absl::StatusOr<v1::Placement> Escalate(const std::string& who, const std::string& ticket) {
    v1::EscalateLineRequest q;
    q.set_name(Name(ticket));
    q.set_reason("нужны разработчики");
    q.set_request_id(testing::Uuid());
    return moves_->EscalateLine(As(who, "EscalateLine"), q);
  }
  absl::StatusOr<v1::ExplainAssignmentResponse> Why(const std::string& ticket) {
    const auto tokens = rpc::PageTokens::Create("");
    const Explain explain(router_pool_, *reference_, *tokens, clock_);
    v1::ExplainAssignmentRequest q;
    q.set_name(Name(ticket));
    return explain.Assignment(As("auditor", "ExplainAssignment", "auditor"), q);
  }

  ledger::Ledger ledger_{router_pool_, *reference_, clock_, ledger::LedgerOptions{}, [] {}};
  SilentBell bell_;
  std::unique_ptr<Moves> moves_;
};

TEST_F(MovesTest, OneOfSixtyFourSelfPickersWinsAndTheOthersLearnWho) {
  Publish(Draft("it", DistributionMode::kSelfPick));
  std::vector<std::string> team;
  for (int i = 0; i < 64; ++i) team.push_back(absl::StrCat("agent", i));
  Hire("it", team);
  const std::string ticket = File("it");
  std::vector<absl::StatusOr<v1::Placement>> answers(64, absl::UnknownError(""));
  std::vector<std::thread> pickers;
  for (int i = 0; i < 64; ++i) {
    pickers.emplace_back([&, i] {
      answers[i] = Claim(team[i], ticket, testing::Uuid(), i % 2 == 0 ? "\"1\"" : "");
    });
  }
  for (std::thread& picker : pickers) picker.join();
  const std::string winner = Get(ticket).assignee;
  int won = 0;
  for (int i = 0; i < 64; ++i) {
    if (answers[i].ok()) {
      ++won;
      EXPECT_EQ(answers[i]->assignee(), "employees/" + winner);
      continue;
    }
    if (i % 2 == 0) {
      EXPECT_THAT(answers[i], StatusIs(absl::StatusCode::kAborted, "ETAG_MISMATCH"));
    } else {
      EXPECT_THAT(answers[i], StatusIs(kPrecondition, "ALREADY_TAKEN"));
    }
    EXPECT_THAT(GetErrorDetail(answers[i].status()).metadata["assignee"], HasSubstr(winner));
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(database_.Query("SELECT count(*) FROM ledger.assignment"), "1");
}

TEST_F(MovesTest, ClaimNextGivesEachClaimerAnotherTicketInTheOrderOfTheQueue) {
  Publish(Draft("it", DistributionMode::kSelfPick, 5));
  std::vector<std::string> team;
  for (int i = 0; i < 10; ++i) team.push_back(absl::StrCat("agent", i));
  Hire("it", team);
  const std::string first = File("it");
  clock_.Advance(absl::Seconds(1));
  FileMany("it", 39);
  const auto next = ClaimNext("agent0", "it");
  ASSERT_THAT(next, IsOk());
  EXPECT_EQ(next->ticket(), Name(first));
  std::vector<std::thread> people;
  std::mutex mu;
  std::set<std::string> taken;
  std::atomic<int> done{0};
  for (int i = 0; i < 10; ++i) {
    people.emplace_back([&, i] {
      for (int n = 0; n < 3; ++n) {
        const auto got = ClaimNext(team[i], "it");
        ASSERT_THAT(got, IsOk());
        ++done;
        const std::lock_guard<std::mutex> lock(mu);
        taken.insert(got->ticket());
      }
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_EQ(done, 30);
  EXPECT_EQ(taken.size(), 30u);
  EXPECT_EQ(Broken().find("I4"), std::string::npos);
}

TEST_F(MovesTest, TwinsOfOneClaimNextTakeOneTicket) {
  Publish(Draft("it", DistributionMode::kSelfPick));
  Hire("it", {"a"});
  FileMany("it", 5);
  const std::string request_id = testing::Uuid();
  std::vector<std::thread> twins;
  std::mutex mu;
  std::set<std::string> taken;
  for (int i = 0; i < 8; ++i) {
    twins.emplace_back([&] {
      const auto got = ClaimNext("a", "it", request_id);
      ASSERT_THAT(got, IsOk());
      const std::lock_guard<std::mutex> lock(mu);
      taken.insert(got->ticket());
    });
  }
  for (std::thread& twin : twins) twin.join();
  EXPECT_EQ(taken.size(), 1u);
  EXPECT_EQ(database_.Query(
                "SELECT active FROM ledger.agent_load WHERE agent_id = 'a' AND flow_id = 'it'"),
            "1");
}

TEST_F(MovesTest, ClaimingStopsAtTheCapAndWhereTheFlowSaysSo) {
  Publish(Draft("it", DistributionMode::kSelfPick, 1));
  Publish(Draft("rr", DistributionMode::kRoundRobin));
  Hire("it", {"a", "b"});
  Hire("rr", {"a"});
  const auto tickets = FileMany("it", 2);
  const std::string other = File("rr");
  ASSERT_THAT(Claim("a", tickets[0]), IsOk());
  EXPECT_THAT(Claim("a", tickets[1]), StatusIs(kPrecondition, "AGENT_AT_CAP"));
  EXPECT_THAT(ClaimNext("a", "it"), StatusIs(kPrecondition, "AGENT_AT_CAP"));
  EXPECT_THAT(Claim("a", other), StatusIs(kPrecondition, "SELF_PICK_OFF"));
  EXPECT_THAT(ClaimNext("a", "rr"), StatusIs(kPrecondition, "SELF_PICK_OFF"));
  EXPECT_THAT(Claim("stranger", tickets[1]), StatusIs(absl::StatusCode::kPermissionDenied));
  ASSERT_THAT(ClaimNext("b", "it"), IsOk());
  Hire("it", {"c"});
  EXPECT_THAT(ClaimNext("c", "it"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ClaimNext("c", "ghost"), StatusIs(absl::StatusCode::kNotFound, "FLOW_NOT_FOUND"));
}

TEST_F(MovesTest, ARepeatedClaimIsAnsweredAgainWhateverHasChangedSince) {
  Publish(Draft("it", DistributionMode::kSelfPick, 1));
  Hire("it", {"a"});
  const std::string ticket = File("it");
  const std::string request_id = testing::Uuid();
  const auto first = Claim("a", ticket, request_id);
  ASSERT_THAT(first, IsOk());
  Say("a", kOffline);
  Start(ticket);
  const auto again = Claim("a", ticket, request_id);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  v1::ClaimTicketRequest other;
  other.set_name(Name(ticket));
  other.set_request_id(request_id);
  other.set_etag("\"9\"");
  EXPECT_THAT(moves_->Claim(As("a", "ClaimTicket"), other),
              StatusIs(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED"));
}

TEST_F(MovesTest, AssigningByHandNeedsAnEligiblePersonWithRoom) {
  Publish(Draft("it", DistributionMode::kManual, 1));
  Hire("it", {"a", "b", "away"});
  Hire("it", {"second"}, 2);
  Say("away", kAway);
  Leave("b", clock_.Now() - absl::Hours(1), clock_.Now() + absl::Hours(1));
  const auto tickets = FileMany("it", 2);
  const auto why = [](const absl::StatusOr<v1::Placement>& answer) {
    return GetErrorDetail(answer.status()).metadata["why"];
  };
  EXPECT_EQ(why(Assign("boss", tickets[0], "away")), "NOT_PRESENT");
  EXPECT_EQ(why(Assign("boss", tickets[0], "b")), "ON_LEAVE");
  EXPECT_EQ(why(Assign("boss", tickets[0], "second")), "WRONG_LINE");
  EXPECT_EQ(why(Assign("boss", tickets[0], "nobody")), "NOT_A_MEMBER");
  const auto given = Assign("boss", tickets[0], "a");
  ASSERT_THAT(given, IsOk());
  EXPECT_EQ(given->assignee(), "employees/a");
  EXPECT_EQ(given->etag(), "\"2\"");
  EXPECT_THAT(Assign("boss", tickets[1], "a"), StatusIs(kPrecondition, "AGENT_AT_CAP"));
  EXPECT_THAT(Assign("boss", tickets[0], "a"), StatusIs(kPrecondition, "ALREADY_TAKEN"));
  EXPECT_EQ(Get(tickets[1]).version, 1);
  EXPECT_GT(bell_.wakes, 0);

  const auto explained = Why(tickets[0]);
  ASSERT_THAT(explained, IsOk());
  ASSERT_EQ(explained->decisions_size(), 1);
  EXPECT_EQ(explained->decisions(0).actor(), "users/boss");
  EXPECT_EQ(explained->decisions(0).distribution_mode(), api::v1::DISTRIBUTION_MODE_MANUAL);
  EXPECT_EQ(explained->decisions(0).ticket_version(), 2);
  // Why this agent: the words are kept with the event.
  EXPECT_EQ(database_.Query("SELECT text FROM ledger.event_text WHERE version = 2"), "лучше знает");
}

TEST_F(MovesTest, ATransferChecksTheNewHolderAndMovesTheSlot) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 1));
  Hire("it", {"a"});
  const std::string ticket = File("it");
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  Hire("it", {"b"});
  EXPECT_THAT(Transfer("b", ticket, "b"), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Transfer("a", ticket, "nobody"), StatusIs(kPrecondition, "NOT_ELIGIBLE"));
  Start(ticket);
  const auto handed = Transfer("a", ticket, "b");
  ASSERT_THAT(handed, IsOk());
  EXPECT_EQ(handed->assignee(), "employees/b");
  EXPECT_EQ(Broken(), "");
  const auto explained = Why(ticket);
  ASSERT_THAT(explained, IsOk());
  ASSERT_EQ(explained->decisions_size(), 2);
  EXPECT_THAT(explained->decisions(0).summary().ru(), HasSubstr("Передана исполнителю b"));
  EXPECT_EQ(explained->decisions(1).actor(), "system");
  EXPECT_EQ(explained->decisions(1).candidates(0).agent(), "employees/a");
}

TEST_F(MovesTest, EscalatingGoesLineByLineAndEndsAtTheLast) {
  desk::Flow flow = Draft("it", DistributionMode::kRoundRobin);
  flow.lines = 2;
  Publish(flow);
  Hire("it", {"a"}, 1);
  const std::string ticket = File("it");
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  const auto up = Escalate("a", ticket);
  ASSERT_THAT(up, IsOk());
  EXPECT_EQ(up->line(), 2);
  EXPECT_EQ(up->queue_reason(), api::v1::QUEUE_REASON_READY);
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  EXPECT_EQ(Reason(ticket), "NO_MEMBERS");
  Hire("it", {"b"}, 2);
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  EXPECT_THAT(Escalate("b", ticket), StatusIs(kPrecondition, "ILLEGAL_MOVE"));
}

TEST_F(MovesTest, AQueuedTicketIsExplainedAsThingsAreNow) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 1));
  Hire("it", {"a"});
  const auto tickets = FileMany("it", 2);
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  const std::string waiting = Get(tickets[0]).assignee.empty() ? tickets[0] : tickets[1];
  const auto explained = Why(waiting);
  ASSERT_THAT(explained, IsOk());
  ASSERT_EQ(explained->decisions_size(), 1);
  const v1::Decision& now = explained->decisions(0);
  EXPECT_EQ(now.name(), Name(waiting) + "/decisions/now");
  EXPECT_EQ(now.queue_reason(), api::v1::QUEUE_REASON_ALL_AT_CAP);
  ASSERT_EQ(now.exclusions_size(), 1);
  EXPECT_EQ(now.exclusions(0).reason(), v1::EXCLUSION_REASON_AT_CAP);
  EXPECT_EQ(now.exclusions(0).details().ru(), "1 из 1 активных заявок");
  EXPECT_EQ(explained->placement().queue_reason(), api::v1::QUEUE_REASON_ALL_AT_CAP);
  const auto taken = Why(waiting == tickets[0] ? tickets[1] : tickets[0]);
  ASSERT_THAT(taken, IsOk());
  EXPECT_EQ(taken->decisions(0).agent(), "employees/a");
  EXPECT_TRUE(taken->decisions(0).candidates(0).chosen());
}

TEST_F(MovesTest, TheQueueIsListedPageByPageInTheOrderOfThePolicy) {
  Publish(Draft("it", DistributionMode::kManual));
  std::vector<std::string> tickets;
  for (int i = 0; i < 7; ++i) tickets.push_back(File("it"));
  ASSERT_THAT(Do(On(tickets[6], desk::SystemViewer(), desk::ChangePriority{1, ""})), IsOk());
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  const auto tokens = rpc::PageTokens::Create("");
  const Explain explain(router_pool_, *reference_, *tokens, clock_);
  v1::ListQueueRequest q;
  q.set_parent("flows/it");
  q.set_page_size(3);
  std::vector<std::string> listed;
  int pages = 0;
  do {
    const auto page = explain.Queue(As("boss", "ListQueue", "admin"), q);
    ASSERT_THAT(page, IsOk());
    for (const v1::QueueEntry& entry : page->queue_entries()) {
      listed.push_back(entry.ticket());
      EXPECT_EQ(entry.position(), static_cast<int>(listed.size()));
      EXPECT_EQ(entry.reason(), api::v1::QUEUE_REASON_MANUAL);
    }
    q.set_page_token(page->next_page_token());
    ++pages;
  } while (!q.page_token().empty());
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(listed.size(), 7u);
  EXPECT_EQ(listed[0], Name(tickets[6]));
  EXPECT_EQ(listed[1], Name(tickets[0]));
  EXPECT_EQ(listed[6], Name(tickets[5]));
  EXPECT_THAT(explain.Queue(As("stranger", "ListQueue"), q),
              StatusIs(absl::StatusCode::kPermissionDenied));

  Hire("it", {"a", "b"});
  Say("b", kAway);
  ASSERT_THAT(Assign("boss", tickets[0], "a"), IsOk());
  v1::ListAgentLoadsRequest loads;
  loads.set_parent("flows/it");
  const auto team = explain.Loads(As("boss", "ListAgentLoads", "admin"), loads);
  ASSERT_THAT(team, IsOk());
  ASSERT_EQ(team->agent_loads_size(), 2);
  EXPECT_EQ(team->agent_loads(0).active_count(), 1);
  EXPECT_EQ(team->agent_loads(0).assigned_count(), 1);
  EXPECT_EQ(team->agent_loads(0).exclusion_reason(), v1::EXCLUSION_REASON_UNSPECIFIED);
  EXPECT_EQ(team->agent_loads(1).exclusion_reason(), v1::EXCLUSION_REASON_NOT_PRESENT);
}

}  // namespace
}  // namespace potok::router
