// potok-chaos: a whole Potok of real processes under load, broken on purpose, and held to its
// promises. README.md beside this file tells about the rows.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>

#include "chaos/die.h"
#include "chaos/report.h"
#include "chaos/row.h"
#include "chaos/run.h"

namespace potok::chaos {
namespace {

// Interrupted, the program takes its folder along; its processes end with it by themselves.
void TidyUpOnSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    std::error_code ignored;
    std::filesystem::remove_all(ScratchFolder(), ignored);
    std::_Exit(128 + signal);
  }).detach();
}

// One run in a process of its own, so that a run that cannot be made does not take the others
// along. The exit status of that process, or 128 and more when a signal ended it.
int RunApart(std::vector<std::string> words) {
  words.insert(words.begin(), "/proc/self/exe");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(stdout);
  const pid_t pid = fork();
  if (pid < 0) Die("fork failed");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int RunHere(const Row& row, const RunOptions& options, const std::string& report) {
  std::printf("row %d: %s, seed %d\n", row.number, row.fault.c_str(),
              static_cast<int>(options.seed));
  std::fflush(stdout);
  const RunResult result = RunRow(row, options);
  std::printf("%s", Describe(result).c_str());
  if (!report.empty() && row.must_see.empty()) Append(report, result);
  if (result.skipped.empty()) return result.ok() ? 0 : 1;
  std::printf("SKIPPED row %d: %s\n", row.number, result.skipped.c_str());
  return 77;
}

int Main(int argc, char** argv) {
  std::vector<int> numbers;
  int seeds = 1;
  uint64_t first_seed = 1;
  RunOptions options;
  double seconds = 0;
  std::string report, table;
  bool list = false, short_suite = false;
  CLI::App app("Breaks a running Potok on purpose and checks that it keeps its promises.",
               "potok-chaos");
  app.add_option("--rows", numbers, "rows of the matrix, 1,3,9; all when absent")->delimiter(',');
  app.add_flag("--short", short_suite, "the rows of a plain `tools/dev test` only");
  app.add_option("--seeds", seeds, "runs of each row, each with the next seed")
      ->check(CLI::Range(1, 100000));
  app.add_option("--first-seed", first_seed, "seed of the first run; a seed repeats its choices");
  app.add_option("--seconds", seconds, "length of the fault, where the row leaves it open");
  app.add_option("--rate", options.rate, "requests filed a second");
  app.add_option("--report", report, "append one JSON object a run to this file");
  app.add_option("--table", table,
                 "run nothing: rewrite the table in this README by what --report holds");
  app.add_flag("--list", list, "print the rows: number, S when in the short suite, fault");
  app.add_flag("--verbose", options.verbose, "the services' last warnings after each run");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (list) {
    for (const Row& row : AllRows()) {
      std::printf("%d\t%s\t%s\t%s\n", row.number, row.in_short_suite ? "S" : "-", row.fault.c_str(),
                  row.expects.c_str());
    }
    return 0;
  }
  if (!table.empty()) {
    WriteTable(report, table);
    return 0;
  }
  TidyUpOnSignals();
  // A channel whose calls all fail at once is polled by nobody but this.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100", 0);
  options.length = absl::Seconds(seconds);
  const char* results = std::getenv("POTOK_TEST_RESULTS");
  if (report.empty() && results != nullptr) report = std::string(results) + "/chaos.jsonl";
  std::vector<std::pair<const Row*, uint64_t>> runs;
  for (const Row& row : AllRows()) {
    const bool named = std::find(numbers.begin(), numbers.end(), row.number) != numbers.end();
    if (!numbers.empty() ? !named : short_suite && !row.in_short_suite) continue;
    for (int i = 0; i < seeds; ++i) runs.push_back({&row, first_seed + static_cast<uint64_t>(i)});
  }
  if (runs.size() == 1) {
    options.seed = runs.front().second;
    return RunHere(*runs.front().first, options, report);
  }
  ShareCluster();
  int ran = 0, skipped = 0;
  std::vector<std::string> bad;
  for (const auto& [row, seed] : runs) {
    std::vector<std::string> words = {"--rows", absl::StrCat(row->number), "--first-seed",
                                      absl::StrCat(seed)};
    if (seconds > 0) words.insert(words.end(), {"--seconds", absl::StrCat(seconds)});
    if (options.rate > 0) words.insert(words.end(), {"--rate", absl::StrCat(options.rate)});
    if (!report.empty()) words.insert(words.end(), {"--report", report});
    if (options.verbose) words.push_back("--verbose");
    const int code = RunApart(words);
    if (code == 77) {
      ++skipped;
      continue;
    }
    ++ran;
    if (code != 0) bad.push_back(absl::StrCat("--rows ", row->number, " --first-seed ", seed));
    if (code > 1 && !report.empty()) {
      AppendNotMade(report, *row, seed, absl::StrCat("the run was not made: exit status ", code));
    }
  }
  for (const std::string& run : bad) std::printf("again: potok-chaos %s\n", run.c_str());
  std::printf("%d runs, %d bad, %d skipped\n", ran, static_cast<int>(bad.size()), skipped);
  if (!bad.empty()) return 1;
  return ran == 0 ? (skipped > 0 ? 77 : 2) : 0;
}

}  // namespace
}  // namespace potok::chaos

int main(int argc, char** argv) {
  const int code = potok::chaos::Main(argc, argv);
  std::fflush(stdout);
  std::exit(code);
}
