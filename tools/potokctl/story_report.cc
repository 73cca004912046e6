#include "story_report.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

#include "commands.h"
#include "company.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

using notifier::v1::Delivery;
using notifier::v1::NotifierService;

// Deliveries are real work of a real mail server; at the end they get this long to finish.
constexpr absl::Duration kMailPatience = absl::Seconds(20);

std::string PercentOf(const analytics::v1::Share& share) {
  return share.case_count() == 0 ? "-" : absl::StrFormat("%.0f %%", share.percent());
}

std::string MeanOf(const analytics::v1::Mean& mean) {
  return mean.case_count() == 0 ? "-" : absl::StrFormat("%.1f", mean.value());
}

const char* KindRu(notifier::v1::NoticeKind kind) {
  switch (kind) {
    case notifier::v1::NOTICE_KIND_CONFIRMATION: return "подтверждение";
    case notifier::v1::NOTICE_KIND_ASSIGNED: return "назначена";
    case notifier::v1::NOTICE_KIND_QUESTION: return "вопрос";
    case notifier::v1::NOTICE_KIND_ANSWER: return "ответ";
    case notifier::v1::NOTICE_KIND_COMMENT: return "комментарий";
    case notifier::v1::NOTICE_KIND_RESULT: return "результат";
    case notifier::v1::NOTICE_KIND_SENT_BACK: return "возврат";
    case notifier::v1::NOTICE_KIND_CLOSED: return "закрыта";
    case notifier::v1::NOTICE_KIND_CANCELLED: return "отозвана";
    case notifier::v1::NOTICE_KIND_HALF_TERM: return "половина срока";
    case notifier::v1::NOTICE_KIND_BREACH: return "срок истёк";
    case notifier::v1::NOTICE_KIND_ESCALATION: return "эскалация";
    case notifier::v1::NOTICE_KIND_RATED_LOW: return "низкая оценка";
    case notifier::v1::NOTICE_KIND_REOPENED: return "открыта снова";
    case notifier::v1::NOTICE_KIND_ALL_DECLINED: return "все отказались";
    case notifier::v1::NOTICE_KIND_OVERLOAD: return "перегрузка";
    case notifier::v1::NOTICE_KIND_DEADLINE_EXTENDED: return "срок перенесён";
    case notifier::v1::NOTICE_KIND_RATED: return "оценка";
    case notifier::v1::NOTICE_KIND_MOVED: return "перешла к другому";
    case notifier::v1::NOTICE_KIND_PRIORITY_CHANGED: return "приоритет";
    default: return "прочее";
  }
}

// Waits until no delivery is on its way; true when that came about in time.
bool AwaitMails(Stage& stage) {
  const absl::Time give_up = absl::Now() + kMailPatience;
  while (absl::Now() < give_up) {
    const auto stats =
        stage.connection.Call(*stage.connection.notifier, &NotifierService::Stub::GetDeliveryStats,
                              notifier::v1::GetDeliveryStatsRequest(), As{});
    if (!stats.ok()) return false;
    int64_t on_their_way = 0;
    for (const auto& count : stats->counts()) {
      if (count.state() == Delivery::STATE_QUEUED || count.state() == Delivery::STATE_SENDING) {
        on_their_way += count.delivery_count();
      }
    }
    if (on_their_way == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return false;
}

// What the far end has: one line of JSON a mail.
struct Sink {
  int mails = 0;
  int repeated = 0;  // With a Message-ID that came before.
  std::set<std::string> people;
};

Sink ReadSink(const std::string& folder) {
  Sink sink;
  std::set<std::string> ids;
  std::ifstream index(folder + "/index.jsonl");
  for (std::string line; std::getline(index, line);) {
    google::protobuf::Struct mail;
    if (!google::protobuf::util::JsonStringToMessage(line, &mail).ok()) continue;
    ++sink.mails;
    const auto& fields = mail.fields();
    if (const auto to = fields.find("to"); to != fields.end()) {
      for (const auto& person : to->second.list_value().values())
        sink.people.insert(person.string_value());
    }
    const auto headers = fields.find("headers");
    if (headers == fields.end()) continue;
    const auto& kept = headers->second.struct_value().fields();
    const auto id = kept.find("Message-ID");
    if (id != kept.end() && !ids.insert(id->second.string_value()).second) ++sink.repeated;
  }
  return sink;
}

void PrintMails(Stage& stage) {
  Heading("Письма");
  const bool all_sent = AwaitMails(stage);
  notifier::v1::ListDeliveriesRequest request;
  request.set_page_size(1000);
  const auto deliveries = stage.connection.Call(
      *stage.connection.notifier, &NotifierService::Stub::ListDeliveries, request, As{});
  if (!deliveries.ok()) {
    Say(std::string(deliveries.status().message()));
    return;
  }
  struct Row {
    int mails = 0;
    int inbox = 0;
    std::string sample;
  };
  std::map<notifier::v1::NoticeKind, Row> rows;
  int sent = 0;
  for (const Delivery& delivery : deliveries->deliveries()) {
    if (delivery.state() != Delivery::STATE_SENT) continue;
    Row& row = rows[delivery.kind()];
    const bool mail = delivery.channel() == notifier::v1::NOTICE_CHANNEL_EMAIL;
    ++(mail ? row.mails : row.inbox);
    if (!mail) continue;
    ++sent;
    row.sample = absl::StrCat(SurnameOf(delivery.recipient()), ": ", delivery.title());
  }
  Table table({"о чём", "писем", "в портале", "например"}, {1, 2});
  for (const auto& [kind, row] : rows) {
    table.Row({KindRu(kind), absl::StrCat(row.mails), absl::StrCat(row.inbox),
               Shortened(row.sample, 90)});
  }
  Say(table.Text());
  const Sink sink = ReadSink(stage.connection.StackValue("sink_dir"));
  Say(absl::StrCat("  почтовый сервер принял ", sink.mails, " писем для ", sink.people.size(),
                   " человек, повторов ", sink.repeated, "; отправлено ", sent));
  if (all_sent && sink.mails - sink.repeated == sent && sent > 0) {
    stage.checks.Seen(Shown::kMail, absl::StrCat("отправлено и принято ", sent));
  }
}

void PrintAgents(Stage& stage) {
  analytics::v1::ListAgentReportsRequest request;
  request.set_parent("flows/-");
  request.set_page_size(1000);
  const auto reports = stage.connection.Call(
      *stage.connection.analytics, &analytics::v1::AnalyticsService::Stub::ListAgentReports,
      request, As{});
  if (!reports.ok()) {
    Say(std::string(reports.status().message()));
    return;
  }
  Heading("Исполнители");
  Table table({"исполнитель", "поток", "сейчас", "получил", "решил", "в срок", "оценка"},
              {2, 3, 4, 5, 6});
  for (const auto& report : reports->agent_reports()) {
    table.Row({NameOf(report.agent()), DeskOf(report.flow()).name,
               absl::StrCat(report.active_count(), " из ", report.max_active()),
               absl::StrCat(report.assigned_count()), absl::StrCat(report.resolved_count()),
               PercentOf(report.on_time_share()), MeanOf(report.rating())});
  }
  Say(table.Text());
}

// A ticket of the desk that was handed out, and how its first event of that kind says it was.
std::string HowHandedOut(Stage& stage, const DeskPlan& desk) {
  intake::v1::ListTicketsRequest find;
  find.set_filter(absl::StrCat("flow = \"flows/", desk.flow, "\""));
  find.set_order_by("create_time");
  find.set_page_size(5);
  const auto found = stage.connection.Call(
      *stage.connection.intake, &intake::v1::IntakeService::Stub::ListTickets, find, As{});
  if (!found.ok()) return "";
  for (const Ticket& ticket : found->tickets()) {
    intake::v1::ListTicketEventsRequest list;
    list.set_parent(ticket.name());
    const auto events = stage.connection.Call(
        *stage.connection.intake, &intake::v1::IntakeService::Stub::ListTicketEvents, list, As{});
    if (!events.ok()) return "";
    for (const TicketEvent& event : events->events()) {
      if (event.type() == TicketEvent::TYPE_ASSIGNED)
        return absl::StrCat(Detail(event, "how"), " ", ticket.number());
    }
  }
  return "";
}

void CheckModes(Stage& stage) {
  std::set<std::string> modes;
  std::vector<std::string> shown;
  for (const DeskPlan& desk : Desks()) {
    const std::string how = HowHandedOut(stage, desk);
    modes.insert(how.substr(0, how.find(' ')));
    shown.push_back(how);
  }
  for (const char* mode : {"round_robin", "least_loaded", "manual", "self_pick"}) {
    if (modes.count(mode) == 0) return;
  }
  stage.checks.Seen(Shown::kModes, absl::StrJoin(shown, ", "));
}

// As one types it here.
std::string Typed(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path shorter = std::filesystem::proximate(path, ignored);
  return ignored ? path.string() : shorter.string();
}

void PrintCommands(Stage& stage, const std::string& stack) {
  intake::v1::ListTicketsRequest find;
  find.set_filter("flow = \"flows/accounting\" AND needed_today = true");
  find.set_page_size(1);
  const auto found = stage.connection.Call(
      *stage.connection.intake, &intake::v1::IntakeService::Stub::ListTickets, find, As{});
  if (!found.ok() || found->tickets().empty()) return;
  const Ticket& ticket = found->tickets(0);
  std::error_code ignored;
  const std::string potokctl =
      absl::StrCat(Typed(std::filesystem::read_symlink("/proc/self/exe", ignored)), " --stack ",
                   Typed(stack), " ");
  Heading("Дальше: tools/dev demo --keep, и затем");
  Say(absl::StrCat("  tools/dev grpcurl -as ", IdOf(ticket.requester()), " -d '{\"name\": \"",
                   ticket.name(), "\"}' IntakeService/GetTicket"));
  Say(absl::StrCat("  tools/dev grpcurl -d '{\"name\": \"", ticket.name(),
                   "\"}' RouterService/ExplainAssignment"));
  Say(absl::StrCat("  ", potokctl, "explain ", ticket.number()));
  Say(absl::StrCat("  ", potokctl, "board accounting"));
  Say(absl::StrCat("  ", potokctl, "verify"));
  Say(
      absl::StrCat("  tools/dev psql -c \"select version, type, at, actor from ledger.ticket_event "
                   "where ticket_id = '",
                   ticket.uid(), "' order by version\""));
}

}  // namespace

void TellEvening(Stage& stage) {
  analytics::v1::ListBoardsRequest request;
  const auto boards =
      stage.connection.Call(*stage.connection.analytics,
                            &analytics::v1::AnalyticsService::Stub::ListBoards, request, As{});
  if (!boards.ok()) return;
  std::vector<std::string> lines;
  for (const auto& board : boards->boards()) {
    const auto& funnel = board.funnel();
    lines.push_back(absl::StrCat(
        Fit(board.display_name().ru(), 26), "в очереди ", funnel.queued_count(), ", в работе ",
        funnel.assigned_count() + funnel.in_progress_count() + funnel.waiting_count(),
        ", на проверке ", funnel.resolved_count(), ", закрыто ", funnel.closed_count(), "; в срок ",
        PercentOf(board.on_time_share()), ", оценка ", MeanOf(board.rating())));
  }
  stage.narrator.Tell(stage.clock.Now(), "", "вечер, руководители смотрят на доски", lines);
}

bool ReportStory(Stage& stage, const std::string& stack) {
  PrintMails(stage);
  Heading("Что видят руководители");
  PrintBoards(stage.connection, "");
  PrintAgents(stage);
  PrintLateness(stage.connection);
  CheckModes(stage);
  PrintLatencies(stage.connection);
  Heading("Все заявки на счету");
  const bool clean = PrintVerify(stage.connection, true);
  Heading("Показано");
  const bool shown = stage.checks.Print();
  PrintCommands(stage, stack);
  return clean && shown;
}

}  // namespace potok::ctl
