// The wiring of the notifier: everything it is made of, built in one place by plain constructors.
#pragma once

#include "platform/app/run_service.h"

namespace potok::notifier {

// For main, for allinone, and for tests that run the service in their own process.
app::ServiceSpec Spec();

}  // namespace potok::notifier
