#include "platform/app/run_service.h"
#include "sla-timer/bind.h"

int main(int argc, char** argv) {
  return potok::app::RunService(argc, argv, potok::sla_timer::Spec());
}
