// One call from arrival to answer. Parts of rpc::Front that handlers do not name, except Answer<T>.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/call_context.h"
#include "platform/rpc/method.h"
#include "platform/rpc/worker_pool.h"

namespace potok::rpc {

class StreamSet;

// A caller who may make the call, and until when it is worth anything.
struct Admission {
  Caller caller;
  std::chrono::steady_clock::time_point deadline;
};

// What a call needs from its Front.
class CallDesk {
 public:
  virtual ~CallDesk() = default;
  virtual absl::StatusOr<Admission> Admit(const Method& method,
                                          const grpc::CallbackServerContext& context) = 0;
  virtual bool Queue(Work* work) = 0;
  virtual StreamSet& streams() = 0;
  virtual bool MayLogSuccess() = 0;
};

// Request id, locale and trace of a call: what is known before anybody is authenticated.
CallContext ReadContext(const std::string& path, const grpc::CallbackServerContext& context);

class CallBase : public Work {
 public:
  // `request` may be null for one that could not be decoded; it lives as long as the call.
  CallBase(CallDesk& desk, grpc::CallbackServerContext& context,
           const google::protobuf::Message* request);
  ~CallBase() override;

  // Everything up to the pool, or all of it where the handler need not wait. May already complete
  // the call, which lives on at least until gRPC has been given the reactor.
  void Begin();

  // What to try before the pool, without waiting for anything; true when it leads, or has led, to
  // Complete.
  void TryFirst(std::function<bool(CallBase&)> at_once) { at_once_ = std::move(at_once); }

  // Answers the call: once, from any thread. The call may be destroyed before this returns.
  void Complete(const absl::Status& status);

  const CallContext& context() const { return call_; }

  // Work:
  std::chrono::steady_clock::time_point Deadline() const override { return call_.deadline; }
  bool Gone() const override { return context_.IsCancelled(); }
  void Run() override;
  void Refuse(Refusal why) override;

 protected:
  // What to do on the pool; must lead to Complete.
  virtual void Handle() = 0;
  // Hands the final status to gRPC.
  virtual void Send(const grpc::Status& status) = 0;
  // A fault of the request itself, found before the handler.
  virtual absl::Status CheckRequest() const;

  Method* method() const { return method_; }
  grpc::CallbackServerContext& server_context() const { return context_; }
  CallDesk& desk() const { return desk_; }

 private:
  bool RunAtOnce();
  void Report(const absl::Status& status) const;

  CallDesk& desk_;
  grpc::CallbackServerContext& context_;
  const google::protobuf::Message* const request_;
  Method* const method_;
  const std::chrono::steady_clock::time_point started_;
  CallContext call_;
  std::function<bool(CallBase&)> at_once_;
};

class UnaryCall final : public grpc::ServerUnaryReactor, public CallBase {
 public:
  // `handle` runs on the pool and leads to call.Complete, now or later.
  UnaryCall(CallDesk& desk, grpc::CallbackServerContext& context,
            const google::protobuf::Message& request, std::function<void(CallBase&)> handle)
      : CallBase(desk, context, &request), handle_(std::move(handle)) {}
  // Of a request that could not be decoded: `fault` finds out why, once the caller is known.
  UnaryCall(CallDesk& desk, grpc::CallbackServerContext& context,
            std::function<absl::Status()> fault)
      : CallBase(desk, context, nullptr), fault_(std::move(fault)) {}

  void OnDone() override { delete this; }
  // A cancelled call still ends by Complete: the handler may be using the request right now.
  void OnCancel() override {}

 private:
  void Handle() override { handle_(*this); }
  void Send(const grpc::Status& status) override { Finish(status); }
  absl::Status CheckRequest() const override {
    return fault_ ? fault_() : CallBase::CheckRequest();
  }

  std::function<void(CallBase&)> handle_;
  std::function<absl::Status()> fault_;
};

// The value metadata carries under `key`; "" when absent.
absl::string_view MetadataOf(const grpc::CallbackServerContext& context, const char* key);

// The last resort around a handler: none is meant to throw, and a thread of the pool must survive
// if one does. `R` is absl::Status or absl::StatusOr.
template <class R, class F>
R Guarded(F&& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("exception in handler: ", error.what()));
  }
}

// Answers an Async call: copyable, callable once from any thread. When the last copy dies without
// having been called, the call is answered INTERNAL: a lost answer must not become a client that
// waits forever.
template <class A>
class Answer {
 public:
  Answer(CallBase& call, A& answer) : state_(std::make_shared<State>(call, answer)) {}

  void operator()(absl::StatusOr<A> result) const { state_->Give(std::move(result)); }

  // The call will be answered by another; false when it has been answered by this one.
  bool Withdraw() const { return !state_->given.exchange(true); }

 private:
  struct State {
    State(CallBase& c, A& a) : call(c), answer(a) {}
    ~State() { Give(absl::InternalError("the handler dropped the call without an answer")); }
    void Give(absl::StatusOr<A> result) {
      if (given.exchange(true)) return;
      if (result.ok()) answer = *std::move(result);
      call.Complete(result.status());
    }
    CallBase& call;
    A& answer;
    std::atomic<bool> given{false};
  };
  std::shared_ptr<State> state_;
};

}  // namespace potok::rpc
