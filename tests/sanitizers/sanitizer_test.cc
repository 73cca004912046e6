// What each sanitizer build must find, planted; and, for the thread sanitizer, what it must not
// report although the locks are those of a library it has not instrumented.
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace potok {
namespace {

void Together(const std::function<void()>& one, const std::function<void()>& other) {
  std::thread first(one), second(other);
  first.join();
  second.join();
}

class Planted : public ::testing::Test {
 protected:
  void SetUp() override {
    // Threads run in these tests: a child by fork alone would inherit half of them.
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
};

#ifdef __SANITIZE_ADDRESS__  // And of undefined behaviour, which has no macro of its own.

TEST_F(Planted, AReadBehindTheEndOfABlockIsFound) {
  EXPECT_DEATH(
      {
        std::vector<char> bytes(8);
        volatile const char* data = bytes.data();
        volatile const char beyond = data[8];
        (void)beyond;
      },
      "heap-buffer-overflow");
}

TEST_F(Planted, AnOverflowOfASignedNumberIsFound) {
  volatile int most = INT_MAX;
  EXPECT_DEATH(most = most + 1, "signed integer overflow");
}

TEST_F(Planted, ANumberTooLargeForItsTypeIsFound) {
  volatile double large = 1e300;
  EXPECT_DEATH(std::printf("%d\n", static_cast<int>(large)),
               "outside the range of representable values");
}

#endif
#ifdef POTOK_THREAD_SANITIZER

TEST_F(Planted, ARaceIsFound) {
  EXPECT_EXIT(
      {
        int counter = 0;
        const auto count = [&counter] {
          for (int i = 0; i < 100000; ++i) ++counter;
        };
        Together(count, count);
        // TSan speaks at once and gives its verdict at the end.
        std::exit(0);
      },
      ::testing::ExitedWithCode(66), "data race");
}

#endif

// From here on nothing may be reported: each waits for another thread in a way of Abseil's.

TEST(Silence, AMutexOrders) {
  absl::Mutex mutex;
  int counter = 0;
  const auto count = [&] {
    for (int i = 0; i < 10000; ++i) {
      const absl::MutexLock lock(&mutex);
      ++counter;
    }
  };
  Together(count, count);
  EXPECT_EQ(counter, 20000);
}

TEST(Silence, ReadersAreOrderedWithWriters) {
  absl::Mutex mutex;
  int value = 0;
  int seen = 0;
  Together(
      [&] {
        for (int i = 0; i < 10000; ++i) {
          const absl::WriterMutexLock lock(&mutex);
          ++value;
        }
      },
      [&] {
        for (int i = 0; i < 10000; ++i) {
          const absl::ReaderMutexLock lock(&mutex);
          seen = std::max(seen, value);
        }
      });
  EXPECT_LE(seen, 10000);
}

TEST(Silence, AConditionIsJudgedForAnotherThreadUnderTheLock) {
  absl::Mutex mutex;
  int turn = 0;
  const auto play = [&](int mine) {
    for (int i = 0; i < 1000; ++i) {
      const auto my_turn = [&] { return turn % 2 == mine; };
      if (i % 2 == 0) {
        mutex.LockWhen(absl::Condition(&my_turn));
      } else {
        mutex.Lock();
        while (!mutex.AwaitWithTimeout(absl::Condition(&my_turn), absl::Seconds(1))) {
        }
      }
      ++turn;
      mutex.Unlock();
    }
  };
  Together([&] { play(0); }, [&] { play(1); });
  EXPECT_EQ(turn, 2000);
}

TEST(Silence, AConditionVariableOrders) {
  absl::Mutex mutex;
  absl::CondVar changed;
  std::vector<int> queue;
  int sum = 0;
  Together(
      [&] {
        for (int i = 1; i <= 1000; ++i) {
          const absl::MutexLock lock(&mutex);
          queue.push_back(i);
          changed.Signal();
        }
      },
      [&] {
        for (int taken = 0; taken < 1000;) {
          const absl::MutexLock lock(&mutex);
          while (queue.empty()) changed.WaitWithTimeout(&mutex, absl::Seconds(1));
          for (const int each : queue) sum += each;
          taken += static_cast<int>(queue.size());
          queue.clear();
        }
      });
  EXPECT_EQ(sum, 500500);
}

TEST(Silence, ANotificationOrders) {
  for (int i = 0; i < 200; ++i) {
    absl::Notification ready;
    int value = 0;
    int seen = 0;
    Together(
        [&] {
          value = 7;
          ready.Notify();
        },
        [&] {
          if (i % 3 == 0) {
            while (!ready.HasBeenNotified()) std::this_thread::yield();
          } else if (i % 3 == 1) {
            ready.WaitForNotification();
          } else {
            while (!ready.WaitForNotificationWithTimeout(absl::Seconds(1))) {
            }
          }
          seen = value;
        });
    ASSERT_EQ(seen, 7);
  }
}

TEST(Silence, ABlockingCounterOrders) {
  for (int i = 0; i < 200; ++i) {
    absl::BlockingCounter counter(2);
    int values[2] = {0, 0};
    std::thread first([&] {
      values[0] = 1;
      counter.DecrementCount();
    });
    std::thread second([&] {
      values[1] = 2;
      counter.DecrementCount();
    });
    counter.Wait();
    ASSERT_EQ(values[0] + values[1], 3);
    first.join();
    second.join();
  }
}

}  // namespace
}  // namespace potok
