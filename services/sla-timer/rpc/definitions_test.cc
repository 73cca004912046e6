// Calendars and policies through the calls of the service.
#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"

#include "base/error.h"
#include "sla-timer/rpc/calendars.h"
#include "sla-timer/rpc/policies.h"
#include "sla-timer/work/timer_desk.h"

namespace potok::sla_timer {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;
using ::testing::ElementsAre;

class DefinitionsTest : public TimerDesk {
 protected:
  DefinitionsTest()
      : tokens_(*rpc::PageTokens::Create("")),
        calendars_(ServicePool(), *reference_, tokens_, clock_),
        policies_(ServicePool(), *reference_, tokens_, clock_) {}

  pg::Pool& ServicePool() {
    MakeLoop();  // Opens the pool of the service's role.
    return *service_pool_;
  }
  static CallContext Call(const std::string& method) {
    CallContext call;
    call.caller.principal = "users/boss";
    call.caller.employee = "boss";
    call.caller.roles = {"flowAdmin"};
    call.method = method;
    return call;
  }
  static std::string RequestId(int n) {
    return absl::StrFormat("00000000-0000-4000-8000-%012d", n);
  }
  static v1::CreateCalendarRequest NewCalendar(int n, const std::string& id,
                                               const std::string& of) {
    v1::CreateCalendarRequest request;
    request.set_calendar_id(id);
    request.set_calendar_template(of);
    request.set_request_id(RequestId(n));
    return request;
  }
  static void AddHours(v1::Calendar* calendar, int day, int open, int close) {
    auto* interval = calendar->add_working_intervals();
    interval->set_day(static_cast<google::type::DayOfWeek>(day));
    interval->mutable_open_time_of_day()->set_hours(open);
    interval->mutable_close_time_of_day()->set_hours(close);
  }
  static v1::CreateSlaPolicyRequest NewPolicy(int n, const std::string& id) {
    v1::CreateSlaPolicyRequest request;
    request.set_sla_policy_id(id);
    request.set_request_id(RequestId(n));
    v1::SlaPolicy* policy = request.mutable_sla_policy();
    policy->set_display_name("Новая");
    policy->set_calendar("calendars/ru");
    SetTerm(policy->mutable_fallback_target()->mutable_resolution(), 2,
            v1::Term::UNIT_WORKING_DAYS);
    v1::SlaTarget* critical = policy->add_targets();
    critical->set_priority(1);
    SetTerm(critical->mutable_resolution(), 4, v1::Term::UNIT_WORKING_HOURS);
    v1::EscalationStep* step = policy->add_escalation_steps();
    step->set_action(v1::EscalationStep::ACTION_NEXT_LINE);
    step->mutable_delay()->set_seconds(3600);
    return request;
  }
  static void SetTerm(v1::Term* term, int amount, v1::Term::Unit unit) {
    term->set_amount(amount);
    term->set_unit(unit);
  }
  static std::vector<std::string> Fields(const absl::Status& status) {
    std::vector<std::string> fields;
    for (const FieldViolation& violation : GetErrorDetail(status).fields) {
      fields.push_back(violation.field);
    }
    return fields;
  }
  absl::StatusOr<v1::Calendar> Make(const v1::CreateCalendarRequest& request) {
    return calendars_.Create(Call("CreateCalendar"), request);
  }
  absl::StatusOr<v1::SlaPolicy> Make(const v1::CreateSlaPolicyRequest& request) {
    return policies_.Create(Call("CreateSlaPolicy"), request);
  }

  rpc::PageTokens tokens_;
  Calendars calendars_;
  Policies policies_;
};

TEST_F(DefinitionsTest, ACalendarOfATemplateIsKnownToTheDeskAtOnce) {
  v1::CreateCalendarRequest request = NewCalendar(1, "office", "ru-production");
  request.mutable_calendar()->set_time_zone("Asia/Yekaterinburg");
  ASSERT_OK_AND_ASSIGN(const v1::Calendar made, Make(request));
  EXPECT_EQ(made.name(), "calendars/office");
  EXPECT_EQ(made.working_intervals_size(), 10);
  EXPECT_EQ(made.working_day().seconds(), 8 * 3600);
  EXPECT_GT(made.exceptions_size(), 50);
  EXPECT_EQ(made.etag(), "\"1\"");
  ASSERT_EQ(reference_->Snapshot()->calendars.count("office"), 1u);
  v1::GetCalendarRequest get;
  get.set_name("calendars/office");
  ASSERT_OK_AND_ASSIGN(const v1::Calendar read, calendars_.Get(Call("GetCalendar"), get));
  EXPECT_TRUE(MessageDifferencer::Equals(read, made));
}

TEST_F(DefinitionsTest, ATemplateTakesOtherHoursAndDays) {
  v1::CreateCalendarRequest request = NewCalendar(1, "late", "ru-production");
  for (int day = 1; day <= 5; ++day) AddHours(request.mutable_calendar(), day, 11, 20);
  auto* party = request.mutable_calendar()->add_exceptions();
  party->mutable_date()->set_year(2026);
  party->mutable_date()->set_month(6);
  party->mutable_date()->set_day(12);  // The template has Russia Day here.
  party->set_kind(v1::CalendarException::KIND_WORKING);
  party->mutable_display_name()->set_ru("Дежурство");
  ASSERT_OK_AND_ASSIGN(const v1::Calendar made, Make(request));
  EXPECT_EQ(made.working_intervals_size(), 5);
  const auto calendar = reference_->Snapshot()->calendars.at("late");
  EXPECT_TRUE(calendar->IsWorking(Moscow("2026-06-12 19:00")));
  EXPECT_FALSE(calendar->IsWorking(Moscow("2026-06-15 10:00")));
}

TEST_F(DefinitionsTest, KindsAndUnitsMeanTheSameOnBothSides) {
  EXPECT_EQ(v1::CalendarException::KIND_HOLIDAY, desk::DayException::kHoliday + 1);
  EXPECT_EQ(v1::CalendarException::KIND_DAY_OFF_MOVED, desk::DayException::kDayOffMoved + 1);
  EXPECT_EQ(v1::CalendarException::KIND_WORKING, desk::DayException::kWorking + 1);
  EXPECT_EQ(v1::CalendarException::KIND_WORKING_SHORTENED,
            desk::DayException::kWorkingShortened + 1);
  EXPECT_EQ(v1::CalendarException::KIND_SHORTENED, desk::DayException::kShortened + 1);
  EXPECT_EQ(v1::Term::UNIT_WORKING_MINUTES, desk::Target::kWorkingMinutes + 1);
  EXPECT_EQ(v1::Term::UNIT_WORKING_HOURS, desk::Target::kWorkingHours + 1);
  EXPECT_EQ(v1::Term::UNIT_WORKING_DAYS, desk::Target::kWorkingDays + 1);
  EXPECT_EQ(v1::Term::UNIT_WORKING_MONTHS, desk::Target::kWorkingMonths + 1);
}

TEST_F(DefinitionsTest, EachMistakeInACalendarNamesItsFieldOnTheWire) {
  v1::CreateCalendarRequest bare = NewCalendar(1, "bare", "");
  EXPECT_THAT(Fields(Make(bare).status()), ElementsAre("calendar.working_intervals"));
  v1::CreateCalendarRequest zone = NewCalendar(2, "zone", "around-the-clock");
  zone.mutable_calendar()->set_time_zone("Moon/Base");
  EXPECT_THAT(Fields(Make(zone).status()), ElementsAre("calendar.time_zone"));
  v1::CreateCalendarRequest overlap = NewCalendar(3, "overlap", "");
  AddHours(overlap.mutable_calendar(), 2, 9, 18);
  AddHours(overlap.mutable_calendar(), 1, 12, 18);
  AddHours(overlap.mutable_calendar(), 1, 9, 13);
  EXPECT_THAT(Fields(Make(overlap).status()), ElementsAre("calendar.working_intervals[1]"));
  v1::CreateCalendarRequest date = NewCalendar(4, "date", "ru-production");
  auto* exception = date.mutable_calendar()->add_exceptions();
  exception->mutable_date()->set_year(2026);
  exception->mutable_date()->set_month(2);
  exception->mutable_date()->set_day(30);
  exception->set_kind(v1::CalendarException::KIND_HOLIDAY);
  EXPECT_THAT(Fields(Make(date).status()), ElementsAre("calendar.exceptions[0].date"));
  EXPECT_THAT(Make(NewCalendar(5, "moon", "lunar")),
              StatusIs(absl::StatusCode::kNotFound, "TEMPLATE_NOT_FOUND"));
  EXPECT_EQ(database_.Query("SELECT count(*) FROM sla_timer.calendar_version"), "2");
}

TEST_F(DefinitionsTest, ARepeatGetsTheFirstAnswerAndATakenIdIsRefused) {
  ASSERT_OK_AND_ASSIGN(const v1::Calendar first, Make(NewCalendar(1, "office", "ru-production")));
  clock_.Advance(absl::Hours(1));
  ASSERT_OK_AND_ASSIGN(const v1::Calendar again, Make(NewCalendar(1, "office", "ru-production")));
  EXPECT_TRUE(MessageDifferencer::Equals(first, again));
  EXPECT_THAT(Make(NewCalendar(1, "other", "ru-production")),
              StatusIs(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED"));
  EXPECT_THAT(Make(NewCalendar(2, "office", "around-the-clock")),
              StatusIs(absl::StatusCode::kAlreadyExists, "ALREADY_EXISTS"));
}

TEST_F(DefinitionsTest, ListsGoByIdPageByPage) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(Make(NewCalendar(i, absl::StrCat("zone-", i), "around-the-clock")), IsOk());
  }
  v1::ListCalendarsRequest list;
  list.set_page_size(2);
  std::vector<std::string> names;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, calendars_.List(Call("ListCalendars"), list));
    for (const auto& calendar : page.calendars()) {
      names.push_back(calendar.name());
      EXPECT_EQ(calendar.exceptions_size(), 0);
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_THAT(names, ElementsAre("calendars/always", "calendars/ru", "calendars/zone-0",
                                 "calendars/zone-1", "calendars/zone-2"));
  list.set_page_token("forged");
  EXPECT_THAT(calendars_.List(Call("ListCalendars"), list),
              StatusIs(absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID"));
}

TEST_F(DefinitionsTest, APolicyIsMadeReadAndListed) {
  ASSERT_OK_AND_ASSIGN(const v1::SlaPolicy made, Make(NewPolicy(1, "vip")));
  EXPECT_EQ(made.version(), 1);
  EXPECT_EQ(made.needed_today_resolution().amount(), 4);
  v1::GetSlaPolicyRequest get;
  get.set_name("slaPolicies/vip");
  ASSERT_OK_AND_ASSIGN(const v1::SlaPolicy read, policies_.Get(Call("GetSlaPolicy"), get));
  EXPECT_TRUE(MessageDifferencer::Equals(read, made));
  ASSERT_OK_AND_ASSIGN(const auto list, policies_.List(Call("ListSlaPolicies"), {}));
  EXPECT_EQ(list.sla_policies_size(), 3);
  const desk::SlaPolicy& known = *reference_->Snapshot()->policies.at("vip");
  EXPECT_EQ(known.steps[0].after_breach, absl::Hours(1));
  get.set_name("slaPolicies/nowhere");
  EXPECT_THAT(policies_.Get(Call("GetSlaPolicy"), get), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DefinitionsTest, EachMistakeInAPolicyNamesItsFieldOnTheWire) {
  v1::CreateSlaPolicyRequest bad = NewPolicy(1, "bad");
  bad.mutable_sla_policy()->mutable_targets(0)->mutable_resolution()->set_amount(0);
  v1::EscalationStep* early = bad.mutable_sla_policy()->add_escalation_steps();
  early->set_action(v1::EscalationStep::ACTION_TELL_MANAGER);
  EXPECT_THAT(Fields(Make(bad).status()), ElementsAre("sla_policy.targets[0].resolution.amount",
                                                      "sla_policy.escalation_steps[1].delay"));
  v1::CreateSlaPolicyRequest twice = NewPolicy(2, "twice");
  twice.mutable_sla_policy()->add_targets()->set_priority(1);
  EXPECT_THAT(Fields(Make(twice).status()), ElementsAre("sla_policy.targets[1].priority"));
  v1::CreateSlaPolicyRequest nowhere = NewPolicy(3, "nowhere");
  nowhere.mutable_sla_policy()->set_calendar("calendars/nowhere");
  EXPECT_THAT(Make(nowhere), StatusIs(absl::StatusCode::kNotFound, "CALENDAR_NOT_FOUND"));
}

TEST_F(DefinitionsTest, AnUpdatePublishesAVersionForTicketsToCome) {
  const std::string before = Started();
  const absl::Time promised = DueOf(before, "breach");
  v1::UpdateSlaPolicyRequest update;
  update.set_request_id(RequestId(1));
  update.mutable_sla_policy()->set_name("slaPolicies/standard");
  update.mutable_sla_policy()->set_etag("\"1\"");
  SetTerm(update.mutable_sla_policy()->mutable_fallback_target()->mutable_resolution(), 1,
          v1::Term::UNIT_WORKING_DAYS);
  update.mutable_update_mask()->add_paths("fallback_target");
  ASSERT_OK_AND_ASSIGN(const v1::SlaPolicy changed,
                       policies_.Update(Call("UpdateSlaPolicy"), update));
  EXPECT_EQ(changed.version(), 2);
  EXPECT_EQ(changed.escalation_steps_size(), 2) << "what the mask does not name stays";
  EXPECT_EQ(DueOf(before, "breach"), promised);
  EXPECT_EQ(DueOf(Started(), "breach"), Moscow("2026-03-17 10:00"));
  ExpectSound();

  // The etag of before, and a change that changes nothing.
  update.set_request_id(RequestId(2));
  EXPECT_THAT(policies_.Update(Call("UpdateSlaPolicy"), update),
              StatusIs(absl::StatusCode::kAborted, "ETAG_MISMATCH"));
  update.mutable_sla_policy()->clear_etag();
  ASSERT_OK_AND_ASSIGN(const v1::SlaPolicy same, policies_.Update(Call("UpdateSlaPolicy"), update));
  EXPECT_EQ(same.version(), 2);
  update.set_request_id(RequestId(3));
  update.mutable_update_mask()->add_paths("version");
  EXPECT_THAT(policies_.Update(Call("UpdateSlaPolicy"), update),
              StatusIs(absl::StatusCode::kInvalidArgument, "FIELD_MASK_INVALID"));
}

TEST_F(DefinitionsTest, TheCalendarOfAPolicyThatFlowsPromiseByStays) {
  v1::UpdateSlaPolicyRequest update;
  update.set_request_id(RequestId(1));
  update.mutable_sla_policy()->set_name("slaPolicies/standard");
  update.mutable_sla_policy()->set_calendar("calendars/always");
  EXPECT_THAT(policies_.Update(Call("UpdateSlaPolicy"), update),
              StatusIs(absl::StatusCode::kFailedPrecondition, "STILL_IN_USE"));
  ASSERT_THAT(Make(NewPolicy(2, "free")), IsOk());
  update.set_request_id(RequestId(3));
  update.mutable_sla_policy()->set_name("slaPolicies/free");
  EXPECT_THAT(policies_.Update(Call("UpdateSlaPolicy"), update), IsOk());
}

}  // namespace
}  // namespace potok::sla_timer
