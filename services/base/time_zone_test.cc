#include "base/time_zone.h"

#include "gtest/gtest.h"

namespace potok {
namespace {

TEST(TimeZone, IsFoundByItsIanaName) {
  for (const char* name :
       {"Europe/Moscow", "Asia/Yekaterinburg", "UTC", "Etc/GMT+3", "America/Port-au-Prince"}) {
    EXPECT_TRUE(FindTimeZone(name).has_value()) << name;
  }
}

TEST(TimeZone, IsNoFileOfTheMachineAndNotItsOwnZone) {
  for (const char* name :
       {"", "localtime", "/etc/localtime", "/usr/share/zoneinfo/UTC", "file:/etc/localtime",
        "../../../etc/localtime", "Europe/Nowhere", "Europe/Moscow ", "/dev/tty"}) {
    EXPECT_FALSE(FindTimeZone(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace potok
