// analytics: counts what happens and shows where work is stuck.
#pragma once

#include "platform/app/run_service.h"

namespace potok::analytics {

app::ServiceSpec Spec();

}  // namespace potok::analytics
