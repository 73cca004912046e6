#include "notifier/domain/notice_facts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/time_zone.h"
#include "base/utf8.h"
#include "notifier/domain/words.h"

namespace potok::notifier {
namespace {

// A notice quotes; whoever needs more opens the ticket.
constexpr size_t kMostQuotedBytes = 4000;

std::string Quoted(absl::string_view words) {
  if (words.size() <= kMostQuotedBytes) return std::string(words);
  return absl::StrCat(Utf8Prefix(words, kMostQuotedBytes), "…");
}

std::string PriorityName(int priority, bool russian) {
  switch (priority) {
    case 1: return russian ? "критический" : "critical";
    case 2: return russian ? "высокий" : "high";
    case 3: return russian ? "обычный" : "normal";
    case 4: return russian ? "низкий" : "low";
    default: return "";
  }
}

std::string Number(int value) { return value > 0 ? absl::StrCat(value) : ""; }

}  // namespace

TextValues ValuesOf(const NoticeFacts& facts, absl::string_view locale, absl::string_view words,
                    absl::string_view portal_url, absl::Time now) {
  const bool russian = locale == "ru";
  const absl::TimeZone zone = FindTimeZone(facts.zone).value_or(absl::UTCTimeZone());
  TextValues values = {{"name", GivenName(facts.name)},
                       {"number", facts.number},
                       {"subject", facts.title},
                       {"flow", russian ? facts.flow_ru : facts.flow_en},
                       {"requester", facts.requester},
                       {"holder", facts.holder},
                       {"former", facts.former},
                       {"actor", facts.actor},
                       {"words", Quoted(words)},
                       {"line", Number(facts.line)},
                       {"next_line", Number(facts.next_line)},
                       {"priority", PriorityName(facts.priority, russian)},
                       {"happened_on", On(facts.at, zone, locale, now)}};
  if (facts.due_at) {
    values["due_until"] = Until(*facts.due_at, zone, locale, now);
    values["due_on"] = On(*facts.due_at, zone, locale, now);
  }
  if (facts.closes_at) values["closes_until"] = Until(*facts.closes_at, zone, locale, now);
  if (facts.score > 0) {
    values["score"] = russian ? CountRu(facts.score, "балл", "балла", "баллов")
                              : CountEn(facts.score, "star", "stars");
  }
  if (facts.returns > 1) {
    values["returns"] = russian ? CountRu(facts.returns, "раз", "раза", "раз")
                                : CountEn(facts.returns, "time", "times");
  }
  if (!portal_url.empty()) {
    values["link"] = absl::StrCat(absl::StripSuffix(portal_url, "/"), "/tickets/", facts.ticket_id);
  }
  return values;
}

}  // namespace potok::notifier
