// From the notifier's values to the wire. Pure, thread-safe.
#pragma once

#include <string>

#include "desk/ticket/ticket.h"
#include "notifier/domain/delivery.h"
#include "notifier/domain/inbox.h"
#include "notifier/store/delivery_lists.h"
#include "potok/notifier/v1/notifier.pb.h"

namespace potok::notifier {

v1::NoticeKind ToWire(Kind kind);
v1::RecipientRole ToWire(Role role);
v1::NoticeChannel ToWire(Channel channel);
v1::Delivery::State ToWire(DeliveryState state);

v1::Notice ToWire(const InboxItem& item);
v1::Delivery ToWire(const Delivery& delivery);
v1::DeliveryStats ToWire(const DeliveryFigures& figures);

// Without what people wrote: a deliveries' reader need not be a reader of the ticket.
potok::intake::v1::TicketEvent CauseToWire(const std::string& ticket_id, const desk::Event& event);

}  // namespace potok::notifier
