// All five services in one process, for a small firm, the demo and tests: the same binds, one set
// of connections, one clock, one copy of the reference data.
#include "analytics/bind.h"
#include "intake/bind.h"
#include "notifier/bind.h"
#include "platform/app/run_service.h"
#include "router/bind.h"
#include "sla-timer/bind.h"

int main(int argc, char** argv) {
  return potok::app::RunServices(
      argc, argv, "potok-allinone",
      {potok::intake::Spec(), potok::router::Spec(), potok::sla_timer::Spec(),
       potok::notifier::Spec(), potok::analytics::Spec()});
}
