// Bad input of every kind: the right status, details that name field, limit and way out in Russian
// and English, and not one row changed.
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "integration/suite.h"
#include "platform/testing/status_matchers.h"
#include "potok/api/v1/errors.pb.h"

namespace potok::testing {
namespace {

using google::protobuf::Any;
using intake::v1::Ticket;
using ::testing::HasSubstr;

// One call, made as `who`; gives the status it was answered with.
using Call = std::function<grpc::Status(grpc::ClientContext&)>;

struct Case {
  std::string name;
  std::string who;
  Call call;
  grpc::StatusCode code;
  std::string reason;
  std::string field;  // Of the BadRequest; empty: none expected.
  std::string says;   // English: the limit or the way out, in the message or in the violation.
};

struct Details {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad;
  google::rpc::LocalizedMessage localized;
  google::rpc::RequestInfo request;
};

Details Unpack(const grpc::Status& status) {
  Details details;
  google::rpc::Status wire;
  wire.ParseFromString(status.error_details());
  for (const Any& any : wire.details()) {
    any.UnpackTo(&details.info) || any.UnpackTo(&details.bad) || any.UnpackTo(&details.localized) ||
        any.UnpackTo(&details.request);
  }
  return details;
}

// The lead bytes of Cyrillic letters in UTF-8.
bool HasCyrillic(const std::string& text) {
  return text.find('\xD0') != std::string::npos || text.find('\xD1') != std::string::npos;
}

class HostileInput : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { suite_ = new Suite(); }
  static void TearDownTestSuite() {
    delete suite_;
    suite_ = nullptr;
  }
  static intake::v1::IntakeService::Stub& intake() { return suite_->intake(); }

  static Ticket File(intake::v1::CreateTicketRequest request = SupportRequest()) {
    Ticket ticket;
    const grpc::Status status = intake().CreateTicket(Suite::As("ivanova").get(), request, &ticket);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return ticket;
  }

  // Everything that a refused call could have changed. Rows that the log's own loops move between
  // outbox and event_log are counted together.
  static std::string Fingerprint() {
    return suite_->database().Query(R"(
      SELECT concat_ws(' ',
        (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM ledger.ticket t),
        (SELECT count(*) FROM ledger.ticket_event), (SELECT count(*) FROM ledger.event_text),
        (SELECT count(*) FROM ledger.idem), (SELECT count(*) FROM ledger.assignment),
        (SELECT md5(string_agg(a::text, '|' ORDER BY a.agent_id, a.flow_id)) FROM ledger.agent_load a),
        (SELECT md5(string_agg(s::text, '|' ORDER BY s.ticket_id, s.kind)) FROM ledger.sla_timer s),
        (SELECT count(*) FROM ledger.sla_fired),
        (SELECT md5(string_agg(c::text, '|' ORDER BY c.flow_id)) FROM ledger.flow_counter c),
        (SELECT (SELECT count(*) FROM ledger.outbox) + (SELECT count(*) FROM ledger.event_log))))");
  }

  static Suite* suite_;
};
Suite* HostileInput::suite_ = nullptr;

using Stub = intake::v1::IntakeService::Stub;

template <class Request, class Answer>
Call CallOf(Suite& suite,
            grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
            Request request) {
  return [&suite, method, request](grpc::ClientContext& context) {
    Answer answer;
    return (suite.intake().*method)(&context, request, &answer);
  };
}

template <class Request>
Request Verb(const Ticket& ticket, const std::string& etag = "") {
  Request request;
  request.set_name(ticket.name());
  request.set_request_id(Uuid());
  request.set_etag(etag);
  return request;
}

Call Create(Suite& suite, const std::function<void(intake::v1::CreateTicketRequest&)>& spoil,
            intake::v1::CreateTicketRequest request = SupportRequest()) {
  spoil(request);
  return CallOf(suite, &Stub::CreateTicket, request);
}

Call List(Suite& suite, const std::function<void(intake::v1::ListTicketsRequest&)>& spoil) {
  intake::v1::ListTicketsRequest request;
  spoil(request);
  return CallOf(suite, &Stub::ListTickets, request);
}

std::vector<Case> Filings(Suite& suite, const std::string& used_request_id) {
  using Q = intake::v1::CreateTicketRequest;
  const auto field = [](Q& q, const char* name) -> google::protobuf::Value& {
    return (*q.mutable_ticket()->mutable_fields()->mutable_fields())[name];
  };
  const auto nothing = [](Q&) {};
  return {
      {"no token", "", Create(suite, nothing), grpc::UNAUTHENTICATED, "CREDENTIALS_MISSING", "",
       "Bearer"},
      {"role that may not file", "sokolova:auditor", Create(suite, nothing),
       grpc::PERMISSION_DENIED, "PERMISSION_DENIED", "", ""},
      {"caller the directory does not know", "ghost", Create(suite, nothing), grpc::NOT_FOUND,
       "EMPLOYEE_NOT_FOUND", "ticket.requester", "ListEmployees"},
      {"caller who has left", "lisina", Create(suite, nothing), grpc::INVALID_ARGUMENT,
       "INVALID_FIELD", "ticket.requester", "active employee"},
      {"unknown flow", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_flow("flows/no-such"); }), grpc::NOT_FOUND,
       "FLOW_NOT_FOUND", "ticket.flow", "ListFlows"},
      {"no flow", "ivanova", Create(suite, [](Q& q) { q.mutable_ticket()->clear_flow(); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.flow", ""},
      {"no ticket", "ivanova", Create(suite, [](Q& q) { q.clear_ticket(); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket", ""},
      {"flow of others", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_flow("flows/it-internal"); }),
       grpc::PERMISSION_DENIED, "PERMISSION_DENIED", "", "ListFlows"},
      {"no title", "ivanova", Create(suite, [](Q& q) { q.mutable_ticket()->clear_title(); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.title", ""},
      {"blank title", "ivanova", Create(suite, [](Q& q) { q.mutable_ticket()->set_title("   "); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.title", "at least a word"},
      {"title of 1 MB", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_title(std::string(1 << 20, 'x')); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.title", "200"},
      {"title that is not UTF-8", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_title("\xff\xfe"); }),
       grpc::INVALID_ARGUMENT, "INVALID_UTF8", "ticket.title", "UTF-8"},
      {"title of two lines", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_title("a\nb"); }), grpc::INVALID_ARGUMENT,
       "INVALID_FIELD", "ticket.title", "one line"},
      {"description over 64 KiB of Cyrillic", "ivanova",
       Create(suite,
              [](Q& q) {
                std::string text;
                for (int i = 0; i < 40000; ++i) text += "ы";
                q.mutable_ticket()->set_description(text);
              }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.description", "65536"},
      {"U+0000", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_description(std::string("a\0b", 3)); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.description", "U+0000"},
      {"unknown enum value", "ivanova",
       Create(suite,
              [](Q& q) { q.mutable_ticket()->set_urgency(static_cast<api::v1::Degree>(99)); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.urgency", ""},
      {"needed today without a reason", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_needed_today(true); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.needed_today_reason", ""},
      {"a reason without needed today", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_needed_today_reason("виза"); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "ticket.needed_today_reason", "needed_today"},
      {"filing for somebody else", "ivanova",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_requester("employees/petrov"); }),
       grpc::PERMISSION_DENIED, "PERMISSION_DENIED", "", "leave ticket.requester empty"},
      {"filing for nobody known", "sidorov:requester+agent",
       Create(suite, [](Q& q) { q.mutable_ticket()->set_requester("employees/ghost"); }),
       grpc::NOT_FOUND, "EMPLOYEE_NOT_FOUND", "ticket.requester", "ListEmployees"},
      {"form field missing", "ivanova",
       Create(
           suite, [](Q& q) { q.mutable_ticket()->clear_fields(); }, CertificateRequest()),
       grpc::INVALID_ARGUMENT, "FORM_FIELD_INVALID", "ticket.fields.kind", ""},
      {"form choice that is none", "ivanova",
       Create(
           suite, [&](Q& q) { field(q, "kind").set_string_value("3ndfl"); }, CertificateRequest()),
       grpc::INVALID_ARGUMENT, "FORM_FIELD_INVALID", "ticket.fields.kind", "2ndfl"},
      {"form field out of bounds", "ivanova",
       Create(
           suite, [&](Q& q) { field(q, "copies").set_number_value(6); }, CertificateRequest()),
       grpc::INVALID_ARGUMENT, "FORM_FIELD_INVALID", "ticket.fields.copies", "5"},
      {"form field that is none", "ivanova",
       Create(
           suite, [&](Q& q) { field(q, "salary").set_number_value(1); }, CertificateRequest()),
       grpc::INVALID_ARGUMENT, "FORM_FIELD_INVALID", "ticket.fields.salary", ""},
      {"form answer of no shape", "ivanova",
       Create(
           suite, [&](Q& q) { (*field(q, "kind").mutable_struct_value()->mutable_fields())["a"]; },
           CertificateRequest()),
       grpc::INVALID_ARGUMENT, "FORM_FIELD_INVALID", "ticket.fields.kind", "GetFlow"},
      {"form names nobody known", "ivanova",
       Create(
           suite, [&](Q& q) { field(q, "for_whom").set_string_value("employees/ghost"); },
           CertificateRequest()),
       grpc::NOT_FOUND, "EMPLOYEE_NOT_FOUND", "ticket.fields.for_whom", "ListEmployees"},
      {"no request_id", "ivanova", Create(suite, [](Q& q) { q.clear_request_id(); }),
       grpc::INVALID_ARGUMENT, "REQUEST_ID_MISSING", "request_id", "UUID"},
      {"request_id that is no UUID", "ivanova",
       Create(suite, [](Q& q) { q.set_request_id("once"); }), grpc::INVALID_ARGUMENT,
       "INVALID_FIELD", "request_id", "UUID"},
      {"request_id used with other content", "ivanova",
       Create(
           suite, [&](Q& q) { q.set_request_id(used_request_id); }, SupportRequest("Другое")),
       grpc::ALREADY_EXISTS, "REQUEST_ID_REUSED", "request_id", "new UUID"},
  };
}

std::vector<Case> Moves(Suite& suite, const Ticket& queued, const Ticket& closed) {
  using namespace intake::v1;  // NOLINT: the names of the requests alone.
  const auto comment = [&](const std::string& text, bool internal) {
    auto q = Verb<AddCommentRequest>(queued);
    q.set_text(text);
    q.set_internal(internal);
    return CallOf(suite, &Stub::AddComment, q);
  };
  const auto rate = [&](const intake::v1::Ticket& ticket, int score) {
    auto q = Verb<RateTicketRequest>(ticket);
    q.set_score(score);
    return CallOf(suite, &Stub::RateTicket, q);
  };
  auto stale = Verb<CancelTicketRequest>(queued, "\"99\"");
  stale.set_reason("передумала");
  auto odd_etag = stale;
  odd_etag.set_etag("W/7");
  auto past = Verb<ExtendDeadlineRequest>(queued);
  past.mutable_due_time()->set_seconds(1000);
  past.set_reason("позже");
  auto no_instant = past;
  no_instant.mutable_due_time()->set_nanos(-5);
  auto resolve = Verb<ResolveTicketRequest>(closed);
  resolve.set_result("готово");
  GetTicketRequest get, unknown, no_uuid, no_name;
  get.set_name(queued.name());
  unknown.set_name("tickets/01900000-0000-7003-8000-000000000001");
  no_uuid.set_name(absl::StrCat("tickets/", std::string(36, '-')));
  no_name.set_name("IT-000001");
  auto unknown_start = Verb<StartTicketRequest>(queued);
  unknown_start.set_name(unknown.name());
  return {
      {"foreign ticket, read", "volkov", CallOf(suite, &Stub::GetTicket, get),
       grpc::PERMISSION_DENIED, "TICKET_NOT_VISIBLE", "", "requester"},
      {"foreign ticket, move", "volkov:requester+agent",
       CallOf(suite, &Stub::StartTicket, Verb<StartTicketRequest>(queued)), grpc::PERMISSION_DENIED,
       "TICKET_NOT_VISIBLE", "", "requester"},
      {"unknown ticket, as anybody", "ivanova", CallOf(suite, &Stub::GetTicket, unknown),
       grpc::PERMISSION_DENIED, "TICKET_NOT_VISIBLE", "", "requester"},
      {"unknown ticket, as an administrator", "root:admin",
       CallOf(suite, &Stub::GetTicket, unknown), grpc::NOT_FOUND, "TICKET_NOT_FOUND", "",
       "tickets/"},
      {"unknown ticket, moved by an administrator", "root:admin",
       CallOf(suite, &Stub::StartTicket, unknown_start), grpc::NOT_FOUND, "TICKET_NOT_FOUND", "",
       "tickets/"},
      {"ticket name that is no UUID", "ivanova", CallOf(suite, &Stub::GetTicket, no_uuid),
       grpc::INVALID_ARGUMENT, "RESOURCE_NAME_INVALID", "name", "UUID"},
      {"number in place of a name", "ivanova", CallOf(suite, &Stub::GetTicket, no_name),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "name", "tickets/"},
      {"stale etag", "ivanova", CallOf(suite, &Stub::CancelTicket, stale), grpc::ABORTED,
       "ETAG_MISMATCH", "", "read it again"},
      {"etag of no known form", "ivanova", CallOf(suite, &Stub::CancelTicket, odd_etag),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "etag", "GetTicket"},
      {"move on a closed ticket", "sidorov:requester+agent",
       CallOf(suite, &Stub::ResolveTicket, resolve), grpc::PERMISSION_DENIED, "NOT_YOURS", "",
       "holder"},
      {"move on a closed ticket, by who may", "belov:requester+flowAdmin",
       CallOf(suite, &Stub::ResolveTicket, resolve), grpc::FAILED_PRECONDITION, "ILLEGAL_MOVE", "",
       "IN_PROGRESS"},
      {"start of a ticket nobody holds", "belov:requester+flowAdmin",
       CallOf(suite, &Stub::StartTicket, Verb<StartTicketRequest>(queued)),
       grpc::FAILED_PRECONDITION, "ILLEGAL_MOVE", "", "ASSIGNED"},
      {"work by a requester", "ivanova",
       CallOf(suite, &Stub::StartTicket, Verb<StartTicketRequest>(queued)), grpc::PERMISSION_DENIED,
       "PERMISSION_DENIED", "", ""},
      {"acceptance by another", "sidorov:requester+agent",
       CallOf(suite, &Stub::ConfirmTicket, Verb<ConfirmTicketRequest>(queued)),
       grpc::PERMISSION_DENIED, "NOT_YOURS", "", "requester"},
      {"rating of 6", "ivanova", rate(closed, 6), grpc::INVALID_ARGUMENT, "INVALID_FIELD", "score",
       "5"},
      {"rating of an open ticket", "ivanova", rate(queued, 5), grpc::FAILED_PRECONDITION,
       "ILLEGAL_MOVE", "", "CLOSED"},
      {"second rating", "ivanova", rate(closed, 4), grpc::FAILED_PRECONDITION, "ALREADY_RATED", "",
       "reopened"},
      {"internal note by the requester", "ivanova", comment("между нами", true),
       grpc::PERMISSION_DENIED, "NOT_YOURS", "", "team"},
      {"comment without words", "ivanova", comment("", false), grpc::INVALID_ARGUMENT,
       "INVALID_FIELD", "text", ""},
      {"comment of blanks", "ivanova", comment(" \n ", false), grpc::INVALID_ARGUMENT,
       "INVALID_FIELD", "text", "at least a word"},
      {"comment of 100 KB", "ivanova", comment(std::string(100000, 'x'), false),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "text", "65536"},
      {"deadline in the past", "belov:requester+flowAdmin",
       CallOf(suite, &Stub::ExtendDeadline, past), grpc::INVALID_ARGUMENT, "INVALID_FIELD",
       "due_time", "later"},
      {"instant that is none", "belov:requester+flowAdmin",
       CallOf(suite, &Stub::ExtendDeadline, no_instant), grpc::INVALID_ARGUMENT, "INVALID_FIELD",
       "due_time", "must be an instant"},
  };
}

std::vector<Case> Reads(Suite& suite, const Ticket& queued, const std::string& foreign_token) {
  using Q = intake::v1::ListTicketsRequest;
  const auto watch = [&suite](const std::string& name, int64_t after) -> Call {
    return [&suite, name, after](grpc::ClientContext& context) {
      intake::v1::WatchTicketRequest request;
      request.set_name(name);
      request.set_after_version(after);
      auto stream = suite.intake().WatchTicket(&context, request);
      intake::v1::WatchTicketResponse message;
      while (stream->Read(&message)) {
      }
      return stream->Finish();
    };
  };
  return {
      {"filter that cannot be read", "ivanova",
       List(suite, [](Q& q) { q.set_filter("state = ("); }), grpc::INVALID_ARGUMENT,
       "FILTER_INVALID", "filter", ""},
      {"filter with an unknown field", "ivanova",
       List(suite, [](Q& q) { q.set_filter("salary > 5"); }), grpc::INVALID_ARGUMENT,
       "FILTER_INVALID", "filter", "due_time"},
      {"filter of 3 KB", "ivanova", List(suite, [](Q& q) { q.set_filter(std::string(3000, 'a')); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "filter", "2048"},
      {"order by an unknown field", "ivanova", List(suite, [](Q& q) { q.set_order_by("title"); }),
       grpc::INVALID_ARGUMENT, "ORDER_INVALID", "order_by", "due_time"},
      {"page of 1001", "ivanova", List(suite, [](Q& q) { q.set_page_size(1001); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "page_size", "1000"},
      {"negative page", "ivanova", List(suite, [](Q& q) { q.set_page_size(-1); }),
       grpc::INVALID_ARGUMENT, "INVALID_FIELD", "page_size", "0"},
      {"made-up page token", "ivanova", List(suite, [](Q& q) { q.set_page_token("AAAA"); }),
       grpc::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID", "", ""},
      {"page token of another caller", "petrov",
       List(suite, [&](Q& q) { q.set_page_token(foreign_token); }), grpc::INVALID_ARGUMENT,
       "PAGE_TOKEN_INVALID", "", ""},
      {"page token with another filter", "ivanova",
       List(suite,
            [&](Q& q) {
              q.set_page_token(foreign_token);
              q.set_filter("state = QUEUED");
            }),
       grpc::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID", "", ""},
      {"watch of a foreign ticket", "volkov", watch(queued.name(), 0), grpc::PERMISSION_DENIED,
       "TICKET_NOT_VISIBLE", "", "requester"},
      {"watch from the future", "ivanova", watch(queued.name(), 1000), grpc::INVALID_ARGUMENT,
       "INVALID_FIELD", "after_version", "version"},
  };
}

void Check(const Case& c, const std::string& locale) {
  const auto context = Suite::As(c.who, locale);
  const grpc::Status status = c.call(*context);
  ASSERT_EQ(status.error_code(), c.code) << status.error_message();
  const Details details = Unpack(status);
  EXPECT_EQ(details.info.domain(), "potok");
  EXPECT_EQ(details.info.reason(), c.reason) << status.error_message();
  api::v1::ErrorReason known;
  EXPECT_TRUE(api::v1::ErrorReason_Parse("ERROR_REASON_" + details.info.reason(), &known))
      << details.info.reason() << " is not in the registry";
  EXPECT_EQ(details.localized.locale(), locale);
  EXPECT_EQ(HasCyrillic(details.localized.message()), locale == "ru")
      << details.localized.message();
  EXPECT_FALSE(details.request.request_id().empty());
  std::string texts = status.error_message();
  bool named = c.field.empty();
  for (const auto& violation : details.bad.field_violations()) {
    named |= violation.field() == c.field;
    absl::StrAppend(&texts, "\n", violation.field(), ": ", violation.description());
    EXPECT_EQ(HasCyrillic(violation.description()), locale == "ru") << violation.description();
  }
  EXPECT_TRUE(named) << "no violation names " << c.field << ":\n" << texts;
  if (locale == "en") {
    EXPECT_THAT(texts, HasSubstr(c.says));
  }
}

TEST_F(HostileInput, IsNamedInBothLanguagesAndChangesNothing) {
  const auto filed = SupportRequest();
  const Ticket queued = File(filed);
  const Ticket closed = File(SupportRequest("Мышь"));
  ASSERT_THAT(suite_->Assign(closed.name(), "sidorov"), IsOk());
  ASSERT_THAT(suite_->Do(closed.name(), desk::ReturnTicket{"", true}), IsOk());
  ASSERT_THAT(suite_->Assign(closed.name(), "sidorov"), IsOk());
  Ticket answer;
  ASSERT_TRUE(intake()
                  .StartTicket(Suite::As("sidorov:agent").get(),
                               Verb<intake::v1::StartTicketRequest>(closed), &answer)
                  .ok());
  auto resolve = Verb<intake::v1::ResolveTicketRequest>(closed);
  resolve.set_result("Заменили");
  ASSERT_TRUE(intake().ResolveTicket(Suite::As("sidorov:agent").get(), resolve, &answer).ok());
  ASSERT_TRUE(intake()
                  .ConfirmTicket(Suite::As("ivanova").get(),
                                 Verb<intake::v1::ConfirmTicketRequest>(closed), &answer)
                  .ok());
  auto rate = Verb<intake::v1::RateTicketRequest>(closed);
  rate.set_score(5);
  ASSERT_TRUE(intake().RateTicket(Suite::As("ivanova").get(), rate, &answer).ok());

  intake::v1::ListTicketsRequest list;
  list.set_page_size(1);
  intake::v1::ListTicketsResponse page;
  ASSERT_TRUE(intake().ListTickets(Suite::As("ivanova").get(), list, &page).ok());
  ASSERT_FALSE(page.next_page_token().empty());

  std::vector<Case> cases = Filings(*suite_, filed.request_id());
  for (auto& more :
       {Moves(*suite_, queued, closed), Reads(*suite_, queued, page.next_page_token())}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  for (const Case& c : cases) {
    for (const char* locale : {"en", "ru"}) {
      SCOPED_TRACE(absl::StrCat(c.name, " [", locale, "]"));
      const std::string before = Fingerprint();
      Check(c, locale);
      EXPECT_EQ(Fingerprint(), before) << "a refused call changed something";
    }
  }
}

TEST_F(HostileInput, AForeignTicketAndAMissingOneAreAnsweredAlike) {
  const Ticket ticket = File();
  intake::v1::GetTicketRequest there, missing;
  there.set_name(ticket.name());
  missing.set_name("tickets/01900000-0000-7003-8000-000000000001");
  Ticket answer;
  const grpc::Status one = intake().GetTicket(Suite::As("volkov").get(), there, &answer);
  const grpc::Status two = intake().GetTicket(Suite::As("volkov").get(), missing, &answer);
  EXPECT_EQ(one.error_code(), two.error_code());
  EXPECT_EQ(one.error_message(), two.error_message());
  EXPECT_EQ(Unpack(one).info.DebugString(), Unpack(two).info.DebugString());
}

}  // namespace
}  // namespace potok::testing
