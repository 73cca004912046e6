#include "intake/rpc/admin_rpc.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/time_util.h"

#include "base/status_macros.h"
#include "intake/sql.h"
#include "ledger/verify.h"
#include "platform/pg/transaction.h"

namespace potok::intake {
namespace {

namespace v1 = admin::v1;
using google::protobuf::util::TimeUtil;

constexpr const char* kTopics[] = {"", "assignment", "escalation", "lifecycle"};

v1::InvariantCheck ToWire(const ledger::InvariantResult& check) {
  v1::InvariantCheck out;
  out.set_id(check.id);
  out.mutable_title()->set_en(check.title_en);
  out.mutable_title()->set_ru(check.title_ru);
  out.set_kind(check.quiescent ? v1::InvariantCheck::KIND_QUIESCENT
                               : v1::InvariantCheck::KIND_ALWAYS);
  out.set_outcome(!check.skipped.empty() ? v1::InvariantCheck::OUTCOME_SKIPPED
                  : check.rows == 0      ? v1::InvariantCheck::OUTCOME_HOLDS
                                         : v1::InvariantCheck::OUTCOME_BROKEN);
  out.set_row_count(check.rows);
  for (const std::string& example : check.examples) out.add_examples(example);
  out.set_skip_reason(check.skipped);
  *out.mutable_elapsed() = TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(check.elapsed));
  return out;
}

google::protobuf::Timestamp ToWire(absl::Time time) {
  return TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
}

int PageSize(int asked) { return asked == 0 ? 50 : asked; }

v1::DeadLetter::State StateToWire(const std::string& state) {
  if (state == "parked") return v1::DeadLetter::STATE_PARKED;
  return state == "replayed" ? v1::DeadLetter::STATE_REPLAYED : v1::DeadLetter::STATE_DROPPED;
}

v1::DeadLetter LetterOf(const pqxx::row& row) {
  v1::DeadLetter letter;
  const std::string group = row["grp"].as<std::string>();
  const std::string topic = kTopics[row["topic"].as<int>()];
  const int part = row["part"].as<int>();
  const int64_t position = row["pos"].as<int64_t>();
  letter.set_name(absl::StrCat("deadLetters/", group, "-", topic, "-", part, "-", position));
  letter.set_group(group);
  letter.set_topic(topic);
  letter.set_part(part);
  letter.set_position(position);
  letter.set_ticket(absl::StrCat("tickets/", row["entity"].as<std::string>()));
  letter.set_event_version(row["version"].as<int64_t>());
  letter.set_attempt_count(row["attempts"].as<int>());
  letter.set_reason(row["reason"].as<std::string>());
  letter.set_state(StateToWire(row["state"].as<std::string>()));
  *letter.mutable_park_time() = ToWire(pg::FromTimestamp(row["parked_at"]));
  letter.set_drop_reason(row["note"].as<std::string>());
  return letter;
}

pg::TxOptions ReadUntil(const CallContext& call) {
  pg::TxOptions options;
  options.read_only = true;
  options.deadline = call.deadline;
  return options;
}

}  // namespace

grpc::ServerUnaryReactor* AdminRpc::VerifyLedger(grpc::CallbackServerContext* context,
                                                 const v1::VerifyLedgerRequest* request,
                                                 v1::VerifyLedgerResponse* answer) {
  return front_.Blocking(
      context, request, answer,
      [this](const CallContext&,
             const v1::VerifyLedgerRequest& q) -> absl::StatusOr<v1::VerifyLedgerResponse> {
        POTOK_ASSIGN_OR_RETURN(const ledger::VerifyResult result,
                               ledger::Verify(pool_, *reference_.Snapshot(), q.quiescent()));
        v1::VerifyLedgerResponse out;
        out.set_clean(result.clean);
        for (const auto& check : result.checks) *out.add_checks() = ToWire(check);
        out.set_ticket_count(result.tickets);
        out.set_event_count(result.events);
        *out.mutable_as_of_time() = ToWire(result.as_of);
        return out;
      });
}

grpc::ServerUnaryReactor* AdminRpc::ListDeadLetters(grpc::CallbackServerContext* context,
                                                    const v1::ListDeadLettersRequest* request,
                                                    v1::ListDeadLettersResponse* answer) {
  return front_.Blocking(
      context, request, answer,
      [this](const CallContext& call,
             const v1::ListDeadLettersRequest& q) -> absl::StatusOr<v1::ListDeadLettersResponse> {
        // The cursor is (grp, topic, part, pos) of the last row; groups hold no space.
        std::vector<std::string> after = {"", "0", "0", "0"};
        if (!q.page_token().empty()) {
          POTOK_ASSIGN_OR_RETURN(const std::string keys,
                                 tokens_.Open(q.page_token(), "deadLetters", absl::Now()));
          after = absl::StrSplit(keys, ' ');
        }
        const int size = PageSize(q.page_size());
        return pg::InTransaction(
            pool_, ReadUntil(call), [&](pg::Tx& tx) -> absl::StatusOr<v1::ListDeadLettersResponse> {
              v1::ListDeadLettersResponse out;
              const pqxx::result rows =
                  tx.Run(sql::kAdminDeadLetters, after[0], after[1], after[2], after[3], size + 1);
              for (const auto& row : rows) {
                if (out.dead_letters_size() == size) {
                  const v1::DeadLetter& last = out.dead_letters(size - 1);
                  out.set_next_page_token(
                      tokens_.Seal(absl::StrCat(last.group(), " ", rows[size - 1]["topic"].c_str(),
                                                " ", last.part(), " ", last.position()),
                                   "deadLetters", absl::Now()));
                  break;
                }
                *out.add_dead_letters() = LetterOf(row);
              }
              return out;
            });
      });
}

grpc::ServerUnaryReactor* AdminRpc::ListLeases(grpc::CallbackServerContext* context,
                                               const v1::ListLeasesRequest* request,
                                               v1::ListLeasesResponse* answer) {
  return front_.Blocking(
      context, request, answer,
      [this](const CallContext& call,
             const v1::ListLeasesRequest& q) -> absl::StatusOr<v1::ListLeasesResponse> {
        std::string after;
        if (!q.page_token().empty()) {
          POTOK_ASSIGN_OR_RETURN(after, tokens_.Open(q.page_token(), "leases", absl::Now()));
        }
        const int size = PageSize(q.page_size());
        return pg::InTransaction(
            pool_, ReadUntil(call), [&](pg::Tx& tx) -> absl::StatusOr<v1::ListLeasesResponse> {
              v1::ListLeasesResponse out;
              for (const auto& row : tx.Run(sql::kAdminLeases, after, size + 1)) {
                if (out.leases_size() == size) {
                  const std::string last = out.leases(size - 1).name().substr(7);
                  out.set_next_page_token(tokens_.Seal(last, "leases", absl::Now()));
                  break;
                }
                v1::Lease& lease = *out.add_leases();
                lease.set_name(absl::StrCat("leases/", row["name"].as<std::string>()));
                lease.set_owner(row["owner"].as<std::string>());
                lease.set_epoch(row["epoch"].as<int64_t>());
                *lease.mutable_expire_time() = ToWire(pg::FromTimestamp(row["expires_at"]));
              }
              return out;
            });
      });
}

grpc::ServerUnaryReactor* AdminRpc::GetTransportStatus(grpc::CallbackServerContext* context,
                                                       const v1::GetTransportStatusRequest* request,
                                                       v1::TransportStatus* answer) {
  return front_.Blocking(
      context, request, answer,
      [this](const CallContext& call,
             const v1::GetTransportStatusRequest&) -> absl::StatusOr<v1::TransportStatus> {
        pg::TxOptions options = ReadUntil(call);
        options.snapshot = true;  // Outbox, log and offsets of one moment.
        return pg::InTransaction(
            pool_, options, [&](pg::Tx& tx) -> absl::StatusOr<v1::TransportStatus> {
              v1::TransportStatus out;
              const pqxx::row totals = tx.Run(sql::kAdminTransport)[0];
              out.set_outbox_count(totals["outbox_count"].as<int64_t>());
              if (!totals["outbox_age_us"].is_null()) {
                *out.mutable_outbox_oldest_age() =
                    TimeUtil::MicrosecondsToDuration(totals["outbox_age_us"].as<int64_t>());
              }
              out.set_published_count(totals["published_count"].as<int64_t>());
              out.set_parked_count(totals["parked_count"].as<int64_t>());
              for (const auto& row : tx.Run(sql::kAdminGroupLag)) {
                v1::TransportStatus::GroupLag& lag = *out.add_groups();
                lag.set_group(row["grp"].as<std::string>());
                lag.set_topic(kTopics[row["topic"].as<int>()]);
                lag.set_entry_count(row["entries"].as<int64_t>());
                if (!row["age_us"].is_null()) {
                  *lag.mutable_oldest_age() =
                      TimeUtil::MicrosecondsToDuration(row["age_us"].as<int64_t>());
                }
              }
              return out;
            });
      });
}

}  // namespace potok::intake
