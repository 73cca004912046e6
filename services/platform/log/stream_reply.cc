#include "platform/log/stream_reply.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace potok::log {
namespace {

// `entry` is an id and the list of its fields and values.
HeardEntry Told(EntryId id, const redis::Reply& entry) {
  HeardEntry heard{.id = id, .entity = "?"};
  if (entry.items.size() < 2) return heard;
  const std::vector<redis::Reply>& fields = entry.items[1].items;
  for (size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].text == "e") heard.entity = fields[i + 1].text;
    if (fields[i].text == "v") (void)absl::SimpleAtoi(fields[i + 1].text, &heard.version);
  }
  return heard;
}

}  // namespace

std::optional<EntryId> IdOf(absl::string_view id) {
  const auto dash = id.find('-');
  EntryId out;
  if (dash == absl::string_view::npos || !absl::SimpleAtoi(id.substr(0, dash), &out.pos) ||
      !absl::SimpleAtoi(id.substr(dash + 1), &out.seq)) {
    return std::nullopt;
  }
  return out;
}

std::string ToText(EntryId id) { return absl::StrCat(id.pos, "-", id.seq); }

std::int64_t PositionOf(absl::string_view id) {
  constexpr std::uint64_t kLast = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(kLast, IdOf(id).value_or(EntryId{}).pos));
}

std::int64_t LastPosition(const redis::Reply& info) {
  for (size_t i = 0; i + 1 < info.items.size(); i += 2) {
    if (info.items[i].text == "last-generated-id") return PositionOf(info.items[i + 1].text);
  }
  return 0;
}

std::vector<StreamNews> NewsIn(const redis::Reply& read) {
  std::vector<StreamNews> news;
  for (const redis::Reply& stream : read.items) {  // nil when nothing came: no items
    if (stream.items.size() != 2 || stream.items[1].items.empty()) continue;
    StreamNews of{.key = stream.items[0].text};
    for (const redis::Reply& entry : stream.items[1].items) {
      if (entry.items.empty()) continue;
      const std::optional<EntryId> id = IdOf(entry.items[0].text);
      if (!id.has_value()) continue;
      of.pos = PositionOf(entry.items[0].text);
      of.entries.push_back(Told(*id, entry));
    }
    if (!of.entries.empty()) news.push_back(std::move(of));
  }
  return news;
}

bool UsesMoreThan(double share, const redis::Reply& info) {
  double used = 0;
  double limit = 0;
  for (absl::string_view line : absl::StrSplit(info.text, "\r\n")) {
    if (absl::ConsumePrefix(&line, "used_memory:")) (void)absl::SimpleAtod(line, &used);
    if (absl::ConsumePrefix(&line, "maxmemory:")) (void)absl::SimpleAtod(line, &limit);
  }
  return limit > 0 && used > share * limit;
}

}  // namespace potok::log
