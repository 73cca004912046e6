#include "notifier/store/delivery_queue.h"

#include "notifier/sql.h"
#include "notifier/store/facts_codec.h"
#include "platform/pg/transaction.h"

namespace potok::notifier {
namespace {

ClaimedDelivery ReadClaimed(const pqxx::row& row) {
  ClaimedDelivery claimed;
  claimed.part = row["part"].as<int>();
  claimed.id = row["id"].as<std::string>();
  claimed.ticket_id = row["ticket_id"].as<std::string>();
  claimed.version = row["version"].as<int64_t>();
  claimed.rule = row["rule"].as<std::string>();
  // A name of a newer release reads as a plain fact to be told.
  claimed.kind = ParseKind(row["kind"].as<std::string>()).value_or(Kind::kConfirmation);
  claimed.role = ParseRole(row["role"].as<std::string>()).value_or(Role::kRequester);
  claimed.recipient = row["recipient"].as<std::string>();
  claimed.address = row["address"].as<std::string>();
  claimed.locale = row["locale"].as<std::string>();
  claimed.facts = FactsFromJson(row["facts"].as<std::string>());
  claimed.words = row["words"].as<std::string>("");
  claimed.message_id = row["message_id"].as<std::string>();
  claimed.attempts = row["attempts"].as<int>();
  claimed.age = absl::Microseconds(row["age_us"].as<int64_t>());
  claimed.ticket.state = desk::ParseState(row["ticket_state"].as<std::string>()).value();
  claimed.ticket.assignee = row["assignee"].as<std::string>("");
  claimed.ticket.breached = row["breached"].as<bool>();
  return claimed;
}

}  // namespace

absl::StatusOr<std::vector<ClaimedDelivery>> DeliveryQueue::Claim(Channel channel, int limit,
                                                                  const std::string& token,
                                                                  absl::Duration lease) const {
  return pg::InTransaction(
      pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<ClaimedDelivery>> {
        std::vector<ClaimedDelivery> claimed;
        for (const auto& row : tx.Run(sql::kClaimDeliveries, Name(channel), limit, token,
                                      absl::ToInt64Microseconds(lease))) {
          claimed.push_back(ReadClaimed(row));
        }
        return claimed;
      });
}

absl::StatusOr<absl::Duration> DeliveryQueue::Settle(const ClaimedDelivery& delivery,
                                                     const std::string& token,
                                                     const Settlement& settlement) const {
  // A mail each: the next one is sent only after this, so round trips are what a mail costs.
  const auto settle = [&](pg::Tx& tx) -> absl::StatusOr<absl::Duration> {
    const pqxx::result rows =
        tx.RunWrite(sql::kSettleDelivery,
                    {pg::ToParam(delivery.part), pg::ToParam(delivery.id), pg::ToParam(token),
                     pg::ToParam(Name(settlement.state)), pg::ToParam(settlement.reason),
                     pg::ToParam(settlement.error), pg::ToParam(settlement.title),
                     pg::ToParam(absl::ToInt64Microseconds(settlement.again_in)),
                     pg::ToParam(settlement.uncounted)});
    if (rows.empty()) return absl::NotFoundError("the lease of the delivery has passed on");
    return absl::Seconds(rows[0]["seconds"].as<double>());
  };
  absl::StatusOr<absl::Duration> settled = pg::InTransaction(pool_, {.one_write = true}, settle);
  // Also a connection that died while the mail was on its way: the token tells whether it is done.
  if (absl::IsUnknown(settled.status())) {
    settled = pg::InTransaction(pool_, {.one_write = true}, settle);
  }
  return settled;
}

absl::Status DeliveryQueue::Release(const std::vector<ClaimedDelivery>& untried,
                                    const std::string& token) const {
  if (untried.empty()) return absl::OkStatus();
  std::vector<int> parts;
  std::vector<std::string> ids;
  for (const ClaimedDelivery& delivery : untried) {
    parts.push_back(delivery.part);
    ids.push_back(delivery.id);
  }
  return pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    tx.Run(sql::kReleaseDeliveries, token, pg::IntArray(parts), pg::TextArray(ids));
    return absl::OkStatus();
  });
}

absl::Status DeliveryQueue::OpenChannel(Channel channel) const {
  return pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::Status {
    tx.Run(sql::kOpenChannel, Name(channel));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Undelivered>> DeliveryQueue::Waiting() const {
  return pg::InAutocommit(
      pool_, {.read_only = true}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<Undelivered>> {
        std::vector<Undelivered> waiting;
        for (const auto& row : tx.Run(sql::kUndelivered)) {
          waiting.push_back({ParseChannel(row["channel"].as<std::string>()).value(),
                             row["waiting"].as<int64_t>(),
                             absl::Seconds(row["oldest_seconds"].as<double>())});
        }
        return waiting;
      });
}

}  // namespace potok::notifier
