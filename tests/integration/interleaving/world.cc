#include "integration/interleaving/world.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <pqxx/except>
#include <utility>

#include "absl/strings/str_cat.h"

#include "desk/access/permissions.h"
#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"
#include "intake/domain/admission.h"
#include "intake/domain/ticket_feed.h"
#include "intake/rpc/intake_rpc.h"
#include "intake/store/list_tickets.h"
#include "intake/store/ticket_reads.h"
#include "ledger/definition_codec.h"
#include "ledger/reference_write.h"
#include "platform/rpc/server.h"
#include "platform/rpc/worker_pool.h"
#include "platform/testing/signal.h"
#include "router/domain/flow_bell.h"
#include "router/work/router_metrics.h"
#include "sla-timer/store/definitions.h"
#include "sla-timer/store/timer_reads.h"

namespace potok::interleaving {
namespace {

[[noreturn]] void Die(const std::string& what, const absl::Status& status) {
  std::fprintf(stderr, "the interleaving world cannot go on: %s: %s %s\n", what.c_str(),
               status.ToString().c_str(), pg::Cause(status).c_str());
  std::exit(3);
}

template <class T>
T OrDie(absl::StatusOr<T> value, const std::string& what) {
  if (!value.ok()) Die(what, value.status());
  return *std::move(value);
}

// Nobody watches a ticket here, and no loop waits for a wake.
class NoFeed final : public intake::TicketFeed {
  void Follow(const std::string&, int64_t, std::shared_ptr<intake::TicketFollower>) override {}
};
class NoBell final : public router::FlowBell {
  void Wake(const std::string&) override {}
  void SweepSoon() override {}
};

pg::PoolOptions PoolOf(World& world, const std::string& replica, const char* role, Gate& gate) {
  pg::PoolOptions options;
  options.dsn = world.Dsn(replica, role);
  options.size = 4;
  options.application_name = replica;
  options.before_statement = gate.Hook();
  return options;
}

constexpr char kTimerToken[] = "11111111-2222-4333-8444-555555555555";

}  // namespace

std::string FreshId() {
  static std::atomic<uint64_t> next{1};
  return desk::MakeTicketId(absl::FromUnixSeconds(1), 0, next++);
}

// Members are destroyed in reverse: the server first, then what serves its calls, pools last.
struct Replica::Parts {
  Parts(World& world, const std::string& name, Gate& gate)
      : intake_pool(PoolOf(world, name, "potok_intake", gate)),
        router_pool(PoolOf(world, name, "potok_router", gate)),
        timer_pool(PoolOf(world, name, "potok_sla_timer", gate)),
        intake_ledger(intake_pool, world.stale_reference(), world.clock(), {.executors = 1}, [] {}),
        router_ledger(router_pool, world.stale_reference(), world.clock(), {.executors = 1}, [] {}),
        router_metrics(metrics),
        reads(intake_pool),
        lists(intake_pool),
        tokens(*rpc::PageTokens::Create("")),
        workers({.threads = 2}, metrics),
        front(
            {.access_lines_per_second = 0}, authenticator,
            [](const Caller& caller, absl::string_view permission) {
              return desk::Allowed(caller.roles, permission);
            },
            workers),
        intake_rpc({front, intake_ledger, admission, world.stale_reference(), reads, lists, feed,
                    tokens, world.clock()}),
        pass(router_pool, world.stale_reference(), world.clock(), router_metrics, [] {}),
        rehome(router_pool, world.stale_reference(), world.clock(), router_metrics, [] {}),
        team(router_pool, world.fresh_reference(), tokens, world.clock(), bell),
        moves(router::MoveParts{router_pool, router_ledger, world.stale_reference(), world.clock(),
                                bell, metrics, [] {}}),
        self_pick(router::MoveParts{router_pool, router_ledger, world.fresh_reference(),
                                    world.clock(), bell, metrics, [] {}}),
        firing(timer_pool, world.stale_reference()),
        server({.listen = {"127.0.0.1:0"}}, front, metrics) {
    server.Add<intake::v1::IntakeService>(&intake_rpc);
    if (const absl::Status started = server.Start(); !started.ok()) Die(name, started);
    stub = intake::v1::IntakeService::NewStub(
        grpc::CreateChannel(server.addresses()[0], grpc::InsecureChannelCredentials()));
  }
  ~Parts() { server.Shutdown(std::chrono::milliseconds(0)); }

  obs::Metrics metrics;
  NoFeed feed;
  NoBell bell;
  pg::Pool intake_pool, router_pool, timer_pool;
  ledger::Ledger intake_ledger, router_ledger;
  router::RouterMetrics router_metrics;
  const intake::TicketReads reads;
  const intake::TicketLists lists;
  const rpc::PageTokens tokens;
  const rpc::DevAuthenticator authenticator;
  rpc::WorkerPool workers;
  rpc::Front front;
  intake::Admission admission{intake::AdmissionLimits{}};
  intake::IntakeRpc intake_rpc;
  router::Pass pass;
  router::Rehome rehome;
  router::Team team;
  router::Moves moves, self_pick;
  sla_timer::TimerFiring firing;
  rpc::Server server;
  std::unique_ptr<intake::v1::IntakeService::Stub> stub;
};

Replica::Replica(World& world, const std::string& name)
    : world_(world), name_(name), parts_(std::make_unique<Parts>(world, name, gate_)) {}
Replica::~Replica() = default;

intake::v1::IntakeService::Stub& Replica::intake() { return *parts_->stub; }
router::Pass& Replica::pass() { return parts_->pass; }
router::Rehome& Replica::rehome() { return parts_->rehome; }
router::Team& Replica::team() { return parts_->team; }
router::Moves& Replica::moves() { return parts_->moves; }
router::Moves& Replica::moves_with_self_pick() { return parts_->self_pick; }
sla_timer::TimerFiring& Replica::firing() { return parts_->firing; }

void Replica::Reconnect() {
  for (pg::Pool* pool : {&parts_->intake_pool, &parts_->router_pool, &parts_->timer_pool}) {
    // A connection found dead at BEGIN is replaced, and so are all that lie idle.
    const absl::Status alive =
        pg::InTransaction(*pool, {}, [](pg::Tx&) -> absl::Status { return absl::OkStatus(); });
    if (!alive.ok()) Die("reconnecting", alive);
  }
}

World::World(int cases, bool through_a_link) : flows_(cases) {
  if (through_a_link) {
    const std::string dsn = database_.dsn();
    const size_t host = dsn.find("host=") + 5;
    hub_ = std::make_unique<chaos::LinkHub>();
    link_ = &hub_->Add(
        "postgres",
        absl::StrCat("unix:", dsn.substr(host, dsn.find(' ', host) - host), "/.s.PGSQL.5432"));
  }
  desk::SlaPolicy policy;
  policy.id = "hourly";
  policy.calendar_id = "always";
  policy.fallback.resolution = desk::Target{desk::Target::kWorkingHours, 1};
  policy.fallback.first_response = desk::Target{desk::Target::kWorkingMinutes, 30};
  policy.steps = {{1, absl::Hours(1), desk::EscalationStep::kTellManager}};
  desk::Flow flow;
  flow.name_ru = "Поток";
  flow.sla_policy = "hourly";
  flow.admins = {"boss"};
  flow.options.max_active = 1;
  const std::string by_turn = ledger::ToJson(flow);
  flow.mode = desk::DistributionMode::kSelfPick;
  const std::string by_self_pick = ledger::ToJson(flow);
  own_pool_ = std::make_unique<pg::Pool>(
      pg::PoolOptions{.dsn = database_.dsn(), .size = 8, .application_name = "test"});
  const absl::Status founded = pg::InTransaction(*own_pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    sla_timer::Publish(tx, desk::AroundTheClock("always", "Europe/Moscow"), "test", clock_.Now());
    sla_timer::Publish(tx, policy, "test", clock_.Now());
    const std::string n = absl::StrCat("generate_series(1, ", cases, ") AS n");
    const auto letters = "translate(to_char(n, 'FM0000'), '0123456789', 'ABCDEFGHIJ')";
    tx.Exec(absl::StrCat("INSERT INTO ledger.clock_origin VALUES (true, clock_timestamp(), '",
                         pg::ToTimestamp(clock_.Now()), "', 1e-6)"));
    tx.Exec(absl::StrCat(
        "INSERT INTO intake.flow (id, version, prefix, created_at) SELECT 'flow-' || n, 1, ",
        letters, ", now() FROM ", n));
    tx.RunText(absl::StrCat("INSERT INTO intake.flow_version (flow_id, version, definition, "
                            "published_by, published_at) SELECT 'flow-' || n, 1, $1::jsonb || "
                            "jsonb_build_object('prefix', ",
                            letters, "), 'test', now() FROM ", n),
               {pg::ToParam(by_turn)});
    tx.Exec(
        "INSERT INTO intake.employee (id, name, updated_at) VALUES ('petrov', 'Petrov', "
        "now()), ('boss', 'Boss', now())");
    for (const char* who : {"anna", "boris"}) {
      const std::string id = absl::StrCat("'", who, "-' || n");
      tx.Exec(absl::StrCat("INSERT INTO intake.employee (id, name, updated_at) SELECT ", id,
                           ", 'Agent', now() FROM ", n));
      tx.Exec(absl::StrCat("INSERT INTO router.member (flow_id, employee) SELECT 'flow-' || n, ",
                           id, " FROM ", n));
      tx.Exec(
          absl::StrCat("INSERT INTO ledger.agent_load (agent_id, flow_id, active, cap) "
                       "SELECT ",
                       id, ", 'flow-' || n, 0, 1 FROM ", n));
      tx.Exec(
          absl::StrCat("INSERT INTO router.presence (employee, status, updated_at, "
                       "updated_by) SELECT ",
                       id, ", 'online', now(), 'test' FROM ", n));
    }
    // A timer loop that owns all parts; both replicas believe that it is theirs.
    tx.Exec(absl::StrCat(
        "INSERT INTO ledger.lease (name, owner, epoch, token, acquired_at, expires_at) SELECT "
        "'sla:' || p, 'loop', 1, '",
        kTimerToken, "', now(), 'infinity' FROM generate_series(0, 15) p"));
    tx.Exec(
        "INSERT INTO ledger.lease_log (name, epoch, owner, token, acquired_at) SELECT "
        "name, epoch, owner, token, acquired_at FROM ledger.lease WHERE epoch = 1");
    return absl::OkStatus();
  });
  if (!founded.ok()) Die("founding", founded);
  for (int part = 0; part < desk::kParts; ++part) leases_.push_back({part, kTimerToken});

  pg::PoolOptions stale;
  stale.dsn = database_.dsn();
  stale.size = 1;
  stale.before_statement = [this](const char*) {
    if (cut_) throw pqxx::broken_connection("the reference data stays as it was");
  };
  stale_pool_ = std::make_unique<pg::Pool>(stale);
  stale_ = OrDie(ledger::Reference::Start(*stale_pool_), "reference data");
  cut_ = true;
  const absl::Status published = pg::InTransaction(*own_pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    tx.RunText(
        "INSERT INTO intake.flow_version (flow_id, version, definition, published_by, "
        "published_at) SELECT flow_id, 2, $1::jsonb || jsonb_build_object('prefix', "
        "definition->'prefix'), 'test', now() FROM intake.flow_version",
        {pg::ToParam(by_self_pick)});
    tx.Exec("UPDATE intake.flow SET version = 2");
    ledger::BumpEpoch(tx, ledger::kFlowKind);
    return absl::OkStatus();
  });
  if (!published.ok()) Die("publishing", published);
  fresh_ = OrDie(ledger::Reference::Start(*own_pool_), "reference data");
  ledger_ =
      std::make_unique<ledger::Ledger>(*own_pool_, *stale_, clock_, ledger::LedgerOptions{}, [] {});
  a_ = std::make_unique<Replica>(*this, "replica-a");
  b_ = std::make_unique<Replica>(*this, "replica-b");
}

World::~World() = default;

void World::SetTime(absl::Time now) {
  clock_.SetTime(now);
  Query(
      absl::StrCat("UPDATE ledger.clock_origin SET real_origin = clock_timestamp(), "
                   "business_origin = '",
                   pg::ToTimestamp(now), "'"));
}

desk::Ticket World::Must(desk::Command command) {
  command.method = "Prepare";
  command.request_id = command.request_id.empty() ? FreshId() : command.request_id;
  return OrDie(ledger_->Execute(std::move(command),
                                std::chrono::steady_clock::now() + std::chrono::seconds(20)),
               "preparing a ticket")
      .ticket;
}

desk::Ticket World::Act(const Case& each, const std::string& who, desk::Action action) {
  desk::Command command;
  command.ticket_id = each.ticket;
  command.viewer.principal = absl::StrCat("users/", who);
  command.viewer.employee = who;
  if (who == "boss") command.viewer.flows_administered = {each.flow};
  command.action = std::move(action);
  return Must(std::move(command));
}

Case World::Prepare(Needs needs) {
  Case made = NewFlow();
  if (needs != Needs::kNothing) AddTicket(made, needs, made.anna);
  return made;
}

Case World::NewFlow() {
  if (++used_ > flows_) Die("preparing a case", absl::OutOfRangeError("all flows are used up"));
  Case made;
  made.flow = absl::StrCat("flow-", used_);
  made.anna = absl::StrCat("anna-", used_);
  made.boris = absl::StrCat("boris-", used_);
  SetTime(clock_.Now() + absl::Seconds(1));
  return made;
}

void World::AddTicket(Case& made, Needs needs, const std::string& holder) {
  desk::Command filing;
  filing.viewer.principal = "users/petrov";
  filing.viewer.employee = "petrov";
  filing.request_id = FreshId();
  desk::CreateTicket create;
  create.draft.part = desk::PartOf("users/petrov", filing.request_id);
  create.draft.id = desk::MakeTicketId(clock_.Now(), create.draft.part, ++filed_);
  create.draft.flow_id = made.flow;
  create.draft.caller = "users/petrov";
  create.draft.request_id = filing.request_id;
  create.draft.requester = "petrov";
  create.draft.title = "Принтер не печатает";
  filing.action = create;
  desk::Ticket ticket = Must(std::move(filing));
  made.ticket = ticket.id;
  // What is filed from now on stands behind it in the queue, whatever its id.
  SetTime(clock_.Now() + absl::Milliseconds(1));
  if (needs != Needs::kQueued) {
    ticket = Act(made, "boss", desk::AssignTicket{holder, "manual"});
    if (needs != Needs::kAssigned) ticket = Act(made, holder, desk::StartTicket{});
    if (needs == Needs::kWaiting) ticket = Act(made, holder, desk::WaitTicket{"?"});
    if (needs == Needs::kResolved || needs == Needs::kClosed || needs == Needs::kAutoCloseDue) {
      ticket = Act(made, holder, desk::ResolveTicket{"!"});
    }
    if (needs == Needs::kClosed) ticket = Act(made, "petrov", desk::ConfirmTicket{});
  }
  made.version = ticket.version;
  if (needs == Needs::kHalfDue) SetTime(*ticket.sla.half_at);
  if (needs == Needs::kBreachDue) SetTime(*ticket.sla.due_at);
  if (needs == Needs::kAutoCloseDue) SetTime(*ticket.autoclose_at);
  for (const desk::TimerKind kind : desk::kAllTimerKinds) {
    // What it never wanted, it does not want now either.
    made.timers[kind] = {ticket.part, {ticket.id, kind}, 0, clock_.Now()};
  }
  for (const sla_timer::DueTimer& timer :
       OrDie(sla_timer::TimerReads(*own_pool_)
                 .Due({ticket.part},
                      {.fresh_since = clock_.Now(), .until = clock_.Now() + absl::Hours(24 * 30)}),
             "reading timers")
           .timers) {
    if (timer.key.ticket_id == ticket.id) made.timers[timer.key.kind] = timer;
  }
}

bool World::Blocked(const Replica& replica) {
  return Query(absl::StrCat("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                            "current_database() AND application_name = '",
                            replica.name(), "' AND wait_event_type = 'Lock'")) != "0";
}

void World::KillConnections(const Replica& replica) {
  // The timeout makes the call wait until each backend is gone.
  Query(
      absl::StrCat("SELECT bool_and(pg_terminate_backend(pid, 20000)) FROM pg_stat_activity "
                   "WHERE datname = current_database() AND application_name = '",
                   replica.name(), "'"));
}

std::string World::Dsn(const std::string& replica, const std::string& role) {
  const std::string dsn = database_.dsn(role);
  if (link_ == nullptr || replica != "replica-a") return dsn;
  // The later value wins in libpq.
  return absl::StrCat(dsn, " host=127.0.0.1 port=", link_->port());
}

void World::HoldAnswers() {
  answered_ = link_->counts().bytes_down;
  link_->Set({.hold_down = true});
}

void World::LoseAnswers(const Replica& replica) {
  const std::string busy = absl::StrCat(
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
      "application_name = '",
      replica.name(), "' AND state <> 'idle'");
  // That nobody is busy may also mean that the statement has not come yet: of one without a
  // transaction around it only an answer that is held tells.
  const auto answered = [&] {
    return link_->counts().bytes_down > answered_ && Query(busy) == "0";
  };
  if (!testing::Eventually(answered)) {
    Die("losing an answer", absl::DeadlineExceededError("the statement never ended"));
  }
  link_->Cut();
  link_->Heal();
}

std::string World::Broken() {
  const ledger::VerifyResult result =
      OrDie(ledger::Verify(*own_pool_, *fresh_->Snapshot(), /*quiescent=*/false), "verify");
  std::string broken;
  for (const ledger::InvariantResult& check : result.checks) {
    if (check.rows > 0) {
      absl::StrAppend(&broken, check.id, " ", check.title_en, ": ", check.examples[0], "\n");
    }
  }
  return broken;
}

}  // namespace potok::interleaving
