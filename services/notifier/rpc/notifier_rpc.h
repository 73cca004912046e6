// potok.notifier.v1.NotifierService: inboxes of portals, and the ledger of deliveries. Thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "base/call_context.h"
#include "desk/access/visibility.h"
#include "ledger/reference.h"
#include "notifier/domain/inbox.h"
#include "notifier/store/delivery_lists.h"
#include "notifier/store/inbox_store.h"
#include "platform/rpc/front.h"
#include "platform/rpc/page_token.h"
#include "potok/notifier/v1/notifier.grpc.pb.h"

namespace potok::notifier {

// What the service stands on; everything outlives it.
struct NotifierParts {
  rpc::Front& front;
  pg::Pool& pool;
  ledger::Reference& reference;
  const InboxStore& inbox;
  const DeliveryLists& deliveries;
  InboxFeed& feed;
  const rpc::PageTokens& page_tokens;
};

class NotifierRpc final : public v1::NotifierService::CallbackService {
 public:
  explicit NotifierRpc(const NotifierParts& parts) : parts_(parts) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* ListInbox(Context* c, const v1::ListInboxRequest* q, v1::ListInboxResponse* a) override;
  grpc::ServerWriteReactor<v1::WatchInboxResponse>* WatchInbox(
      Context* c, const v1::WatchInboxRequest* q) override;
  Reactor* MarkRead(Context* c, const v1::MarkReadRequest* q, v1::MarkReadResponse* a) override;
  Reactor* ListDeliveries(Context* c, const v1::ListDeliveriesRequest* q,
                          v1::ListDeliveriesResponse* a) override;
  Reactor* WhyNotified(Context* c, const v1::WhyNotifiedRequest* q,
                       v1::WhyNotifiedResponse* a) override;
  Reactor* GetDeliveryStats(Context* c, const v1::GetDeliveryStatsRequest* q,
                            v1::DeliveryStats* a) override;

 private:
  absl::StatusOr<v1::ListInboxResponse> Inbox(const CallContext& call,
                                              const v1::ListInboxRequest& q) const;
  absl::StatusOr<v1::ListDeliveriesResponse> Deliveries(const CallContext& call,
                                                        const v1::ListDeliveriesRequest& q) const;
  absl::StatusOr<v1::WhyNotifiedResponse> Why(const CallContext& call,
                                              const v1::WhyNotifiedRequest& q) const;

  const NotifierParts parts_;
};

// The employee of "employees/ivanova", if it is the caller's own inbox or the caller an admin.
absl::StatusOr<std::string> InboxOwner(const CallContext& call, const std::string& parent);

}  // namespace potok::notifier
