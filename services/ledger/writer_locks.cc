// Which rows a batch of commands needs, and how they are locked.
#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "desk/ticket/ids.h"
#include "ledger/history.h"
#include "ledger/sql.h"
#include "ledger/writer.h"

namespace potok::ledger {
namespace {

using desk::Command;
using desk::Ticket;

// Whether the action may give or take a slot, so that load rows must be locked before the ticket.
bool MovesSlots(const desk::Action& action) {
  return std::holds_alternative<desk::AssignTicket>(action) ||
         std::holds_alternative<desk::ResolveTicket>(action) ||
         std::holds_alternative<desk::SendBackTicket>(action) ||
         std::holds_alternative<desk::CancelTicket>(action) ||
         std::holds_alternative<desk::DeclineTicket>(action) ||
         std::holds_alternative<desk::ReturnTicket>(action) ||
         std::holds_alternative<desk::TransferTicket>(action) ||
         std::holds_alternative<desk::ChangeLine>(action) ||
         (std::holds_alternative<desk::ResumeTicket>(action) &&
          std::get<desk::ResumeTicket>(action).holder_left);
}

std::string TargetAgent(const desk::Action& action) {
  if (const auto* assign = std::get_if<desk::AssignTicket>(&action)) return assign->agent;
  if (const auto* transfer = std::get_if<desk::TransferTicket>(&action)) return transfer->agent;
  return "";
}

struct Ids {
  std::vector<int> parts;
  std::vector<std::string> ids;
};

Ids IdsOf(const std::vector<std::string>& tickets) {
  Ids out;
  for (const std::string& id : tickets) {
    const std::optional<int> part = desk::PartOfTicketId(id);
    if (!part) continue;  // No such ticket can exist; Stage answers for it.
    out.parts.push_back(*part);
    out.ids.push_back(id);
  }
  return out;
}

}  // namespace

absl::Status Writer::LockFor(const std::vector<const Command*>& commands, Wait wait) {
  FindAnswers(commands);
  std::vector<std::string> ids, slot_ids;
  std::map<std::string, std::string> targets;  // Ticket -> agent that is to get it.
  for (const Command* command : commands) {
    if (command->ticket_id.empty()) continue;
    ids.push_back(command->ticket_id);
    if (!MovesSlots(command->action)) continue;
    slot_ids.push_back(command->ticket_id);
    if (std::string agent = TargetAgent(command->action); !agent.empty()) {
      targets[command->ticket_id] = std::move(agent);
    }
  }
  struct Peeked {
    std::string holder;
    std::set<std::pair<std::string, std::string>> loads;
  };
  std::map<std::string, Peeked> peeked;
  if (!slot_ids.empty()) {
    const Ids wanted = IdsOf(slot_ids);
    std::set<std::pair<std::string, std::string>> loads;
    for (const auto& row :
         tx_.Run(sql::kPeekTickets, pg::IntArray(wanted.parts), pg::TextArray(wanted.ids))) {
      const std::string id = row[0].as<std::string>(), flow = row[1].as<std::string>();
      const std::string holder = row[2].is_null() ? "" : row[2].as<std::string>();
      const std::string former = row[3].is_null() ? "" : row[3].as<std::string>();
      Peeked& ticket = peeked[id];
      ticket.holder = holder;
      for (const std::string& agent : {holder, former, targets[id]}) {
        if (agent.empty()) continue;
        ticket.loads.emplace(agent, flow);
        ticket.loads.emplace(agent, "");
      }
      loads.insert(ticket.loads.begin(), ticket.loads.end());
    }
    LockLoads({loads.begin(), loads.end()}, wait);
  }
  LockTickets(ids, wait);
  if (wait == Wait::kNever) {
    std::vector<std::string> missing;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(missing),
                 [this](const std::string& id) { return Find(id) == nullptr; });
    // In other hands, unless there is no such ticket at all.
    if (const Ids wanted = IdsOf(missing); !wanted.ids.empty()) {
      for (const auto& row :
           tx_.Run(sql::kPeekTickets, pg::IntArray(wanted.parts), pg::TextArray(wanted.ids))) {
        held_.insert(row[0].as<std::string>());
      }
    }
  }
  for (const auto& [id, before] : peeked) {
    const Ticket* ticket = Find(id);
    const bool moved = ticket != nullptr && HolderOf(*ticket) != before.holder;
    if (wait == Wait::kNever) {
      if (moved || std::any_of(before.loads.begin(), before.loads.end(),
                               [this](const auto& load) { return held_loads_.contains(load); })) {
        held_.insert(id);
      }
    } else if (moved) {
      // It changed hands between the peek and the lock: its holder's load row is not ours to touch.
      return MakeError(absl::StatusCode::kAborted, "CHANGED_HANDS",
                       "the ticket changed hands meanwhile");
    }
  }
  return absl::OkStatus();
}

bool Writer::HeldByOthers(const Command& command) const {
  return AnswerTo(command) == nullptr && held_.contains(command.ticket_id);
}

void Writer::LockLoads(const std::vector<std::pair<std::string, std::string>>& agent_flow,
                       Wait wait) {
  if (agent_flow.empty()) return;
  std::vector<std::string> agents, flows;
  for (const auto& [agent, flow] : agent_flow) {
    agents.push_back(agent);
    flows.push_back(flow);
  }
  const pg::Statement& statement =
      wait == Wait::kNever ? sql::kLockLoadsSkipLocked : sql::kLockLoads;
  for (const auto& row : tx_.Run(statement, pg::TextArray(agents), pg::TextArray(flows))) {
    const std::pair<std::string, std::string> key(row[0].as<std::string>(),
                                                  row[1].as<std::string>());
    if (row[2].is_null()) {
      held_loads_.insert(key);
      continue;
    }
    LoadRow load;
    load.load.active = row[2].as<int>();
    load.load.cap = row[3].as<int>();
    loads_[key] = load;
  }
}

void Writer::LockTickets(const std::vector<std::string>& ids, Wait wait) {
  const Ids wanted = IdsOf(ids);
  if (wanted.ids.empty()) return;
  const pg::Statement& statement =
      wait == Wait::kNever ? sql::kLockTicketsSkipLocked : sql::kLockTickets;
  for (const auto& row :
       tx_.Run(statement, pg::IntArray(wanted.parts), pg::TextArray(wanted.ids))) {
    Ticket ticket = ReadTicket(row);
    tickets_.emplace(ticket.id, std::move(ticket));
  }
}

}  // namespace potok::ledger
