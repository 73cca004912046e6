#include "notifier/domain/delivery_fields.h"

#include "absl/strings/ascii.h"

namespace potok::notifier {
namespace {

using desk::FilterField;
using desk::FilterType;

desk::FieldCatalog MakeFields() {
  desk::FieldCatalog catalog;
  const auto resource = [&](const char* name, const char* prefix) {
    FilterField field{.name = name, .type = FilterType::kResource};
    field.prefix = prefix;
    catalog.fields.push_back(field);
  };
  const auto choice = [&](const char* name, std::vector<std::string> values) {
    FilterField field{.name = name, .type = FilterType::kEnum};
    field.enum_values = std::move(values);
    catalog.fields.push_back(field);
  };
  resource("ticket", "tickets/");
  resource("flow", "flows/");
  resource("recipient", "employees/");
  std::vector<std::string> names;
  for (const Channel channel : kAllChannels) names.push_back(absl::AsciiStrToUpper(Name(channel)));
  choice("channel", names);
  names.clear();
  for (const Kind kind : kAllKinds) names.push_back(absl::AsciiStrToUpper(Name(kind)));
  choice("kind", names);
  names.clear();
  for (const DeliveryState state : kAllDeliveryStates) names.emplace_back(ApiName(state));
  choice("state", names);
  catalog.fields.push_back({.name = "create_time", .type = FilterType::kTime});
  return catalog;
}

}  // namespace

const desk::FieldCatalog& DeliveryFields() {
  static const auto* const fields = new desk::FieldCatalog(MakeFields());
  return *fields;
}

absl::string_view ApiName(DeliveryState state) {
  switch (state) {
    case DeliveryState::kPending: return "QUEUED";
    case DeliveryState::kSending: return "SENDING";
    case DeliveryState::kSent: return "SENT";
    case DeliveryState::kDead: return "FAILED";
    case DeliveryState::kSuppressed: return "SUPPRESSED";
  }
  return "";
}

}  // namespace potok::notifier
