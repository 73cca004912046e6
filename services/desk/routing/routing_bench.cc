// What one decision of the router costs. Goal: 20 us with 200 agents, verdicts included.
#include <benchmark/benchmark.h>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"

#include "desk/routing/facts.h"
#include "desk/routing/plan.h"

namespace potok::desk {
namespace {

PlanFacts Facts(int agents, int tickets, DistributionMode mode) {
  PlanFacts facts;
  facts.flow = {.flow = "it", .mode = mode};
  facts.at = absl::FromUnixSeconds(1774900000);
  facts.cursor.last_agent = "agent-100";
  for (int i = 0; i < agents; ++i) {
    Candidate candidate;
    candidate.employee = absl::StrFormat("agent-%03d", i);
    candidate.present = i % 7 != 0;
    candidate.presence = "online";
    candidate.active = i % 3;
    candidate.cap = 3;
    facts.candidates.push_back(candidate);
  }
  for (int i = 0; i < tickets; ++i) {
    WaitingTicket ticket;
    ticket.id = absl::StrFormat("0195d0c0-0000-7000-8000-%012d", i);
    ticket.number = absl::StrFormat("IT-%06d", i);
    ticket.priority = 1 + i % 4;
    ticket.queued_at = facts.at - absl::Minutes(i);
    ticket.queued_seq = i;
    facts.tickets.push_back(ticket);
  }
  return facts;
}

void BM_MakePlan(benchmark::State& state, DistributionMode mode) {
  const PlanFacts facts =
      Facts(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), mode);
  for (auto _ : state) benchmark::DoNotOptimize(MakePlan(facts));
  state.SetItemsProcessed(state.iterations() * state.range(1));
}
BENCHMARK_CAPTURE(BM_MakePlan, round_robin, DistributionMode::kRoundRobin)
    ->Args({10, 1})
    ->Args({200, 1})
    ->Args({200, 50});
BENCHMARK_CAPTURE(BM_MakePlan, least_loaded, DistributionMode::kLeastLoaded)
    ->Args({10, 1})
    ->Args({200, 1})
    ->Args({200, 50});

void BM_EncodeFacts(benchmark::State& state) {
  const PlanFacts facts = Facts(200, 1, DistributionMode::kRoundRobin);
  for (auto _ : state) benchmark::DoNotOptimize(EncodeFacts(facts));
}
BENCHMARK(BM_EncodeFacts);

void BM_Replay(benchmark::State& state) {
  const std::string facts = EncodeFacts(Facts(200, 1, DistributionMode::kRoundRobin));
  for (auto _ : state) benchmark::DoNotOptimize(Replay(facts));
}
BENCHMARK(BM_Replay);

}  // namespace
}  // namespace potok::desk
