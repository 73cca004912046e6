// potokctl dead-letters: what consumers have given up on, carried out again or dropped.
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"

#include "commands.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

using admin::v1::DeadLetter;
using google::protobuf::util::TimeUtil;
using Admin = admin::v1::AdminService::Stub;

struct LetterOptions {
  std::vector<std::string> names;
  std::string group;
  std::string filter;
  std::string reason;
  double rate = 10;
  int most = 50;
  bool all = false;  // list: settled ones too
  bool wait = true;  // replay: until all are settled
};

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

std::string Name(const std::string& given) {
  return absl::StrCat("deadLetters/", absl::StripPrefix(given, "deadLetters/"));
}

std::string And(const std::vector<std::string>& terms) { return absl::StrJoin(terms, " AND "); }

// --group and --filter as one filter; `state` is added where it matters.
std::string FilterOf(const LetterOptions& options, const std::string& state) {
  std::vector<std::string> terms;
  if (!options.group.empty()) terms.push_back(absl::StrCat("group = ", options.group));
  // In parentheses: a filter may hold an OR.
  if (!options.filter.empty()) terms.push_back(absl::StrCat("(", options.filter, ")"));
  if (!state.empty()) terms.push_back(absl::StrCat("state = ", state));
  return And(terms);
}

const char* StateOf(const DeadLetter& letter) {
  switch (letter.state()) {
    case DeadLetter::STATE_PARKED: return letter.has_replay_time() ? "scheduled" : "parked";
    case DeadLetter::STATE_REPLAYED: return "replayed";
    case DeadLetter::STATE_DROPPED: return "dropped";
    default: return "?";
  }
}

std::string Instant(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC",
                          absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time)),
                          absl::UTCTimeZone());
}

absl::StatusOr<int64_t> Count(Connection& connection, const std::string& filter) {
  admin::v1::ListDeadLettersRequest request;
  request.set_filter(filter);
  request.set_with_total(true);
  request.set_page_size(1);
  const auto answer = connection.Call(*connection.admin, &Admin::ListDeadLetters, request, As{});
  if (!answer.ok()) return answer.status();
  return answer->total_size();
}

int List(Connection& connection, const LetterOptions& options) {
  admin::v1::ListDeadLettersRequest request;
  request.set_filter(FilterOf(options, options.all ? "" : "PARKED"));
  if (options.all && request.filter().empty()) {
    request.set_filter("state = (PARKED OR REPLAYED OR DROPPED)");
  }
  request.set_order_by("park_time desc");
  request.set_with_total(true);
  Table table({"name", "state", "tries", "event", "ticket", "parked", "why"}, {2});
  int shown = 0;
  int64_t total = 0;
  do {
    request.set_page_size(std::min(options.most - shown, 1000));
    const auto page = connection.Call(*connection.admin, &Admin::ListDeadLetters, request, As{});
    if (!page.ok()) return Fail(page.status());
    for (const DeadLetter& letter : page->dead_letters()) {
      table.Row({std::string(absl::StripPrefix(letter.name(), "deadLetters/")), StateOf(letter),
                 absl::StrCat(letter.attempt_count()),
                 absl::StrCat(letter.event_type(), " v", letter.event_version()),
                 std::string(absl::StripPrefix(letter.ticket(), "tickets/")),
                 Instant(letter.park_time()), Shortened(letter.reason(), 60)});
    }
    shown += page->dead_letters_size();
    total = page->total_size();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && shown < options.most);
  if (total == 0) {
    Say("no dead letters: consumers have given up on nothing");
    return 0;
  }
  Say(table.Text());
  if (shown < total) {
    Say(absl::StrFormat("  %d of %d; --most N shows more", shown, total));
  }
  return 0;
}

int Show(Connection& connection, const LetterOptions& options) {
  for (const std::string& given : options.names) {
    admin::v1::GetDeadLetterRequest request;
    request.set_name(Name(given));
    const auto letter = connection.Call(*connection.admin, &Admin::GetDeadLetter, request, As{});
    if (!letter.ok()) return Fail(letter.status());
    Heading(letter->name());
    Say(absl::StrCat("  state      ", StateOf(*letter)));
    Say(absl::StrCat("  event      ", letter->event_type(), ", version ", letter->event_version(),
                     " of ", letter->ticket()));
    Say(absl::StrCat("  parked     ", Instant(letter->park_time()), " by the consumer of group ",
                     letter->group(), ", tries ", letter->attempt_count()));
    Say(absl::StrCat("  why        ", letter->reason()));
    if (letter->has_replay_time()) {
      Say(absl::StrCat("  due again  ", Instant(letter->replay_time())));
    }
    if (!letter->replay_request_id().empty()) {
      Say(absl::StrCat("  replay     asked for by request ", letter->replay_request_id()));
    }
    if (!letter->requested_by().empty()) {
      Say(absl::StrCat("  who        ", letter->requested_by()));
    }
    if (letter->has_settle_time()) {
      Say(absl::StrCat("  settled    ", Instant(letter->settle_time()),
                       letter->drop_reason().empty() ? "" : ": ", letter->drop_reason()));
    }
  }
  return 0;
}

// Puts the names, or the filter, into a request that takes either.
template <class Request>
bool Select(const LetterOptions& options, Request& request) {
  for (const std::string& given : options.names) request.add_names(Name(given));
  const std::string filter = FilterOf(
      options, options.all || !options.group.empty() || !options.filter.empty() ? "PARKED" : "");
  if (options.names.empty() == filter.empty()) {
    std::fprintf(stderr, "say which: NAMES, or --group and --filter, or --all\n");
    return false;
  }
  if (options.names.empty()) request.set_filter(filter);
  return true;
}

// Shows how far the letters of a replay are until none is scheduled any more.
int Follow(Connection& connection, const std::string& request_id, int64_t scheduled) {
  const std::string of_this = absl::StrCat("replay_request_id = \"", request_id, "\"");
  Progress progress("carried out again", scheduled);
  while (true) {
    const auto waiting = Count(connection, And({of_this, "state = PARKED", "replay_time:*"}));
    if (!waiting.ok()) return Fail(waiting.status());
    if (*waiting == 0) break;
    progress.Show(scheduled - *waiting, absl::StrCat(*waiting, " left"));
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  const auto failed = Count(connection, And({of_this, "state = PARKED"}));
  if (!failed.ok()) return Fail(failed.status());
  const auto done = Count(connection, And({of_this, "state = REPLAYED"}));
  if (!done.ok()) return Fail(done.status());
  progress.Done(absl::StrCat(*done, " done, ", *failed, " failed"));
  if (*failed == 0) return 0;
  Say(absl::StrCat("  ", *failed,
                   " failed again and stay parked; why: potokctl dead-letters list --filter '",
                   of_this, "'"));
  return 1;
}

int Replay(Connection& connection, const LetterOptions& options) {
  int status = 0;
  // More than one call takes is left for the next round.
  while (true) {
    admin::v1::ReplayDeadLettersRequest request;
    if (!Select(options, request)) return 2;
    request.set_rate_per_second(options.rate);
    request.set_request_id(NewRequestId());
    const auto answer =
        connection.Call(*connection.admin, &Admin::ReplayDeadLetters, request, As{});
    if (!answer.ok()) return Fail(answer.status());
    if (answer->settled_count() > 0) {
      Say(absl::StrCat("  ", answer->settled_count(),
                       " were settled before and are left as they are"));
    }
    if (answer->scheduled_count() == 0) {
      Say("nothing is parked that this selects");
      return status;
    }
    Say(absl::StrCat("  ", answer->scheduled_count(), " scheduled, the last for ",
                     Instant(answer->last_replay_time()), " (request ", request.request_id(), ")"));
    if (!options.wait) {
      if (answer->remaining_count() > 0) {
        Say(absl::StrCat("  ", answer->remaining_count(), " more are parked; repeat the command"));
      }
      return status;
    }
    status = std::max(status, Follow(connection, request.request_id(), answer->scheduled_count()));
    // Those that failed again are still selected: a further round would try them for ever.
    if (answer->remaining_count() == 0 || status != 0) return status;
  }
}

int Drop(Connection& connection, const LetterOptions& options) {
  int64_t dropped = 0;
  while (true) {
    admin::v1::DropDeadLettersRequest request;
    if (!Select(options, request)) return 2;
    request.set_reason(options.reason);
    request.set_request_id(NewRequestId());
    const auto answer = connection.Call(*connection.admin, &Admin::DropDeadLetters, request, As{});
    if (!answer.ok()) return Fail(answer.status());
    dropped += answer->dropped_count();
    if (answer->remaining_count() > 0 && answer->dropped_count() > 0) continue;
    Say(absl::StrCat(dropped, " dropped",
                     answer->settled_count() > 0
                         ? absl::StrCat(", ", answer->settled_count(), " were settled before")
                         : ""));
    return 0;
  }
}

using Action = int (*)(Connection&, const LetterOptions&);

CLI::App* Add(CLI::App& parent, Where& where, Run& run, const std::string& name,
              const std::string& help, const std::shared_ptr<LetterOptions>& options,
              Action action) {
  CLI::App* sub = parent.add_subcommand(name, help);
  sub->callback([&where, &run, options, action] {
    run = [&where, options, action] {
      const auto connection = OpenOrSay(where);
      return connection == nullptr ? 1 : action(*connection, *options);
    };
  });
  return sub;
}

void AddSelection(CLI::App* sub, const std::shared_ptr<LetterOptions>& options) {
  sub->add_option("--group", options->group, "of one consumer: router, sla, notifier or analytics")
      ->check(CLI::IsMember({"router", "sla", "notifier", "analytics"}));
  sub->add_option(
      "--filter", options->filter,
      "condition in the API's filter language over group, topic, part, position, ticket, "
      "event_type, attempt_count, reason, park_time, replay_time, replay_request_id");
}

}  // namespace

void AddDeadLetters(CLI::App& app, Where& where, Run& run) {
  CLI::App* sub = app.add_subcommand(
      "dead-letters",
      "log entries a consumer has given up on: see why, carry them out again, or drop them\n\n"
      "An entry that fails five times, hangs, or takes its process with it is parked, so that the\n"
      "others go on. Mend the cause, then replay: the effect and the end of the dead letter are "
      "one\n"
      "commit, so it happens once, whatever is killed or repeated.\n\n"
      "  potokctl --stack .cache/stack/dev dead-letters list\n"
      "  potokctl --stack .cache/stack/dev dead-letters show notifier-lifecycle-3-17\n"
      "  potokctl --stack .cache/stack/dev dead-letters replay --group notifier --rate 20\n"
      "  potokctl --stack .cache/stack/dev dead-letters drop notifier-lifecycle-3-17 --reason "
      "'request was a test'");
  sub->require_subcommand(1);
  auto options = std::make_shared<LetterOptions>();

  CLI::App* list =
      Add(*sub, where, run, "list",
          "what is parked, newest first\n\n"
          "  potokctl dead-letters list --group notifier --filter 'reason:\"template\"'\n"
          "  potokctl dead-letters list --all --filter 'park_time > "
          "\"2026-03-01T00:00:00Z\"'",
          options, List);
  AddSelection(list, options);
  list->add_flag("--all", options->all, "those replayed and dropped as well");
  list->add_option("--most", options->most, "rows to show")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();

  CLI::App* show =
      Add(*sub, where, run, "show", "all that is known of dead letters", options, Show);
  show->add_option("names", options->names, "as list shows them")->required();

  CLI::App* replay =
      Add(*sub, where, run, "replay",
          "carry parked entries out again, oldest first, and show how far it is\n\n"
          "  potokctl dead-letters replay notifier-lifecycle-3-17\n"
          "  potokctl dead-letters replay --group analytics --rate 100\n"
          "  potokctl dead-letters replay --all --no-wait\n\n"
          "Ctrl-C ends the showing, not the replay. Exit status 1 when some failed again.",
          options, Replay);
  replay->add_option("names", options->names, "as list shows them");
  AddSelection(replay, options);
  replay->add_flag("--all", options->all, "all that are parked");
  replay->add_option("--rate", options->rate, "how many a second")
      ->check(CLI::Range(0.001, 1000.0))
      ->capture_default_str();
  replay->add_flag("!--no-wait", options->wait, "only schedule them");

  CLI::App* drop =
      Add(*sub, where, run, "drop",
          "declare parked entries done without carrying them out\n\n"
          "  potokctl dead-letters drop --filter 'group = sla AND attempt_count > 9' --reason "
          "'the ticket was purged'",
          options, Drop);
  drop->add_option("names", options->names, "as list shows them");
  AddSelection(drop, options);
  drop->add_flag("--all", options->all, "all that are parked");
  drop->add_option("--reason", options->reason, "why; kept with each of them")->required();
}

}  // namespace potok::ctl
