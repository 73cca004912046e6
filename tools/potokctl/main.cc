// potokctl: the command line of Potok for admins, newcomers and tests.
#include <cstdlib>

#include "CLI/CLI.hpp"
#include "absl/synchronization/mutex.h"

#include "commands.h"

int main(int argc, char** argv) {
  // As the services do (platform/app/run_service.cc): it must not take the processor from what it
  // measures.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  potok::ctl::Where where;
  potok::ctl::Run run;
  CLI::App app{
      "potokctl acts on a running Potok over gRPC.\n\n"
      "With a stack of `tools/dev up` it finds addresses and tokens by itself:\n"
      "  potokctl --stack .cache/stack/dev board\n"
      "  potokctl --stack .cache/stack/dev explain HR-000001\n"
      "  potokctl --stack .cache/stack/dev verify"};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--stack", where.stack,
                 "directory of a development stack, or its `addresses` file")
      ->envname("POTOK_STACK_DIR");
  app.add_option("--token", where.token,
                 "bearer token; the development token of each caller otherwise")
      ->envname("POTOK_TOKEN");
  for (const char* service : {"intake", "router", "sla-timer", "notifier", "analytics"}) {
    app.add_option(std::string("--") + service, where.targets[service],
                   std::string("address of ") + service + ", such as 127.0.0.1:8443");
  }
  potok::ctl::AddDemo(app, where, run);
  potok::ctl::AddImport(app, where, run);
  potok::ctl::AddBoard(app, where, run);
  potok::ctl::AddVerify(app, where, run);
  potok::ctl::AddExplain(app, where, run);
  potok::ctl::AddLoad(app, where, run);
  potok::ctl::AddDeadLetters(app, where, run);
  CLI11_PARSE(app, argc, argv);
  return run ? run() : EXIT_FAILURE;
}
