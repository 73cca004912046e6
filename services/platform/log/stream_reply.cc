#include "platform/log/stream_reply.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace potok::log {

std::int64_t PositionOf(absl::string_view id) {
  std::int64_t pos = 0;
  if (!absl::SimpleAtoi(id.substr(0, id.find('-')), &pos) || pos < 0) return 0;
  return pos;
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
    const redis::Reply& newest = stream.items[1].items.back();
    if (newest.items.empty()) continue;
    news.push_back({stream.items[0].text, PositionOf(newest.items[0].text)});
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
