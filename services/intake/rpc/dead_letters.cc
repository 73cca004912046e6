#include "intake/rpc/dead_letters.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "intake/rpc/convert_ticket.h"
#include "intake/rpc/paging.h"
#include "ledger/reference_idem.h"
#include "platform/obs/log.h"

namespace potok::intake {
namespace {

namespace wire = admin::v1;

constexpr double kDefaultRate = 10;
// Of one call. Ten thousand locked rows and their instants take well under a second.
constexpr int kMostLetters = 10000;

wire::DeadLetter::State StateToWire(const std::string& state) {
  if (state == "parked") return wire::DeadLetter::STATE_PARKED;
  return state == "replayed" ? wire::DeadLetter::STATE_REPLAYED : wire::DeadLetter::STATE_DROPPED;
}

wire::DeadLetter ToWire(const DeadLetter& letter) {
  wire::DeadLetter out;
  out.set_name(DeadLetterName(letter.key));
  out.set_group(letter.key.group);
  out.set_topic(std::string(TopicName(letter.key.topic)));
  out.set_part(letter.key.part);
  out.set_position(letter.key.position);
  out.set_ticket(TicketName(letter.ticket_id));
  out.set_event_version(letter.version);
  out.set_attempt_count(letter.attempts);
  out.set_reason(letter.reason);
  out.set_state(StateToWire(letter.state));
  SetTimestamp(letter.parked_at, out.mutable_park_time());
  out.set_drop_reason(letter.drop_reason);
  out.set_event_type(letter.event_type);
  if (letter.replay_at) SetTimestamp(*letter.replay_at, out.mutable_replay_time());
  out.set_replay_request_id(letter.replay_request);
  if (letter.settled_at) SetTimestamp(*letter.settled_at, out.mutable_settle_time());
  out.set_requested_by(letter.requested_by);
  return out;
}

absl::Status NoSuchLetter(const std::string& name) {
  ErrorDetail detail;
  detail.metadata["dead_letter"] = name;
  detail.ru =
      absl::StrCat("Отложенной записи ", name, " нет. Какие есть, показывает ListDeadLetters.");
  return MakeError(absl::StatusCode::kNotFound, "NOT_FOUND",
                   absl::StrCat("no dead letter ", name, "; ListDeadLetters shows those there are"),
                   std::move(detail));
}

// The letters a request names or selects, locked.
template <class Request>
absl::StatusOr<HeldLetters> Hold(pg::Tx& tx, const Request& request) {
  if (request.names().empty() == request.filter().empty()) {
    return BadField("filter",
                    "give either names or a filter; `state = PARKED` selects all that are parked",
                    "укажите либо names, либо filter; `state = PARKED` выберет все отложенные");
  }
  if (request.names().empty()) {
    POTOK_ASSIGN_OR_RETURN(const desk::Filter filter, ParseDeadLetterFilter(request.filter()));
    return HoldFiltered(tx, filter, kMostLetters);
  }
  std::vector<DeadLetterKey> keys;
  const std::set<std::string> names(request.names().begin(), request.names().end());
  for (const std::string& name : names) {
    const std::optional<DeadLetterKey> key = ParseDeadLetterName(name);
    if (!key) return NoSuchLetter(name);
    keys.push_back(*key);
  }
  HeldLetters held = HoldNamed(tx, keys);
  if (!held.unknown.empty()) return NoSuchLetter(DeadLetterName(held.unknown.front()));
  return held;
}

// What admins do to dead letters is found in the log by event and principal.
template <class Request>
void Audit(const char* event, const char* what, const CallContext& call, const Request& request,
           int count) {
  obs::LogInfo(event, what,
               {{"principal", call.caller.principal},
                {"on_behalf_of", call.caller.on_behalf_of},
                {"replay_request", request.request_id()},
                {"filter", request.filter()},
                {"names", request.names_size()},
                {"letters", count}});
}

}  // namespace

absl::StatusOr<wire::ListDeadLettersResponse> DeadLetters::List(
    const CallContext& call, const wire::ListDeadLettersRequest& request) const {
  DeadLetterQuery query;
  POTOK_ASSIGN_OR_RETURN(query.filter, ParseDeadLetterFilter(request.filter()));
  POTOK_ASSIGN_OR_RETURN(query.order, ParseDeadLetterOrder(request.order_by()));
  query.with_total = request.with_total();
  const std::string arguments =
      absl::StrCat("deadLetters\n", desk::CanonicalText(query.filter), "\n",
                   desk::CanonicalText(query.order), "\n", query.with_total);
  POTOK_ASSIGN_OR_RETURN(const PageStart start, StartOf(request, arguments, page_tokens_, clock_));
  query.page_size = start.size;
  if (!start.after.empty()) {
    POTOK_ASSIGN_OR_RETURN(query.after, ParseDeadLetterCursor(start.after, query.order.size()));
  }
  POTOK_ASSIGN_OR_RETURN(const DeadLetterPage page, store_.List(query, call.deadline));
  wire::ListDeadLettersResponse answer;
  for (const DeadLetter& letter : page.letters) *answer.add_dead_letters() = ToWire(letter);
  if (page.more) {
    answer.set_next_page_token(
        page_tokens_.Seal(FormatDeadLetterCursor(CursorAt(page.letters.back(), query.order)),
                          arguments, TokenTime(clock_)));
  }
  answer.set_total_size(page.total);
  return answer;
}

absl::StatusOr<wire::DeadLetter> DeadLetters::Get(const CallContext& call,
                                                  const wire::GetDeadLetterRequest& request) const {
  const std::optional<DeadLetterKey> key = ParseDeadLetterName(request.name());
  if (!key) return NoSuchLetter(request.name());
  POTOK_ASSIGN_OR_RETURN(const std::optional<DeadLetter> letter, store_.Find(*key, call.deadline));
  if (!letter) return NoSuchLetter(request.name());
  return ToWire(*letter);
}

absl::StatusOr<wire::ReplayDeadLettersResponse> DeadLetters::Replay(
    const CallContext& call, const wire::ReplayDeadLettersRequest& request) const {
  const double rate = request.rate_per_second() > 0 ? request.rate_per_second() : kDefaultRate;
  POTOK_ASSIGN_OR_RETURN(
      const wire::ReplayDeadLettersResponse answer,
      ledger::WriteOnce<wire::ReplayDeadLettersResponse>(
          pool_, call, request, [&](pg::Tx& tx) -> absl::StatusOr<wire::ReplayDeadLettersResponse> {
            POTOK_ASSIGN_OR_RETURN(const HeldLetters held, Hold(tx, request));
            const ScheduledLetters scheduled =
                ScheduleReplay(tx, held.parked, rate, request.request_id(), call.caller.principal);
            wire::ReplayDeadLettersResponse answer;
            answer.set_scheduled_count(scheduled.count);
            if (scheduled.last_at) {
              SetTimestamp(*scheduled.last_at, answer.mutable_last_replay_time());
            }
            answer.set_settled_count(static_cast<int>(held.settled.size()));
            answer.set_remaining_count(held.remaining);
            return answer;
          }));
  Audit("dead_letters.replay", "dead letters are to be carried out again", call, request,
        answer.scheduled_count());
  return answer;
}

absl::StatusOr<wire::DropDeadLettersResponse> DeadLetters::Drop(
    const CallContext& call, const wire::DropDeadLettersRequest& request) const {
  std::map<std::string, int> dropped;  // Stays empty when a repeat is answered from store.
  POTOK_ASSIGN_OR_RETURN(
      const wire::DropDeadLettersResponse answer,
      ledger::WriteOnce<wire::DropDeadLettersResponse>(
          pool_, call, request, [&](pg::Tx& tx) -> absl::StatusOr<wire::DropDeadLettersResponse> {
            POTOK_ASSIGN_OR_RETURN(const HeldLetters held, Hold(tx, request));
            dropped = DropLetters(tx, held.parked, request.reason(), call.caller.principal);
            wire::DropDeadLettersResponse answer;
            int count = 0;
            for (const auto& [group, letters] : dropped) count += letters;
            answer.set_dropped_count(count);
            answer.set_settled_count(static_cast<int>(held.settled.size()));
            answer.set_remaining_count(held.remaining);
            return answer;
          }));
  for (const auto& [group, letters] : dropped) {
    metrics_
        .Counter("potok_dead_letters_dropped_total", "Dead letters that an admin dropped.",
                 {{"group", group}})
        .Increment(letters);
  }
  Audit("dead_letters.drop", "dead letters were dropped", call, request, answer.dropped_count());
  return answer;
}

}  // namespace potok::intake
