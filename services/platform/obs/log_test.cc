#include "platform/obs/log.h"

#include <sstream>

#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include "platform/obs/redact.h"

namespace potok::obs {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void Start(LogFormat format) {
    LogOptions options;
    options.service = "intake";
    options.version = "1.2.3";
    options.format = format;
    options.out = &out_;
    InitLog(options);
  }
  void TearDown() override { InitLog({}); }
  nlohmann::json Line() { return nlohmann::json::parse(out_.str()); }

  std::ostringstream out_;
};

TEST_F(LogTest, ALineIsOneJsonObjectWithTimeLevelAndTypedFields) {
  Start(LogFormat::kJson);
  LogWarn("relay.slow", "the relay \"lags\"\nbehind",
          {{"entries", 12}, {"lag", absl::Milliseconds(1500)}, {"ok", false}, {"flow", "ИТ"}});
  const nlohmann::json line = Line();
  EXPECT_EQ(line["level"], "warn");
  EXPECT_EQ(line["service"], "intake");
  EXPECT_EQ(line["version"], "1.2.3");
  EXPECT_EQ(line["event"], "relay.slow");
  EXPECT_EQ(line["msg"], "the relay \"lags\"\nbehind");
  EXPECT_EQ(line["entries"], 12);
  EXPECT_EQ(line["lag"], 1500);
  EXPECT_EQ(line["ok"], false);
  EXPECT_EQ(line["flow"], "ИТ");
  const std::string ts = line["ts"];
  EXPECT_EQ(ts.size(), 27u) << ts;
  EXPECT_EQ(ts.back(), 'Z');
}

TEST_F(LogTest, ScopesNestAndEndWithTheirBlock) {
  Start(LogFormat::kJson);
  {
    const LogScope call({"", "4bf92f", "req-1"});
    const LogScope part({"router", "", ""});
    LogInfo("a", "inside");
  }
  EXPECT_EQ(Line()["trace_id"], "4bf92f");
  EXPECT_EQ(Line()["request_id"], "req-1");
  EXPECT_EQ(Line()["service"], "router");
  out_.str("");
  LogInfo("a", "outside");
  EXPECT_FALSE(Line().contains("trace_id"));
  EXPECT_EQ(Line()["service"], "intake");
}

TEST_F(LogTest, PlantedSecretsDoNotReachTheLine) {
  Start(LogFormat::kJson);
  LogInfo("db.open", "connecting to postgres://potok:hunter2@db/potok with password=hunter2",
          {{"authorization", "Bearer hunter2"},
           {"smtp_password", "hunter2"},
           {"note", "header was Bearer hunter2, retry"},
           {"conninfo", "host=db password='hunter2 x' user=p"}});
  EXPECT_EQ(out_.str().find("hunter2"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("user=p"), std::string::npos) << "text after a secret is kept";
}

TEST_F(LogTest, BytesThatAreNoTextStillGiveValidJson) {
  Start(LogFormat::kJson);
  LogInfo("a", "b", {{"raw", std::string("x\xff\x01y")}, {"nan", 0.0 / 0.0}});
  EXPECT_EQ(Line()["raw"], "x\xEF\xBF\xBD\x01y");
}

TEST_F(LogTest, TextModeIsOneLineForAPerson) {
  Start(LogFormat::kText);
  LogInfo("server.ready", "listening", {{"address", "127.0.0.1:1"}});
  EXPECT_NE(out_.str().find("INFO intake server.ready: listening address=127.0.0.1:1\n"),
            std::string::npos)
      << out_.str();
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  Start(LogFormat::kJson);
  LogDebug("a", "hidden");
  EXPECT_TRUE(out_.str().empty());
  SetLogLevel(LogLevel::kDebug);
  LogDebug("a", "shown");
  EXPECT_FALSE(out_.str().empty());
}

TEST(Redact, SeveralSecretsInOneTextAreAllMasked) {
  EXPECT_EQ(RedactText("a://u:p@h b://v:q@i"), "a://u:[redacted]@h b://v:[redacted]@i");
  EXPECT_EQ(RedactText("password=a password=b"), "password=[redacted] password=[redacted]");
  EXPECT_EQ(RedactText("Bearer "), "Bearer ");
  EXPECT_EQ(RedactText("http://host:80/x"), "http://host:80/x");
}

}  // namespace
}  // namespace potok::obs
