#include "sla-timer/rpc/sla_timer_rpc.h"

namespace potok::sla_timer {

RpcReactor* CalendarRpc::CreateCalendar(RpcContext* c, const v1::CreateCalendarRequest* q,
                                        v1::Calendar* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return calendars_.Create(call, request);
  });
}

RpcReactor* CalendarRpc::GetCalendar(RpcContext* c, const v1::GetCalendarRequest* q,
                                     v1::Calendar* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return calendars_.Get(call, request);
  });
}

RpcReactor* CalendarRpc::ListCalendars(RpcContext* c, const v1::ListCalendarsRequest* q,
                                       v1::ListCalendarsResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return calendars_.List(call, request);
  });
}

RpcReactor* SlaPolicyRpc::CreateSlaPolicy(RpcContext* c, const v1::CreateSlaPolicyRequest* q,
                                          v1::SlaPolicy* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return policies_.Create(call, request);
  });
}

RpcReactor* SlaPolicyRpc::GetSlaPolicy(RpcContext* c, const v1::GetSlaPolicyRequest* q,
                                       v1::SlaPolicy* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return policies_.Get(call, request);
  });
}

RpcReactor* SlaPolicyRpc::ListSlaPolicies(RpcContext* c, const v1::ListSlaPoliciesRequest* q,
                                          v1::ListSlaPoliciesResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return policies_.List(call, request);
  });
}

RpcReactor* SlaPolicyRpc::UpdateSlaPolicy(RpcContext* c, const v1::UpdateSlaPolicyRequest* q,
                                          v1::SlaPolicy* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return policies_.Update(call, request);
  });
}

RpcReactor* SlaTimerRpc::GetClock(RpcContext* c, const v1::GetClockRequest* q, v1::Clock* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return clocks_.GetClock(call, request);
  });
}

RpcReactor* SlaTimerRpc::PreviewPromise(RpcContext* c, const v1::PreviewPromiseRequest* q,
                                        v1::PreviewPromiseResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return clocks_.Preview(call, request);
  });
}

RpcReactor* SlaTimerRpc::ListTimers(RpcContext* c, const v1::ListTimersRequest* q,
                                    v1::ListTimersResponse* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return clocks_.ListTimers(call, request);
  });
}

RpcReactor* SlaTimerRpc::GetTimerStats(RpcContext* c, const v1::GetTimerStatsRequest* q,
                                       v1::TimerStats* a) {
  return front_.Blocking(c, q, a, [this](const CallContext& call, const auto& request) {
    return clocks_.Stats(call, request);
  });
}

}  // namespace potok::sla_timer
