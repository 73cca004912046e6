#include "replay_report.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"

#include "terminal.h"

namespace potok::ctl {
namespace {

using google::protobuf::util::TimeUtil;
using intake::v1::Ticket;
using intake::v1::TicketEvent;
using Kind = RecordedStep::Kind;

constexpr size_t kAgentsShown = 15;

std::string Day(absl::Time time) { return absl::FormatTime("%d.%m.%Y %H:%M", time, LogZone()); }

std::string Share(int64_t part, int64_t all) {
  return all == 0 ? "-"
                  : absl::StrFormat("%.0f %% (%d of %d)",
                                    100.0 * static_cast<double>(part) / static_cast<double>(all),
                                    part, all);
}

// Long lines are broken between words; what follows the first is indented a little more.
void SayLong(absl::string_view text) {
  constexpr size_t kWidth = 116;
  std::string line = "  ";
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (Columns(line) + 1 + Columns(word) > kWidth) {
      Say(line);
      line = "    ";
    }
    absl::StrAppend(&line, absl::EndsWith(line, "  ") ? "" : " ", word);
  }
  Say(line);
}

std::string Hours(double hours) { return Short(absl::Seconds(hours * 3600)); }

absl::Time At(const google::protobuf::Timestamp& time) {
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time));
}

std::string Detail(const TicketEvent& event, const std::string& key) {
  const auto at = event.details().find(key);
  return at == event.details().end() ? ""
                                     : std::string(absl::StripPrefix(at->second, "employees/"));
}

struct Kept {
  int64_t kept = 0, of = 0;
  void Add(bool in_time) {
    ++of;
    kept += in_time;
  }
};

// The same figures of both worlds.
struct World {
  int64_t filed = 0, resolved = 0, closed = 0, closed_by_itself = 0, sent_back = 0, hops = 0;
  Kept by_priority[5];                 // [0] = all.
  std::map<std::string, double> load;  // Agent -> requests they had last.
  std::map<std::pair<std::string, std::string>, double>
      load_in_flow;  // The same by flow and agent.
  std::vector<double> wait_hours, life_hours;
};

World Recorded(const RecordedLog& log, const Cast& cast) {
  World world;
  for (const RecordedCase& c : log.cases) {
    ++world.filed;
    world.hops += c.reassignments;
    for (const RecordedStep& step : c.steps) world.sent_back += step.kind == Kind::kSendBack;
    world.closed += !c.steps.empty() && c.steps.back().kind == Kind::kClose;
    if (const auto resolved = c.Resolved()) {
      ++world.resolved;
      world.life_hours.push_back(absl::ToDoubleHours(*resolved - c.opened));
      if (c.made_sla) {
        world.by_priority[0].Add(*c.made_sla);
        world.by_priority[std::clamp(c.priority, 1, 4)].Add(*c.made_sla);
      }
    }
    if (!c.holds.empty()) {
      world.wait_hours.push_back(absl::ToDoubleHours(c.holds.front().from - c.opened));
      ++world.load[cast.id_of_agent.at(c.LastAgent())];
      ++world.load_in_flow[{cast.FlowOf(c).id, cast.id_of_agent.at(c.LastAgent())}];
    }
  }
  return world;
}

World InPotok(const std::map<std::string, ReplayedTicket>& tickets) {
  World world;
  for (const auto& [id, replayed] : tickets) {
    const Ticket& ticket = replayed.ticket;
    ++world.filed;
    world.hops += ticket.hops();
    world.sent_back += ticket.return_count() + ticket.reopen_count();
    world.closed += ticket.state() == Ticket::STATE_CLOSED;
    std::string holder;
    absl::Time queued = At(ticket.create_time()), resolved = absl::InfinitePast();
    for (const TicketEvent& event : replayed.events) {
      if (event.type() == TicketEvent::TYPE_ASSIGNED) {
        world.wait_hours.push_back(absl::ToDoubleHours(At(event.event_time()) - queued));
      }
      if (const std::string agent = Detail(event, "agent"); !agent.empty()) holder = agent;
      if (event.state_after() == Ticket::STATE_QUEUED &&
          event.type() != TicketEvent::TYPE_COMMENTED) {
        queued = At(event.event_time());
      }
      world.closed_by_itself += event.type() == TicketEvent::TYPE_AUTO_CLOSED;
      if (event.type() == TicketEvent::TYPE_RESOLVED) resolved = At(event.event_time());
    }
    if (!holder.empty()) {
      ++world.load[holder];
      ++world.load_in_flow[{std::string(absl::StripPrefix(ticket.flow(), "flows/")), holder}];
    }
    if (resolved == absl::InfinitePast()) continue;
    ++world.resolved;
    world.life_hours.push_back(absl::ToDoubleHours(resolved - At(ticket.create_time())));
    if (ticket.has_term()) {
      world.by_priority[0].Add(!ticket.overdue());
      world.by_priority[std::clamp<int>(ticket.priority(), 1, 4)].Add(!ticket.overdue());
    }
  }
  return world;
}

std::vector<double> Loads(const World& world, const std::set<std::string>& agents) {
  std::vector<double> loads;
  for (const std::string& agent : agents) {
    const auto at = world.load.find(agent);
    loads.push_back(at == world.load.end() ? 0 : at->second);
  }
  return loads;
}

// How unevenly the members of one group share its requests; groups count by their requests. An
// agent of five groups is busier than an agent of one whatever the router does, and that is left
// out here.
double GiniWithin(const World& world, const Cast& cast) {
  double sum = 0, weights = 0;
  for (const CastFlow& flow : cast.flows) {
    std::vector<double> loads;
    double requests = 0;
    for (const CastMember& member : flow.members) {
      const auto at = world.load_in_flow.find({flow.id, member.agent});
      loads.push_back(at == world.load_in_flow.end() ? 0 : at->second);
      requests += loads.back();
    }
    if (loads.size() < 2) continue;
    sum += Gini(loads) * requests;
    weights += requests;
  }
  return weights == 0 ? 0 : sum / weights;
}

double LoadOf(const World& world, const std::string& agent) {
  const auto at = world.load.find(agent);
  return at == world.load.end() ? 0 : at->second;
}

void SayLoads(const World& recorded, const World& potok, const std::set<std::string>& agents) {
  std::vector<std::string> order(agents.begin(), agents.end());
  std::stable_sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
    return std::max(LoadOf(recorded, a), LoadOf(potok, a)) >
           std::max(LoadOf(recorded, b), LoadOf(potok, b));
  });
  if (order.size() > kAgentsShown) order.resize(kAgentsShown);
  if (order.empty()) return;
  const double largest = std::max(LoadOf(recorded, order[0]), LoadOf(potok, order[0]));
  Say("\n  requests per agent, the busiest of either (upper bar: recorded, lower bar: Potok)");
  for (const std::string& agent : order) {
    Say(absl::StrCat("  ", Fit(agent, 18), absl::StrFormat("%4.0f  ", LoadOf(recorded, agent)),
                     Bar(LoadOf(recorded, agent), largest, 50)));
    Say(absl::StrCat("  ", Fit("", 18), absl::StrFormat("%4.0f  ", LoadOf(potok, agent)),
                     Bar(LoadOf(potok, agent), largest, 50)));
  }
}

std::string Quantiles(const std::vector<double>& hours) {
  return hours.empty()
             ? "-"
             : absl::StrCat(Hours(Quantile(hours, 0.5)), " / ", Hours(Quantile(hours, 0.9)));
}

}  // namespace

void SayWhatWasRead(const RecordedLog& log, const Cast& cast, const ReplayTime& axis) {
  Heading("What was read");
  std::string columns;
  for (const auto& [field, column] : log.columns) {
    absl::StrAppend(&columns, columns.empty() ? "" : ", ", field, "=", column);
  }
  SayLong(absl::StrCat("columns: ", columns, "   (another one: --map FIELD=COLUMN)"));
  Say(absl::StrFormat("  %d rows: %d requests, %d changes of state, %d other updates, %d bad rows",
                      log.rows, log.cases.size(), log.changes, log.touches, log.bad_count));
  for (const BadRow& bad : log.bad) {
    Say(absl::StrCat("    line ", bad.line,
                     bad.column > 0 ? absl::StrCat(", column ", bad.column) : "",
                     bad.column_name.empty() ? "" : absl::StrCat(" (", bad.column_name, ")"), ": ",
                     bad.reason, ": skipped"));
  }
  if (log.bad_count > static_cast<int64_t>(log.bad.size())) {
    Say(absl::StrCat("    and ", log.bad_count - log.bad.size(), " more"));
  }
  std::set<std::string> agents;
  int64_t slots = 0, made_up = 0;
  for (const CastFlow& flow : cast.flows) {
    made_up += flow.made_up_member;
    for (const CastMember& member : flow.members) {
      agents.insert(member.agent);
      if (!flow.made_up_member) slots += member.max_active;
    }
  }
  SayLong(
      absl::StrFormat("%d groups become flows, %d agents with %d places between them (the most "
                      "each was recorded with at once, "
                      "at least 3), %d callers",
                      cast.flows.size(), agents.size(), slots, cast.id_of_caller.size()));
  if (made_up > 0) {
    SayLong(absl::StrFormat(
        "%d groups were recorded without anybody in them: each got one member named after it",
        made_up));
  }
  SayLong(
      "a request is filed into the group that did the work in the end; who of it gets the request "
      "is up to Potok");
  std::string terms;
  for (const CastTerm& term : cast.terms) {
    absl::StrAppend(&terms, terms.empty() ? "" : ", ", "P", term.priority, " ", term.hours, " h",
                    term.from_log ? absl::StrFormat(" (explains %d of %d)", term.agrees, term.cases)
                                  : absl::StrFormat(" (usual; %d cases)", term.cases));
  }
  SayLong(absl::StrCat("promised terms, chosen to explain the recorded made_sla: ", terms));
  SayLong(absl::StrCat(
      "from ", Day(axis.first), " to ", Day(axis.dense_end),
      axis.tail_steps == 0
          ? ""
          : absl::StrFormat(" as recorded; %d later steps, up to %s, in order within %s",
                            axis.tail_steps, Day(axis.last),
                            Short(axis.Played(axis.last) - axis.dense_end))));
}

void SayWhatHappened(const RecordedLog& log, const Cast& cast, const PlayResult& played,
                     const std::map<std::string, ReplayedTicket>& tickets, double scale,
                     double stretch) {
  Heading("What happened, and what was recorded");
  SayLong(
      absl::StrFormat("%d steps of %d requests in %s: %d now, %d by an earlier run; %d requests "
                      "given up; %d bad rows skipped",
                      played.steps, played.cases, Short(played.took), played.played_steps,
                      played.found_steps, played.skipped_cases, log.bad_count));
  for (const std::string& why : played.skipped) Say(absl::StrCat("    given up: ", why));
  if (!played.late_seconds.empty())
    SayLong(absl::StrFormat(
        "taken up later than due, in real time: p50 %s, p99 %s, at most %s; %d steps found nobody "
        "holding the "
        "request yet and waited",
        Short(absl::Seconds(Quantile(played.late_seconds, 0.5))),
        Short(absl::Seconds(Quantile(played.late_seconds, 0.99))),
        Short(absl::Seconds(Quantile(played.late_seconds, 1))), played.waited_for_holder));

  const World recorded = Recorded(log, cast), potok = InPotok(tickets);
  std::set<std::string> agents;
  for (const auto& [name, id] : cast.id_of_agent) agents.insert(id);
  const std::vector<double> then = Loads(recorded, agents), now = Loads(potok, agents);
  const auto number = [](double value) { return absl::StrFormat("%.0f", value); };
  const auto busy = [](const std::vector<double>& loads) {
    return std::count_if(loads.begin(), loads.end(), [](double load) { return load > 0; });
  };
  Table table({"", "recorded", "Potok"});
  table.Row({"requests filed", absl::StrCat(recorded.filed), absl::StrCat(potok.filed)});
  table.Row({"resolved", absl::StrCat(recorded.resolved), absl::StrCat(potok.resolved)});
  table.Row({"closed", absl::StrCat(recorded.closed), absl::StrCat(potok.closed)});
  table.Row(
      {"  of them by itself after days of silence", "-", absl::StrCat(potok.closed_by_itself)});
  table.Row(
      {"sent back or reopened", absl::StrCat(recorded.sent_back), absl::StrCat(potok.sent_back)});
  table.Row({"hops (changes of hands)", absl::StrCat(recorded.hops), absl::StrCat(potok.hops)});
  table.Row({"on time, all", Share(recorded.by_priority[0].kept, recorded.by_priority[0].of),
             Share(potok.by_priority[0].kept, potok.by_priority[0].of)});
  for (int p = 1; p <= 4; ++p) {
    table.Row({absl::StrCat("on time, priority ", p),
               Share(recorded.by_priority[p].kept, recorded.by_priority[p].of),
               Share(potok.by_priority[p].kept, potok.by_priority[p].of)});
  }
  table.Row({"wait for a holder, p50 / p90", Quantiles(recorded.wait_hours),
             Quantiles(potok.wait_hours)});
  table.Row(
      {"filing to result, p50 / p90", Quantiles(recorded.life_hours), Quantiles(potok.life_hours)});
  table.Row({"agents with work", absl::StrCat(busy(then), " of ", then.size()),
             absl::StrCat(busy(now), " of ", now.size())});
  table.Row({"requests of the busiest agent", number(Quantile(then, 1)), number(Quantile(now, 1))});
  table.Row({"requests per agent, p50 / p90",
             absl::StrCat(number(Quantile(then, 0.5)), " / ", number(Quantile(then, 0.9))),
             absl::StrCat(number(Quantile(now, 0.5)), " / ", number(Quantile(now, 0.9)))});
  table.Row({"unevenness (Gini, 0 = all alike)", absl::StrFormat("%.2f", Gini(then)),
             absl::StrFormat("%.2f", Gini(now))});
  table.Row({"  within a group, mean by requests",
             absl::StrFormat("%.2f", GiniWithin(recorded, cast)),
             absl::StrFormat("%.2f", GiniWithin(potok, cast))});
  Say(table.Text());

  int64_t between = 0, within = 0, changed = 0;
  for (const RecordedCase& c : log.cases) {
    between += c.group_changes;
    within += c.agent_changes;
    changed += c.priority_changed;
  }
  SayLong(
      absl::StrFormat("hops: the rows show %d changes of group and %d of the person within a "
                      "group; Potok's flow is fixed here, so "
                      "its hops compare with the latter",
                      between, within));
  int64_t saved = 0, lost = 0;
  for (const RecordedCase& c : log.cases) {
    const auto at = tickets.find(c.id);
    if (at == tickets.end() || !c.made_sla || !at->second.ticket.has_term() || !c.Resolved())
      continue;
    saved += !*c.made_sla && !at->second.ticket.overdue();
    lost += *c.made_sla && at->second.ticket.overdue();
  }
  SayLong(
      absl::StrFormat("on time: %d requests recorded as late are in time here (the clock stands "
                      "while the requester is waited "
                      "for), %d the other way round",
                      saved, lost));
  if (changed > 0)
    SayLong(absl::StrFormat("priority: kept as filed; %d requests changed theirs later in the log",
                            changed));
  const double real = Quantile(potok.wait_hours, 0.5) * 3600 / scale;
  SayLong(absl::StrFormat(
      "time: a second of the machine is %s here, so a wait of p50 was %s of work for Potok%s",
      Short(absl::Seconds(scale)), Short(absl::Seconds(real)),
      stretch == 1
          ? ""
          : absl::StrFormat("; recorded times are played %.3g times as fast as this stack's clock",
                            1 / stretch)));
  SayLoads(recorded, potok, agents);
}

void SayWhereToLook(const Connection& connection,
                    const std::map<std::string, ReplayedTicket>& tickets) {
  if (const std::string mails = connection.StackValue("sink_dir"); !mails.empty()) {
    int64_t received = 0;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(mails, gone))
      received += entry.path().extension() == ".eml";
    Say(absl::StrFormat("  %d mails received: %s", received, mails));
  }
  // Whoever waited longest for a holder is the one to ask about.
  std::string number;
  absl::Duration longest;
  for (const auto& [id, replayed] : tickets) {
    for (const TicketEvent& event : replayed.events) {
      const absl::Duration wait = At(event.event_time()) - At(replayed.ticket.create_time());
      if (event.type() != TicketEvent::TYPE_ASSIGNED) continue;
      if (wait > longest) {
        longest = wait;
        number = replayed.ticket.number();
      }
      break;
    }
  }
  if (number.empty()) return;
  Say(absl::StrCat(
      "\n  With --keep, or on a stack that stays up:\n    potokctl --stack DIR explain ", number,
      "   # waited longest: ", Short(longest), "\n    potokctl --stack DIR board ",
      absl::StripPrefix(tickets.begin()->second.ticket.flow(), "flows/"),
      "\n    potokctl --stack DIR verify"));
}

}  // namespace potok::ctl
