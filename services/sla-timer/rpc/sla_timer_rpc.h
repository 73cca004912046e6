// The three services of sla-timer on the wire; the work is in Calendars, Policies and Clocks.
// Thread-safe.
#pragma once

#include "platform/rpc/front.h"
#include "potok/sla_timer/v1/calendar.grpc.pb.h"
#include "potok/sla_timer/v1/sla_policy.grpc.pb.h"
#include "potok/sla_timer/v1/sla_timer.grpc.pb.h"
#include "sla-timer/rpc/calendars.h"
#include "sla-timer/rpc/clocks.h"
#include "sla-timer/rpc/policies.h"

namespace potok::sla_timer {

using RpcContext = grpc::CallbackServerContext;
using RpcReactor = grpc::ServerUnaryReactor;

class CalendarRpc final : public v1::CalendarService::CallbackService {
 public:
  // Both outlive it.
  CalendarRpc(rpc::Front& front, const Calendars& calendars)
      : front_(front), calendars_(calendars) {}

  RpcReactor* CreateCalendar(RpcContext* c, const v1::CreateCalendarRequest* q,
                             v1::Calendar* a) override;
  RpcReactor* GetCalendar(RpcContext* c, const v1::GetCalendarRequest* q, v1::Calendar* a) override;
  RpcReactor* ListCalendars(RpcContext* c, const v1::ListCalendarsRequest* q,
                            v1::ListCalendarsResponse* a) override;

 private:
  rpc::Front& front_;
  const Calendars& calendars_;
};

class SlaPolicyRpc final : public v1::SlaPolicyService::CallbackService {
 public:
  // Both outlive it.
  SlaPolicyRpc(rpc::Front& front, const Policies& policies) : front_(front), policies_(policies) {}

  RpcReactor* CreateSlaPolicy(RpcContext* c, const v1::CreateSlaPolicyRequest* q,
                              v1::SlaPolicy* a) override;
  RpcReactor* GetSlaPolicy(RpcContext* c, const v1::GetSlaPolicyRequest* q,
                           v1::SlaPolicy* a) override;
  RpcReactor* ListSlaPolicies(RpcContext* c, const v1::ListSlaPoliciesRequest* q,
                              v1::ListSlaPoliciesResponse* a) override;
  RpcReactor* UpdateSlaPolicy(RpcContext* c, const v1::UpdateSlaPolicyRequest* q,
                              v1::SlaPolicy* a) override;

 private:
  rpc::Front& front_;
  const Policies& policies_;
};

class SlaTimerRpc final : public v1::SlaTimerService::CallbackService {
 public:
  // Both outlive it.
  SlaTimerRpc(rpc::Front& front, const Clocks& clocks) : front_(front), clocks_(clocks) {}

  RpcReactor* GetClock(RpcContext* c, const v1::GetClockRequest* q, v1::Clock* a) override;
  RpcReactor* PreviewPromise(RpcContext* c, const v1::PreviewPromiseRequest* q,
                             v1::PreviewPromiseResponse* a) override;
  RpcReactor* ListTimers(RpcContext* c, const v1::ListTimersRequest* q,
                         v1::ListTimersResponse* a) override;
  RpcReactor* GetTimerStats(RpcContext* c, const v1::GetTimerStatsRequest* q,
                            v1::TimerStats* a) override;

 private:
  rpc::Front& front_;
  const Clocks& clocks_;
};

}  // namespace potok::sla_timer
