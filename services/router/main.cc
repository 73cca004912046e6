#include "platform/app/run_service.h"
#include "router/bind.h"

int main(int argc, char** argv) {
  return potok::app::RunService(argc, argv, potok::router::Spec());
}
