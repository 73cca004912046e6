#include "platform/log/stream_reply.h"

#include <limits>

#include "gmock/gmock.h"

namespace potok::log {
namespace {

using redis::Reply;

Reply Text(std::string text) {
  Reply reply;
  reply.kind = Reply::Kind::kText;
  reply.text = std::move(text);
  return reply;
}

Reply Array(std::vector<Reply> items) {
  Reply reply;
  reply.kind = Reply::Kind::kArray;
  reply.items = std::move(items);
  return reply;
}

TEST(NewsOfAStream, IsItsNewestEntry) {
  const Reply read = Array({Array(
      {Text("s1"), Array({Array({Text("7-0"), Array({})}), Array({Text("9-0"), Array({})})})})});
  const auto news = NewsIn(read);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].key, "s1");
  EXPECT_EQ(news[0].pos, 9);
}

TEST(NewsOfAStream, IsNoneInAReplyOfAnotherShape) {
  EXPECT_TRUE(NewsIn(Reply()).empty());
  EXPECT_TRUE(NewsIn(Text("s1")).empty());
  EXPECT_TRUE(NewsIn(Array({Text("s1")})).empty());
  EXPECT_TRUE(NewsIn(Array({Array({Text("s1"), Text("7-0")})})).empty());
  EXPECT_TRUE(NewsIn(Array({Array({Text("s1"), Array({})})})).empty());
  // An entry without an id once took the process along.
  EXPECT_TRUE(NewsIn(Array({Array({Text("s1"), Array({Array({})})})})).empty());
  EXPECT_TRUE(NewsIn(Array({Array({Text("s1"), Array({Text("7-0")})})})).empty());
}

TEST(LastPosition, IsThatOfTheLastGeneratedId) {
  EXPECT_EQ(LastPosition(Array({Text("length"), Reply(), Text("last-generated-id"), Text("42-0")})),
            42);
  EXPECT_EQ(LastPosition(Array({Text("last-generated-id")})), 0);
  EXPECT_EQ(LastPosition(Reply()), 0);
  for (const char* id : {"", "-", "x-0", "-5-0", "99999999999999999999-0"}) {
    EXPECT_EQ(PositionOf(id), 0) << id;
  }
  // The last id Redis knows. As 0 it would look like a stream that was lost, and nothing could be
  // added to it.
  EXPECT_EQ(PositionOf("18446744073709551615-0"), std::numeric_limits<std::int64_t>::max());
}

TEST(NewsOfAStream, SayWhoseTheyAreAndWhenTheyAreNotTheRelays) {
  const Reply fields = Array({Text("e"), Text("an-entity"), Text("v"), Text("3"), Text("t")});
  const auto news = NewsIn(Array({Array(
      {Text("s1"), Array({Array({Text("7-0"), fields}), Array({Text("8-2"), Array({})})})})}));
  ASSERT_EQ(news.size(), 1u);
  ASSERT_EQ(news[0].entries.size(), 2u);
  EXPECT_EQ(news[0].entries[0].id, (EntryId{7, 0}));
  EXPECT_EQ(news[0].entries[0].entity, "an-entity");
  EXPECT_EQ(news[0].entries[0].version, 3);
  EXPECT_EQ(news[0].entries[1].id, (EntryId{8, 2}));
  EXPECT_EQ(news[0].entries[1].entity, "?");
  EXPECT_EQ(ToText(news[0].entries[1].id), "8-2");
}

TEST(Memory, IsShortAboveTheShareOfTheLimit) {
  EXPECT_TRUE(UsesMoreThan(0.8, Text("used_memory:81\r\nmaxmemory:100\r\n")));
  EXPECT_FALSE(UsesMoreThan(0.8, Text("used_memory:80\r\nmaxmemory:100\r\n")));
  EXPECT_FALSE(UsesMoreThan(0.8, Text("used_memory:81\r\nmaxmemory:0\r\n")));
  EXPECT_FALSE(UsesMoreThan(0.8, Text("garbage")));
}

}  // namespace
}  // namespace potok::log
