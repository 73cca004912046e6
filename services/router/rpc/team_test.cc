// Members, presence and absences: what is stored, who may, what it sets in motion.
#include "router/rpc/team.h"

#include "gmock/gmock.h"

#include "platform/testing/status_matchers.h"
#include "router/rpc/wire.h"
#include "router/work/testing/routing_fixture.h"

namespace potok::router {
namespace {

using desk::DistributionMode;
using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;

class RecordingBell final : public FlowBell {
 public:
  void Wake(const std::string& flow) override { flows.push_back(flow); }
  void SweepSoon() override { ++sweeps; }
  std::vector<std::string> flows;
  int sweeps = 0;
};

class TeamTest : public testing::RoutingTest {
 protected:
  TeamTest() {
    desk::Flow flow = Draft("it", DistributionMode::kRoundRobin);
    flow.admins = {"boss"};
    Publish(flow);
    Hire("it", {"boss"});
    Hire("it", {"ivanova", "petrov"});
    bell_.flows.clear();
  }

  static CallContext As(const std::string& employee, const std::string& verb) {
    CallContext call;
    call.caller.principal = "users/" + employee;
    call.caller.employee = employee;
    call.caller.roles = {"agent", "flowAdmin"};
    call.method = "/potok.router.v1.TeamService/" + verb;
    call.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    return call;
  }
  static v1::BatchUpsertMembersRequest Members(const std::vector<std::string>& employees) {
    v1::BatchUpsertMembersRequest q;
    q.set_parent("flows/it");
    for (const std::string& employee : employees) {
      q.add_members()->set_employee("employees/" + employee);
    }
    q.set_request_id(testing::Uuid());
    return q;
  }
  absl::StatusOr<v1::Presence> Presence(const std::string& who, const std::string& of,
                                        v1::Presence::Status status) {
    v1::SetPresenceRequest q;
    q.set_name("employees/" + of + "/presence");
    q.set_status(status);
    q.set_request_id(testing::Uuid());
    return team_.SetPresence(As(who, "SetPresence"), q);
  }
  v1::CreateAbsenceRequest AbsenceOf(const std::string& employee, absl::Duration from,
                                     absl::Duration to) {
    v1::CreateAbsenceRequest q;
    q.set_parent("employees/" + employee);
    q.mutable_absence()->set_kind(v1::Absence::KIND_LEAVE);
    SetTimestamp(clock_.Now() + from, q.mutable_absence()->mutable_start_time());
    SetTimestamp(clock_.Now() + to, q.mutable_absence()->mutable_end_time());
    q.set_request_id(testing::Uuid());
    return q;
  }

  RecordingBell bell_;
  const rpc::PageTokens tokens_ = *rpc::PageTokens::Create("");
  const Team team_{router_pool_, *reference_, tokens_, clock_, bell_};
};

TEST_F(TeamTest, MembersAreStoredWithTheirCapsAndTheFlowIsWoken) {
  v1::BatchUpsertMembersRequest q = Members({"ivanova", "petrov"});
  q.mutable_members(0)->set_max_active(7);
  q.mutable_members(0)->set_line(2);
  q.mutable_members(0)->add_skills("1c");
  q.mutable_members(0)->add_languages("ru");
  const auto stored = team_.UpsertMembers(As("boss", "BatchUpsertMembers"), q);
  ASSERT_THAT(stored, IsOk());
  ASSERT_EQ(stored->members_size(), 2);
  EXPECT_EQ(stored->members(0).name(), "flows/it/members/ivanova");
  EXPECT_EQ(stored->members(0).max_active(), 7);
  EXPECT_EQ(stored->members(0).skills(0), "1c");
  EXPECT_EQ(stored->members(0).etag(), "\"2\"");
  EXPECT_EQ(stored->members(1).line(), 1);
  EXPECT_FALSE(stored->members(1).has_max_active());
  EXPECT_EQ(database_.Query("SELECT cap FROM ledger.agent_load WHERE agent_id = 'ivanova'"), "7");
  EXPECT_EQ(database_.Query("SELECT cap FROM ledger.agent_load WHERE agent_id = 'petrov'"), "3");
  EXPECT_THAT(bell_.flows, ElementsAre("it"));
  // The same call again does nothing again.
  const auto again = team_.UpsertMembers(As("boss", "BatchUpsertMembers"), q);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->SerializeAsString(), stored->SerializeAsString());
  EXPECT_EQ(database_.Query("SELECT version FROM router.member WHERE employee = 'ivanova'"), "2");
}

TEST_F(TeamTest, OneBadMemberRefusesAllOfThem) {
  const auto call = As("boss", "BatchUpsertMembers");
  EXPECT_THAT(team_.UpsertMembers(call, Members({"petrov", "ghost"})),
              StatusIs(absl::StatusCode::kNotFound, "EMPLOYEE_NOT_FOUND"));
  EXPECT_THAT(team_.UpsertMembers(call, Members({"petrov", "petrov"})),
              StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));
  v1::BatchUpsertMembersRequest q = Members({"petrov"});
  q.mutable_members(0)->set_calendar("calendars/mars");
  EXPECT_THAT(team_.UpsertMembers(call, q),
              StatusIs(absl::StatusCode::kNotFound, "CALENDAR_NOT_FOUND"));
  q = Members({"petrov"});
  q.mutable_members(0)->set_etag("\"9\"");
  EXPECT_THAT(team_.UpsertMembers(call, q), StatusIs(absl::StatusCode::kAborted, "ETAG_MISMATCH"));
  q = Members({"petrov"});
  q.set_parent("flows/ghost");
  EXPECT_THAT(team_.UpsertMembers(call, q),
              StatusIs(absl::StatusCode::kNotFound, "FLOW_NOT_FOUND"));
  EXPECT_THAT(team_.UpsertMembers(As("petrov", "BatchUpsertMembers"), Members({"petrov"})),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(database_.Query("SELECT max(version) FROM router.member"), "1");
}

TEST_F(TeamTest, AReplacedMemberKeepsWhatTheyHold) {
  FileMany("it", 3);
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  v1::BatchUpsertMembersRequest q = Members({"ivanova"});
  q.mutable_members(0)->set_max_active(1);
  ASSERT_THAT(team_.UpsertMembers(As("boss", "BatchUpsertMembers"), q), IsOk());
  EXPECT_EQ(database_.Query(
                "SELECT active || ' of ' || cap FROM ledger.agent_load WHERE agent_id = 'ivanova'"),
            "1 of 1");
  EXPECT_EQ(Broken(), "");
}

TEST_F(TeamTest, ARemovedMemberHasNoSlotOnAnyPathAndComesBackWithAll) {
  v1::DeleteMemberRequest q;
  q.set_name("flows/it/members/petrov");
  q.set_request_id(testing::Uuid());
  ASSERT_THAT(team_.DeleteMember(As("boss", "DeleteMember"), q), IsOk());
  ASSERT_THAT(team_.DeleteMember(As("boss", "DeleteMember"), q), IsOk());  // The same call.
  EXPECT_EQ(bell_.sweeps, 2);
  q.set_request_id(testing::Uuid());
  EXPECT_THAT(team_.DeleteMember(As("boss", "DeleteMember"), q),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(database_.Query("SELECT cap FROM ledger.agent_load WHERE agent_id = 'petrov'"), "0");
  EXPECT_EQ(reference_->Snapshot()->members.at("it").size(), 2u);
  ASSERT_THAT(team_.UpsertMembers(As("boss", "BatchUpsertMembers"), Members({"petrov"})), IsOk());
  EXPECT_EQ(database_.Query("SELECT cap FROM ledger.agent_load WHERE agent_id = 'petrov'"), "3");
}

TEST_F(TeamTest, WhoComesOnlineWakesTheirFlows) {
  ASSERT_THAT(Presence("petrov", "petrov", v1::Presence::STATUS_AWAY), IsOk());
  bell_.flows.clear();
  const auto online = Presence("petrov", "petrov", v1::Presence::STATUS_ONLINE);
  ASSERT_THAT(online, IsOk());
  EXPECT_EQ(online->status(), v1::Presence::STATUS_ONLINE);
  EXPECT_THAT(bell_.flows, ElementsAre("it"));
  EXPECT_THAT(Presence("boss", "petrov", v1::Presence::STATUS_OFFLINE), IsOk());
  EXPECT_THAT(Presence("petrov", "ivanova", v1::Presence::STATUS_OFFLINE),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Presence("boss", "ghost", v1::Presence::STATUS_ONLINE),
              StatusIs(absl::StatusCode::kNotFound, "EMPLOYEE_NOT_FOUND"));
  EXPECT_THAT(Presence("petrov", "petrov", v1::Presence::STATUS_UNSPECIFIED),
              StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));
}

TEST_F(TeamTest, AnAbsenceOverridesPresenceWhileItLasts) {
  const auto absence = team_.CreateAbsence(As("petrov", "CreateAbsence"),
                                           AbsenceOf("petrov", -absl::Hours(1), absl::Hours(1)));
  ASSERT_THAT(absence, IsOk());
  EXPECT_EQ(bell_.sweeps, 1);
  v1::GetPresenceRequest get;
  get.set_name("employees/petrov/presence");
  const auto seen = team_.GetPresence(As("boss", "GetPresence"), get);
  ASSERT_THAT(seen, IsOk());
  EXPECT_EQ(seen->absence(), absence->name());
  EXPECT_EQ(seen->status(), v1::Presence::STATUS_ONLINE);

  ASSERT_THAT(team_.CreateAbsence(As("boss", "CreateAbsence"),
                                  AbsenceOf("petrov", absl::Hours(100), absl::Hours(200))),
              IsOk());
  EXPECT_EQ(bell_.sweeps, 1);  // Nothing has begun.
  EXPECT_THAT(team_.CreateAbsence(As("boss", "CreateAbsence"),
                                  AbsenceOf("petrov", absl::Hours(2), absl::Hours(2))),
              StatusIs(absl::StatusCode::kInvalidArgument, "INVALID_FIELD"));
  v1::ListAbsencesRequest list;
  list.set_parent("employees/petrov");
  list.set_page_size(1);
  const auto latest = team_.ListAbsences(As("boss", "ListAbsences"), list);
  ASSERT_THAT(latest, IsOk());
  ASSERT_EQ(latest->absences_size(), 1);
  EXPECT_NE(latest->absences(0).name(), absence->name());
  list.set_page_token(latest->next_page_token());
  const auto first = team_.ListAbsences(As("boss", "ListAbsences"), list);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->absences(0).SerializeAsString(), absence->SerializeAsString());
  EXPECT_EQ(first->next_page_token(), "");

  v1::DeleteAbsenceRequest drop;
  drop.set_name(absence->name());
  drop.set_request_id(testing::Uuid());
  ASSERT_THAT(team_.DeleteAbsence(As("petrov", "DeleteAbsence"), drop), IsOk());
  EXPECT_EQ(team_.GetPresence(As("boss", "GetPresence"), get)->absence(), "");
}

TEST_F(TeamTest, MembersAreListedPageByPage) {
  v1::ListMembersRequest q;
  q.set_parent("flows/it");
  q.set_page_size(2);
  const auto first = team_.ListMembers(As("petrov", "ListMembers"), q);
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->members_size(), 2);
  EXPECT_EQ(first->members(0).employee(), "employees/boss");
  EXPECT_EQ(first->members(0).presence_status(), v1::Presence::STATUS_ONLINE);
  q.set_page_token(first->next_page_token());
  const auto second = team_.ListMembers(As("petrov", "ListMembers"), q);
  ASSERT_THAT(second, IsOk());
  ASSERT_EQ(second->members_size(), 1);
  EXPECT_EQ(second->members(0).employee(), "employees/petrov");
  EXPECT_EQ(second->next_page_token(), "");
}

}  // namespace
}  // namespace potok::router
