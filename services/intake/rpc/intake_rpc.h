// potok.intake.v1.IntakeService: filing requests and working on them.
//
// Reads and decisions that need the database run on the front's pool; commands go to the ledger,
// which commits many at once and answers from its own thread, so no pool thread waits for a commit.
// A filing goes there straight from gRPC's thread, as does a lookup to the readers at work.
// Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/call_context.h"
#include "desk/ticket/command.h"
#include "intake/domain/admission.h"
#include "intake/domain/ticket_feed.h"
#include "intake/domain/ticket_filing.h"
#include "intake/domain/ticket_lookups.h"
#include "intake/domain/ticket_seen.h"
#include "intake/store/list_tickets.h"
#include "intake/store/ticket_reads.h"
#include "ledger/ledger.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/rpc/front.h"
#include "platform/rpc/page_token.h"
#include "potok/intake/v1/intake.grpc.pb.h"

namespace potok::intake {

// What the service stands on; everything outlives it.
struct IntakeParts {
  rpc::Front& front;
  ledger::Ledger& ledger;
  Admission& admission;
  ledger::Reference& reference;
  const TicketReads& reads;
  const TicketLists& lists;
  TicketFeed& feed;
  const rpc::PageTokens& page_tokens;
  const Clock& clock;
};

class IntakeRpc final : public v1::IntakeService::CallbackService {
 public:
  explicit IntakeRpc(const IntakeParts& parts)
      : parts_(parts),
        lookups_([&reads = parts.reads](const std::vector<std::string>& ids,
                                        TicketLookups::Deadline deadline) {
          return reads.FindAll(ids, deadline);
        }) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreateTicket(Context* c, const v1::CreateTicketRequest* q, v1::Ticket* a) override;
  Reactor* GetTicket(Context* c, const v1::GetTicketRequest* q, v1::Ticket* a) override;
  Reactor* ListTickets(Context* c, const v1::ListTicketsRequest* q,
                       v1::ListTicketsResponse* a) override;
  Reactor* ListMyWork(Context* c, const v1::ListMyWorkRequest* q,
                      v1::ListMyWorkResponse* a) override;
  Reactor* StartTicket(Context* c, const v1::StartTicketRequest* q, v1::Ticket* a) override;
  Reactor* WaitTicket(Context* c, const v1::WaitTicketRequest* q, v1::Ticket* a) override;
  Reactor* ResumeTicket(Context* c, const v1::ResumeTicketRequest* q, v1::Ticket* a) override;
  Reactor* ResolveTicket(Context* c, const v1::ResolveTicketRequest* q, v1::Ticket* a) override;
  Reactor* ConfirmTicket(Context* c, const v1::ConfirmTicketRequest* q, v1::Ticket* a) override;
  Reactor* SendBackTicket(Context* c, const v1::SendBackTicketRequest* q, v1::Ticket* a) override;
  Reactor* RateTicket(Context* c, const v1::RateTicketRequest* q, v1::Ticket* a) override;
  Reactor* CancelTicket(Context* c, const v1::CancelTicketRequest* q, v1::Ticket* a) override;
  Reactor* ReopenTicket(Context* c, const v1::ReopenTicketRequest* q, v1::Ticket* a) override;
  Reactor* ExtendDeadline(Context* c, const v1::ExtendDeadlineRequest* q, v1::Ticket* a) override;
  Reactor* AddComment(Context* c, const v1::AddCommentRequest* q,
                      v1::AddCommentResponse* a) override;
  Reactor* ListTicketEvents(Context* c, const v1::ListTicketEventsRequest* q,
                            v1::ListTicketEventsResponse* a) override;
  grpc::ServerWriteReactor<v1::WatchTicketResponse>* WatchTicket(
      Context* c, const v1::WatchTicketRequest* q) override;

 private:
  // Called once with what the command did.
  using Done = ledger::Ledger::Done;

  using ReferencePointer = std::shared_ptr<const ledger::ReferenceSnapshot>;

  // A filing that has been accepted: ready for the ledger, or to be shown as a promise.
  struct Accepted {
    desk::CreateTicket create;
    ReferencePointer reference;
  };
  // Waits for the database only to look for a name that `reference` does not know.
  absl::StatusOr<Accepted> Accept(const CallContext& call, const Filing& filing,
                                  const v1::CreateTicketRequest& request,
                                  ReferencePointer reference);
  // Files what was asked for, or says why not; waits as Accept does.
  void File(const CallContext& call, const v1::CreateTicketRequest& q,
            const absl::StatusOr<Filing>& filing, ReferencePointer reference,
            const rpc::Answer<v1::Ticket>& answer);
  absl::StatusOr<v1::Ticket> Promise(const CallContext& call, const Accepted& accepted) const;

  // The one path of every verb: name, etag and words are checked, then the ledger decides.
  template <class Request>
  absl::StatusOr<desk::Command> CommandOf(const CallContext& call, const Request& request,
                                          desk::Action action, std::string content) const;
  template <class Request, class MakeAction>
  Reactor* Verb(Context* c, const Request* q, v1::Ticket* a, MakeAction make_action);

  // An action that depends on the ticket as it is: `choose` looks at it. Where the choice holds
  // only for that version, it is bound to it, and when the ticket has moved before the commit,
  // `choose` looks again.
  struct Choice {
    desk::Action action;
    bool of_this_version = false;
  };
  using Choose = std::function<absl::StatusOr<Choice>(const desk::Ticket&)>;
  void Decide(const CallContext& call, desk::Command command, const Choose& choose, Done done);

  absl::StatusOr<TicketSeen> FindVisible(const CallContext& call, const std::string& name,
                                         const desk::Viewer& viewer) const;
  // OK, or what the viewer is told of ticket `name` instead; `seen` is null when there is none.
  static absl::Status Visible(const TicketSeen* seen, const std::string& name,
                              const desk::Viewer& viewer);
  desk::Viewer ViewerOf(const CallContext& call) const;
  // A ResumeTicket that leaves the ticket with its holder, or gives it back to the queue when the
  // holder cannot go on.
  absl::StatusOr<Choice> Resume(const CallContext& call, const desk::Ticket& ticket,
                                const std::string& text) const;
  v1::Ticket Show(const ledger::Outcome& outcome) const;
  // Real time, up to a constant: page tokens live a day of the clock on the wall, also when
  // business time is scaled.
  absl::Time TokenTime() const;
  absl::StatusOr<v1::ListTicketsResponse> List(const CallContext& call,
                                               const v1::ListTicketsRequest& request) const;

  const IntakeParts parts_;
  TicketLookups lookups_;
};

// PERMISSION_DENIED in the words used for a ticket that is not the caller's to see; NOT_FOUND for
// those who see every ticket and may therefore know that there is none.
absl::Status NoSuchTicket(const desk::Viewer& viewer, const std::string& name);

// The ticket id in "tickets/UUID"; INVALID_ARGUMENT naming `field` otherwise.
absl::StatusOr<std::string> TicketIdOf(absl::string_view field, const std::string& name);

}  // namespace potok::intake
