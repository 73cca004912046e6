// WatchInbox: what is there already from the handler, what arrives later from the feed.
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "notifier/rpc/convert.h"
#include "notifier/rpc/notifier_rpc.h"

namespace potok::notifier {
namespace {

using Stream = rpc::Stream<v1::WatchInboxResponse>;

// Notices a handler sends at a time while it catches up; less than a stream lets pile up.
constexpr int kCatchUpBatch = 100;
// A reader that takes nothing for so long while it catches up is not reading.
constexpr absl::Duration kCatchUpPatience = absl::Seconds(10);

v1::WatchInboxResponse MessageOf(const InboxItem& item) {
  v1::WatchInboxResponse message;
  *message.mutable_notice() = ToWire(item);
  return message;
}

class StreamFollower final : public InboxFollower {
 public:
  explicit StreamFollower(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}

  void Arrived(const std::vector<InboxItem>& items) override {
    for (const InboxItem& item : items) {
      if (!stream_->Send(MessageOf(item))) return;  // Over, and it has said why.
    }
  }
  void Quiet(int64_t sequence) override {
    v1::WatchInboxResponse message;
    message.mutable_bookmark()->set_sequence(sequence);
    stream_->Send(std::move(message));
  }
  void End(const absl::Status& status) override { stream_->Close(status); }
  bool listening() const override { return stream_->open(); }

 private:
  const std::shared_ptr<Stream> stream_;
};

absl::Status AheadOfInbox(int64_t asked, int64_t last) {
  return BadField("after_sequence",
                  absl::StrCat("is ", asked, ", but the last notice has number ", last,
                               "; give the number of the last one you saw, 0 for all"),
                  absl::StrCat("указано ", asked, ", а номер последнего уведомления ", last,
                               "; укажите номер последнего увиденного, 0 - все"));
}

}  // namespace

grpc::ServerWriteReactor<v1::WatchInboxResponse>* NotifierRpc::WatchInbox(
    Context* c, const v1::WatchInboxRequest* q) {
  return parts_.front.Streaming<v1::WatchInboxRequest, v1::WatchInboxResponse>(
      c, q,
      [this](const CallContext& call, const v1::WatchInboxRequest& q,
             std::shared_ptr<Stream> stream) -> absl::Status {
        POTOK_ASSIGN_OR_RETURN(const std::string employee, InboxOwner(call, q.parent()));
        POTOK_ASSIGN_OR_RETURN(const int64_t last,
                               parts_.inbox.LastSequence(employee, call.deadline));
        int64_t told = q.after_sequence();
        if (told > last) return AheadOfInbox(told, last);
        while (told < last) {
          POTOK_ASSIGN_OR_RETURN(const std::vector<InboxItem> items,
                                 parts_.inbox.After(employee, told, kCatchUpBatch, call.deadline));
          if (items.empty()) break;
          for (const InboxItem& item : items) {
            if (!stream->SendWaiting(MessageOf(item), kCatchUpPatience)) return absl::OkStatus();
          }
          told = items.back().sequence;
        }
        // From here on by number, so nothing falls between this read and the feed's first look.
        parts_.feed.Follow(employee, told, std::make_shared<StreamFollower>(std::move(stream)));
        return absl::OkStatus();
      });
}

}  // namespace potok::notifier
