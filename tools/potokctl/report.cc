// What people look at: boards, the ledger check, why a ticket is where it is, how fast and how
// late.
#include <chrono>
#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"

#include "commands.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

using google::protobuf::util::TimeUtil;

absl::Duration Span(const google::protobuf::Duration& duration) {
  return absl::Nanoseconds(TimeUtil::DurationToNanoseconds(duration));
}

// Local wall time of the people who read it; development stacks live in Moscow's zone.
std::string Wall(const google::protobuf::Timestamp& time) {
  static const absl::TimeZone zone = [] {
    absl::TimeZone loaded;
    return absl::LoadTimeZone("Europe/Moscow", &loaded) ? loaded : absl::UTCTimeZone();
  }();
  return absl::FormatTime("%a %d.%m %H:%M",
                          absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time)), zone);
}

// Says what went wrong; false, for `return Fail(...)`.
bool Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return false;
}

const char* Light(analytics::v1::Board::Health health) {
  switch (health) {
    case analytics::v1::Board::HEALTH_GREEN: return "GREEN";
    case analytics::v1::Board::HEALTH_YELLOW: return "YELLOW";
    case analytics::v1::Board::HEALTH_RED: return "RED";
    default: return "?";
  }
}

std::string Percent(const analytics::v1::Share& share) {
  return share.case_count() == 0
             ? "-"
             : absl::StrFormat("%.0f %% (n=%d)", share.percent(), share.case_count());
}

std::string Rating(const analytics::v1::Mean& mean) {
  return mean.case_count() == 0 ? "-"
                                : absl::StrFormat("%.1f (n=%d)", mean.value(), mean.case_count());
}

void PrintBoard(const analytics::v1::Board& board) {
  const std::string name =
      board.display_name().ru().empty() ? board.display_name().en() : board.display_name().ru();
  Heading(absl::StrCat(name, "   ", Light(board.health())));
  for (const auto& reason : board.health_reasons()) {
    Say(absl::StrCat("  ", reason.ru().empty() ? reason.en() : reason.ru()));
  }
  const auto& funnel = board.funnel();
  const std::pair<const char*, int64_t> stages[] = {
      {"в очереди", funnel.queued_count()},     {"назначены", funnel.assigned_count()},
      {"в работе", funnel.in_progress_count()}, {"ждут автора", funnel.waiting_count()},
      {"на проверке", funnel.resolved_count()}, {"закрыты", funnel.closed_count()},
      {"отменены", funnel.cancelled_count()}};
  int64_t largest = 1;
  for (const auto& stage : stages) largest = std::max(largest, stage.second);
  for (const auto& [stage, count] : stages) {
    Say(absl::StrCat("  ", Fit(stage, 12), absl::StrFormat("%6d  ", count),
                     Bar(static_cast<double>(count), static_cast<double>(largest), 40)));
  }
  std::string facts =
      absl::StrCat("  в срок ", Percent(board.on_time_share()), "   оценка ",
                   Rating(board.rating()), "   возвратов ", board.sent_back_count());
  if (board.has_resolution_p50()) {
    absl::StrAppend(&facts, "   решение p50 ", Short(Span(board.resolution_p50())), ", p90 ",
                    Short(Span(board.resolution_p90())));
  }
  if (board.has_oldest_wait() && funnel.queued_count() > 0) {
    absl::StrAppend(&facts, "   старшая в очереди ждёт ", Short(Span(board.oldest_wait())));
  }
  Say(facts);
}

void PrintDecision(const router::v1::Decision& decision) {
  Say(absl::StrCat(
      "  ", Wall(decision.decide_time()), "  ",
      decision.summary().ru().empty() ? decision.summary().en() : decision.summary().ru()));
  for (const auto& candidate : decision.candidates()) {
    Say(absl::StrCat("      ", candidate.chosen() ? "* " : "  ",
                     Fit(absl::StripPrefix(candidate.agent(), "employees/"), 16), " активных ",
                     candidate.active_count(), " из ", candidate.max_active(), ", в очереди ",
                     candidate.ring_position()));
  }
  for (const auto& exclusion : decision.exclusions()) {
    Say(absl::StrCat(
        "      - ", Fit(absl::StripPrefix(exclusion.agent(), "employees/"), 16), " ",
        exclusion.details().ru().empty() ? exclusion.details().en() : exclusion.details().ru()));
  }
}

}  // namespace

std::unique_ptr<Connection> OpenOrSay(const Where& where) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(where);
  if (connection.ok()) return *std::move(connection);
  Fail(connection.status());
  return nullptr;
}

bool PrintBoards(Connection& connection, const std::string& flow) {
  if (!flow.empty()) {
    analytics::v1::GetBoardRequest request;
    request.set_name(absl::StrCat("flows/", flow, "/board"));
    const auto board = connection.Call(
        *connection.analytics, &analytics::v1::AnalyticsService::Stub::GetBoard, request, As{});
    if (!board.ok()) return Fail(board.status());
    PrintBoard(*board);
    return true;
  }
  analytics::v1::ListBoardsRequest request;
  request.set_page_size(1000);
  const auto boards = connection.Call(
      *connection.analytics, &analytics::v1::AnalyticsService::Stub::ListBoards, request, As{});
  if (!boards.ok()) return Fail(boards.status());
  if (boards->boards_size() > 12) {
    // A wall of funnels helps nobody: many flows are a table.
    Table table({"flow", "health", "open", "done", "on time", "rating", "sent back"}, {2, 3, 6});
    for (const auto& board : boards->boards()) {
      const auto& f = board.funnel();
      table.Row({Fit(board.display_name().ru(), 28), Light(board.health()),
                 absl::StrCat(f.queued_count() + f.assigned_count() + f.in_progress_count() +
                              f.waiting_count() + f.resolved_count()),
                 absl::StrCat(f.closed_count()), Percent(board.on_time_share()),
                 Rating(board.rating()), absl::StrCat(board.sent_back_count())});
    }
    Say(table.Text());
    return true;
  }
  for (const auto& board : boards->boards()) PrintBoard(board);
  return true;
}

// A million tickets are looked at in a minute or so; a server lets no call take more than 120 s.
constexpr absl::Duration kVerifyPatience = absl::Seconds(119);

bool PrintVerify(Connection& connection, bool quiescent, absl::Duration wait) {
  admin::v1::VerifyLedgerRequest request;
  request.set_quiescent(quiescent);
  absl::StatusOr<admin::v1::VerifyLedgerResponse> answer;
  // Consumers may be a moment behind the last commit: what must hold after a drain is asked again.
  const auto give_up = std::chrono::steady_clock::now() +
                       absl::ToChronoNanoseconds(quiescent ? wait : absl::ZeroDuration());
  do {
    answer = connection.Call(*connection.admin, &admin::v1::AdminService::Stub::VerifyLedger,
                             request, As{}, kVerifyPatience);
    if (!answer.ok()) return Fail(answer.status());
    if (answer->clean()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  } while (std::chrono::steady_clock::now() < give_up);
  Table table({"", "invariant", "rows", "time"}, {2, 3});
  for (const auto& check : answer->checks()) {
    const bool skipped = check.outcome() == admin::v1::InvariantCheck::OUTCOME_SKIPPED;
    table.Row({check.id(), check.title().en(), skipped ? "-" : absl::StrCat(check.row_count()),
               skipped ? "" : Short(Span(check.elapsed()))});
  }
  Say(table.Text());
  for (const auto& check : answer->checks()) {
    if (check.outcome() == admin::v1::InvariantCheck::OUTCOME_SKIPPED) {
      Say(absl::StrCat("  ", check.id(), " not checked here: ", check.skip_reason()));
    }
    for (const std::string& example : check.examples())
      Say(absl::StrCat("  ", check.id(), "  ", example));
  }
  if (answer->clean()) {
    Say(absl::StrCat("every request accounted for: ", answer->ticket_count(), " tickets, ",
                     answer->event_count(), " events, each invariant 0 rows"));
  } else {
    Say("NOT every request is accounted for: see the rows above");
  }
  return answer->clean();
}

void PrintLatencies(Connection& connection) {
  Heading("Calls");
  Table table({"method", "calls", "failed", "p50", "p99", "max"}, {1, 2, 3, 4, 5});
  for (const auto& row : connection.latencies().Rows()) {
    table.Row({row.method.empty() ? "all" : row.method, absl::StrCat(row.calls),
               absl::StrCat(row.failed), Short(row.p50), Short(row.p99), Short(row.max)});
  }
  Say(table.Text());
}

void PrintLateness(Connection& connection) {
  const auto stats =
      connection.Call(*connection.clocks, &sla_timer::v1::SlaTimerService::Stub::GetTimerStats,
                      sla_timer::v1::GetTimerStatsRequest(), As{});
  if (!stats.ok()) {
    Fail(stats.status());
    return;
  }
  int64_t fired = 0;
  for (const auto& kind : stats->kinds()) fired += kind.fired_count();
  Heading("Timers");
  Say(absl::StrCat("  fired ", fired, ", early ", stats->early_count(), "; late by p50 ",
                   Short(Span(stats->lateness_p50())), ", p99 ", Short(Span(stats->lateness_p99())),
                   ", at most ", Short(Span(stats->lateness_max())), " (real time)"));
}

bool PrintExplain(Connection& connection, const std::string& ticket) {
  std::string name = std::string(absl::StripPrefix(ticket, "tickets/"));
  if (name.find('-') == name.rfind('-')) {
    // A number such as HR-000001: find its id.
    intake::v1::ListTicketsRequest find;
    find.set_filter(absl::StrCat("number = \"", name, "\""));
    find.set_page_size(1);
    const auto found = connection.Call(*connection.intake,
                                       &intake::v1::IntakeService::Stub::ListTickets, find, As{});
    if (!found.ok()) return Fail(found.status());
    if (found->tickets_size() == 0) return Fail(absl::NotFoundError("no ticket " + name));
    name = found->tickets(0).uid();
  }
  router::v1::ExplainAssignmentRequest explain;
  explain.set_name(absl::StrCat("tickets/", name));
  const auto why = connection.Call(
      *connection.router, &router::v1::RouterService::Stub::ExplainAssignment, explain, As{});
  if (!why.ok()) return Fail(why.status());
  Heading(absl::StrCat(why->placement().number(), ": who and why"));
  if (why->decisions().empty()) Say("  nobody was chosen yet");
  for (const auto& decision : why->decisions()) PrintDecision(decision);

  sla_timer::v1::GetClockRequest clock_request;
  clock_request.set_name(absl::StrCat("tickets/", name, "/clock"));
  const auto clock = connection.Call(
      *connection.clocks, &sla_timer::v1::SlaTimerService::Stub::GetClock, clock_request, As{});
  if (!clock.ok()) return Fail(clock.status());
  Heading("the promise");
  Say(absl::StrCat("  term ", Short(Span(clock->term())), " of working time, used ",
                   Short(Span(clock->consumed())), ", left ", Short(Span(clock->remaining())),
                   clock->has_due_time() ? ", due " + Wall(clock->due_time()) : ""));
  for (const auto& span : clock->spans()) {
    Say(absl::StrCat(
        "    ", Wall(span.start_time()), " - ", Wall(span.end_time()),
        span.counted() ? "  + " : "    ",
        span.display_name().ru().empty() ? span.display_name().en() : span.display_name().ru()));
  }
  return true;
}

void AddBoard(CLI::App& app, Where& where, Run& run) {
  CLI::App* sub =
      app.add_subcommand("board", "the board of a flow: funnel, waits, on time, rating, health");
  auto flow = std::make_shared<std::string>();
  sub->add_option("flow", *flow, "flow id, such as hr; all flows without it");
  sub->callback([&where, &run, flow] {
    run = [&where, flow] {
      const auto connection = OpenOrSay(where);
      return connection != nullptr && PrintBoards(*connection, *flow) ? 0 : 1;
    };
  });
}

void AddVerify(CLI::App& app, Where& where, Run& run) {
  CLI::App* sub = app.add_subcommand(
      "verify",
      "checks every invariant of the ledger in one snapshot; exit status 1 when one is broken");
  auto always = std::make_shared<bool>(false);
  sub->add_flag("--always", *always,
                "only those that hold at every moment, not those of a drained system");
  auto wait = std::make_shared<int>(30);
  sub->add_option("--wait", *wait,
                  "seconds in which queued work may still end before what holds after it is judged")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  sub->callback([&where, &run, always, wait] {
    run = [&where, always, wait] {
      const auto connection = OpenOrSay(where);
      return connection != nullptr && PrintVerify(*connection, !*always, absl::Seconds(*wait)) ? 0
                                                                                               : 1;
    };
  });
}

void AddExplain(CLI::App& app, Where& where, Run& run) {
  CLI::App* sub = app.add_subcommand(
      "explain", "why a ticket is with this person, and how its promise was counted");
  auto ticket = std::make_shared<std::string>();
  sub->add_option("ticket", *ticket, "number (HR-000001) or name (tickets/UUID)")->required();
  sub->callback([&where, &run, ticket] {
    run = [&where, ticket] {
      const auto connection = OpenOrSay(where);
      return connection != nullptr && PrintExplain(*connection, *ticket) ? 0 : 1;
    };
  });
}

}  // namespace potok::ctl
