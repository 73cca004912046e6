#include "platform/app/flags.h"

#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Flags Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "intake");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseFlags(static_cast<int>(argv.size()), argv.data(), "intake", "1.0");
}

TEST(Flags, WinOverTheFile) {
  const std::string path = ::testing::TempDir() + "flags.cfg";
  std::ofstream(path) << "listen: '127.0.0.1:1'\nlisten: '127.0.0.1:2'\nauth { mode: MODE_DEV }\n"
                         "log { format: 'json' }\nclock { time_scale: 2 }\n";
  const Flags flags = Parse({"--config", path, "--listen", "unix:/run/a", "--listen", "127.0.0.1:0",
                             "--time-scale", "60", "--log-format", "text", "--set",
                             "postgres.dsn=host=/run dbname=x", "--set", "workers.threads=3"});
  ASSERT_EQ(flags.exit_code, -1);
  const auto config = LoadConfig(flags);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->listen(), ElementsAre("unix:/run/a", "127.0.0.1:0"));
  EXPECT_EQ(config->clock().time_scale(), 60);
  EXPECT_EQ(config->log().format(), "text");
  EXPECT_EQ(config->postgres().dsn(), "host=/run dbname=x");
  EXPECT_EQ(config->workers().threads(), 3u);
}

TEST(Flags, HelpShowsACommandThatWorks) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  const std::string help = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(help, HasSubstr("POTOK_ENV=dev intake --listen 127.0.0.1:0"));
  EXPECT_THAT(help, HasSubstr("--time-scale"));
}

TEST(Flags, AnUnknownFlagIsAUsageError) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Parse({"--lisen", "x"}).exit_code, 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("lisen"));
}

TEST(AddressFile, IsCompleteOrAbsent) {
  const std::string path = ::testing::TempDir() + "addresses";
  ASSERT_TRUE(WriteAddressFile(path, {"127.0.0.1:4", "unix:/x"}, "127.0.0.1:5").ok());
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}),
            "listen=127.0.0.1:4\nlisten=unix:/x\nmetrics=127.0.0.1:5\n");
  EXPECT_FALSE(WriteAddressFile("/no/such/folder/addresses", {}, "").ok());
}

}  // namespace
}  // namespace potok::app
