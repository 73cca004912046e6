#include "platform/pg/transaction.h"

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/error.h"
#include "platform/testing/signal.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::pg {
namespace {

using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;
using testing::TestDatabase;
using testing::TestStack;

constexpr Statement kAdd{"test.add", "INSERT INTO item (id, name) VALUES ($1, $2)"};
constexpr Statement kRaise{"test.raise", "UPDATE item SET n = n + 1 WHERE id = $1"};
constexpr Statement kGet{"test.get", "SELECT n FROM item WHERE id = $1"};
constexpr Statement kEcho{"test.echo",
                          "SELECT $1::timestamptz, $2::text[], $3::bytea, $4::int, $5::int[]"};

class Transactions : public ::testing::Test {
 protected:
  Transactions() : database_(TestDatabase::Contents::kEmpty) {
    database_.Query(
        "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL UNIQUE, n int NOT NULL DEFAULT "
        "0);"
        "INSERT INTO item (id, name) VALUES (1, 'one'), (2, 'two')");
  }
  std::unique_ptr<Pool> MakePool(int size = 4) {
    return std::make_unique<Pool>(PoolOptions{.dsn = database_.dsn(),
                                              .size = size,
                                              .acquire_timeout = absl::Milliseconds(100),
                                              .statement_timeout = absl::Milliseconds(500),
                                              .lock_timeout = absl::Milliseconds(200)});
  }
  TestDatabase database_;
};

TEST_F(Transactions, ErrorStatusOfTheBodyRollsBackAndIsReturnedAsItIs) {
  auto pool = MakePool();
  const absl::Status status = InTransaction(*pool, {}, [](Tx& tx) -> absl::Status {
    tx.Run(kAdd, 3, "three");
    return absl::NotFoundError("my own words");
  });
  EXPECT_EQ(status, absl::NotFoundError("my own words"));
  EXPECT_EQ(database_.Query("SELECT count(*) FROM item"), "2");
}

TEST_F(Transactions, ValuesComeBackAsTheyWent) {
  auto pool = MakePool();
  const absl::Time at = absl::FromUnixMicros(1'795'338'000'123'456);
  const std::vector<std::string> words = {"a,b", "quo\"te", "", "NULL", "русский"};
  const std::string bytes("\0\xff\\x", 4);
  const absl::Status status = InTransaction(*pool, {}, [&](Tx& tx) -> absl::Status {
    const auto row = tx.Run(kEcho, at, TextArray(words), Bytes{bytes}, nullptr,
                            IntArray(std::vector<int>{4, 5}))[0];
    EXPECT_EQ(FromTimestamp(row[0]), at);
    EXPECT_EQ(FromTextArray(row[1]), words);
    EXPECT_EQ(FromBytes(row[2]), bytes);
    EXPECT_TRUE(row[3].is_null());
    EXPECT_EQ(FromIntArray(row[4]), (std::vector<std::int64_t>{4, 5}));
    const auto infinite = tx.Run(kEcho, absl::InfiniteFuture(), "{}", Bytes{""}, 1, "{}")[0];
    EXPECT_EQ(FromTimestamp(infinite[0]), absl::InfiniteFuture());
    const auto zone = tx.RunText(
        "SELECT set_config('timezone', 'Asia/Kolkata', true), $1::timestamptz", {ToParam(at)})[0];
    EXPECT_EQ(FromTimestamp(zone[1]), at);
    return absl::OkStatus();
  });
  EXPECT_THAT(status, IsOk());
}

TEST_F(Transactions, EveryInstantIsReadToTheMicrosecondInAnyShape) {
  auto pool = MakePool();
  const absl::Status status = InTransaction(*pool, {}, [&](Tx& tx) -> absl::Status {
    for (const char* zone : {"UTC", "Europe/Moscow", "Asia/Kolkata"}) {
      tx.RunText("SELECT set_config('timezone', $1, true)", {ToParam(zone)});
      for (const char* text :
           {"2026-11-22T09:17:00Z", "2026-11-22T09:17:00.1Z", "2026-11-22T09:17:00.000001Z",
            "2028-02-29T23:59:59.999999Z", "1969-12-31T23:59:59.5Z", "9999-12-31T00:00:00Z",
            "0001-01-01T00:00:00Z"}) {
        absl::Time at;
        std::string error;
        EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &at, &error)) << error;
        EXPECT_EQ(FromTimestamp(tx.RunText("SELECT $1::timestamptz", {ToParam(text)})[0][0]), at)
            << text << " in " << zone;
      }
    }
    return absl::OkStatus();
  });
  EXPECT_THAT(status, IsOk());
}

TEST_F(Transactions, DeadlockRunsTheWholeBodyAgainAndBothSucceed) {
  auto pool = MakePool();
  absl::Mutex mu;
  int met = 0;
  std::atomic<int> runs{0};
  const auto update = [&](int first, int second) {
    int run = 0;
    return InTransaction(*pool, {.attempts = 5}, [&](Tx& tx) -> absl::Status {
      ++runs;
      tx.Run(kRaise, first);
      if (++run == 1) {  // meet only once: the repeat must find its way alone
        absl::MutexLock lock(&mu);
        ++met;
        const auto both = [&met] { return met >= 2; };
        mu.Await(absl::Condition(&both));
      }
      tx.Run(kRaise, second);
      return absl::OkStatus();
    });
  };
  // The deadlock detector looks after one second, beyond these lock and statement timeouts.
  pool = std::make_unique<Pool>(PoolOptions{.dsn = database_.dsn(), .size = 4});
  absl::Status one, two;
  std::thread other([&] { one = update(1, 2); });
  two = update(2, 1);
  other.join();
  EXPECT_THAT(one, IsOk());
  EXPECT_THAT(two, IsOk());
  EXPECT_EQ(runs.load(), 3);
  EXPECT_EQ(database_.Query("SELECT sum(n) FROM item"), "4");
}

TEST_F(Transactions, SerializationFailureOfASnapshotIsRetried) {
  auto pool = MakePool();
  int runs = 0;
  const auto seen = InTransaction(*pool, {.snapshot = true}, [&](Tx& tx) -> absl::StatusOr<int> {
    const int before = tx.Run(kGet, 1)[0][0].as<int>();
    if (++runs == 1) database_.Query("UPDATE item SET n = 10 WHERE id = 1");
    tx.Run(kRaise, 1);
    return before;
  });
  EXPECT_THAT(seen, IsOkAndHolds(10));
  EXPECT_EQ(runs, 2);
}

TEST_F(Transactions, AttemptsAreBounded) {
  auto pool = MakePool();
  int runs = 0;
  const absl::Status status = InTransaction(*pool, {.snapshot = true}, [&](Tx& tx) -> absl::Status {
    tx.Run(kGet, 1);
    ++runs;
    database_.Query("UPDATE item SET n = n + 1 WHERE id = 1");
    tx.Run(kRaise, 1);
    return absl::OkStatus();
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted, "CONFLICT"));
  EXPECT_EQ(runs, 3);
}

TEST_F(Transactions, ConstraintAndTimeoutsAreTold) {
  auto pool = MakePool();
  const auto run = [&](const std::string& sql) {
    return InTransaction(*pool, {}, [&](Tx& tx) -> absl::Status {
      tx.Exec(sql);
      return absl::OkStatus();
    });
  };
  const absl::Status twin = run("INSERT INTO item (id, name) VALUES (9, 'one')");
  EXPECT_THAT(twin, StatusIs(absl::StatusCode::kAlreadyExists, "ALREADY_EXISTS"));
  EXPECT_EQ(Constraint(twin), "item_name_key");
  EXPECT_THAT(run("SELECT pg_sleep(5)"),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED"));
  EXPECT_THAT(run("SELECT nothing FROM nowhere"),
              StatusIs(absl::StatusCode::kInternal, "INTERNAL"));
  const absl::Status locked = InTransaction(*pool, {}, [&](Tx& tx) -> absl::Status {
    tx.Run(kRaise, 1);
    return run("UPDATE item SET n = 0 WHERE id = 1");
  });
  EXPECT_THAT(locked, StatusIs(absl::StatusCode::kAborted, "CONFLICT"));
  EXPECT_EQ(SqlState(locked), "55P03");
}

// What a full disk does, at a statement and at COMMIT: nothing is in doubt, nothing is our fault.
TEST_F(Transactions, AFullDiskIsToldAsSuchAndWhenToComeAgain) {
  database_.Query(
      "CREATE TABLE public.full_disk (n int);"
      "CREATE FUNCTION public.no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; "
      "END $$;"
      "CREATE TRIGGER at_once BEFORE INSERT ON public.full_disk FOR EACH ROW WHEN (new.n = 1) "
      "EXECUTE FUNCTION public.no_space();"
      "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON public.full_disk DEFERRABLE INITIALLY "
      "DEFERRED FOR EACH ROW WHEN (new.n = 2) EXECUTE FUNCTION public.no_space()");
  for (const int n : {1, 2}) {
    const absl::Status status = InTransaction(database_.pool(), {}, [&](Tx& tx) -> absl::Status {
      tx.RunText("INSERT INTO public.full_disk VALUES ($1)", {ToParam(n)});
      return absl::OkStatus();
    });
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted)) << n;
    EXPECT_TRUE(GetErrorDetail(status).retry_after.has_value()) << n;
    EXPECT_EQ(SqlState(status), "53100") << n;
  }
  EXPECT_EQ(database_.Query("SELECT count(*) FROM public.full_disk"), "0");
}

TEST_F(Transactions, PassedDeadlineSendsNothing) {
  auto pool = MakePool();
  const TxOptions late{.deadline =
                           std::chrono::steady_clock::now() + std::chrono::milliseconds(50)};
  const absl::Status status = InTransaction(*pool, late, [](Tx& tx) -> absl::Status {
    tx.Run(kRaise, 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    tx.Run(kRaise, 1);
    return absl::OkStatus();
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED"));
  EXPECT_EQ(database_.Query("SELECT n FROM item WHERE id = 1"), "0");
}

TEST_F(Transactions, SavepointLosesOnlyItsOwnEffects) {
  auto pool = MakePool();
  const absl::Status status = InTransaction(*pool, {}, [](Tx& tx) -> absl::Status {
    tx.Run(kAdd, 3, "three");
    EXPECT_THAT(tx.Savepoint([&]() -> absl::Status {
      tx.Run(kAdd, 4, "four");
      tx.Run(kAdd, 5, "one");
      return absl::OkStatus();
    }),
                StatusIs(absl::StatusCode::kAlreadyExists));
    EXPECT_THAT(tx.Savepoint([&]() -> absl::Status {
      tx.Run(kAdd, 6, "six");
      return absl::CancelledError("changed my mind");
    }),
                StatusIs(absl::StatusCode::kCancelled));
    return tx.Savepoint([&]() -> absl::Status {
      tx.Run(kAdd, 7, "seven");
      return absl::OkStatus();
    });
  });
  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(database_.Query("SELECT string_agg(name, ',' ORDER BY id) FROM item"),
            "one,two,three,seven");
}

TEST_F(Transactions, ConnectionKilledWhileIdleIsReplacedUnnoticed) {
  auto pool = MakePool();
  const auto get = [&] {
    return InTransaction(
        *pool, {}, [](Tx& tx) -> absl::StatusOr<int> { return tx.Run(kGet, 1)[0][0].as<int>(); });
  };
  EXPECT_THAT(get(), IsOkAndHolds(0));
  database_.Query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'potok' AND "
      "pid <> pg_backend_pid() AND datname = current_database()");
  EXPECT_THAT(get(), IsOkAndHolds(0));
  EXPECT_EQ(pool->Stats().discarded, 1);
}

TEST_F(Transactions, AReadOnADeadConnectionStartsAnewOnAnotherAndAWriteDoesNot) {
  auto pool = MakePool();
  const auto get = [&](bool read_only) {
    return InAutocommit(*pool, {.read_only = read_only}, [](Tx& tx) -> absl::StatusOr<int> {
      return tx.Run(kGet, 1)[0][0].as<int>();
    });
  };
  const auto kill = [&] {
    database_.Query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = "
        "'potok' AND pid <> pg_backend_pid() AND datname = current_database()");
  };
  EXPECT_THAT(get(true), IsOkAndHolds(0));
  kill();
  EXPECT_THAT(get(true), IsOkAndHolds(0));
  kill();
  EXPECT_THAT(get(false), StatusIs(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE"));
  EXPECT_THAT(get(false), IsOkAndHolds(0));
}

TEST_F(Transactions, ConnectionKilledInTheBodyIsUnavailableAndNothingHappened) {
  auto pool = MakePool();
  int runs = 0;
  const absl::Status status = InTransaction(*pool, {}, [&](Tx& tx) -> absl::Status {
    ++runs;
    tx.Run(kRaise, 1);
    database_.Query("SELECT pg_terminate_backend(" +
                    std::string(tx.Exec("SELECT pg_backend_pid()")[0][0].c_str()) + ", 5000)");
    tx.Run(kRaise, 1);
    return absl::OkStatus();
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE"));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(database_.Query("SELECT n FROM item WHERE id = 1"), "0");
}

TEST_F(Transactions, ConnectionLostBeforeTheAnswerToCommitIsInDoubtAndNotRetried) {
  auto pool = MakePool();
  int runs = 0;
  const absl::Status status = InTransaction(*pool, {}, [&](Tx& tx) -> absl::Status {
    ++runs;
    tx.Run(kRaise, 1);
    database_.Query("SELECT pg_terminate_backend(" +
                    std::string(tx.Exec("SELECT pg_backend_pid()")[0][0].c_str()) + ", 5000)");
    return absl::OkStatus();
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnknown, "OUTCOME_UNKNOWN"));
  EXPECT_EQ(runs, 1);
}

TEST_F(Transactions, ABodyWithOneWriteHasNoBeginAndNoCommitAndItsReadsFindDeadConnections) {
  std::vector<std::string> seen;
  Pool pool({.dsn = database_.dsn(), .on_statement = [&](const char* name, absl::Duration, bool) {
               seen.push_back(name);
             }});
  const auto raise = [&] {
    return InTransaction(pool, {.one_write = true}, [](Tx& tx) -> absl::StatusOr<int> {
      const int before = tx.Run(kGet, 1)[0][0].as<int>();
      tx.RunWrite(kRaise, {ToParam(1)});
      return before;
    });
  };
  EXPECT_THAT(raise(), IsOkAndHolds(0));
  EXPECT_THAT(seen, ::testing::ElementsAre("test.get", "test.raise"));
  database_.Query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = "
      "'potok' AND pid <> pg_backend_pid() AND datname = current_database()");
  EXPECT_THAT(raise(), IsOkAndHolds(1));
  EXPECT_EQ(database_.Query("SELECT n FROM item WHERE id = 1"), "2");
}

TEST_F(Transactions, ConnectionLostDuringTheOneWriteIsInDoubtAndNotRetried) {
  auto pool = MakePool();
  int runs = 0;
  const absl::Status status =
      InTransaction(*pool, {.one_write = true}, [&](Tx& tx) -> absl::Status {
        ++runs;
        tx.Run(kGet, 1);
        database_.Query("SELECT pg_terminate_backend(" + std::to_string(tx.backend_pid()) +
                        ", 5000)");
        tx.RunWrite(kRaise, {ToParam(1)});
        return absl::OkStatus();
      });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnknown, "OUTCOME_UNKNOWN"));
  EXPECT_EQ(runs, 1);
}

TEST_F(Transactions, AStandbyThatRefusesTheOneWriteLeavesNoDoubt) {
  auto pool = MakePool();
  const absl::Status status = InTransaction(*pool, {.one_write = true}, [](Tx& tx) -> absl::Status {
    tx.Exec("SET default_transaction_read_only = on");
    tx.RunWrite(kRaise, {ToParam(1)});
    return absl::OkStatus();
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE"));
  EXPECT_EQ(pool->Stats().discarded, 2) << "once more, where a new primary might answer";
}

TEST_F(Transactions, ARefusedOneWriteChangesNothingAndTheConnectionIsSound) {
  auto pool = MakePool(1);
  const auto add = [&](int id, const char* name) {
    return InTransaction(*pool, {.one_write = true}, [&](Tx& tx) -> absl::Status {
      tx.RunWrite(kAdd, {ToParam(id), ToParam(name)});
      return absl::OkStatus();
    });
  };
  EXPECT_THAT(add(3, "one"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(add(3, "three"), IsOk());
  EXPECT_EQ(pool->Stats().discarded, 0);
}

TEST_F(Transactions, AutocommitIsOneRoundTripPerStatement) {
  std::map<std::string, int> seen;
  Pool pool(
      {.dsn = database_.dsn(), .on_statement = [&](const char* name, absl::Duration, bool ok) {
         ++seen[std::string(name) + (ok ? "" : "!")];
       }});
  EXPECT_THAT(
      InAutocommit(pool, {},
                   [](Tx& tx) -> absl::StatusOr<int> { return tx.Run(kGet, 1)[0][0].as<int>(); }),
      IsOkAndHolds(0));
  EXPECT_EQ(seen, (std::map<std::string, int>{{"test.get", 1}}));
  EXPECT_THAT(InTransaction(pool, {.attempts = 1},
                            [](Tx& tx) -> absl::Status {
                              tx.Run(kAdd, 5, "one");
                              return absl::OkStatus();
                            }),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(seen["begin"], 1);
  EXPECT_EQ(seen["test.add!"], 1);
}

TEST_F(Transactions, AStopPointStandsBeforeEachStatementAndBeforeTheCommit) {
  std::vector<std::string> order;
  Pool pool({.dsn = database_.dsn(),
             .on_statement = [&](const char* name, absl::Duration,
                                 bool) { order.push_back(std::string("after ") + name); },
             .before_statement =
                 [&](const char* name) { order.push_back(std::string("before ") + name); }});
  EXPECT_THAT(InTransaction(pool, {},
                            [](Tx& tx) -> absl::Status {
                              tx.Run(kGet, 1);
                              return tx.Savepoint([] { return absl::OkStatus(); });
                            }),
              IsOk());
  EXPECT_EQ(order, (std::vector<std::string>{"before begin", "after begin", "before test.get",
                                             "after test.get", "before savepoint",
                                             "after savepoint", "before savepoint",
                                             "after savepoint", "before commit", "after commit"}));
}

TEST_F(Transactions, BusyPoolAnswersInTimeAndServesWaitersWhenFreed) {
  auto pool = MakePool(1);
  auto held = pool->Acquire();
  ASSERT_THAT(held, IsOk());
  EXPECT_THAT(pool->Acquire(), StatusIs(absl::StatusCode::kResourceExhausted, "OVERLOADED"));
  EXPECT_THAT(pool->Acquire(std::chrono::steady_clock::now() + std::chrono::milliseconds(5)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED"));
  EXPECT_EQ(pool->Stats().timeouts, 2);
  { Pool::Lease returned = *std::move(held); }
  EXPECT_THAT(pool->Acquire(), IsOk());
  EXPECT_EQ(pool->Stats().opened, 1);
}

TEST_F(Transactions, UnreachableServerIsUnavailable) {
  Pool pool({.dsn = "host=/nonexistent dbname=x", .size = 1});
  EXPECT_THAT(InTransaction(pool, {}, [](Tx&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE"));
  EXPECT_EQ(pool.Stats().in_use, 0);
}

TEST_F(Transactions, ReadOnlyRefusesWrites) {
  auto pool = MakePool();
  EXPECT_FALSE(InTransaction(*pool, {.read_only = true}, [](Tx& tx) -> absl::Status {
                 tx.Run(kRaise, 1);
                 return absl::OkStatus();
               }).ok());
  EXPECT_EQ(database_.Query("SELECT n FROM item WHERE id = 1"), "0");
}

TEST_F(Transactions, PoolRecoversAfterTheServerRestarts) {
  auto pool = MakePool(4);
  {
    std::vector<Pool::Lease> leases;
    for (int i = 0; i < 4; ++i) leases.push_back(*pool->Acquire());
  }
  EXPECT_EQ(pool->Stats().idle, 4);
  if (!TestStack::Get().RestartPostgres()) GTEST_SKIP() << "the server is shared";
  // Without fsync the crash may have cost the table; the connections are what is tested.
  EXPECT_THAT(InAutocommit(*pool, {},
                           [](Tx& tx) -> absl::Status {
                             tx.Exec("SELECT 1");
                             return absl::OkStatus();
                           }),
              StatusIs(absl::StatusCode::kUnavailable));
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(InTransaction(*pool, {},
                              [](Tx& tx) -> absl::Status {
                                tx.Exec("SELECT 1");
                                return absl::OkStatus();
                              }),
                IsOk());
  }
}

TEST(SessionSettings, TravelInTheConnectionString) {
  const std::string keyword =
      WithSessionSettings({.dsn = "host=/run/x", .application_name = "it's"});
  EXPECT_NE(keyword.find("host=/run/x application_name='it\\'s'"), std::string::npos) << keyword;
  EXPECT_NE(keyword.find("statement_timeout=5000"), std::string::npos);
  const std::string uri = WithSessionSettings({.dsn = "postgresql://db/potok"});
  EXPECT_NE(uri.find("postgresql://db/potok?application_name=potok&"), std::string::npos) << uri;
  EXPECT_EQ(uri.find(' '), std::string::npos);
}

}  // namespace
}  // namespace potok::pg
