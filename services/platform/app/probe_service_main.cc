// The smallest service there can be. process_test runs it as a process of its own, because signals
// and exit codes belong to a process.
#include "platform/app/run_service.h"

namespace {

class Nothing : public potok::app::Bound {};

}  // namespace

int main(int argc, char** argv) {
  potok::app::ServiceSpec spec;
  spec.name = "probe";
  spec.version = "1.0";
  spec.authorize = [](const potok::Caller&, absl::string_view) { return false; };
  spec.bind = [](potok::app::Parts&) -> absl::StatusOr<std::unique_ptr<potok::app::Bound>> {
    return std::make_unique<Nothing>();
  };
  return potok::app::RunService(argc, argv, std::move(spec));
}
