#include "story.h"

#include <atomic>
#include <cmath>
#include <functional>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "background.h"
#include "base/status_macros.h"
#include "company.h"
#include "stage.h"
#include "story_clock.h"
#include "story_report.h"
#include "tale.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

// The clock starts some hours before the first told minute, so that the stack and the company are
// ready by then.
constexpr absl::CivilMinute kOrigin(2026, 11, 16, 4, 30);
constexpr absl::CivilMinute kFirstTold(2026, 11, 16, 9, 5);
// Played days: the last one ends when work does.
constexpr int kDays = 3;
constexpr char kEnd[] = "18:20";
constexpr double kUsualSeconds = 62;
// Faster than this and a call takes longer than what people do between two calls.
constexpr double kShortestSeconds = 25;

using Teller = absl::Status (*)(Stage&, Background&);
struct Told {
  const char* what;
  Teller teller;
};
constexpr Told kTold[] = {{"справка 2-НДФЛ", TellCertificate},
                          {"срочная заявка", TellUrgent},
                          {"истёкший срок", TellOverdue},
                          {"ночная заявка", TellNight},
                          {"отказ исполнителя", TellDeclined}};

// The first working day whose first told minute is not over yet; a slow set-up moves the story by a
// day.
absl::CivilDay FirstDay(absl::Time now) {
  const absl::CivilMinute latest = absl::ToCivilMinute(now - absl::Minutes(25), Moscow());
  absl::CivilDay day(latest);
  if (latest.hour() * 60 + latest.minute() > kFirstTold.hour() * 60 + kFirstTold.minute()) ++day;
  while (absl::GetWeekday(day) == absl::Weekday::saturday ||
         absl::GetWeekday(day) == absl::Weekday::sunday)
    ++day;
  return day;
}

// The same story twice in one database would be the same requests, already done.
absl::Status RefuseTwice(Connection& connection) {
  intake::v1::ListTicketsRequest request;
  request.set_page_size(1);
  const auto found = connection.Call(*connection.intake,
                                     &intake::v1::IntakeService::Stub::ListTickets, request, As{});
  if (!found.ok() || found->tickets().empty()) return found.status();
  return absl::FailedPreconditionError(
      "this database has requests already; the story needs a fresh one: tools/dev demo makes it");
}

absl::StatusOr<StoryClock> Prepare(Connection& connection) {
  POTOK_RETURN_IF_ERROR(RefuseTwice(connection));
  Say("  компания: отделы, сотрудники, календарь, сроки, пять потоков из готовых шаблонов, десять "
      "исполнителей...");
  const absl::Time begin = absl::Now();
  const absl::Status set_up = SetUpCompany(connection);
  if (absl::IsAlreadyExists(set_up)) {
    return absl::FailedPreconditionError(absl::StrCat(
        set_up.message(), "\nthe story needs a fresh database: tools/dev demo makes one"));
  }
  if (!set_up.ok()) return set_up;
  for (const DeskPlan& desk : Desks()) {
    Say(absl::StrCat("  ", Fit(desk.name, 26), Fit(HowRu(desk.mode), 22), desk.members.size(),
                     " исп., руководитель ", NameOf(desk.manager)));
  }
  Say(absl::StrCat("  готово за ", Short(absl::Now() - begin)));
  return StoryClock::Ask(connection, Desks().front().flow);
}

// The running clock with what has come and gone so far, for a terminal.
void ShowClock(Stage& stage, const Background& background) {
  const Background::Tally tally = background.Counts();
  stage.narrator.Live(absl::StrCat(Stamp(stage.clock.Now()), "   подано ", tally.filed, ", решено ",
                                   tally.resolved));
}

void TellDay(Stage& stage, const Background& background, int day, const std::atomic<bool>& stop) {
  const auto wait = [&](absl::Time until) {
    while (!stop && stage.clock.Now() < until) {
      ShowClock(stage, background);
      stage.clock.Until(std::min(until, stage.clock.Now() + absl::Minutes(10)), &stop);
    }
  };
  wait(stage.At(day, "08:40"));
  stage.narrator.Chapter(DayRu(stage.Day(day)));
  wait(stage.At(day, "18:05"));
  if (!stop) TellEvening(stage);
}

// Each told request in its own thread; returns when all are told.
void TellAll(Stage& stage, Background& background) {
  std::vector<std::thread> tellers;
  for (const Told& told : kTold) {
    tellers.emplace_back([&stage, &background, &told] {
      const absl::Status status = told.teller(stage, background);
      if (status.ok()) return;
      stage.checks.Missed(absl::StrCat(told.what, ": ", status.message()));
      stage.narrator.Tell(stage.clock.Now(), "",
                          absl::StrCat(told.what, " прервалась: ", status.message()));
    });
  }
  for (std::thread& teller : tellers) teller.join();
}

void Play(Stage& stage) {
  Background background(stage);
  for (const std::string& agent : LateAccountants()) background.KeepOut(agent);
  background.Begin();
  std::atomic<bool> stop{false};
  std::thread days([&] {
    for (int day = 0; day < kDays; ++day) TellDay(stage, background, day, stop);
  });
  TellAll(stage, background);
  days.join();
  stage.clock.Until(stage.At(kDays - 1, kEnd));
  const Background::Tally tally = background.Counts();
  if (background.AllFiled()) {
    stage.checks.Seen(Shown::kBackground,
                      absl::StrCat("подано ", tally.filed, ", решено ", tally.resolved));
  }
  background.End();
}

}  // namespace

StoryPlan PlanStory(double seconds) {
  const double wanted = std::max(seconds > 0 ? seconds : kUsualSeconds, kShortestSeconds);
  StoryPlan plan;
  plan.time_origin = absl::FromCivil(kOrigin, Moscow());
  const absl::Time end = absl::FromCivil(
      absl::CivilMinute(kOrigin.year(), kOrigin.month(), kOrigin.day() + kDays - 1, 18, 30),
      Moscow());
  // Whole minutes of the company's time a real second are easier to think in.
  plan.time_scale = std::ceil(absl::ToDoubleMinutes(end - plan.time_origin) / wanted) * 60;
  return plan;
}

int RunStory(Connection& connection, const std::string& stack) {
  Narrator narrator;
  Checks checks;
  const absl::StatusOr<StoryClock> clock = Prepare(connection);
  if (!clock.ok()) {
    std::fprintf(stderr, "%s\n", std::string(clock.status().message()).c_str());
    return 1;
  }
  Stage stage{connection, *clock, narrator, checks, FirstDay(clock->Now())};
  Say(absl::StrFormat("  одна секунда - %.0f минут компании; время слева московское",
                      clock->scale() / 60));
  Play(stage);
  return ReportStory(stage, stack) ? 0 : 1;
}

}  // namespace potok::ctl
