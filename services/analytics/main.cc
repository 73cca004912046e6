#include "analytics/bind.h"

int main(int argc, char** argv) {
  return potok::app::RunService(argc, argv, potok::analytics::Spec());
}
