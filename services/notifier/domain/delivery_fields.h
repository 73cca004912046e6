// What a list of deliveries can be filtered by. Pure.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "desk/filter/filter.h"
#include "notifier/domain/notice.h"

namespace potok::notifier {

// Fields as ListDeliveriesRequest.filter documents them; store/delivery_lists.cc has a column for
// each.
const desk::FieldCatalog& DeliveryFields();

// How the API calls the states: "QUEUED", "SENDING", "SENT", "FAILED", "SUPPRESSED".
absl::string_view ApiName(DeliveryState state);

}  // namespace potok::notifier
