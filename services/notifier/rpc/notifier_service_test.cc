// The service as a process: the log brings the events, mail leaves over a real socket, calls come
// over gRPC.
#include <atomic>
#include <cstdlib>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "desk/stream_names.h"
#include "integration/company.h"
#include "notifier/bind.h"
#include "notifier/rpc/convert.h"
#include "notifier/work/notifier_fixture.h"
#include "notifier/work/smtp_fixture.h"
#include "platform/config/load.h"
#include "platform/log/relay.h"
#include "platform/testing/signal.h"
#include "potok/notifier/v1/notifier.grpc.pb.h"

namespace potok::notifier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NotifierServiceTest : public NotifierFixture {
 protected:
  NotifierServiceTest() {
    log::RelayOptions options;
    options.parts = desk::AllParts();
    options.owner = log::MakeOwner();
    options.stream_key = desk::EventStream;
    relay_ = std::make_unique<log::Relay>(options, database_.pool());
    relay_->Start();
    StartService();
  }

  void StartService() {
    const auto config = config::Load(
        "", {"listen=127.0.0.1:0", "auth.mode=MODE_DEV",
             "postgres.dsn=" + database_.dsn("potok_notifier"), "smtp.url=" + server_.url(),
             "smtp.from=Potok <potok@example.org>", "smtp.allow_plaintext=true",
             "smtp.timeout_ms=2000", "templates.portal_url=https://portal.example.org"});
    ASSERT_TRUE(config.ok()) << config.status();
    auto process = app::Process::Start(*config, {Spec()}, "dev");
    ASSERT_TRUE(process.ok()) << process.status();
    process_ = *std::move(process);
    stub_ = v1::NotifierService::NewStub(
        grpc::CreateChannel(process_->addresses()[0], grpc::InsecureChannelCredentials()));
  }

  static std::unique_ptr<grpc::ClientContext> As(const std::string& who,
                                                 const std::string& locale = "ru") {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_deadline(gpr_time_from_seconds(20, GPR_TIMESPAN));
    context->AddMetadata("authorization", "Bearer dev:" + who);
    context->AddMetadata("accept-language", locale);
    return context;
  }

  v1::ListInboxResponse Inbox(const std::string& employee, int page_size = 0,
                              const std::string& token = "", bool unread = false) {
    v1::ListInboxRequest request;
    request.set_parent("employees/" + employee);
    request.set_page_size(page_size);
    request.set_page_token(token);
    request.set_unread_only(unread);
    v1::ListInboxResponse answer;
    const auto context = As(employee);
    const grpc::Status status = stub_->ListInbox(context.get(), request, &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return answer;
  }
  bool InboxReaches(const std::string& employee, int notices) {
    return testing::Eventually([&] { return Inbox(employee).notices_size() >= notices; });
  }
  v1::ListDeliveriesResponse Deliveries(const std::string& filter,
                                        const std::string& who = "root:admin", int page_size = 0,
                                        const std::string& token = "") {
    v1::ListDeliveriesRequest request;
    request.set_filter(filter);
    request.set_page_size(page_size);
    request.set_page_token(token);
    request.set_with_total(true);
    v1::ListDeliveriesResponse answer;
    const auto context = As(who);
    const grpc::Status status = stub_->ListDeliveries(context.get(), request, &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return answer;
  }

  FakeSmtp server_;
  std::unique_ptr<log::Relay> relay_;
  std::unique_ptr<app::Process> process_;
  std::unique_ptr<v1::NotifierService::Stub> stub_;
};

TEST_F(NotifierServiceTest, AFiledRequestReachesInboxAndMailbox) {
  const std::string ticket = File("ivanova", "Справка 2-НДФЛ");
  ASSERT_TRUE(server_.mails.WaitForCount(1));
  ASSERT_TRUE(InboxReaches("ivanova", 1));
  const v1::ListInboxResponse inbox = Inbox("ivanova");
  EXPECT_EQ(inbox.unread_count(), 1);
  const v1::Notice& notice = inbox.notices(0);
  EXPECT_EQ(notice.name(), "employees/ivanova/notices/1");
  EXPECT_EQ(notice.kind(), v1::NOTICE_KIND_CONFIRMATION);
  EXPECT_EQ(notice.ticket(), "tickets/" + ticket);
  EXPECT_EQ(notice.number(), "IT-000001");
  EXPECT_EQ(notice.title(), server_.mails.Items()[0].Subject());
  EXPECT_THAT(notice.text(), HasSubstr("https://portal.example.org/tickets/" + ticket));
  EXPECT_EQ(server_.mails.Items()[0].Header("From"), "Potok <potok@example.org>");
}

TEST_F(NotifierServiceTest, InboxesArePrivate) {
  File("ivanova");
  ASSERT_TRUE(InboxReaches("ivanova", 1));
  for (const char* who : {"petrov", "belov:flowAdmin", "petrov:auditor", "root:admin@it-support"}) {
    const std::string parent = "employees/ivanova";
    v1::ListInboxRequest list;
    list.set_parent(parent);
    v1::ListInboxResponse listed;
    EXPECT_EQ(stub_->ListInbox(As(who).get(), list, &listed).error_code(),
              grpc::StatusCode::PERMISSION_DENIED)
        << who;
    v1::MarkReadRequest mark;
    mark.set_parent(parent);
    mark.set_up_to_sequence(1);
    mark.set_request_id(Uuid());
    v1::MarkReadResponse marked;
    EXPECT_EQ(stub_->MarkRead(As(who).get(), mark, &marked).error_code(),
              grpc::StatusCode::PERMISSION_DENIED)
        << who;
    v1::WatchInboxRequest watch;
    watch.set_parent(parent);
    const auto context = As(who);
    const auto stream = stub_->WatchInbox(context.get(), watch);
    v1::WatchInboxResponse update;
    EXPECT_FALSE(stream->Read(&update)) << who;
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED) << who;
  }
  v1::ListInboxRequest list;
  list.set_parent("employees/ivanova");
  v1::ListInboxResponse listed;
  EXPECT_TRUE(stub_->ListInbox(As("root:admin").get(), list, &listed).ok());
}

TEST_F(NotifierServiceTest, MarkReadCountsOnceForEachRequestId) {
  for (int i = 0; i < 3; ++i) File("ivanova");
  ASSERT_TRUE(InboxReaches("ivanova", 3));
  v1::MarkReadRequest request;
  request.set_parent("employees/ivanova");
  request.set_up_to_sequence(2);
  request.set_request_id(Uuid());
  v1::MarkReadResponse answer;
  ASSERT_TRUE(stub_->MarkRead(As("ivanova").get(), request, &answer).ok());
  EXPECT_EQ(answer.unread_count(), 1);
  EXPECT_EQ(Inbox("ivanova", 0, "", true).notices_size(), 1);
  EXPECT_TRUE(Inbox("ivanova").notices(2).has_read_time());
  EXPECT_FALSE(Inbox("ivanova").notices(0).has_read_time());

  v1::MarkReadRequest all = request;
  all.set_up_to_sequence(3);
  EXPECT_EQ(stub_->MarkRead(As("ivanova").get(), all, &answer).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
  all.set_request_id(Uuid());
  ASSERT_TRUE(stub_->MarkRead(As("ivanova").get(), all, &answer).ok());
  EXPECT_EQ(answer.unread_count(), 0);
  ASSERT_TRUE(stub_->MarkRead(As("ivanova").get(), request, &answer).ok());
  EXPECT_EQ(answer.unread_count(), 1) << "a repeat gets the first answer";
}

TEST_F(NotifierServiceTest, PagesOfAnInboxAndOfDeliveriesHaveNoSeam) {
  for (int i = 0; i < 7; ++i) File("ivanova");
  ASSERT_TRUE(InboxReaches("ivanova", 7));
  std::vector<int64_t> sequences;
  std::string token;
  do {
    const v1::ListInboxResponse page = Inbox("ivanova", 3, token);
    for (const v1::Notice& notice : page.notices()) sequences.push_back(notice.sequence());
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_THAT(sequences, ElementsAre(7, 6, 5, 4, 3, 2, 1));

  std::set<std::string> names;
  int pages = 0;
  do {
    const v1::ListDeliveriesResponse page =
        Deliveries("recipient = ivanova", "root:admin", 4, token);
    EXPECT_EQ(page.total_size(), 14);
    for (const v1::Delivery& delivery : page.deliveries()) names.insert(delivery.name());
    token = page.next_page_token();
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(names.size(), 14u);
  EXPECT_EQ(pages, 4);
}

TEST_F(NotifierServiceTest, AWatcherMissesNothingAndHearsNothingTwice) {
  File("ivanova");
  ASSERT_TRUE(InboxReaches("ivanova", 1));
  v1::WatchInboxRequest request;
  request.set_parent("employees/ivanova");
  std::vector<int64_t> seen;
  std::atomic<bool> done{false};
  std::thread filing([&] {
    for (int i = 0; i < 30; ++i) File("ivanova");
    done = true;
  });
  // Watches again and again from the last one seen, as a portal on a bad line does.
  while (seen.size() < 31) {
    request.set_after_sequence(seen.empty() ? 0 : seen.back());
    const auto context = As("ivanova");
    const auto stream = stub_->WatchInbox(context.get(), request);
    v1::WatchInboxResponse update;
    for (int i = 0; i < 4 && seen.size() < 31 && stream->Read(&update); ++i) {
      ASSERT_TRUE(update.has_notice());
      seen.push_back(update.notice().sequence());
    }
    context->TryCancel();
    stream->Finish();
  }
  filing.join();
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<int64_t>(i) + 1);

  request.set_after_sequence(1000);
  const auto context = As("ivanova");
  const auto stream = stub_->WatchInbox(context.get(), request);
  v1::WatchInboxResponse update;
  EXPECT_FALSE(stream->Read(&update));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(NotifierServiceTest, ADeliveryExplainsItselfInBothLanguages) {
  const std::string ticket = File("ivanova");
  Assign(ticket, "sidorov");
  Breach(ticket);
  ASSERT_TRUE(InboxReaches("belov", 1));
  const v1::ListDeliveriesResponse found =
      Deliveries("kind = BREACH AND recipient = belov AND channel = INBOX AND ticket = \"tickets/" +
                 ticket + "\"");
  ASSERT_EQ(found.deliveries_size(), 1);
  EXPECT_EQ(found.deliveries(0).state(), v1::Delivery::STATE_SENT);
  EXPECT_EQ(found.deliveries(0).recipient_role(), v1::RECIPIENT_ROLE_MANAGER);
  v1::WhyNotifiedRequest request;
  request.set_name(found.deliveries(0).name());
  v1::WhyNotifiedResponse why;
  ASSERT_TRUE(stub_->WhyNotified(As("belov:flowAdmin", "ru").get(), request, &why).ok());
  EXPECT_THAT(why.rule(), HasSubstr("кто может вмешаться"));
  EXPECT_EQ(why.cause().type(), potok::intake::v1::TicketEvent::TYPE_BREACHED);
  EXPECT_EQ(why.cause().actor(), "system");
  EXPECT_EQ(why.cause().state_after(), potok::intake::v1::Ticket::STATE_ASSIGNED);
  ASSERT_TRUE(stub_->WhyNotified(As("root:admin", "en").get(), request, &why).ok());
  EXPECT_THAT(why.rule(), HasSubstr("can step in"));
  // The admin of another flow sees neither the delivery nor that it exists.
  EXPECT_EQ(stub_->WhyNotified(As("kuzmina:flowAdmin").get(), request, &why).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Deliveries("", "kuzmina:flowAdmin").total_size(), 0);
  EXPECT_GT(Deliveries("", "belov:flowAdmin").total_size(), 0);
}

TEST_F(NotifierServiceTest, BadFiltersAreRefusedByName) {
  for (const char* filter : {"pigeon = 1", "state = LOST", "create_time > yesterday", "kind = "}) {
    v1::ListDeliveriesRequest request;
    request.set_filter(filter);
    v1::ListDeliveriesResponse answer;
    EXPECT_EQ(stub_->ListDeliveries(As("root:admin").get(), request, &answer).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT)
        << filter;
  }
}

TEST_F(NotifierServiceTest, FiguresCountWhatWasDelivered) {
  File("ivanova");
  ASSERT_TRUE(server_.mails.WaitForCount(1));
  ASSERT_TRUE(testing::Eventually([&] { return Deliveries("state = SENT").total_size() == 2; }));
  v1::DeliveryStats stats;
  ASSERT_TRUE(
      stub_->GetDeliveryStats(As("root:admin").get(), v1::GetDeliveryStatsRequest(), &stats).ok());
  EXPECT_EQ(stats.counts_size(), 2);
  EXPECT_FALSE(stats.has_oldest_undelivered_age());
  EXPECT_LT(stats.latency_p99().seconds(), 10);
  EXPECT_EQ(stub_->GetDeliveryStats(As("ivanova").get(), v1::GetDeliveryStatsRequest(), &stats)
                .error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(NotifierServiceTest, FilingNeverWaitsForASilentMailServer) {
  const auto greetings = std::make_shared<std::atomic<int>>(0);
  server_.SetScript([greetings](const std::string& step) -> std::string {
    if (step != "GREETING") return "";
    ++*greetings;
    return "SILENCE";
  });
  for (int i = 0; i < 40; ++i) File("ivanova");
  EXPECT_LT(*greetings, 40) << "each waited for a try";
  ASSERT_TRUE(InboxReaches("ivanova", 40));
  EXPECT_EQ(server_.mails.size(), 0u);
  server_.SetScript({});
}

TEST_F(NotifierServiceTest, StoppedAndStartedAgainItSendsEachMailOnce) {
  for (int i = 0; i < 20; ++i) File("ivanova");
  ASSERT_TRUE(server_.mails.WaitForCount(3));
  process_->Stop();
  process_.reset();
  for (int i = 0; i < 20; ++i) File("petrov");
  StartService();
  ASSERT_TRUE(server_.mails.WaitForCount(40));
  ASSERT_TRUE(testing::Eventually([&] { return Deliveries("state = SENT").total_size() == 80; }));
  std::set<std::string> ids;
  for (const ReceivedMail& mail : server_.mails.Items()) ids.insert(mail.Header("Message-ID"));
  EXPECT_EQ(ids.size(), 40u);
  EXPECT_EQ(server_.mails.size(), 40u);
}

// The real program, killed by the mail server itself in the worst moment: it has the message, the
// notifier does not know yet.
TEST_F(NotifierServiceTest, KilledBetweenSendAndSettleItSendsTheSameMessageIdAgain) {
  process_->Stop();
  process_.reset();
  setenv("POTOK_ENV", "dev", 1);
  const std::string output = ::testing::TempDir() + "/potok-notifier.log";
  const std::vector<std::string> command = {POTOK_NOTIFIER,
                                            "--listen",
                                            "127.0.0.1:0",
                                            "--set",
                                            "auth.mode=MODE_DEV",
                                            "--set",
                                            "postgres.dsn=" + database_.dsn("potok_notifier"),
                                            "--set",
                                            "smtp.url=" + server_.url(),
                                            "--set",
                                            "smtp.from=potok@example.org",
                                            "--set",
                                            "smtp.allow_plaintext=true"};
  absl::StatusOr<testing::Process> program = testing::Process::Start(command, "", output);
  ASSERT_THAT(program, testing::IsOk());
  std::atomic<bool> killed{false};
  server_.SetScript([&](const std::string& step) -> std::string {
    if (step == "MESSAGE" && !killed.exchange(true)) program->Signal(9);
    return "";
  });
  File("ivanova");
  ASSERT_TRUE(server_.mails.WaitForCount(1));
  program->Stop(9);
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.delivery WHERE state = 'sending' AND attempts = 1"),
            1);
  EXPECT_EQ(Int("SELECT count(*) FROM notifier.inbox"), 1);
  // Its lease would end by itself in half a minute.
  database_.Query(
      "UPDATE notifier.delivery SET next_at = clock_timestamp() WHERE state = 'sending'");
  StartService();
  ASSERT_TRUE(server_.mails.WaitForCount(2));
  ASSERT_TRUE(testing::Eventually([&] { return Deliveries("state = SENT").total_size() == 2; }));
  const std::vector<ReceivedMail> mails = server_.mails.Items();
  EXPECT_EQ(mails[0].Header("Message-ID"), mails[1].Header("Message-ID"));
  EXPECT_EQ(mails[0].Subject(), mails[1].Subject());
  EXPECT_EQ(mails.size(), 2u);
  server_.SetScript({});
}

TEST(NotifierWire, NamesAgreeWithTheDomain) {
  for (const Kind kind : kAllKinds) {
    EXPECT_EQ(v1::NoticeKind_Name(ToWire(kind)),
              absl::StrCat("NOTICE_KIND_", absl::AsciiStrToUpper(Name(kind))));
  }
  for (const Role role : kAllRoles) {
    EXPECT_EQ(v1::RecipientRole_Name(ToWire(role)),
              absl::StrCat("RECIPIENT_ROLE_", absl::AsciiStrToUpper(Name(role))));
  }
  for (const Channel channel : kAllChannels) {
    EXPECT_EQ(v1::NoticeChannel_Name(ToWire(channel)),
              absl::StrCat("NOTICE_CHANNEL_", absl::AsciiStrToUpper(Name(channel))));
  }
  EXPECT_EQ(ToWire(DeliveryState::kPending), v1::Delivery::STATE_QUEUED);
  EXPECT_EQ(ToWire(DeliveryState::kSending), v1::Delivery::STATE_SENDING);
  EXPECT_EQ(ToWire(DeliveryState::kSent), v1::Delivery::STATE_SENT);
  EXPECT_EQ(ToWire(DeliveryState::kDead), v1::Delivery::STATE_FAILED);
  EXPECT_EQ(ToWire(DeliveryState::kSuppressed), v1::Delivery::STATE_SUPPRESSED);
}

TEST(NotifierBind, RefusesWhatCannotWork) {
  testing::TestDatabase database;
  for (const char* wrong : {"templates.folder=/nowhere/at/all", "smtp.from=nobody"}) {
    auto config = config::Load("", {"listen=127.0.0.1:0", "auth.mode=MODE_DEV",
                                    "postgres.dsn=" + database.dsn("potok_notifier"),
                                    "smtp.url=smtp://127.0.0.1:9", "smtp.from=a@b", wrong});
    if (!config.ok()) continue;  // Refused even earlier.
    EXPECT_FALSE(app::Process::Start(*config, {Spec()}, "dev").ok()) << wrong;
  }
}

}  // namespace
}  // namespace potok::notifier
