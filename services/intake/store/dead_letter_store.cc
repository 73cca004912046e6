#include "intake/store/dead_letter_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "desk/filter/sql_conditions.h"
#include "intake/sql.h"

namespace potok::intake {
namespace {

const desk::SqlMap& Columns() {
  static const auto* const map = [] {
    auto* made = new desk::SqlMap;
    made->columns = {
        {"group", {.expression = "d.grp"}},
        {"topic", {.expression = "(ARRAY['assignment','escalation','lifecycle'])[d.topic]"}},
        {"part", {.expression = "d.part"}},
        {"position", {.expression = "d.pos"}},
        {"ticket", {.expression = "d.entity::text"}},
        {"event_type", {.expression = "d.type"}},
        {"attempt_count", {.expression = "d.attempts"}},
        {"reason", {.expression = "d.reason"}},
        {"park_time", {.expression = "d.parked_at"}},
        {"replay_time", {.expression = "d.replay_at"}},
        {"replay_request_id", {.expression = "coalesce(d.replay_request::text, '')"}},
        {"settle_time", {.expression = "d.settled_at"}},
        {"requested_by", {.expression = "d.requested_by"}}};
    made->columns["state"] = {
        .expression = "d.state",
        .cast = "",
        .stored = {{"PARKED", "parked"}, {"REPLAYED", "replayed"}, {"DROPPED", "dropped"}}};
    return made;
  }();
  return *map;
}

// What a list is sorted by. Never NULL, so that rows compare the same way everywhere.
struct SortColumn {
  absl::string_view expression;
  absl::string_view cast;
};

SortColumn SortColumnOf(const std::string& field) {
  if (field == "group") return {"d.grp", "text"};
  if (field == "attempt_count") return {"d.attempts", "int"};
  if (field == "park_time") return {"d.parked_at", "timestamptz"};
  return {"coalesce(d.replay_at, 'infinity'::timestamptz)", "timestamptz"};
}

constexpr char kKey[] = "(d.grp, d.topic, d.part, d.pos)";

// Rows behind the cursor: (a beyond a0) or (a = a0 and (b beyond b0 or ...)), ending with the key.
std::string Behind(const std::vector<desk::OrderTerm>& order, const DeadLetterCursor& cursor,
                   desk::SqlConditions& conditions) {
  std::string inner = absl::StrCat(kKey, " > (", conditions.Add(cursor.key.group, "text"), ", ");
  absl::StrAppend(&inner, conditions.Add(absl::StrCat(cursor.key.topic), "smallint"), ", ");
  absl::StrAppend(&inner, conditions.Add(absl::StrCat(cursor.key.part), "smallint"), ", ");
  absl::StrAppend(&inner, conditions.Add(absl::StrCat(cursor.key.position), "bigint"), ")");
  for (size_t i = order.size(); i-- > 0;) {
    const SortColumn column = SortColumnOf(order[i].field);
    const std::string key = conditions.Add(cursor.sorted_by[i], column.cast);
    inner = absl::StrCat("(", column.expression, order[i].descending ? " < " : " > ", key, " OR (",
                         column.expression, " = ", key, " AND ", inner, "))");
  }
  return inner;
}

std::string OrderBy(const std::vector<desk::OrderTerm>& order) {
  std::string text = " ORDER BY ";
  for (const desk::OrderTerm& term : order) {
    absl::StrAppend(&text, SortColumnOf(term.field).expression, term.descending ? " DESC, " : ", ");
  }
  return absl::StrCat(text, "d.grp, d.topic, d.part, d.pos");
}

DeadLetterKey ReadKey(const pqxx::row& row) {
  return {.group = row["grp"].as<std::string>(),
          .topic = row["topic"].as<int>(),
          .part = row["part"].as<int>(),
          .position = row["pos"].as<std::int64_t>()};
}

DeadLetter ReadLetter(const pqxx::row& row) {
  DeadLetter letter;
  letter.key = ReadKey(row);
  letter.ticket_id = row["entity"].as<std::string>();
  letter.version = row["version"].as<std::int64_t>();
  letter.event_type = row["type"].as<std::string>();
  letter.attempts = row["attempts"].as<int>();
  letter.reason = row["reason"].as<std::string>();
  letter.state = row["state"].as<std::string>();
  letter.parked_at = pg::FromTimestamp(row["parked_at"]);
  letter.drop_reason = row["note"].as<std::string>();
  letter.replay_at = pg::FromNullableTimestamp(row["replay_at"]);
  letter.replay_request = row["replay_request"].as<std::string>("");
  letter.settled_at = pg::FromNullableTimestamp(row["settled_at"]);
  letter.requested_by = row["requested_by"].as<std::string>();
  return letter;
}

// The keys as four array parameters.
struct KeyArrays {
  explicit KeyArrays(const std::vector<DeadLetterKey>& keys) {
    std::vector<std::string> group_list;
    std::vector<int> topic_list, part_list;
    std::vector<std::int64_t> position_list;
    for (const DeadLetterKey& key : keys) {
      group_list.push_back(key.group);
      topic_list.push_back(key.topic);
      part_list.push_back(key.part);
      position_list.push_back(key.position);
    }
    groups = pg::TextArray(group_list);
    topics = pg::IntArray(topic_list);
    parts = pg::IntArray(part_list);
    positions = pg::IntArray(position_list);
  }
  std::string groups, topics, parts, positions;
};

}  // namespace

absl::StatusOr<DeadLetterPage> DeadLetterStore::List(const DeadLetterQuery& query,
                                                     Deadline deadline) const {
  desk::SqlConditions matching;
  POTOK_ASSIGN_OR_RETURN(desk::SqlCondition filter,
                         desk::RenderSql(query.filter, Columns(), matching.next()));
  matching.And(std::move(filter));
  desk::SqlConditions page = matching;
  if (query.after) page.And(Behind(query.order, *query.after, page));
  // One more than asked for tells whether there is a next page.
  const std::string limit = page.Add(absl::StrCat(query.page_size + 1), "int");
  const std::string list_sql = absl::StrCat(sql::kDeadLettersList.text, page.Where(),
                                            OrderBy(query.order), " LIMIT ", limit);
  const std::string total_sql = absl::StrCat(sql::kDeadLettersTotal.text, matching.Where());
  // One snapshot, so that a total never contradicts the page it comes with.
  return pg::InTransaction(
      pool_, {.read_only = true, .snapshot = query.with_total, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<DeadLetterPage> {
        DeadLetterPage result;
        for (const auto& row : tx.RunText(list_sql, page.params())) {
          if (static_cast<int>(result.letters.size()) == query.page_size) {
            result.more = true;
            break;
          }
          result.letters.push_back(ReadLetter(row));
        }
        if (query.with_total) {
          result.total = tx.RunText(total_sql, matching.params())[0][0].as<std::int64_t>();
        }
        return result;
      });
}

absl::StatusOr<std::optional<DeadLetter>> DeadLetterStore::Find(const DeadLetterKey& key,
                                                                Deadline deadline) const {
  const std::string by_key =
      absl::StrCat(sql::kDeadLettersList.text,
                   " WHERE d.grp = $1 AND d.topic = $2::smallint AND d.part = $3::smallint"
                   " AND d.pos = $4::bigint");
  return pg::InTransaction(pool_, {.read_only = true, .deadline = deadline},
                           [&](pg::Tx& tx) -> absl::StatusOr<std::optional<DeadLetter>> {
                             const pqxx::result rows = tx.RunText(
                                 by_key, {pg::ToParam(key.group), pg::ToParam(key.topic),
                                          pg::ToParam(key.part), pg::ToParam(key.position)});
                             if (rows.empty()) return std::optional<DeadLetter>();
                             return std::optional<DeadLetter>(ReadLetter(rows[0]));
                           });
}

absl::StatusOr<std::map<std::string, std::int64_t>> DeadLetterStore::Parked() const {
  using Counts = std::map<std::string, std::int64_t>;
  return pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<Counts> {
    Counts counts;
    for (const auto& row : tx.Run(sql::kDeadLettersParked)) {
      counts[row["grp"].as<std::string>()] = row["letters"].as<std::int64_t>();
    }
    return counts;
  });
}

HeldLetters HoldNamed(pg::Tx& tx, const std::vector<DeadLetterKey>& keys) {
  const KeyArrays arrays(keys);
  HeldLetters held;
  for (const auto& row : tx.Run(sql::kDeadLettersHoldNamed, arrays.groups, arrays.topics,
                                arrays.parts, arrays.positions)) {
    auto& list = row["state"].as<std::string>() == "parked" ? held.parked : held.settled;
    list.push_back(ReadKey(row));
  }
  const auto in = [](const std::vector<DeadLetterKey>& list, const DeadLetterKey& key) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  for (const DeadLetterKey& key : keys) {
    if (!in(held.parked, key) && !in(held.settled, key)) held.unknown.push_back(key);
  }
  return held;
}

absl::StatusOr<HeldLetters> HoldFiltered(pg::Tx& tx, const desk::Filter& filter, int limit) {
  desk::SqlConditions matching;
  matching.And("d.state = 'parked'");
  POTOK_ASSIGN_OR_RETURN(desk::SqlCondition condition,
                         desk::RenderSql(filter, Columns(), matching.next()));
  matching.And(std::move(condition));
  HeldLetters held;
  for (const auto& row :
       tx.RunText(absl::StrCat(sql::kDeadLettersHold.text, matching.Where(),
                               " ORDER BY d.parked_at, d.grp, d.topic, d.part, d.pos LIMIT ", limit,
                               " FOR NO KEY UPDATE OF d"),
                  matching.params())) {
    held.parked.push_back(ReadKey(row));
  }
  if (static_cast<int>(held.parked.size()) == limit) {
    const std::string total_sql = absl::StrCat(sql::kDeadLettersTotal.text, matching.Where());
    const auto all = tx.RunText(total_sql, matching.params())[0][0].as<std::int64_t>();
    held.remaining = std::max<std::int64_t>(0, all - limit);
  }
  return held;
}

ScheduledLetters ScheduleReplay(pg::Tx& tx, const std::vector<DeadLetterKey>& keys,
                                double rate_per_second, const std::string& request_id,
                                const std::string& principal) {
  const KeyArrays arrays(keys);
  const pqxx::result rows =
      tx.Run(sql::kDeadLettersSchedule, arrays.groups, arrays.topics, arrays.parts,
             arrays.positions, rate_per_second, request_id, principal);
  return {.count = rows[0]["letters"].as<int>(),
          .last_at = pg::FromNullableTimestamp(rows[0]["last_at"])};
}

std::map<std::string, int> DropLetters(pg::Tx& tx, const std::vector<DeadLetterKey>& keys,
                                       const std::string& reason, const std::string& principal) {
  const KeyArrays arrays(keys);
  std::map<std::string, int> dropped;
  for (const auto& row : tx.Run(sql::kDeadLettersDrop, arrays.groups, arrays.topics, arrays.parts,
                                arrays.positions, reason, principal)) {
    dropped[row["grp"].as<std::string>()] = row["letters"].as<int>();
  }
  return dropped;
}

}  // namespace potok::intake
