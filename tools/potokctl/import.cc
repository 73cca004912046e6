// potokctl import: a recorded log goes through a running Potok.
#include <cstdio>
#include <memory>
#include <vector>

#include "commands.h"
#include "replay.h"

namespace potok::ctl {

void AddImport(CLI::App& app, Where& where, Run& run) {
  CLI::App* sub =
      app.add_subcommand("import",
                         "play a recorded incident log (CSV) through a running Potok and compare "
                         "what it decides with what happened\n\n"
                         "  potokctl --stack .cache/stack/dev import incidents.csv --dry-run\n"
                         "  potokctl --stack .cache/stack/dev import incidents.csv --map "
                         "caller=\"Opened by\" --seconds 120\n\n"
                         "Groups become flows, assignees their agents, callers employees. A "
                         "repeated run goes on where the last one was.");
  auto options = std::make_shared<ReplayOptions>();
  auto maps = std::make_shared<std::vector<std::string>>();
  auto dry = std::make_shared<bool>(false);
  sub->add_option("file", options->file, "the log, one row a change of a request, with a header")
      ->required();
  sub->add_option(
         "--map", *maps,
         "FIELD=COLUMN where the guess is wrong; may be repeated; --dry-run shows the guess")
      ->allow_extra_args(false);
  sub->add_option("--seconds", options->seconds, "how long the play may take (155)")
      ->check(CLI::Range(10.0, 1e7));
  sub->add_option("--calendar", options->calendar,
                  "calendar that counts the promises: ru-production, or the id of one that exists "
                  "(around the clock)");
  sub->add_option("--mode", options->mode, "how flows hand out their requests")
      ->check(CLI::IsMember({"least-loaded", "round-robin"}))
      ->capture_default_str();
  sub->add_flag("--dry-run", *dry,
                "only read the file and tell what would be played; needs no Potok");
  sub->callback([&where, &run, options, maps, dry] {
    run = [&where, options, maps, dry] {
      for (const std::string& map : *maps) {
        const size_t equals = map.find('=');
        if (equals == std::string::npos) {
          std::fprintf(stderr, "--map %s: FIELD=COLUMN is expected, such as caller=requested_by\n",
                       map.c_str());
          return 2;
        }
        options->columns[map.substr(0, equals)] = map.substr(equals + 1);
      }
      if (*dry) return DescribeReplay(*options);
      const auto connection = OpenOrSay(where);
      return connection == nullptr ? 1 : RunReplay(*connection, *options);
    };
  });
}

}  // namespace potok::ctl
