// What comes from Redis: bytes of its protocol, read by hiredis, turned into our replies, and from
// them what relay and consumers act on.
#include <cstdint>
#include <hiredis/hiredis.h>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "fuzz/target.h"
#include "platform/log/stream_reply.h"
#include "platform/redis/redis.h"

namespace potok::fuzz {
namespace {

using redis::Reply;

size_t CountOf(const Reply& reply) {
  size_t count = 1;
  for (const Reply& item : reply.items) count += CountOf(item);
  return count;
}

void CheckReply(const Reply& reply) {
  const absl::Status status = ToStatus(reply);
  FUZZ_CHECK(status.ok() != reply.IsError(), status.ToString());
  FUZZ_CHECK(log::LastPosition(reply) >= 0, "");
  const std::vector<log::StreamNews> news = log::NewsIn(reply);
  FUZZ_CHECK(news.size() <= reply.items.size(), absl::StrCat(news.size()));
  for (const log::StreamNews& each : news) FUZZ_CHECK(each.pos >= 0, each.key);
  FUZZ_CHECK(!log::UsesMoreThan(1e300, reply), reply.text);
  for (const Reply& item : reply.items) CheckReply(item);
}

std::string Bulk(absl::string_view text) {
  return absl::StrCat("$", text.size(), "\r\n", text, "\r\n");
}

using Reader = std::unique_ptr<redisReader, decltype(&redisReaderFree)>;

Reader NewReader() { return Reader(redisReaderCreate(), &redisReaderFree); }

// The entry that a reply to XREAD announces is found, whatever is in its fields and its key.
void CheckAnnounced(absl::string_view input) {
  const std::int64_t pos = 1 + static_cast<std::int64_t>(input.size());
  const std::string key(input.substr(0, input.size() / 2));
  const std::string wire =
      absl::StrCat("*1\r\n*2\r\n", Bulk(key), "*1\r\n*2\r\n", Bulk(absl::StrCat(pos, "-0")),
                   "*2\r\n", Bulk("e"), Bulk(input));
  const Reader reader = NewReader();
  redisReaderFeed(reader.get(), wire.data(), wire.size());
  void* raw = nullptr;
  FUZZ_CHECK(redisReaderGetReply(reader.get(), &raw) == REDIS_OK && raw != nullptr, wire);
  const Reply reply = redis::FromRaw(*static_cast<redisReply*>(raw));
  freeReplyObject(raw);
  const auto news = log::NewsIn(reply);
  FUZZ_CHECK(news.size() == 1 && news[0].key == key && news[0].pos == pos, wire);
}

}  // namespace

void FuzzStream(absl::string_view input) {
  CheckAnnounced(input);

  // In two pieces, as it may come from a socket.
  const Reader reader = NewReader();
  const size_t half = input.size() / 2;
  size_t count = 0;
  for (const absl::string_view piece : {input.substr(0, half), input.substr(half)}) {
    if (redisReaderFeed(reader.get(), piece.data(), piece.size()) != REDIS_OK) return;
    while (true) {
      void* raw = nullptr;
      if (redisReaderGetReply(reader.get(), &raw) != REDIS_OK) return;
      if (raw == nullptr) break;
      const Reply reply = redis::FromRaw(*static_cast<redisReply*>(raw));
      freeReplyObject(raw);
      count += CountOf(reply);
      CheckReply(reply);
    }
  }
  FUZZ_CHECK(count <= input.size(), absl::StrCat(count));
}

}  // namespace potok::fuzz
