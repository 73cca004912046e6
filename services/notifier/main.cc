#include "notifier/bind.h"
#include "platform/app/run_service.h"

int main(int argc, char** argv) {
  return potok::app::RunService(argc, argv, potok::notifier::Spec());
}
