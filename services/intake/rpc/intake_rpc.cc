#include "intake/rpc/intake_rpc.h"

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/access/visibility.h"
#include "desk/ticket/ids.h"
#include "desk/ticket/refusal.h"
#include "intake/rpc/convert_event.h"
#include "intake/rpc/convert_ticket.h"

namespace potok::intake {

absl::Status NoSuchTicket(const desk::Viewer& viewer, const std::string& name) {
  if (!viewer.sees_all && !viewer.admin && !viewer.system) return desk::Hidden();
  ErrorDetail detail;
  detail.metadata["ticket"] = name;
  detail.ru = absl::StrCat("Заявки ", name, " нет. Найти нужную поможет ListTickets.");
  return MakeError(absl::StatusCode::kNotFound, "TICKET_NOT_FOUND",
                   absl::StrCat("no ticket ", name, "; ListTickets finds the one you mean"),
                   std::move(detail));
}

absl::StatusOr<std::string> TicketIdOf(absl::string_view field, const std::string& name) {
  std::string id = IdOf("tickets", name);
  if (desk::IsUuid(id)) return id;
  ErrorDetail detail;
  detail.fields = {{std::string(field), "must be \"tickets/\" and the ticket's UUID in lower case",
                    "должно быть «tickets/» и UUID заявки строчными буквами"}};
  detail.ru = "Имя заявки: «tickets/» и её UUID строчными буквами.";
  return MakeError(absl::StatusCode::kInvalidArgument, "RESOURCE_NAME_INVALID",
                   absl::StrCat(field, " must be \"tickets/\" and the ticket's UUID in lower case"),
                   std::move(detail));
}

desk::Viewer IntakeRpc::ViewerOf(const CallContext& call) const {
  return parts_.reference.Snapshot()->ViewerOf(call.caller);
}

absl::Time IntakeRpc::TokenTime() const {
  return absl::UnixEpoch() + parts_.clock.ToReal(parts_.clock.Now() - absl::UnixEpoch());
}

absl::StatusOr<TicketSeen> IntakeRpc::FindVisible(const CallContext& call, const std::string& name,
                                                  const desk::Viewer& viewer) const {
  POTOK_ASSIGN_OR_RETURN(const std::string id, TicketIdOf("name", name));
  POTOK_ASSIGN_OR_RETURN(std::optional<TicketSeen> seen, parts_.reads.Find(id, call.deadline));
  POTOK_RETURN_IF_ERROR(Visible(seen ? &*seen : nullptr, name, viewer));
  return *std::move(seen);
}

absl::Status IntakeRpc::Visible(const TicketSeen* seen, const std::string& name,
                                const desk::Viewer& viewer) {
  if (seen == nullptr) return NoSuchTicket(viewer, name);
  if (!desk::RelationOf(viewer, seen->ticket).sees) return desk::Hidden();
  return absl::OkStatus();
}

IntakeRpc::Reactor* IntakeRpc::GetTicket(Context* c, const v1::GetTicketRequest* q, v1::Ticket* a) {
  using Answer = rpc::Answer<v1::Ticket>;
  const auto show = [this](const CallContext& call, const v1::GetTicketRequest& q,
                           const Answer& answer) -> TicketLookups::Done {
    return [this, viewer = ViewerOf(call), name = q.name(),
            answer](absl::StatusOr<const TicketSeen*> seen) {
      if (!seen.ok()) return answer(seen.status());
      if (const absl::Status status = Visible(*seen, name, viewer); !status.ok()) {
        return answer(status);
      }
      answer(ToWire((*seen)->ticket, v1::TICKET_VIEW_FULL, parts_.clock.Now(), (*seen)->reason));
    };
  };
  return parts_.front.Prompt(
      c, q, a,
      [this, show](const CallContext& call, const v1::GetTicketRequest& q, const Answer& answer) {
        // Who is looking costs more to find out than that somebody will have to wait.
        if (!lookups_.Busy()) return false;
        const absl::StatusOr<std::string> id = TicketIdOf("name", q.name());
        if (id.ok()) return lookups_.Join(*id, call.deadline, show(call, q, answer));
        answer(id.status());
        return true;
      },
      [this, show](const CallContext& call, const v1::GetTicketRequest& q, const Answer& answer) {
        absl::StatusOr<std::string> id = TicketIdOf("name", q.name());
        if (!id.ok()) return answer(id.status());
        lookups_.Find(*std::move(id), call.deadline, show(call, q, answer));
      });
}

IntakeRpc::Reactor* IntakeRpc::ListTicketEvents(Context* c, const v1::ListTicketEventsRequest* q,
                                                v1::ListTicketEventsResponse* a) {
  return parts_.front.Blocking(
      c, q, a,
      [this](const CallContext& call,
             const v1::ListTicketEventsRequest& q) -> absl::StatusOr<v1::ListTicketEventsResponse> {
        POTOK_ASSIGN_OR_RETURN(const std::string id, TicketIdOf("parent", q.parent()));
        const desk::Viewer viewer = ViewerOf(call);
        int64_t after = 0;
        if (!q.page_token().empty()) {
          POTOK_ASSIGN_OR_RETURN(const std::string payload,
                                 parts_.page_tokens.Open(q.page_token(), id, TokenTime()));
          if (!absl::SimpleAtoi(payload, &after))
            return absl::InternalError("unreadable page token");
        }
        const int page = q.page_size() == 0 ? 50 : q.page_size();
        // One more than asked for tells whether there is a next page.
        POTOK_ASSIGN_OR_RETURN(const std::optional<TicketChanges> changes,
                               parts_.reads.ChangesAfter(id, after, page + 1, call.deadline));
        if (!changes) return NoSuchTicket(viewer, q.parent());
        const desk::Relation relation = desk::RelationOf(viewer, changes->now.ticket);
        if (!relation.sees) return desk::Hidden();

        v1::ListTicketEventsResponse answer;
        const auto& events = changes->events;
        const size_t shown = std::min(events.size(), static_cast<size_t>(page));
        // Pages are cut by version, not by what is left after hiding notes: a page may hold fewer
        // than asked for, and only an empty token means the end.
        for (size_t i = 0; i < shown; ++i) {
          if (MaySee(events[i], relation)) *answer.add_events() = ToWire(id, events[i]);
        }
        if (events.size() > shown) {
          answer.set_next_page_token(
              parts_.page_tokens.Seal(absl::StrCat(events[shown - 1].version), id, TokenTime()));
        }
        return answer;
      });
}

IntakeRpc::Reactor* IntakeRpc::ListTickets(Context* c, const v1::ListTicketsRequest* q,
                                           v1::ListTicketsResponse* a) {
  return parts_.front.Blocking(
      c, q, a,
      [this](const CallContext& call, const v1::ListTicketsRequest& q) { return List(call, q); });
}

absl::StatusOr<v1::ListTicketsResponse> IntakeRpc::List(const CallContext& call,
                                                        const v1::ListTicketsRequest& q) const {
  const desk::Viewer viewer = ViewerOf(call);
  TicketListQuery query;
  query.now = parts_.clock.Now();
  query.page_size = q.page_size() == 0 ? 50 : q.page_size();
  query.with_total = q.with_total();
  POTOK_ASSIGN_OR_RETURN(query.order, ParseTicketOrder(q.order_by()));
  // The caller is part of the arguments: a token is of use to nobody else.
  const std::string arguments =
      absl::StrCat("list\n", call.caller.principal, "\n", q.filter(), "\n", q.order_by());
  if (!q.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::string payload,
                           parts_.page_tokens.Open(q.page_token(), arguments, TokenTime()));
    POTOK_ASSIGN_OR_RETURN(query.after, ParseTicketCursor(payload, query.order.size()));
    query.now = query.after->now;
  }
  POTOK_ASSIGN_OR_RETURN(query.filter, ParseTicketFilter(q.filter(), viewer.employee));
  POTOK_ASSIGN_OR_RETURN(const TicketListPage page,
                         parts_.lists.List(viewer, query, call.deadline));

  const v1::TicketView view =
      q.view() == v1::TICKET_VIEW_FULL ? v1::TICKET_VIEW_FULL : v1::TICKET_VIEW_BASIC;
  v1::ListTicketsResponse answer;
  for (const TicketSeen& seen : page.tickets) {
    *answer.add_tickets() = ToWire(seen.ticket, view, query.now, seen.reason);
  }
  if (page.next) {
    answer.set_next_page_token(
        parts_.page_tokens.Seal(FormatTicketCursor(*page.next), arguments, TokenTime()));
  }
  answer.set_total_size(page.total);
  return answer;
}

IntakeRpc::Reactor* IntakeRpc::ListMyWork(Context* c, const v1::ListMyWorkRequest* q,
                                          v1::ListMyWorkResponse* a) {
  return parts_.front.Blocking(
      c, q, a,
      [this](const CallContext& call,
             const v1::ListMyWorkRequest& q) -> absl::StatusOr<v1::ListMyWorkResponse> {
        // Held tickets have an assignee by definition, so this filter needs no states.
        v1::ListTicketsRequest list;
        list.set_filter("assignedTo(\"me\")");
        list.set_order_by("due_time, priority");
        list.set_page_size(q.page_size());
        list.set_page_token(q.page_token());
        POTOK_ASSIGN_OR_RETURN(v1::ListTicketsResponse page, List(call, list));
        v1::ListMyWorkResponse answer;
        answer.mutable_tickets()->Swap(page.mutable_tickets());
        answer.set_next_page_token(page.next_page_token());
        return answer;
      });
}

}  // namespace potok::intake
