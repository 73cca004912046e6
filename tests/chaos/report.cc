#include "chaos/report.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>

#include "chaos/die.h"

namespace potok::chaos {
namespace {

using nlohmann::json;

constexpr char kBegin[] = "<!-- made by potok-chaos: begin -->";
constexpr char kEnd[] = "<!-- made by potok-chaos: end -->";

std::string Verdict(const RunResult& result) {
  if (!result.skipped.empty()) return "skipped";
  if (!result.must_see.empty()) return result.ok() ? "seen" : "not seen";
  if (!result.evidence.violations.empty()) return "violated";
  if (result.is_void()) return "void";
  return "ok";
}

std::string FigureText(const std::string& name, const Figure& figure) {
  std::string text = absl::StrFormat("%s %.3g %s", name, figure.value, figure.unit);
  if (figure.bound > 0) absl::StrAppendFormat(&text, " (bound %.3g)", figure.bound);
  if (figure.over()) text += " OVER BOUND";
  return text;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

std::string Describe(const RunResult& result) {
  std::string out = absl::StrFormat("row %d seed %d: %s", result.row, result.seed, Verdict(result));
  if (!result.skipped.empty()) return absl::StrCat(out, ": ", result.skipped, "\n");
  absl::StrAppendFormat(&out,
                        "  %.0f s, recovery %.2f s, %d acknowledged, %d lost, %d doubled, %d "
                        "violations, %d calls, %d failed, %d looks\n",
                        result.seconds, result.recovery, result.acknowledged, result.evidence.lost,
                        result.evidence.doubled, result.evidence.violations.size(), result.calls,
                        result.failed_calls, result.looks);
  for (const auto& [name, count] : result.evidence.bites) {
    absl::StrAppend(&out, "    bite: ", count, " ", name,
                    count > 0 ? "" : "   THE FAULT DID NOT BITE", "\n");
  }
  for (const auto& [name, figure] : result.evidence.figures) {
    absl::StrAppend(&out, "    ", FigureText(name, figure), "\n");
  }
  for (const auto& [what, times] : result.bad_attempts) {
    absl::StrAppend(&out, "    attempts: ", times, " ", what, "\n");
  }
  for (const std::string& note : result.evidence.notes) absl::StrAppend(&out, "    ", note, "\n");
  for (const std::string& violation : result.evidence.violations) {
    absl::StrAppend(&out, "    VIOLATION ", violation, "\n");
  }
  return out;
}

void Append(const std::string& file, const RunResult& result) {
  json figures = json::object();
  for (const auto& [name, figure] : result.evidence.figures) {
    figures[name] = {{"value", figure.value}, {"unit", figure.unit}};
    if (figure.bound > 0) figures[name]["bound"] = figure.bound;
    if (figure.over()) figures[name]["over"] = true;
  }
  const json line = {{"row", result.row},
                     {"fault", result.fault},
                     {"seed", result.seed},
                     {"verdict", Verdict(result)},
                     {"skipped", result.skipped},
                     {"bites", result.evidence.bites},
                     {"figures", figures},
                     {"recovery_s", result.recovery},
                     {"acknowledged", result.acknowledged},
                     {"lost", result.evidence.lost},
                     {"doubled", result.evidence.doubled},
                     {"violations", result.evidence.violations},
                     {"notes", result.evidence.notes},
                     {"calls", result.calls},
                     {"failed_calls", result.failed_calls},
                     {"bad_attempts", result.bad_attempts},
                     {"looks", result.looks},
                     {"seconds", result.seconds}};
  std::ofstream out(file, std::ios::app);
  out << line.dump() << "\n";
  if (!out) Die("cannot write " + file);
}

void AppendNotMade(const std::string& file, const Row& row, uint64_t seed, const std::string& why) {
  RunResult result;
  result.row = row.number;
  result.fault = row.fault;
  result.seed = seed;
  result.evidence.violations = {why};
  Append(file, result);
}

void WriteTable(const std::string& report, const std::string& readme) {
  struct Sum {
    std::string fault;
    int runs = 0, voids = 0, skipped = 0, over = 0;
    std::set<uint64_t> seeds;
    std::vector<double> recovery;
    int64_t acknowledged = 0, lost = 0, doubled = 0, violations = 0;
  };
  std::map<int, Sum> rows;
  std::ifstream in(report);
  for (std::string line; std::getline(in, line);) {
    const json run = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (run.is_discarded()) Die(report + " holds a line that is no JSON");
    Sum& sum = rows[run["row"].get<int>()];
    sum.fault = run["fault"].get<std::string>();
    const std::string verdict = run["verdict"].get<std::string>();
    if (verdict == "skipped") {
      ++sum.skipped;
      continue;
    }
    ++sum.runs;
    sum.voids += verdict == "void" ? 1 : 0;
    sum.seeds.insert(run["seed"].get<uint64_t>());
    sum.recovery.push_back(run["recovery_s"].get<double>());
    sum.acknowledged += run["acknowledged"].get<int64_t>();
    sum.lost += run["lost"].get<int64_t>();
    sum.doubled += run["doubled"].get<int64_t>();
    sum.violations += static_cast<int64_t>(run["violations"].size());
    for (const auto& figure : run["figures"]) sum.over += figure.contains("over") ? 1 : 0;
  }
  std::string table =
      "| row | fault | runs | seeds | recovery (median / max) | creates acknowledged | of these "
      "lost | effects doubled | violations | over bound |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& [number, sum] : rows) {
    if (sum.runs == 0) continue;
    absl::StrAppendFormat(
        &table, "| %d | %s | %d%s | %d..%d | %.1f s / %.1f s | %d | %d | %d | %d | %d |\n", number,
        sum.fault, sum.runs, sum.voids > 0 ? absl::StrFormat(" (%d void)", sum.voids) : "",
        *sum.seeds.begin(), *sum.seeds.rbegin(), Median(sum.recovery),
        *std::max_element(sum.recovery.begin(), sum.recovery.end()), sum.acknowledged, sum.lost,
        sum.doubled, sum.violations, sum.over);
  }
  std::ifstream old(readme);
  const std::string text(std::istreambuf_iterator<char>(old), {});
  const size_t begin = text.find(kBegin), end = text.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    Die(readme + " lacks the two markers of the table");
  }
  std::ofstream out(readme);
  out << text.substr(0, begin) << kBegin << "\n" << table << text.substr(end);
  if (!out) Die("cannot write " + readme);
}

}  // namespace potok::chaos
