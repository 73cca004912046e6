// potokctl load: how many calls a second a running Potok answers, and how fast.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include <nlohmann/json.hpp>

#include "commands.h"
#include "load_calls.h"
#include "load_company.h"
#include "load_generator.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

double Quantile(const std::vector<double>& sorted, double share) {
  return sorted.empty()
             ? 0
             : sorted[std::min(sorted.size() - 1,
                               static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

// Processor time of this process so far: what the generator itself costs.
double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Exact quantiles of all calls, in seconds; not asserted by anybody, read by tests/load/bench.
int WriteJson(const LoadOptions& options, const LoadCalls& calls, const LoadResult& result,
              double cpu_seconds) {
  const double length = absl::ToDoubleSeconds(result.length);
  double sum = 0;
  for (const double one : result.seconds) sum += one;
  nlohmann::json out = {
      {"what", options.what},
      {"callers", options.callers},
      {"in_flight", options.in_flight},
      {"rate", options.rate},
      {"answered", result.answered},
      {"unsent", result.unsent},
      {"failed", result.failed},
      {"length", length},
      {"batch", options.what == "employees" ? options.batch : 1},
      {"throughput", length > 0 ? static_cast<double>(result.answered) / length : 0.0},
      {"mean", result.seconds.empty() ? 0 : sum / static_cast<double>(result.seconds.size())},
      {"p50", Quantile(result.seconds, 0.5)},
      {"p90", Quantile(result.seconds, 0.9)},
      {"p99", Quantile(result.seconds, 0.99)},
      {"p999", Quantile(result.seconds, 0.999)},
      {"max", Quantile(result.seconds, 1)},
      {"cpu_seconds", cpu_seconds},
      {"request_bytes", calls.request_bytes()},
      {"answer_bytes", calls.answer_bytes()}};
  std::ofstream file(options.json);
  file << out.dump() << "\n";
  file.flush();
  return file ? 0 : Fail(absl::UnavailableError(absl::StrCat("cannot write ", options.json)));
}

int RunLoad(Connection& connection, LoadOptions options, const std::string& intake,
            const std::string& analytics) {
  // Only requests for the flow made here need it to be made; who answers at --to has no such calls.
  if (options.flows.empty()) {
    options.flows = {"load"};
    if (options.to.empty()) {
      if (const absl::Status made = SetUpFiling(connection, options.callers); !made.ok())
        return Fail(made);
    }
  }
  LoadCalls calls(connection, options, intake, analytics);
  if (const absl::Status ready = calls.Prepare(); !ready.ok()) return Fail(ready);
  LoadPlan plan;
  plan.slots = options.callers * options.in_flight;
  plan.rate = options.rate;
  plan.count = options.count;
  plan.warm_up = options.count > 0 ? absl::ZeroDuration() : absl::Seconds(options.warm_up);
  plan.length = options.count > 0 ? absl::ZeroDuration() : absl::Seconds(options.seconds);
  const double cpu = CpuSeconds();
  LoadResult result =
      GenerateLoad(plan, [&](int64_t i, std::function<void(const grpc::Status&)> done) {
        calls.Send(i, std::move(done));
      });
  const double cpu_seconds = CpuSeconds() - cpu;
  std::sort(result.seconds.begin(), result.seconds.end());
  const double length = absl::ToDoubleSeconds(result.length);
  Say(absl::StrFormat(
      "%s: %s", options.what,
      options.rate > 0 ? absl::StrFormat("open loop at %.0f/s, latency from the intended send time",
                                         options.rate)
                       : absl::StrFormat("closed loop, %d callers x %d in flight", options.callers,
                                         options.in_flight)));
  const auto at = [&](double share) {
    return Short(absl::Seconds(Quantile(result.seconds, share)));
  };
  Say(absl::StrFormat("  throughput %.0f/s (%d in %.1f s)   p50 %s   p99 %s   p99.9 %s   max %s",
                      length > 0 ? static_cast<double>(result.answered) / length : 0.0,
                      result.answered, length, at(0.5), at(0.99), at(0.999), at(1)));
  for (const auto& [why, times] : result.failed)
    Say(absl::StrCat("  failed ", times, " times: ", why));
  if (result.unsent > 0)
    Say(absl::StrCat("  not sent: ", result.unsent,
                     ", as too many were unanswered: the rate is too high"));
  if (!options.json.empty() && WriteJson(options, calls, result, cpu_seconds) != 0) return 1;
  return result.failed.empty() && result.unsent == 0 && result.answered > 0 ? 0 : 1;
}

}  // namespace

void AddLoad(CLI::App& app, Where& where, Run& run) {
  CLI::App* sub = app.add_subcommand(
      "load",
      "call Potok many times and tell throughput and latency\n\n"
      "  potokctl --stack .cache/stack/dev load creates\n"
      "  potokctl --stack .cache/stack/dev load creates --rate 200\n"
      "  potokctl --stack .cache/stack/dev load gets --callers 8 --in-flight 4\n\n"
      "Closed loop: each of callers x in-flight sends its next call when the last is answered. "
      "--rate: an open loop, each call\n"
      "at its time whatever the answers do, latency counted from that time.");
  auto options = std::make_shared<LoadOptions>();
  auto company = std::make_shared<LoadCompany>();
  sub->add_option("what", options->what,
                  "creates: file requests, each with its own request_id; gets: read tickets; "
                  "lists, boards, reports: what their names say; employees: import new ones; "
                  "company: set up what "
                  "tests/load/bench loads")
      ->required()
      ->check(
          CLI::IsMember({"creates", "gets", "lists", "boards", "reports", "employees", "company"}));
  sub->add_option("--callers", options->callers, "different employees")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  sub->add_option("--in-flight", options->in_flight, "unanswered calls of each caller")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->add_option("--seconds", options->seconds, "counted time")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  sub->add_option("--warm-up", options->warm_up, "seconds before it")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  sub->add_option("--count", options->count,
                  "end after so many calls instead; nothing is warmed up")
      ->check(CLI::PositiveNumber);
  sub->add_option("--rate", options->rate, "open loop: calls a second")
      ->check(CLI::Range(0.1, 1e6));
  sub->add_option(
         "--flow", options->flows,
         "ids of the flows, in turn; for creates such without required fields (made: load)")
      ->delimiter(',');
  sub->add_option("--filter", options->filter, "lists: filter instead of the flow's tickets");
  sub->add_option("--batch", options->batch,
                  "employees: how many a call brings; all else counts calls")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  sub->add_option(
      "--to", options->to,
      "addresses (A,B) whose connections get the calls in turn, instead of the service; "
      "nothing is set up");
  sub->add_option("--json", options->json, "file that gets the result as JSON, in seconds");
  sub->add_option("--behind-agents", company->behind_agents, "company: agents of each old flow")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->callback([&where, &run, options, company] {
    run = [&where, options, company] {
      const auto connection = OpenOrSay(where);
      if (connection == nullptr) return 1;
      if (options->what == "company") {
        company->requesters = options->callers;
        const absl::Status made = SetUpLoadCompany(*connection, *company);
        return made.ok() ? 0 : Fail(made);
      }
      const auto address = [&](const std::string& service) {
        const std::string stack = connection->StackValue(service);
        return stack.empty() ? where.targets[service] : stack;
      };
      return RunLoad(*connection, *options, address("intake"), address("analytics"));
    };
  });
}

}  // namespace potok::ctl
