#include "intake/rpc/admin_rpc.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"

#include "base/status_macros.h"
#include "intake/domain/dead_letter.h"
#include "intake/sql.h"
#include "ledger/verify.h"
#include "platform/pg/transaction.h"

namespace potok::intake {
namespace {

namespace v1 = admin::v1;
using google::protobuf::util::TimeUtil;

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

v1::TransportStatus::Admission ToWire(const Admission& admission) {
  v1::TransportStatus::Admission out;
  const Admission::View view = admission.Now();
  switch (view.state) {
    case AdmissionState::kOpen: out.set_state(v1::TransportStatus::Admission::STATE_OPEN); break;
    case AdmissionState::kSheddingLow:
      out.set_state(v1::TransportStatus::Admission::STATE_SHEDDING_LOW);
      break;
    case AdmissionState::kSheddingAll:
      out.set_state(v1::TransportStatus::Admission::STATE_SHEDDING_ALL);
      break;
  }
  const auto span = [](absl::Duration duration) {
    return TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(duration));
  };
  // Unset before the first measurement.
  if (view.since > absl::InfinitePast()) *out.mutable_state_change_time() = ToWire(view.since);
  out.set_outbox_count(view.facts.outbox_rows);
  *out.mutable_log_lag() = span(view.facts.log_lag);
  out.set_outbox_soft_limit(admission.limits().soft_rows);
  out.set_outbox_hard_limit(admission.limits().hard_rows);
  *out.mutable_log_lag_limit() = span(admission.limits().lag);
  return out;
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
  return front_.Blocking(context, request, answer, [this](const CallContext& call, const auto& q) {
    return letters_.List(call, q);
  });
}

grpc::ServerUnaryReactor* AdminRpc::GetDeadLetter(grpc::CallbackServerContext* context,
                                                  const v1::GetDeadLetterRequest* request,
                                                  v1::DeadLetter* answer) {
  return front_.Blocking(context, request, answer, [this](const CallContext& call, const auto& q) {
    return letters_.Get(call, q);
  });
}

grpc::ServerUnaryReactor* AdminRpc::ReplayDeadLetters(grpc::CallbackServerContext* context,
                                                      const v1::ReplayDeadLettersRequest* request,
                                                      v1::ReplayDeadLettersResponse* answer) {
  return front_.Blocking(context, request, answer, [this](const CallContext& call, const auto& q) {
    return letters_.Replay(call, q);
  });
}

grpc::ServerUnaryReactor* AdminRpc::DropDeadLetters(grpc::CallbackServerContext* context,
                                                    const v1::DropDeadLettersRequest* request,
                                                    v1::DropDeadLettersResponse* answer) {
  return front_.Blocking(context, request, answer, [this](const CallContext& call, const auto& q) {
    return letters_.Drop(call, q);
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
              tx.KeepTable("ledger.outbox");  // A snapshot alone does not outlive a truncation.
              v1::TransportStatus out;
              const pqxx::row totals = tx.Run(sql::kAdminTransport)[0];
              out.set_outbox_count(totals["outbox_count"].as<int64_t>());
              if (!totals["outbox_age_us"].is_null()) {
                *out.mutable_outbox_oldest_age() =
                    TimeUtil::MicrosecondsToDuration(totals["outbox_age_us"].as<int64_t>());
              }
              out.set_published_count(totals["published_count"].as<int64_t>());
              out.set_parked_count(totals["parked_count"].as<int64_t>());
              *out.mutable_admission() = ToWire(admission_);
              for (const auto& row : tx.Run(sql::kAdminGroupLag)) {
                v1::TransportStatus::GroupLag& lag = *out.add_groups();
                lag.set_group(row["grp"].as<std::string>());
                lag.set_topic(std::string(TopicName(row["topic"].as<int>())));
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
