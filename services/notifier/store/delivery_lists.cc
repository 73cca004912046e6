#include "notifier/store/delivery_lists.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "desk/filter/sql_conditions.h"
#include "desk/ticket/ids.h"
#include "ledger/history.h"
#include "notifier/domain/delivery_fields.h"
#include "notifier/sql.h"
#include "platform/pg/transaction.h"

namespace potok::notifier {
namespace {

const desk::SqlMap& Columns() {
  static const auto* const map = [] {
    auto* made = new desk::SqlMap;
    made->columns = {{"ticket", {.expression = "d.ticket_id::text"}},
                     {"flow", {.expression = "d.flow_id"}},
                     {"recipient", {.expression = "d.recipient"}},
                     {"create_time", {.expression = "d.planned_at"}}};
    desk::SqlColumn channel{.expression = "d.channel"};
    for (const Channel value : kAllChannels) {
      channel.stored[absl::AsciiStrToUpper(Name(value))] = std::string(Name(value));
    }
    desk::SqlColumn kind{.expression = "d.kind"};
    for (const Kind value : kAllKinds) {
      kind.stored[absl::AsciiStrToUpper(Name(value))] = std::string(Name(value));
    }
    desk::SqlColumn state{.expression = "d.state"};
    for (const DeliveryState value : kAllDeliveryStates) {
      state.stored[std::string(ApiName(value))] = std::string(Name(value));
    }
    made->columns["channel"] = std::move(channel);
    made->columns["kind"] = std::move(kind);
    made->columns["state"] = std::move(state);
    return made;
  }();
  return *map;
}

Delivery ReadDelivery(const pqxx::row& row) {
  Delivery d;
  d.id = row["id"].as<std::string>();
  d.ticket_id = row["ticket_id"].as<std::string>();
  d.version = row["version"].as<int64_t>();
  d.flow_id = row["flow_id"].as<std::string>();
  d.rule = row["rule"].as<std::string>();
  d.kind = ParseKind(row["kind"].as<std::string>()).value_or(Kind::kConfirmation);
  d.role = ParseRole(row["role"].as<std::string>()).value_or(Role::kRequester);
  d.recipient = row["recipient"].as<std::string>();
  d.channel = ParseChannel(row["channel"].as<std::string>()).value();
  d.address = row["address"].as<std::string>();
  d.locale = row["locale"].as<std::string>();
  d.title = row["title"].as<std::string>();
  d.state = ParseDeliveryState(row["state"].as<std::string>()).value();
  d.reason = row["reason"].as<std::string>();
  d.attempts = row["attempts"].as<int>();
  d.last_error = row["last_error"].as<std::string>();
  d.message_id = row["message_id"].as<std::string>();
  d.planned_at = pg::FromTimestamp(row["planned_at"]);
  d.next_at = pg::FromNullableTimestamp(row["next_at"]);
  d.finished_at = pg::FromNullableTimestamp(row["finished_at"]);
  return d;
}

}  // namespace

absl::StatusOr<DeliveryPage> DeliveryLists::List(const DeliveryQuery& query,
                                                 Deadline deadline) const {
  desk::SqlConditions matching;
  POTOK_ASSIGN_OR_RETURN(desk::SqlCondition filter,
                         desk::RenderSql(query.filter, Columns(), matching.next()));
  matching.And(std::move(filter));
  if (query.flows) {
    matching.And(
        absl::StrCat("d.flow_id = ANY(", matching.Add(pg::TextArray(*query.flows), "text[]"), ")"));
  }
  desk::SqlConditions page = matching;
  if (query.after) {
    const std::string at = page.Add(pg::ToTimestamp(query.after->planned_at), "timestamptz");
    page.And(
        absl::StrCat("(d.planned_at, d.id) < (", at, ", ", page.Add(query.after->id, "uuid"), ")"));
  }
  const std::string limit = page.Add(absl::StrCat(query.page_size + 1), "int");
  const std::string list_sql = absl::StrCat(sql::kListDeliveries.text, page.Where(),
                                            " ORDER BY d.planned_at DESC, d.id DESC LIMIT ", limit);
  const std::string total_sql = absl::StrCat(sql::kCountDeliveries.text, matching.Where());

  return pg::InTransaction(
      pool_, {.read_only = true, .snapshot = query.with_total, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<DeliveryPage> {
        DeliveryPage result;
        for (const auto& row : tx.RunText(list_sql, page.params())) {
          if (static_cast<int>(result.deliveries.size()) == query.page_size) {
            result.more = true;
            break;
          }
          result.deliveries.push_back(ReadDelivery(row));
        }
        if (query.with_total) {
          result.total = tx.RunText(total_sql, matching.params())[0][0].as<int64_t>();
        }
        return result;
      });
}

absl::StatusOr<std::optional<DeliveryWithCause>> DeliveryLists::Find(const std::string& id,
                                                                     Deadline deadline) const {
  using Answer = std::optional<DeliveryWithCause>;
  const std::optional<int> part = desk::PartOfTicketId(id);
  if (!part) return Answer();
  const std::string by_id =
      absl::StrCat(sql::kListDeliveries.text, " WHERE d.part = $1::smallint AND d.id = $2::uuid");
  return pg::InTransaction(
      pool_, {.read_only = true, .deadline = deadline}, [&](pg::Tx& tx) -> absl::StatusOr<Answer> {
        const pqxx::result rows = tx.RunText(by_id, {pg::ToParam(*part), pg::ToParam(id)});
        if (rows.empty()) return Answer();
        DeliveryWithCause found;
        found.delivery = ReadDelivery(rows[0]);
        found.cause = ledger::FindEvent(tx, found.delivery.ticket_id, found.delivery.version);
        return Answer(std::move(found));
      });
}

absl::StatusOr<DeliveryFigures> DeliveryLists::Figures(Deadline deadline) const {
  return pg::InTransaction(
      pool_, {.read_only = true, .snapshot = true, .whole_tables = true, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<DeliveryFigures> {
        DeliveryFigures figures;
        for (const auto& row : tx.Run(sql::kDeliveryCounts)) {
          figures.counts.push_back({ParseChannel(row["channel"].as<std::string>()).value(),
                                    ParseDeliveryState(row["state"].as<std::string>()).value(),
                                    row["deliveries"].as<int64_t>()});
        }
        const pqxx::result latency = tx.Run(sql::kDeliveryLatency);
        figures.p50 = absl::Seconds(latency[0]["p50"].as<double>(0));
        figures.p99 = absl::Seconds(latency[0]["p99"].as<double>(0));
        if (!latency[0]["oldest"].is_null()) {
          figures.oldest = absl::Seconds(latency[0]["oldest"].as<double>());
        }
        return figures;
      });
}

}  // namespace potok::notifier
