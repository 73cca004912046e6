#include "platform/config/load.h"

#include <cstdlib>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::config {
namespace {

using ::testing::HasSubstr;

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

TEST(Load, AShortFileGetsTheDocumentedDefaults) {
  const std::string path = WriteFile("short.cfg", R"(
    # A comment is allowed anywhere.
    listen: "127.0.0.1:0"
    auth { mode: MODE_DEV }
    postgres { dsn: "host=/run/potok dbname=potok" }
  )");
  const auto config = Load(path);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->workers().threads(), 8u);
  EXPECT_EQ(config->workers().queue_bound(), 1024u);
  EXPECT_EQ(config->rpc().default_deadline_ms(), 30000u);
  EXPECT_EQ(config->clock().time_scale(), 1.0);
  EXPECT_EQ(config->log().level(), "info");
}

TEST(Load, AnUnknownKeyIsRefusedWithItsLineAndColumn) {
  const std::string path = WriteFile("unknown.cfg", "listen: \"127.0.0.1:0\"\npostgress { }\n");
  const auto config = Load(path);
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("unknown.cfg:2:"));
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("postgress"));
}

TEST(Load, AMissingFileIsNamed) {
  EXPECT_THAT(std::string(Load("nowhere/x.cfg").status().message()), HasSubstr("nowhere/x.cfg"));
}

TEST(Load, AllImpossibleValuesAreReportedAtOnce) {
  const auto config = Load("", {"clock.time_scale=-1", "postgres.dsn=user=p password=x"});
  const std::string message(config.status().message());
  EXPECT_THAT(message, HasSubstr("listen:"));
  EXPECT_THAT(message, HasSubstr("auth.mode:"));
  EXPECT_THAT(message, HasSubstr("clock.time_scale:"));
  EXPECT_THAT(message, HasSubstr("postgres.dsn:"));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("password=x"))) << "a secret is not repeated";
}

TEST(Set, ReachesNestedKeysOfEveryType) {
  ServiceConfig config;
  ASSERT_TRUE(Set(config, "listen=unix:/run/a b.sock").ok());
  ASSERT_TRUE(Set(config, "listen=127.0.0.1:1").ok());
  ASSERT_TRUE(Set(config, "postgres.dsn=host='x' dbname=\"y\"").ok());
  ASSERT_TRUE(Set(config, "postgres.pool_size=3").ok());
  ASSERT_TRUE(Set(config, "auth.mode=MODE_DEV").ok());
  ASSERT_TRUE(Set(config, "smtp.allow_plaintext=true").ok());
  ASSERT_TRUE(Set(config, "redis.password.env=REDIS_PASSWORD").ok());
  EXPECT_EQ(config.listen_size(), 2);
  EXPECT_EQ(config.listen(0), "unix:/run/a b.sock");
  EXPECT_EQ(config.postgres().dsn(), "host='x' dbname=\"y\"");
  EXPECT_EQ(config.postgres().pool_size(), 3u);
  EXPECT_EQ(config.auth().mode(), v1::AuthConfig::MODE_DEV);
  EXPECT_TRUE(config.smtp().allow_plaintext());
  EXPECT_EQ(config.redis().password().env(), "REDIS_PASSWORD");
  ASSERT_TRUE(Set(config, "listen=").ok());
  EXPECT_EQ(config.listen_size(), 0);
}

TEST(Set, AWrongKeyShowsTheKnownOnes) {
  ServiceConfig config;
  EXPECT_THAT(std::string(Set(config, "postgres.size=3").message()), HasSubstr("pool_size"));
  EXPECT_FALSE(Set(config, "postgres=3").ok());
  EXPECT_FALSE(Set(config, "log.level.x=3").ok());
  EXPECT_FALSE(Set(config, "postgres.pool_size=many").ok());
  EXPECT_FALSE(Set(config, "listen").ok());
}

TEST(ReadSecret, ComesFromTheFileWithoutItsLineBreak) {
  v1::SecretSource source;
  source.set_file(WriteFile("secret", "s3cret\n"));
  EXPECT_EQ(*ReadSecret(source), "s3cret");
  source.set_file(WriteFile("empty", "\n"));
  EXPECT_FALSE(ReadSecret(source).ok());
  source.set_env("POTOK_NO_SUCH_VARIABLE");
  EXPECT_THAT(std::string(ReadSecret(source).status().message()),
              HasSubstr("POTOK_NO_SUCH_VARIABLE"));
  EXPECT_EQ(*ReadSecret({}), "");
}

TEST(PostgresDsn, TakesThePasswordFileAlong) {
  v1::PostgresConfig postgres;
  postgres.set_dsn("host=db");
  EXPECT_EQ(PostgresDsn(postgres), "host=db");
  postgres.set_passfile("/etc/it's");
  EXPECT_EQ(PostgresDsn(postgres), "host=db passfile='/etc/it\\'s'");
}

}  // namespace
}  // namespace potok::config
