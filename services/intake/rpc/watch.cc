// WatchTicket: what happened so far from the handler, what happens next from the feed.
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/access/visibility.h"
#include "desk/ticket/refusal.h"
#include "intake/rpc/convert_event.h"
#include "intake/rpc/convert_ticket.h"
#include "intake/rpc/intake_rpc.h"

namespace potok::intake {
namespace {

using Stream = rpc::Stream<v1::WatchTicketResponse>;

// Events a handler sends at a time while it catches up; less than a stream lets pile up.
constexpr int kCatchUpBatch = 100;
// A reader that takes nothing for so long while it catches up is not reading.
constexpr absl::Duration kCatchUpPatience = absl::Seconds(10);

v1::WatchTicketResponse ChangeOf(const desk::Event& event, const v1::Ticket& ticket) {
  v1::WatchTicketResponse message;
  *message.mutable_change()->mutable_event() = ToWire(ticket.uid(), event);
  *message.mutable_change()->mutable_ticket() = ticket;
  return message;
}

// One stream as the feed sees it.
class StreamFollower final : public TicketFollower {
 public:
  StreamFollower(std::shared_ptr<Stream> stream, const ledger::Reference& reference, Caller caller,
                 const Clock& clock)
      : stream_(std::move(stream)),
        reference_(reference),
        caller_(std::move(caller)),
        clock_(clock) {}

  void Changed(const std::vector<desk::Event>& events, const TicketSeen& now) override {
    // Judged anew each time: a watcher who lost the right to see the ticket hears no more of it.
    const desk::Relation relation =
        desk::RelationOf(reference_.Snapshot()->ViewerOf(caller_), now.ticket);
    if (!relation.sees) return End(desk::Hidden());
    const v1::Ticket ticket = ToWire(now.ticket, v1::TICKET_VIEW_FULL, clock_.Now(), now.reason);
    for (const desk::Event& event : events) {
      if (MaySee(event, relation) && !stream_->Send(ChangeOf(event, ticket))) return;
    }
  }

  void Quiet(int64_t version) override {
    v1::WatchTicketResponse message;
    message.mutable_bookmark()->set_version(version);
    stream_->Send(std::move(message));
  }

  void End(const absl::Status& status) override { stream_->Close(status); }
  bool listening() const override { return stream_->open(); }

 private:
  const std::shared_ptr<Stream> stream_;
  const ledger::Reference& reference_;
  const Caller caller_;
  const Clock& clock_;
};

absl::Status AheadOfTicket(int64_t asked, int64_t version) {
  return BadField("after_version",
                  absl::StrCat("is ", asked, ", but the ticket is at version ", version,
                               "; give the version of the last event you saw, 0 for all"),
                  absl::StrCat("указано ", asked, ", а у заявки версия ", version,
                               "; укажите версию последнего увиденного события, 0 - все"));
}

}  // namespace

grpc::ServerWriteReactor<v1::WatchTicketResponse>* IntakeRpc::WatchTicket(
    Context* c, const v1::WatchTicketRequest* q) {
  return parts_.front.Streaming<v1::WatchTicketRequest, v1::WatchTicketResponse>(
      c, q,
      [this](const CallContext& call, const v1::WatchTicketRequest& q,
             std::shared_ptr<Stream> stream) -> absl::Status {
        POTOK_ASSIGN_OR_RETURN(const std::string id, TicketIdOf("name", q.name()));
        const desk::Viewer viewer = ViewerOf(call);
        int64_t told = q.after_version();
        while (true) {
          POTOK_ASSIGN_OR_RETURN(const std::optional<TicketChanges> changes,
                                 parts_.reads.ChangesAfter(id, told, kCatchUpBatch, call.deadline));
          if (!changes) return NoSuchTicket(viewer, q.name());
          const desk::Ticket& ticket = changes->now.ticket;
          const desk::Relation relation = desk::RelationOf(viewer, ticket);
          if (!relation.sees) return desk::Hidden();
          if (told > ticket.version) return AheadOfTicket(told, ticket.version);
          const v1::Ticket wire =
              ToWire(ticket, v1::TICKET_VIEW_FULL, parts_.clock.Now(), changes->now.reason);
          for (const desk::Event& event : changes->events) {
            told = event.version;
            if (!MaySee(event, relation)) continue;
            if (!stream->SendWaiting(ChangeOf(event, wire), kCatchUpPatience)) {
              return absl::OkStatus();  // The stream is over and has said why.
            }
          }
          if (told < ticket.version) continue;
          if (ticket.state == desk::State::kArchived) return absl::OkStatus();
          break;
        }
        // From here on by version, so nothing falls between this read and the feed's first look.
        parts_.feed.Follow(id, told,
                           std::make_shared<StreamFollower>(std::move(stream), parts_.reference,
                                                            call.caller, parts_.clock));
        return absl::OkStatus();
      });
}

}  // namespace potok::intake
