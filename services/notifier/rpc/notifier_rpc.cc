#include "notifier/rpc/notifier_rpc.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/filter/filter.h"
#include "desk/ticket/ids.h"
#include "ledger/reference_idem.h"
#include "notifier/domain/delivery_fields.h"
#include "notifier/domain/rules.h"
#include "notifier/rpc/convert.h"

namespace potok::notifier {
namespace {

constexpr int kDefaultPageSize = 50;

int PageSize(int asked) { return asked == 0 ? kDefaultPageSize : asked; }

// Whoever may read deliveries at all sees those of the flows they are responsible for.
bool SeesFlow(const desk::Viewer& viewer, const std::string& flow) {
  return viewer.sees_all || viewer.admin ||
         std::find(viewer.flows_administered.begin(), viewer.flows_administered.end(), flow) !=
             viewer.flows_administered.end();
}

absl::Status NoSuchDelivery(const std::string& name) {
  ErrorDetail detail;
  detail.metadata["delivery"] = name;
  detail.ru = absl::StrCat("Доставки ", name,
                           " нет или она не из ваших потоков. Найти нужную поможет "
                           "ListDeliveries.");
  return MakeError(
      absl::StatusCode::kNotFound, "NOT_FOUND",
      absl::StrCat("no delivery ", name,
                   ", or not one of your flows; ListDeliveries finds the one you mean"),
      std::move(detail));
}

}  // namespace

absl::StatusOr<std::string> InboxOwner(const CallContext& call, const std::string& parent) {
  std::string employee = parent.substr(parent.find('/') + 1);
  const bool admin = call.caller.scope.empty() && call.caller.Has("admin");
  if (admin || (!employee.empty() && employee == call.caller.employee)) return employee;
  ErrorDetail detail;
  detail.ru = "Чужие уведомления видит только администратор. Укажите себя.";
  return MakeError(absl::StatusCode::kPermissionDenied, "PERMISSION_DENIED",
                   "only an admin reads the notices of others; name yourself as the parent",
                   std::move(detail));
}

NotifierRpc::Reactor* NotifierRpc::ListInbox(Context* c, const v1::ListInboxRequest* q,
                                             v1::ListInboxResponse* a) {
  return parts_.front.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return Inbox(call, request);
  });
}

absl::StatusOr<v1::ListInboxResponse> NotifierRpc::Inbox(const CallContext& call,
                                                         const v1::ListInboxRequest& q) const {
  POTOK_ASSIGN_OR_RETURN(const std::string employee, InboxOwner(call, q.parent()));
  const std::string arguments = absl::StrCat(q.parent(), ";", q.unread_only());
  int64_t before = INT64_MAX;
  if (!q.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::string payload,
                           parts_.page_tokens.Open(q.page_token(), arguments, absl::Now()));
    if (!absl::SimpleAtoi(payload, &before)) return absl::InternalError("unreadable page token");
  }
  POTOK_ASSIGN_OR_RETURN(
      const InboxPage page,
      parts_.inbox.List(employee, before, q.unread_only(), PageSize(q.page_size()), call.deadline));
  v1::ListInboxResponse answer;
  for (const InboxItem& item : page.items) *answer.add_notices() = ToWire(item);
  if (page.more) {
    answer.set_next_page_token(
        parts_.page_tokens.Seal(absl::StrCat(page.items.back().sequence), arguments, absl::Now()));
  }
  answer.set_unread_count(page.unread);
  return answer;
}

NotifierRpc::Reactor* NotifierRpc::MarkRead(Context* c, const v1::MarkReadRequest* q,
                                            v1::MarkReadResponse* a) {
  return parts_.front.Blocking(
      c, q, a,
      [this](const CallContext& call,
             const v1::MarkReadRequest& q) -> absl::StatusOr<v1::MarkReadResponse> {
        POTOK_ASSIGN_OR_RETURN(const std::string employee, InboxOwner(call, q.parent()));
        return ledger::WriteOnce<v1::MarkReadResponse>(
            parts_.pool, call, q, [&](pg::Tx& tx) -> absl::StatusOr<v1::MarkReadResponse> {
              v1::MarkReadResponse answer;
              answer.set_unread_count(MarkInboxRead(tx, employee, q.up_to_sequence()));
              return answer;
            });
      });
}

NotifierRpc::Reactor* NotifierRpc::ListDeliveries(Context* c, const v1::ListDeliveriesRequest* q,
                                                  v1::ListDeliveriesResponse* a) {
  return parts_.front.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return Deliveries(call, request);
  });
}

absl::StatusOr<v1::ListDeliveriesResponse> NotifierRpc::Deliveries(
    const CallContext& call, const v1::ListDeliveriesRequest& q) const {
  DeliveryQuery query;
  POTOK_ASSIGN_OR_RETURN(query.filter, desk::ParseFilter(q.filter(), DeliveryFields()));
  query.page_size = PageSize(q.page_size());
  query.with_total = q.with_total();
  const desk::Viewer viewer = parts_.reference.Snapshot()->ViewerOf(call.caller);
  if (!viewer.sees_all && !viewer.admin) query.flows = viewer.flows_administered;
  const std::string arguments =
      absl::StrCat(desk::CanonicalText(query.filter), ";", q.with_total());
  if (!q.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::string payload,
                           parts_.page_tokens.Open(q.page_token(), arguments, absl::Now()));
    const std::vector<std::string> keys = absl::StrSplit(payload, ';');
    int64_t micros = 0;
    if (keys.size() != 2 || !absl::SimpleAtoi(keys[0], &micros) || !desk::IsUuid(keys[1])) {
      return absl::InternalError("unreadable page token");
    }
    query.after = DeliveryCursor{absl::FromUnixMicros(micros), keys[1]};
  }
  POTOK_ASSIGN_OR_RETURN(const DeliveryPage page, parts_.deliveries.List(query, call.deadline));
  v1::ListDeliveriesResponse answer;
  for (const Delivery& delivery : page.deliveries) *answer.add_deliveries() = ToWire(delivery);
  if (page.more) {
    const Delivery& last = page.deliveries.back();
    const std::string payload = absl::StrCat(absl::ToUnixMicros(last.planned_at), ";", last.id);
    answer.set_next_page_token(parts_.page_tokens.Seal(payload, arguments, absl::Now()));
  }
  answer.set_total_size(page.total);
  return answer;
}

NotifierRpc::Reactor* NotifierRpc::WhyNotified(Context* c, const v1::WhyNotifiedRequest* q,
                                               v1::WhyNotifiedResponse* a) {
  return parts_.front.Blocking(
      c, q, a, [this](const CallContext& call, const auto& request) { return Why(call, request); });
}

absl::StatusOr<v1::WhyNotifiedResponse> NotifierRpc::Why(const CallContext& call,
                                                         const v1::WhyNotifiedRequest& q) const {
  const std::string id = q.name().substr(q.name().find('/') + 1);
  POTOK_ASSIGN_OR_RETURN(const std::optional<DeliveryWithCause> found,
                         parts_.deliveries.Find(id, call.deadline));
  if (!found ||
      !SeesFlow(parts_.reference.Snapshot()->ViewerOf(call.caller), found->delivery.flow_id)) {
    return NoSuchDelivery(q.name());
  }
  v1::WhyNotifiedResponse answer;
  *answer.mutable_delivery() = ToWire(found->delivery);
  if (found->cause) *answer.mutable_cause() = CauseToWire(found->delivery.ticket_id, *found->cause);
  if (const Rule* rule = FindRule(found->delivery.rule); rule != nullptr) {
    answer.set_rule(std::string(call.locale == "ru" ? rule->why_ru : rule->why_en));
  }
  return answer;
}

NotifierRpc::Reactor* NotifierRpc::GetDeliveryStats(Context* c,
                                                    const v1::GetDeliveryStatsRequest* q,
                                                    v1::DeliveryStats* a) {
  return parts_.front.Blocking(
      c, q, a,
      [this](const CallContext& call,
             const v1::GetDeliveryStatsRequest&) -> absl::StatusOr<v1::DeliveryStats> {
        POTOK_ASSIGN_OR_RETURN(const DeliveryFigures figures,
                               parts_.deliveries.Figures(call.deadline));
        return ToWire(figures);
      });
}

}  // namespace potok::notifier
