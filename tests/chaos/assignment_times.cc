#include "chaos/assignment_times.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace potok::chaos {

std::string BusinessNow(Plant& plant) {
  return plant.postgres().Query("SELECT ledger.business_now()");
}

double AssignmentQuantile(Plant& plant, const std::string& from, const std::string& to,
                          double share) {
  const std::string seconds = plant.postgres().Query(absl::StrCat(
      "SELECT percentile_disc(", share, ") WITHIN GROUP (ORDER BY waited) FROM (",
      "SELECT extract(epoch FROM coalesce((SELECT min(a.assigned_at) FROM ledger.assignment a",
      " WHERE a.part = t.part AND a.ticket_id = t.id),",
      " CASE WHEN t.state = 'QUEUED' THEN ledger.business_now() END) - t.created_at) / ",
      plant.options().time_scale, " AS waited FROM ledger.ticket t WHERE t.flow_id = 'express'",
      " AND t.created_at BETWEEN '", from, "' AND '", to, "') s WHERE waited IS NOT NULL"));
  return seconds.empty() ? -1 : std::atof(seconds.c_str());
}

}  // namespace potok::chaos
