// potokctl demo: the story of a company, or a recorded log. `tools/dev demo` starts the stack for
// it.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"

#include "commands.h"
#include "replay.h"
#include "story.h"

namespace potok::ctl {
namespace {

struct DemoOptions {
  ReplayOptions replay;
  std::vector<std::string> maps;  // FIELD=COLUMN.
  double seconds = 0;
  bool plan = false;
};

bool ReadMaps(DemoOptions& options) {
  for (const std::string& map : options.maps) {
    const size_t sign = map.find('=');
    if (sign == std::string::npos || sign == 0 || sign + 1 == map.size()) {
      std::fprintf(stderr, "--map takes FIELD=COLUMN, not %s\n", map.c_str());
      return false;
    }
    options.replay.columns[map.substr(0, sign)] = map.substr(sign + 1);
  }
  options.replay.seconds = options.seconds;
  return true;
}

// What tools/dev needs before there is a stack.
int PrintPlan(const DemoOptions& options) {
  StoryPlan plan = PlanStory(options.seconds);
  if (!options.replay.file.empty()) {
    const absl::StatusOr<ReplayPlan> replay = PlanReplay(options.replay);
    if (!replay.ok()) {
      std::fprintf(stderr, "%s\n", std::string(replay.status().message()).c_str());
      return 1;
    }
    plan = {replay->time_scale, replay->time_origin};
  }
  std::printf("time_scale=%s\ntime_origin=%s\n", absl::StrFormat("%.10g", plan.time_scale).c_str(),
              absl::FormatTime(absl::RFC3339_sec, plan.time_origin, absl::UTCTimeZone()).c_str());
  return 0;
}

int RunDemo(const Where& where, DemoOptions& options) {
  if (!ReadMaps(options)) return 1;
  if (options.plan) return PrintPlan(options);
  const std::unique_ptr<Connection> connection = OpenOrSay(where);
  if (connection == nullptr) return 1;
  return options.replay.file.empty() ? RunStory(*connection, where.stack)
                                     : RunReplay(*connection, options.replay);
}

}  // namespace

void AddDemo(CLI::App& app, Where& where, Run& run) {
  CLI::App* sub = app.add_subcommand("demo",
                                     "plays a company's days, or with --data a recorded log, on a "
                                     "stack that tools/dev demo has started with the clock "
                                     "that --plan asks for");
  auto options = std::make_shared<DemoOptions>();
  sub->add_option("--data", options->replay.file, "recorded incident log (CSV)")
      ->check(CLI::ExistingFile);
  sub->add_option("--map", options->maps,
                  "FIELD=COLUMN, where the guess of a column is wrong; may be repeated");
  sub->add_option("--seconds", options->seconds, "how long it may take")
      ->check(CLI::PositiveNumber);
  sub->add_flag("--plan", options->plan,
                "only print time_scale and time_origin of the clock it needs");
  sub->callback(
      [&where, &run, options] { run = [&where, options] { return RunDemo(where, *options); }; });
}

}  // namespace potok::ctl
