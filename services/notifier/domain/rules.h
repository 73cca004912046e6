// Who hears of what: the one table behind the audience, the texts and WhyNotified.
//
// A rule ties an event to a recipient. Its name is stored with every delivery it makes, names the
// template of its text, and has the sentence that explains to people why they were told.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "desk/ticket/state.h"
#include "notifier/domain/notice.h"

namespace potok::notifier {

struct Rule {
  absl::string_view name;  // "breached_responsible"; also the file name of its template.
  desk::EventType event;
  Kind kind;
  Role role;     // kManager stands for whoever may step in: the flow's manager, else its admins.
  bool by_mail;  // Besides the inbox.
  absl::string_view why_en;
  absl::string_view why_ru;
};

absl::Span<const Rule> Rules();

// nullptr for a name of a newer release.
const Rule* FindRule(absl::string_view name);

}  // namespace potok::notifier
