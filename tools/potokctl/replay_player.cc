#include "replay_player.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"

#include "terminal.h"

namespace potok::ctl {
namespace {

using google::protobuf::util::TimeUtil;
using intake::v1::IntakeService;
using intake::v1::Ticket;

constexpr int kWorkers = 24;
// A killed service is back in seconds; a machine under load may need longer to start it.
constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr absl::Duration kLook = absl::Milliseconds(40);
constexpr absl::Duration kResample = absl::Seconds(5);
// When every step is due and nothing has moved for so long, nobody will come any more.
constexpr absl::Duration kStandstill = absl::Seconds(45);
constexpr size_t kKeepSkipped = 10;
constexpr int kMostCallsPerStep = 8;

absl::Duration Real() { return StackClock::Real(); }

api::v1::Channel ChannelOf(absl::string_view contact) {
  const std::string word = absl::AsciiStrToLower(contact);
  const auto any = [&](std::initializer_list<absl::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](absl::string_view w) { return absl::StrContains(word, w); });
  };
  if (any({"mail", "почт"})) return api::v1::CHANNEL_EMAIL;
  if (any({"phone", "call", "ivr", "телефон"})) return api::v1::CHANNEL_PHONE;
  if (any({"chat", "чат"})) return api::v1::CHANNEL_CHAT;
  if (any({"messenger", "telegram", "whatsapp"})) return api::v1::CHANNEL_MESSENGER;
  if (any({"walk", "person", "лично"})) return api::v1::CHANNEL_WALK_IN;
  if (any({"monitor", "event", "alert", "direct opening"})) return api::v1::CHANNEL_MONITORING;
  return api::v1::CHANNEL_PORTAL;
}

// The ways a call fails that looking at the ticket again may cure.
bool MayHaveMoved(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAborted(status) ||
         absl::IsPermissionDenied(status) || absl::IsUnknown(status);
}

}  // namespace

Player::Player(Connection& connection, const RecordedLog& log, const Cast& cast,
               const ReplayTime& axis, StackClock& clock, const ReplayTempo& tempo)
    : connection_(connection), log_(log), cast_(cast), axis_(axis), clock_(clock), tempo_(tempo) {}

absl::Time Player::DueOf(const Part& part) const {
  const absl::Time at =
      part.next == 0 ? part.recorded->opened : part.recorded->steps[part.next - 1].at;
  return tempo_.anchor + (axis_.Played(at) - axis_.first) * tempo_.stretch;
}

void Player::Take(Part& part, const Ticket& ticket) {
  part.ticket = ticket.name();
  part.state = ticket.state();
  part.version = ticket.version();
  part.assignee = std::string(absl::StripPrefix(ticket.assignee(), "employees/"));
}

absl::Status Player::Refresh(Part& part) {
  intake::v1::GetTicketRequest request;
  request.set_name(part.ticket);
  const auto ticket = connection_.Call(*connection_.intake, &IntakeService::Stub::GetTicket,
                                       request, As{}, kPatience);
  if (ticket.ok()) Take(part, *ticket);
  return ticket.status();
}

absl::Status Player::File(Part& part) {
  const RecordedCase& c = *part.recorded;
  intake::v1::CreateTicketRequest request;
  Ticket& ticket = *request.mutable_ticket();
  ticket.set_flow(absl::StrCat("flows/", cast_.FlowOf(c).id));
  ticket.set_title(TitleOf(c));
  ticket.set_description(absl::StrCat("Recorded as ", c.id, ", filed ",
                                      absl::FormatTime("%Y-%m-%d %H:%M", c.opened, LogZone()),
                                      c.contact.empty() ? "" : " by ", c.contact, "."));
  const Degrees degrees = DegreesFor(c.priority, c.urgency, c.impact);
  ticket.set_urgency(static_cast<api::v1::Degree>(degrees.urgency));
  ticket.set_impact(static_cast<api::v1::Degree>(degrees.impact));
  ticket.set_channel(ChannelOf(c.contact));
  request.set_bulk(true);  // Nobody waits for the answer: people who file now go first.
  request.set_request_id(RequestIdFor(absl::StrCat("replay/", c.id, "/file")));
  const auto made = connection_.Call(*connection_.intake, &IntakeService::Stub::CreateTicket,
                                     request, Requester(cast_.CallerOf(c)), kPatience);
  if (made.ok()) Take(part, *made);
  return made.status();
}

absl::Status Player::Move(Part& part, ReplayMove move, const RecordedStep& step) {
  const std::string id =
      RequestIdFor(absl::StrCat("replay/", part.recorded->id, "/", part.next, "/", NameOf(move)));
  const As holder = Agent(part.assignee), caller = Requester(cast_.CallerOf(*part.recorded));
  const auto call = [&](auto method, auto request, const As& as) {
    request.set_name(part.ticket);
    request.set_request_id(id);
    const auto ticket = connection_.Call(*connection_.intake, method, request, as, kPatience);
    if (ticket.ok()) Take(part, *ticket);
    return ticket.status();
  };
  switch (move) {
    case ReplayMove::kStart:
      return call(&IntakeService::Stub::StartTicket, intake::v1::StartTicketRequest(), holder);
    case ReplayMove::kWait: {
      intake::v1::WaitTicketRequest request;
      request.set_question(step.state);
      return call(&IntakeService::Stub::WaitTicket, request, holder);
    }
    case ReplayMove::kResume: {
      // What the requester was asked comes from the requester; a vendor or a problem is looked
      // after by the holder.
      if (step.kind != RecordedStep::Kind::kResume || part.next < 2 ||
          !absl::StrContains(part.recorded->steps[part.next - 2].state, "User")) {
        return call(&IntakeService::Stub::ResumeTicket, intake::v1::ResumeTicketRequest(), holder);
      }
      intake::v1::AddCommentRequest request;
      request.set_name(part.ticket);
      request.set_text("Here is what was asked for.");
      request.set_request_id(id);
      const auto answer = connection_.Call(*connection_.intake, &IntakeService::Stub::AddComment,
                                           request, caller, kPatience);
      if (answer.ok()) Take(part, answer->ticket());
      return answer.status();
    }
    case ReplayMove::kResolve: {
      intake::v1::ResolveTicketRequest request;
      request.set_result("Resolved, as recorded.");
      return call(&IntakeService::Stub::ResolveTicket, request, holder);
    }
    case ReplayMove::kConfirm:
      return call(&IntakeService::Stub::ConfirmTicket, intake::v1::ConfirmTicketRequest(), caller);
    case ReplayMove::kSendBack: {
      intake::v1::SendBackTicketRequest request;
      request.set_reason(absl::StrCat("Recorded: back to ", step.state));
      return call(&IntakeService::Stub::SendBackTicket, request, caller);
    }
    case ReplayMove::kReopen: {
      intake::v1::ReopenTicketRequest request;
      request.set_reason(absl::StrCat("Recorded: back to ", step.state));
      return call(&IntakeService::Stub::ReopenTicket, request, caller);
    }
    case ReplayMove::kCancel: {
      intake::v1::CancelTicketRequest request;
      request.set_reason(step.state);
      return call(&IntakeService::Stub::CancelTicket, request, caller);
    }
    case ReplayMove::kNone:
    case ReplayMove::kHolder:
    case ReplayMove::kImpossible: break;
  }
  return absl::InternalError("not a call");
}

Player::Outcome Player::Act(Part& part, std::string* why) {
  if (part.next == 0) {
    const absl::Status filed = File(part);
    if (filed.ok()) return Outcome::kDone;
    *why = std::string(filed.message());
    return Outcome::kGaveUp;
  }
  const RecordedStep& step = part.recorded->steps[part.next - 1];
  absl::Status last;
  bool fresh = false;
  for (int i = 0; i < kMostCallsPerStep; ++i) {
    const ReplayMove move = NextMove(part.state, step.kind);
    if (move == ReplayMove::kNone) return Outcome::kDone;
    if (move == ReplayMove::kImpossible || move == ReplayMove::kHolder) {
      // What is known may be old: the router assigns, timers close.
      if (fresh) {
        *why = absl::StrCat("is ", Ticket::State_Name(part.state), ", recorded as ", step.state);
        return move == ReplayMove::kHolder ? Outcome::kNoHolder : Outcome::kGaveUp;
      }
      last = Refresh(part);
      fresh = true;
    } else {
      last = Move(part, move, step);
      fresh = false;
      if (MayHaveMoved(last)) {
        const absl::Status looked = Refresh(part);
        if (!looked.ok()) last = looked;
      }
    }
    if (!last.ok() && !MayHaveMoved(last)) break;
  }
  *why = std::string(last.message());
  return Outcome::kGaveUp;
}

void Player::Skip(Part& part, const std::string& why) {
  ++result_.skipped_cases;
  --left_;
  if (result_.skipped.size() < kKeepSkipped) {
    result_.skipped.push_back(absl::StrCat(part.recorded->id, " step ", part.next, ": ", why));
  }
}

void Player::Finish(Part& part, Outcome outcome, const std::string& why) {
  absl::MutexLock lock(&mu_);
  switch (outcome) {
    case Outcome::kGaveUp: Skip(part, why); break;
    case Outcome::kNoHolder: {
      if (!part.waited) ++result_.waited_for_holder;
      part.waited = true;
      const auto got = got_holder_.find(part.ticket);
      if (got != got_holder_.end() && got->second > part.version) {
        due_.push({DueOf(part), &part});  // It was assigned between our look and now.
      } else {
        parked_[part.ticket] = &part;
      }
      break;
    }
    case Outcome::kDone:
      ++result_.played_steps;
      part.waited = false;
      if (++part.next > part.recorded->steps.size()) {
        --left_;
      } else {
        due_.push({DueOf(part), &part});
      }
      break;
  }
  if (left_ > 0) {
    changed_.Signal();
  } else {
    changed_.SignalAll();
  }
}

void Player::Work() {
  while (true) {
    Part* part = nullptr;
    {
      absl::MutexLock lock(&mu_);
      while (left_ > 0 && part == nullptr) {
        if (due_.empty()) {
          changed_.WaitWithTimeout(&mu_, absl::Milliseconds(100));
          continue;
        }
        const absl::Duration wait = clock_.RealAt(due_.top().business) - Real();
        if (wait > absl::ZeroDuration()) {
          changed_.WaitWithTimeout(&mu_, std::min(wait, absl::Milliseconds(100)));
          continue;
        }
        part = due_.top().part;
        due_.pop();
        if (!part->waited) result_.late_seconds.push_back(-absl::ToDoubleSeconds(wait));
      }
      if (left_ <= 0) return;
    }
    std::string why;
    const Outcome outcome = Act(*part, &why);
    Finish(*part, outcome, why);
  }
}

void Player::Watch(std::stop_token stop) {
  // Whoever has just got a ticket: one cheap list for all who wait, instead of a question for each.
  absl::Time seen = absl::InfinitePast();
  absl::Duration resampled = Real(), all_seen = Real();
  while (!stop.stop_requested()) {
    absl::SleepFor(kLook);
    if (Real() - resampled > kResample) {
      resampled = Real();
      // A failure only means that the clock runs on by the last sample.
      clock_.Sample().IgnoreError();
    }
    {
      absl::MutexLock lock(&mu_);
      if (parked_.empty()) continue;
    }
    intake::v1::ListTicketsRequest request;
    request.set_page_size(1000);
    // Commits overtake each other by a moment: look back a little, and at everything each second.
    const bool everything = Real() - all_seen > absl::Seconds(1);
    if (everything) all_seen = Real();
    request.set_filter("state = ASSIGNED");
    if (!everything && seen != absl::InfinitePast()) {
      absl::StrAppend(
          request.mutable_filter(), " AND update_time > \"",
          absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", seen - absl::Milliseconds(500) * clock_.scale(),
                           absl::UTCTimeZone()),
          "\"");
    }
    do {
      const auto page = connection_.Call(*connection_.intake, &IntakeService::Stub::ListTickets,
                                         request, As{}, kPatience);
      if (!page.ok()) break;
      absl::MutexLock lock(&mu_);
      for (const Ticket& ticket : page->tickets()) {
        seen = std::max(
            seen, absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(ticket.update_time())));
        got_holder_[ticket.name()] = ticket.version();
        const auto parked = parked_.find(ticket.name());
        if (parked == parked_.end()) continue;
        Part& part = *parked->second;
        Take(part, ticket);
        due_.push({DueOf(part), &part});
        parked_.erase(parked);
      }
      changed_.SignalAll();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
  }
}

void Player::Oversee(int64_t total) {
  Progress progress("Playing", total);
  const absl::Time end = tempo_.anchor + axis_.Span() * tempo_.stretch;
  int64_t last_played = -1;
  absl::Duration moved = Real();
  while (true) {
    absl::SleepFor(absl::Milliseconds(100));
    const absl::Duration remaining = clock_.RealAt(end) - Real();
    absl::MutexLock lock(&mu_);
    if (result_.played_steps != last_played || remaining > absl::ZeroDuration()) moved = Real();
    last_played = result_.played_steps;
    if (left_ > 0 && Real() - moved > kStandstill) {
      for (auto& [ticket, part] : parked_) Skip(*part, "nobody got it");
      parked_.clear();
    }
    const auto seconds = static_cast<int>(std::max(0.0, absl::ToDoubleSeconds(remaining)));
    progress.Show(result_.found_steps + result_.played_steps,
                  absl::StrFormat("%s  queued %d  left %d:%02d",
                                  absl::FormatTime("%d.%m.%Y %H:%M", clock_.Now(), LogZone()),
                                  parked_.size(), seconds / 60, seconds % 60));
    if (left_ <= 0) break;
  }
  progress.Done();
}

PlayResult Player::Play(const std::map<std::string, ReplayedTicket>& found) {
  const absl::Duration start = Real();
  int64_t total = 0;
  {
    absl::MutexLock lock(&mu_);
    result_.cases = static_cast<int64_t>(log_.cases.size());
    for (const RecordedCase& c : log_.cases) {
      total += static_cast<int64_t>(c.steps.size()) + 1;
      Part& part = parts_.emplace_back();
      part.recorded = &c;
      if (const auto there = found.find(c.id); there != found.end()) {
        Take(part, there->second.ticket);
        part.next = 1 + StepsDone(c, there->second.events);
        result_.found_steps += static_cast<int64_t>(part.next);
      }
      if (part.next > c.steps.size()) continue;
      ++left_;
      due_.push({DueOf(part), &part});
    }
    result_.steps = total;
  }
  std::vector<std::jthread> workers;
  for (int i = 0; i < kWorkers; ++i) workers.emplace_back([this] { Work(); });
  std::jthread watcher([this](std::stop_token stop) { Watch(stop); });
  Oversee(total);
  watcher.request_stop();
  workers.clear();
  watcher.join();
  absl::MutexLock lock(&mu_);
  result_.took = Real() - start;
  return std::move(result_);
}

}  // namespace potok::ctl
