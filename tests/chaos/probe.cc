#include "chaos/probe.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "chaos/die.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

using testing::Eventually;

std::string List(const std::vector<std::string>& names) {
  return absl::StrCat("ARRAY['", absl::StrJoin(names, "','"), "']::text[]");
}

std::string List(const std::vector<int>& pids) {
  return absl::StrCat("ARRAY[", absl::StrJoin(pids, ","), "]::int[]");
}

double Number(const std::string& text) {
  double value = 0;
  (void)absl::SimpleAtod(text, &value);
  return value;
}

// Real seconds between filing and the first assignment of each request of the flow.
std::string Waits(double from, double to) {
  return absl::StrFormat(
      "(SELECT extract(epoch FROM coalesce(a.at, greatest(o.business_origin +"
      "        o.scale * (to_timestamp(%f) - o.real_origin), t.created_at)) - t.created_at) / "
      "o.scale"
      "   AS s"
      "   FROM ledger.ticket t CROSS JOIN ledger.clock_origin o"
      "   LEFT JOIN LATERAL (SELECT e.at FROM ledger.ticket_event e WHERE e.part = t.part"
      "     AND e.ticket_id = t.id AND e.type = 'assigned' ORDER BY e.version LIMIT 1) a ON true"
      "  WHERE t.flow_id = 'express' AND (a.at IS NOT NULL OR t.state = 'QUEUED')"
      "    AND t.created_at BETWEEN o.business_origin + o.scale * (to_timestamp(%f) - "
      "o.real_origin)"
      "    AND o.business_origin + o.scale * (to_timestamp(%f) - o.real_origin)) w",
      to, from, to);
}

std::string FiredIn(double from, double to) {
  return absl::StrFormat(
      " FROM ledger.sla_fired f CROSS JOIN ledger.clock_origin o"
      " WHERE f.fired_at BETWEEN o.business_origin + o.scale * (to_timestamp(%f) - o.real_origin)"
      "   AND o.business_origin + o.scale * (to_timestamp(%f) - o.real_origin)",
      from, to);
}

}  // namespace

std::vector<std::string> LeasesOf(Plant& plant, const Service& service, const std::string& family) {
  // The owner's name is HOST:PID:RANDOM; a member of a family is called FAMILY@OWNER.
  std::vector<std::string> names;
  for (const auto& row :
       OrDie(plant.postgres().Rows(absl::StrCat(
                 "SELECT name FROM ledger.lease WHERE split_part(owner, ':', 2) = '", service.pid(),
                 "' AND position('@' in name) = 0 AND expires_at > clock_timestamp()",
                 family.empty() ? "" : absl::StrCat(" AND starts_with(name, '", family, ":')"))),
             "leases")) {
    names.push_back(row[0]);
  }
  return names;
}

Takeover AwaitTakeover(Plant& plant, const std::vector<std::string>& leases, double since,
                       absl::Duration patience) {
  Takeover takeover;
  if (leases.empty()) return takeover;
  const std::string sql = absl::StrFormat(
      "SELECT count(*), coalesce(max(extract(epoch FROM first) - %f), 0) FROM (SELECT"
      " min(acquired_at) AS first FROM ledger.lease_log WHERE name = ANY (%s)"
      " AND acquired_at > to_timestamp(%f) GROUP BY name) g",
      since, List(leases), since);
  Eventually(
      [&] {
        const auto rows = plant.postgres().Rows(sql);
        if (!rows.ok()) return false;
        takeover.taken = static_cast<int>(Number((*rows)[0][0]));
        takeover.seconds = Number((*rows)[0][1]);
        return takeover.taken == static_cast<int>(leases.size());
      },
      patience);
  takeover.left = static_cast<int>(leases.size()) - takeover.taken;
  return takeover;
}

bool AwaitSettledLeases(Plant& plant, absl::Duration patience) {
  return Eventually(
      [&] {
        const auto rows = plant.postgres().Rows(
            "SELECT max(acquired_at) < clock_timestamp() - interval '8 s' FROM ledger.lease_log");
        return rows.ok() && (*rows)[0][0] == "t";
      },
      patience);
}

void CountTakeover(Scene& scene, const Takeover& takeover, double bound) {
  scene.evidence.Bite("takeovers", takeover.taken);
  scene.evidence.Measure("takeover", takeover.seconds, bound);
  scene.evidence.Expect(takeover.left == 0,
                        absl::StrCat(takeover.left, " leases were taken by nobody"));
}

std::vector<int> AwaitOpenWriters(Plant& plant, const std::string& service, double* at,
                                  absl::Duration patience) {
  std::vector<int> pids;
  const absl::Duration end = Monotonic() + patience;
  while (pids.empty() && Monotonic() < end) {
    const auto rows = plant.postgres().Rows(
        absl::StrCat("SELECT extract(epoch FROM clock_timestamp()), pid FROM (SELECT 1) one"
                     " LEFT JOIN pg_stat_activity ON application_name = 'potok-",
                     service, "' AND backend_xid IS NOT NULL"));
    if (!rows.ok()) continue;
    for (const auto& row : *rows) {
      *at = Number(row[0]);
      if (!row[1].empty()) pids.push_back(static_cast<int>(Number(row[1])));
    }
  }
  return pids;
}

int RolledBack(Plant& plant, const std::vector<int>& writers, absl::Duration patience) {
  if (writers.empty()) return 0;
  int gone = 0;
  Eventually(
      [&] {
        const int64_t there = plant.postgres().Count(absl::StrCat(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (", List(writers), ")"));
        gone = static_cast<int>(writers.size()) - static_cast<int>(there);
        return gone > 0;
      },
      patience);
  return gone;
}

double LongestAssign(Plant& plant, double from, double to) {
  return Number(plant.postgres().Query("SELECT coalesce(max(s), 0) FROM " + Waits(from, to)));
}

double AssignQuantile(Plant& plant, double from, double to, double share) {
  return Number(plant.postgres().Query(
      absl::StrFormat("SELECT coalesce(percentile_disc(%f) WITHIN GROUP (ORDER BY s), 0) FROM %s",
                      share, Waits(from, to))));
}

double LatestTimer(Plant& plant, double from, double to) {
  return Number(
      plant.postgres().Query("SELECT coalesce(max(f.late_us), 0) / 1e6" + FiredIn(from, to)));
}

int64_t TimersFired(Plant& plant, double from, double to) {
  return plant.postgres().Count("SELECT count(*)" + FiredIn(from, to));
}

std::optional<double> BackToNormal(const Oracle& oracle, absl::Duration since, absl::Duration until,
                                   double before) {
  const double enough = std::max(0.25, 3 * before);
  constexpr absl::Duration kWindow = absl::Seconds(2);
  for (absl::Duration at = since; at + kWindow <= until; at += absl::Milliseconds(250)) {
    const std::vector<double> window = oracle.Latencies(at, at + kWindow);
    if (!window.empty() && Quantile(window, 0.99) <= enough) {
      return absl::ToDoubleSeconds(at - since);
    }
  }
  return std::nullopt;
}

}  // namespace potok::chaos
