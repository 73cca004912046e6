// Tells the thread sanitizer what Debian's Abseil does.
//
// TSan learns of a lock from code it has instrumented. Debian's libabsl is not, so to TSan an
// absl::Mutex orders nothing, and every field it guards looks like a race. In the TSan build this
// file stands in front of the library's locks: each function of the same name calls the library's
// own and reports it, as Abseil's source would had it been compiled with TSan. gRPC's locks are
// these too. Between the two halves of a report TSan looks away, so a condition that Abseil
// evaluates for another thread while it hands a lock over is not held against anybody.
//
// Not compiled with -fsanitize=thread itself.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace {

// The library's function of a mangled name.
template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

#define POTOK_LIBRARYS(name, result, ...) \
  static auto* const librarys = Next<result(__VA_ARGS__)>("_ZN4absl7debian3" name)

constexpr unsigned kWrite = 0;
constexpr unsigned kRead = __tsan_mutex_read_lock;

// Lets go of `mu` and takes it again, as a wait under a lock does.
template <class Wait>
auto Waiting(absl::Mutex* mu, unsigned how, Wait wait) {
  __tsan_mutex_pre_unlock(mu, how);
  __tsan_mutex_post_unlock(mu, how);
  __tsan_mutex_pre_lock(mu, how);
  const auto done = wait();
  __tsan_mutex_post_lock(mu, how, 0);
  return done;
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() {
  POTOK_LIBRARYS("5MutexD1Ev", void, Mutex*);
  __tsan_mutex_destroy(this, __tsan_mutex_not_static);
  librarys(this);
}

void Mutex::Lock() {
  POTOK_LIBRARYS("5Mutex4LockEv", void, Mutex*);
  __tsan_mutex_pre_lock(this, kWrite);
  librarys(this);
  __tsan_mutex_post_lock(this, kWrite, 0);
}

void Mutex::Unlock() {
  POTOK_LIBRARYS("5Mutex6UnlockEv", void, Mutex*);
  __tsan_mutex_pre_unlock(this, kWrite);
  librarys(this);
  __tsan_mutex_post_unlock(this, kWrite);
}

bool Mutex::TryLock() {
  POTOK_LIBRARYS("5Mutex7TryLockEv", bool, Mutex*);
  __tsan_mutex_pre_lock(this, kWrite | __tsan_mutex_try_lock);
  const bool got = librarys(this);
  __tsan_mutex_post_lock(
      this, kWrite | __tsan_mutex_try_lock | (got ? 0 : __tsan_mutex_try_lock_failed), 0);
  return got;
}

void Mutex::ReaderLock() {
  POTOK_LIBRARYS("5Mutex10ReaderLockEv", void, Mutex*);
  __tsan_mutex_pre_lock(this, kRead);
  librarys(this);
  __tsan_mutex_post_lock(this, kRead, 0);
}

void Mutex::ReaderUnlock() {
  POTOK_LIBRARYS("5Mutex12ReaderUnlockEv", void, Mutex*);
  __tsan_mutex_pre_unlock(this, kRead);
  librarys(this);
  __tsan_mutex_post_unlock(this, kRead);
}

bool Mutex::ReaderTryLock() {
  POTOK_LIBRARYS("5Mutex13ReaderTryLockEv", bool, Mutex*);
  __tsan_mutex_pre_lock(this, kRead | __tsan_mutex_try_lock);
  const bool got = librarys(this);
  __tsan_mutex_post_lock(
      this, kRead | __tsan_mutex_try_lock | (got ? 0 : __tsan_mutex_try_lock_failed), 0);
  return got;
}

void Mutex::LockWhen(const Condition& condition) {
  POTOK_LIBRARYS("5Mutex8LockWhenERKNS0_9ConditionE", void, Mutex*, const Condition&);
  __tsan_mutex_pre_lock(this, kWrite);
  librarys(this, condition);
  __tsan_mutex_post_lock(this, kWrite, 0);
}

void Mutex::ReaderLockWhen(const Condition& condition) {
  POTOK_LIBRARYS("5Mutex14ReaderLockWhenERKNS0_9ConditionE", void, Mutex*, const Condition&);
  __tsan_mutex_pre_lock(this, kRead);
  librarys(this, condition);
  __tsan_mutex_post_lock(this, kRead, 0);
}

// Those with a timeout call those with a deadline, by name.
bool Mutex::LockWhenWithDeadline(const Condition& condition, absl::Time deadline) {
  POTOK_LIBRARYS("5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE", bool, Mutex*,
                 const Condition&, absl::Time);
  __tsan_mutex_pre_lock(this, kWrite);
  const bool met = librarys(this, condition, deadline);
  __tsan_mutex_post_lock(this, kWrite, 0);
  return met;
}

bool Mutex::ReaderLockWhenWithDeadline(const Condition& condition, absl::Time deadline) {
  POTOK_LIBRARYS("5Mutex26ReaderLockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE", bool, Mutex*,
                 const Condition&, absl::Time);
  __tsan_mutex_pre_lock(this, kRead);
  const bool met = librarys(this, condition, deadline);
  __tsan_mutex_post_lock(this, kRead, 0);
  return met;
}

// A reader may wait too; ours never do, and to TSan a writer's wait orders at least as much.
void Mutex::Await(const Condition& condition) {
  POTOK_LIBRARYS("5Mutex5AwaitERKNS0_9ConditionE", void, Mutex*, const Condition&);
  Waiting(this, kWrite, [&] {
    librarys(this, condition);
    return true;
  });
}

bool Mutex::AwaitWithDeadline(const Condition& condition, absl::Time deadline) {
  POTOK_LIBRARYS("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE", bool, Mutex*,
                 const Condition&, absl::Time);
  return Waiting(this, kWrite, [&] { return librarys(this, condition, deadline); });
}

// Every wait of a condition variable comes here.
bool CondVar::WaitCommon(Mutex* mu, synchronization_internal::KernelTimeout timeout) {
  POTOK_LIBRARYS("7CondVar10WaitCommonEPNS0_5MutexENS0_24synchronization_internal13KernelTimeoutE",
                 bool, CondVar*, Mutex*, synchronization_internal::KernelTimeout);
  return Waiting(mu, kWrite, [&] { return librarys(this, mu, timeout); });
}

// HasBeenNotified() is compiled into our code, where TSan sees its load of the flag; what it does
// not see is the store. The flag stands behind the mutex.
void Notification::Notify() {
  POTOK_LIBRARYS("12Notification6NotifyEv", void, Notification*);
  __tsan_release(&this->notified_yet_);
  librarys(this);
}

void Notification::WaitForNotification() const {
  static auto* const librarys =
      Next<void(const Notification*)>("_ZNK4absl7debian312Notification19WaitForNotificationEv");
  librarys(this);
  __tsan_acquire(const_cast<std::atomic<bool>*>(&this->notified_yet_));
}

bool Notification::WaitForNotificationWithTimeout(absl::Duration timeout) const {
  static auto* const librarys = Next<bool(const Notification*, absl::Duration)>(
      "_ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE");
  const bool notified = librarys(this, timeout);
  if (notified) __tsan_acquire(const_cast<std::atomic<bool>*>(&this->notified_yet_));
  return notified;
}

bool Notification::WaitForNotificationWithDeadline(absl::Time deadline) const {
  static auto* const librarys = Next<bool(const Notification*, absl::Time)>(
      "_ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE");
  const bool notified = librarys(this, deadline);
  if (notified) __tsan_acquire(const_cast<std::atomic<bool>*>(&this->notified_yet_));
  return notified;
}

bool BlockingCounter::DecrementCount() {
  POTOK_LIBRARYS("15BlockingCounter14DecrementCountEv", bool, BlockingCounter*);
  __tsan_release(this);
  return librarys(this);
}

void BlockingCounter::Wait() {
  POTOK_LIBRARYS("15BlockingCounter4WaitEv", void, BlockingCounter*);
  librarys(this);
  __tsan_acquire(this);
}

ABSL_NAMESPACE_END
}  // namespace absl
