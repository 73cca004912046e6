// Tells the thread sanitizer what gRPC hands from one thread to another.
//
// Debian's gRPC is not instrumented, and its queues are lock-free: to TSan, whoever gets an event
// has nothing to do with whoever caused it. In the TSan build this file stands in front of the
// functions of gRPC's C interface through which an operation begins (and its tag goes in) and
// through which its end is told (and the tag comes out). What came before the one happened before
// what comes after the other. gRPC's own C++ library calls them too, so this covers its callbacks.
//
// Not compiled with -fsanitize=thread itself.
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpcpp/server.h>
#include <grpcpp/support/server_callback.h>
#include <sanitizer/tsan_interface.h>

namespace {

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

#define POTOK_LIBRARYS(name) static auto* const librarys = Next<decltype(name)>(#name)

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                      void* reserved) {
  POTOK_LIBRARYS(grpc_call_start_batch);
  __tsan_release(tag);
  return librarys(call, ops, count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  POTOK_LIBRARYS(grpc_completion_queue_next);
  const grpc_event event = librarys(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  POTOK_LIBRARYS(grpc_completion_queue_pluck);
  const grpc_event event = librarys(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

void grpc_server_shutdown_and_notify(grpc_server* server, grpc_completion_queue* queue, void* tag) {
  POTOK_LIBRARYS(grpc_server_shutdown_and_notify);
  __tsan_release(tag);
  librarys(server, queue, tag);
}

void grpc_channel_watch_connectivity_state(grpc_channel* channel,
                                           grpc_connectivity_state last_observed,
                                           gpr_timespec deadline, grpc_completion_queue* queue,
                                           void* tag) {
  POTOK_LIBRARYS(grpc_channel_watch_connectivity_state);
  __tsan_release(tag);
  librarys(channel, last_observed, deadline, queue, tag);
}

}  // extern "C"

// A call ends when the last of its callbacks has: they count down, some of them inside the library,
// where TSan does not see the counting. The counters are the first members of the class; whoever
// counts down to zero comes here, and after all the others.
namespace grpc::internal {

void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  static auto* const librarys = Next<void(ServerCallbackCall*, bool)>(
      "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb");
  char* const counters = reinterpret_cast<char*>(this) + sizeof(void*);
  __tsan_acquire(counters);
  __tsan_acquire(counters + sizeof(std::atomic_int));
  librarys(this, inline_ondone);
}

}  // namespace grpc::internal

// A server's shutdown waits for every call by counting them down.
namespace grpc {

void Server::UnrefWithPossibleNotify() {
  static auto* const librarys = Next<void(Server*)>("_ZN4grpc6Server23UnrefWithPossibleNotifyEv");
  __tsan_release(this);
  librarys(this);
}

void Server::UnrefAndWaitLocked() {
  static auto* const librarys = Next<void(Server*)>("_ZN4grpc6Server18UnrefAndWaitLockedEv");
  librarys(this);
  __tsan_acquire(this);
}

}  // namespace grpc
