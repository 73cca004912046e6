// Each invariant finds what it is for, and legal histories break none of them.
#include "ledger/invariants.h"

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"
#include "ledger/definition_codec.h"
#include "ledger/history.h"
#include "ledger/invariants/planted_violations_fixture.h"
#include "ledger/ledger.h"
#include "ledger/reference_write.h"
#include "ledger/verify.h"
#include "platform/clock/clock.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::ledger {
namespace {

using desk::Command;
using ::potok::testing::IsOk;
using ::testing::IsEmpty;

class InvariantsTest : public ::testing::Test {
 protected:
  InvariantsTest() {
    // Business time of the database stands where the test's own clock begins.
    Sql(absl::StrCat("INSERT INTO ledger.clock_origin VALUES (true, clock_timestamp(), '",
                     pg::ToTimestamp(clock_.Now()), "', 1e-6)"));
    Sql(absl::StrCat("INSERT INTO sla_timer.calendar_version VALUES ('ru', 1, ",
                     Quoted(ToJson(desk::RussianProductionCalendar("ru", "Europe/Moscow"))),
                     ", 'test', now())"));
    policy_.id = "standard";
    policy_.calendar_id = "ru";
    policy_.fallback.resolution = desk::Target{desk::Target::kWorkingDays, 2};
    policy_.fallback.first_response = desk::Target{desk::Target::kWorkingHours, 2};
    policy_.steps = {{1, absl::Hours(1), desk::EscalationStep::kTellManager},
                     {2, absl::Hours(2), desk::EscalationStep::kNextLine}};
    WritePolicy();
    desk::Flow flow;
    flow.id = "it";
    flow.prefix = "IT";
    flow.name_ru = "Техподдержка";
    flow.sla_policy = "standard";
    flow.lines = 3;
    Sql(absl::StrCat("INSERT INTO intake.flow_version VALUES ('it', 1, ", Quoted(ToJson(flow)),
                     ", 'test', now())"));
    Sql("INSERT INTO intake.flow VALUES ('it', 1, 'IT', now())");
    for (int i = 0; i < kAgents; ++i) {
      Sql(absl::StrCat("INSERT INTO ledger.agent_load VALUES ('agent", i, "', 'it', 0, 3)"));
    }
    // One of them has a total over all flows as well.
    Sql("INSERT INTO ledger.agent_load VALUES ('agent0', '', 0, 2)");
    reference_ = *Reference::Start(database_.pool());
    ledger_ =
        std::make_unique<Ledger>(database_.pool(), *reference_, clock_, LedgerOptions{}, [] {});
  }

  static std::string Quoted(const std::string& text) { return "$q$" + text + "$q$"; }
  std::string Sql(const std::string& text) { return database_.Query(text); }

  void WritePolicy() {
    Sql(absl::StrCat("INSERT INTO sla_timer.policy_version VALUES ('standard', ", policy_.version,
                     ", ", Quoted(ToJson(policy_)), ", 'test', now())"));
  }
  void RepublishPolicy() {
    ++policy_.version;
    WritePolicy();
    ASSERT_THAT(pg::InTransaction(database_.pool(), {},
                                  [](pg::Tx& tx) {
                                    BumpEpoch(tx, "sla_policy");
                                    return absl::OkStatus();
                                  }),
                IsOk());
    ASSERT_THAT(reference_->Refresh(), IsOk());
  }

  static std::string Uuid() {
    static std::atomic<uint64_t> next{1};
    return desk::MakeTicketId(absl::FromUnixSeconds(1), 0, next++);
  }
  static desk::Viewer Person(const std::string& employee) {
    desk::Viewer viewer;
    viewer.principal = "users/" + employee;
    viewer.employee = employee;
    return viewer;
  }
  static desk::Viewer Boss() {
    desk::Viewer viewer = Person("boss");
    viewer.flows_administered = {"it"};
    return viewer;
  }

  absl::StatusOr<Outcome> Do(Ledger& ledger, const std::string& ticket, const desk::Viewer& viewer,
                             desk::Action action) {
    Command command;
    command.ticket_id = ticket;
    command.viewer = viewer;
    command.method = "Test";
    command.request_id = Uuid();
    command.action = std::move(action);
    return ledger.Execute(std::move(command),
                          std::chrono::steady_clock::now() + std::chrono::seconds(60));
  }
  void Must(const std::string& ticket, const desk::Viewer& viewer, desk::Action action) {
    ASSERT_THAT(Do(*ledger_, ticket, viewer, std::move(action)), IsOk());
  }
  std::string File(Ledger& ledger) {
    desk::CreateTicket create;
    const std::string request_id = Uuid();
    create.draft.part = desk::PartOf("users/petrov", request_id);
    create.draft.id = desk::MakeTicketId(clock_.Now(), create.draft.part, std::random_device()());
    create.draft.flow_id = "it";
    create.draft.caller = "users/petrov";
    create.draft.request_id = request_id;
    create.draft.requester = "petrov";
    create.draft.title = "Принтер не печатает";
    Command command;
    command.viewer = Person("petrov");
    command.method = "CreateTicket";
    command.request_id = request_id;
    command.action = create;
    const auto filed = ledger.Execute(std::move(command),
                                      std::chrono::steady_clock::now() + std::chrono::seconds(60));
    EXPECT_THAT(filed, IsOk());
    return filed->ticket.id;
  }

  // A ticket in each state, one of them moved to the second line, one rated.
  void FillTheDesk() {
    const desk::Viewer petrov = Person("petrov");
    const auto held = [&](const std::string& agent) {
      const std::string id = File(*ledger_);
      Must(id, Boss(), desk::AssignTicket{agent, "manual"});
      Must(id, Boss(), desk::StartTicket{});
      return id;
    };
    File(*ledger_);
    const std::string on_second_line = held("agent1");
    Must(on_second_line, Boss(), desk::ChangeLine{2, ""});
    Must(on_second_line, Boss(), desk::AssignTicket{"agent2", "manual"});
    const std::string waiting = held("agent3");
    Must(waiting, Boss(), desk::WaitTicket{"?"});
    const std::string resolved = held("agent0");
    Must(resolved, Boss(), desk::ResolveTicket{"!"});
    const std::string closed = held("agent1");
    Must(closed, Boss(), desk::ResolveTicket{"!"});
    Must(closed, petrov, desk::ConfirmTicket{});
    Must(closed, petrov, desk::RateTicket{5, ""});
    Must(File(*ledger_), petrov, desk::CancelTicket{""});
  }

  // What relay, consumers, analytics and router would have done by now.
  void Quiesce() {
    Sql("WITH gone AS (DELETE FROM ledger.outbox RETURNING *) "
        "INSERT INTO ledger.event_log (topic, part, pos, entity, version, type) "
        "SELECT g.topic, g.part, h.next_pos - 1 + row_number() OVER (PARTITION BY g.topic, g.part "
        "ORDER BY g.id), g.entity, g.version, g.type "
        "FROM gone g JOIN ledger.part_head h USING (topic, part);"
        "UPDATE ledger.part_head h SET next_pos = 1 + coalesce((SELECT max(pos) FROM "
        "ledger.event_log l WHERE l.topic = h.topic AND l.part = h.part), 0);"
        "UPDATE ledger.consumer_offset o SET pos = h.next_pos - 1 FROM ledger.part_head h "
        "WHERE h.topic = o.topic AND h.part = o.part;"
        "INSERT INTO analytics.ticket_fact SELECT (analytics.fact_of(t)).* FROM ledger.ticket t;"
        "INSERT INTO analytics.rollup_day SELECT * FROM analytics.rollup_recomputed;"
        "INSERT INTO router.queue_entry SELECT part, id, flow_id, 'NO_MEMBERS', now() "
        "FROM ledger.ticket WHERE state = 'QUEUED'");
  }

  // Ids of the invariants that are broken, each with its first example.
  std::vector<std::string> Broken(bool quiescent) {
    const absl::StatusOr<VerifyResult> result =
        Verify(database_.pool(), *reference_->Snapshot(), quiescent);
    EXPECT_THAT(result, IsOk());
    std::vector<std::string> broken;
    for (const InvariantResult& check : result->checks) {
      if (check.rows > 0) broken.push_back(absl::StrCat(check.id, " ", check.examples[0]));
    }
    EXPECT_EQ(result->clean, broken.empty());
    return broken;
  }

  static constexpr int kAgents = 5;

  testing::TestDatabase database_;
  FakeClock clock_{absl::FromUnixSeconds(1794819600)};  // 2026-11-16 09:00 UTC, a Monday.
  desk::SlaPolicy policy_;
  std::unique_ptr<Reference> reference_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(InvariantsTest, EveryCheckedInvariantHasAPlantedViolation) {
  std::set<std::string> planted, listed = {"F1", "I27"};
  for (const Plant& plant : kPlants) planted.insert(plant.invariant);
  for (const Invariant& invariant : Invariants()) {
    if (invariant.statement != nullptr) listed.insert(std::string(invariant.id));
  }
  EXPECT_EQ(planted, listed);
}

TEST_F(InvariantsTest, ADeskAtRestKeepsThemAll) {
  FillTheDesk();
  Quiesce();
  EXPECT_THAT(Broken(/*quiescent=*/true), IsEmpty());
}

// Each is planted in a transaction that is then rolled back, so that one desk serves all.
TEST_F(InvariantsTest, EveryPlantedViolationIsFound) {
  FillTheDesk();
  Quiesce();
  ASSERT_THAT(Broken(/*quiescent=*/true), IsEmpty());
  for (const Plant& plant : kPlants) {
    for (const Invariant& invariant : Invariants()) {
      if (invariant.id != plant.invariant || invariant.statement == nullptr) continue;
      size_t rows = 0;
      const absl::Status rolled_back =
          pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::Status {
            tx.Exec(plant.sql);
            rows = tx.Run(*invariant.statement).size();
            return absl::CancelledError();
          });
      EXPECT_TRUE(absl::IsCancelled(rolled_back)) << plant.what << ": " << rolled_back;
      EXPECT_GT(rows, 0u) << plant.invariant << ": " << plant.what;
    }
  }
  EXPECT_THAT(Broken(/*quiescent=*/true), IsEmpty());
}

// These two are not SQL: the verifier itself must see them.
TEST_F(InvariantsTest, TheVerifierFindsWhatSqlCannotSay) {
  FillTheDesk();
  for (const Plant& plant : kPlants) {
    if (absl::string_view(plant.invariant) != "F1" && absl::string_view(plant.invariant) != "I27") {
      continue;
    }
    Sql(plant.sql);
    EXPECT_THAT(Broken(/*quiescent=*/false),
                ::testing::Contains(::testing::StartsWith(absl::StrCat(plant.invariant, " "))))
        << plant.what;
  }
}

// A policy in force decides the steps of tickets that are already there. Whatever it drops may not
// outlive the ticket's work, and what it adds must be armed.
TEST_F(InvariantsTest, APolicyThatChangesLeavesNoTimerBehindAndForgetsNone) {
  const std::string resolved = File(*ledger_), breached = File(*ledger_);
  for (const std::string& id : {resolved, breached}) {
    Must(id, Boss(), desk::AssignTicket{"agent1", "manual"});
    Must(id, Boss(), desk::StartTicket{});
  }
  policy_.half_term_reminder = false;
  policy_.steps.clear();
  RepublishPolicy();
  Must(resolved, Boss(), desk::ResolveTicket{"!"});
  EXPECT_THAT(Broken(/*quiescent=*/false), IsEmpty());

  clock_.Advance(absl::Hours(24 * 7));
  Must(breached, desk::SystemViewer(), desk::FireTimer{desk::TimerKind::kBreach, 0});
  const auto escalation = [&] {
    return Sql(
        absl::StrCat("SELECT state FROM ledger.sla_timer WHERE kind = 'escalate' AND "
                     "ticket_id = '",
                     breached, "'"));
  };
  EXPECT_EQ(escalation(), "");
  policy_.steps = {{1, absl::Hours(1), desk::EscalationStep::kTellManager}};
  RepublishPolicy();
  Must(breached, Boss(), desk::AddComment{"?", false});
  EXPECT_EQ(escalation(), "armed");
}

// Entries of the log are dropped after 14 days; that is no loss.
TEST_F(InvariantsTest, EventsWhoseEntriesWereDroppedByAgeAreNotMissing) {
  FillTheDesk();
  Quiesce();
  Sql("TRUNCATE ledger.event_log; UPDATE ledger.clock_origin SET scale = 1, real_origin = "
      "clock_timestamp() - interval '15 days'");
  EXPECT_THAT(Broken(/*quiescent=*/false), IsEmpty());
}

// Any commands by anyone, from two replicas at once, with caps and policies that change meanwhile.
TEST_F(InvariantsTest, RandomLivesThroughTwoReplicasBreakNone) {
  Ledger other(database_.pool(), *reference_, clock_, LedgerOptions{}, [] {});
  std::vector<std::string> tickets;
  for (int i = 0; i < 40; ++i) tickets.push_back(File(*ledger_));
  std::atomic<int> accepted{0}, refused{0};
  std::mutex mu;
  std::map<std::string, int> unexpected;
  const auto live = [&](int seed) {
    std::mt19937 random(seed);
    for (int step = 0; step < 500; ++step) {
      if (random() % 4 == 0) clock_.Advance(absl::Minutes(random() % 120));
      const std::string ticket = tickets[random() % tickets.size()];
      const std::string agent = absl::StrCat("agent", random() % kAgents);
      const desk::Viewer viewers[] = {Boss(), Boss(), Person("petrov"), desk::SystemViewer()};
      desk::FireTimer fire{desk::TimerKind::kBreach, 0};
      desk::Viewer viewer = viewers[random() % 4];
      int choice = random() % 22;
      if (choice >= 17) {
        // What is armed, due or not: what is not must be refused.
        const auto armed = pg::InAutocommit(
            database_.pool(), {}, [&](pg::Tx& tx) -> absl::StatusOr<desk::FireTimer> {
              const auto rows = tx.RunText(
                  "SELECT kind, gen FROM ledger.sla_timer WHERE ticket_id = $1::uuid AND state = "
                  "'armed' ORDER BY due_at LIMIT 1",
                  {pg::ToParam(ticket)});
              if (rows.empty()) return fire;
              return desk::FireTimer{*desk::ParseTimerKind(rows[0][0].as<std::string>()),
                                     rows[0][1].as<int>()};
            });
        if (armed.ok()) fire = *armed;
        viewer = desk::SystemViewer();
        choice = 17;
      }
      const desk::Action actions[] = {
          desk::AssignTicket{agent, "manual"},
          desk::StartTicket{},
          desk::WaitTicket{"?"},
          desk::ResumeTicket{"!", random() % 3 == 0},
          desk::ResolveTicket{"r"},
          desk::ConfirmTicket{},
          desk::SendBackTicket{"no"},
          desk::RateTicket{static_cast<int>(1 + random() % 5), ""},
          random() % 16 == 0 ? desk::Action(desk::CancelTicket{"c"}) : desk::StartTicket{},
          desk::ReopenTicket{"o"},
          desk::DeclineTicket{"d"},
          desk::ReturnTicket{"t", random() % 2 == 0},
          desk::TransferTicket{agent, "x"},
          desk::ChangeLine{static_cast<int>(random() % 4), "l"},
          desk::AddComment{"w", random() % 2 == 0},
          desk::ExtendDeadline{clock_.Now() + absl::Hours(random() % 100), "e"},
          desk::ChangePriority{static_cast<int>(1 + random() % 4), "p"},
          fire};
      const auto outcome = Do(random() % 2 ? *ledger_ : other, ticket, viewer, actions[choice]);
      if (outcome.ok()) {
        ++accepted;
        continue;
      }
      ++refused;
      if (absl::IsInternal(outcome.status()) || absl::IsUnknown(outcome.status()) ||
          absl::IsAborted(outcome.status()) || absl::IsAlreadyExists(outcome.status())) {
        std::lock_guard<std::mutex> lock(mu);
        ++unexpected[absl::StrCat(outcome.status().ToString(), " ", choice)];
      }
    }
  };
  std::vector<std::thread> people;
  for (int i = 0; i < 4; ++i) people.emplace_back(live, 20261122 + i);
  std::mt19937 random(7);
  for (int i = 0; i < 40; ++i) {
    Sql(absl::StrCat("UPDATE ledger.agent_load SET cap = ", random() % 5,
                     " WHERE agent_id = 'agent", random() % kAgents, "' AND flow_id = 'it'"));
    if (i % 6 == 5) {
      policy_.half_term_reminder = !policy_.half_term_reminder;
      if (policy_.steps.empty()) {
        policy_.steps = {{1, absl::Hours(3), desk::EscalationStep::kNextLine}};
      } else {
        policy_.steps.clear();
      }
      RepublishPolicy();
    }
    absl::SleepFor(absl::Milliseconds(30));
  }
  for (std::thread& person : people) person.join();
  EXPECT_GT(accepted, 200);
  EXPECT_GT(refused, 100);
  EXPECT_THAT(unexpected, IsEmpty());
  EXPECT_THAT(Broken(/*quiescent=*/false), IsEmpty());
}

}  // namespace
}  // namespace potok::ledger
