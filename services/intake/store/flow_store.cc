#include "intake/store/flow_store.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "intake/sql.h"
#include "ledger/definition_codec.h"

namespace potok::intake {
namespace {

absl::StatusOr<StoredFlow> ReadFlow(const pqxx::row& row) {
  StoredFlow stored;
  POTOK_ASSIGN_OR_RETURN(stored.flow, ledger::FlowFromJson(row["definition"].as<std::string>()));
  stored.flow.id = row["id"].as<std::string>();
  stored.flow.version = row["version"].as<int>();
  stored.created_at = pg::FromTimestamp(row["created_at"]);
  stored.published_at = pg::FromTimestamp(row["published_at"]);
  return stored;
}

absl::StatusOr<std::optional<StoredFlow>> FindIn(pg::Tx& tx, const std::string& id) {
  const pqxx::result rows = tx.Run(sql::kFlowFind, id);
  if (rows.empty()) return std::nullopt;
  POTOK_ASSIGN_OR_RETURN(StoredFlow stored, ReadFlow(rows[0]));
  return std::optional<StoredFlow>(std::move(stored));
}

void InsertVersion(pg::Tx& tx, const StoredFlow& flow, const std::string& by) {
  tx.Run(sql::kFlowInsertVersion, flow.flow.id, flow.flow.version, ledger::ToJson(flow.flow), by,
         flow.published_at);
}

absl::Status Taken(const desk::Flow& flow, const pqxx::row& other) {
  ErrorDetail detail;
  const auto id = other["id"].as<std::string>();
  const std::string name = absl::StrCat("flows/", id);
  detail.metadata["flow"] = name;
  if (id == flow.id) {
    detail.metadata["field"] = "flow_id";
    detail.ru = absl::StrCat(
        name, " уже есть; выберите другой id или измените этот поток через UpdateFlow");
    return MakeError(absl::StatusCode::kAlreadyExists, "ALREADY_EXISTS",
                     absl::StrCat(name, " exists; choose another id, or change it with UpdateFlow"),
                     detail);
  }
  detail.metadata["field"] = "flow.prefix";
  detail.ru = absl::StrCat("префикс ", flow.prefix, " занят потоком ", name,
                           ": у двух заявок был бы один номер; выберите другой префикс");
  return MakeError(absl::StatusCode::kAlreadyExists, "ALREADY_EXISTS",
                   absl::StrCat("the prefix ", flow.prefix, " belongs to ", name,
                                ": two tickets would bear one number; choose another prefix"),
                   detail);
}

}  // namespace

absl::StatusOr<std::optional<StoredFlow>> FlowStore::Find(const std::string& id,
                                                          Deadline deadline) const {
  pg::TxOptions options;
  options.deadline = deadline;
  return pg::InAutocommit(pool_, options, [&](pg::Tx& tx) { return FindIn(tx, id); });
}

absl::StatusOr<std::vector<StoredFlow>> FlowStore::List(const std::string& after, int limit,
                                                        Deadline deadline) const {
  pg::TxOptions options;
  options.deadline = deadline;
  return pg::InAutocommit(pool_, options,
                          [&](pg::Tx& tx) -> absl::StatusOr<std::vector<StoredFlow>> {
                            std::vector<StoredFlow> flows;
                            for (const pqxx::row& row : tx.Run(sql::kFlowList, after, limit)) {
                              POTOK_ASSIGN_OR_RETURN(StoredFlow stored, ReadFlow(row));
                              flows.push_back(std::move(stored));
                            }
                            return flows;
                          });
}

absl::StatusOr<std::optional<StoredFlow>> FlowStore::Lock(pg::Tx& tx, const std::string& id) {
  // Two statements: one that waits for a lock would read the version from before the wait.
  if (tx.Run(sql::kFlowLock, id).empty()) return std::nullopt;
  return FindIn(tx, id);
}

absl::Status FlowStore::Create(pg::Tx& tx, const StoredFlow& flow, const std::string& by) {
  if (tx.Run(sql::kFlowInsert, flow.flow.id, flow.flow.prefix, flow.created_at).empty()) {
    const pqxx::result clash = tx.Run(sql::kFlowClash, flow.flow.id, flow.flow.prefix);
    if (!clash.empty()) return Taken(flow.flow, clash[0]);
    return absl::AbortedError("a flow of that id or prefix came and went; repeat the call");
  }
  InsertVersion(tx, flow, by);
  return absl::OkStatus();
}

void FlowStore::Publish(pg::Tx& tx, const StoredFlow& flow, const std::string& by) {
  InsertVersion(tx, flow, by);
  tx.Run(sql::kFlowSetVersion, flow.flow.id, flow.flow.version);
}

}  // namespace potok::intake
