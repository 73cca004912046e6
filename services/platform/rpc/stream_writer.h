// A server stream fed from memory: no thread waits for a slow reader.
//
// All locking and ordering is in StreamCore, written once for every stream:
// - exactly one write is outstanding; the others wait in a queue of at most 256;
// - Finish is called exactly once, never while a write is outstanding or the handler still runs;
// - a reader that lets the queue overflow is cut with RESOURCE_EXHAUSTED / STREAM_TOO_SLOW; so is
//   one that has a queue at all when the queues of all streams together hold 64 MiB;
// - a reader that takes nothing for 10 s is cut off without a word, since no word would reach it;
//   not even the last word may wait longer, and when the server stops, not longer than 2 s;
// - a cancelled stream is finished by us too, else the server could never shut down.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <google/protobuf/message.h>
#include <grpcpp/support/server_callback.h>
#include <list>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "platform/rpc/call.h"

namespace potok::rpc {

// What StreamCore drives: the gRPC reactor of one stream.
class StreamDriver {
 public:
  virtual ~StreamDriver() = default;
  virtual void Write(const google::protobuf::Message& message) = 0;
  virtual void End(const absl::Status& status) = 0;
  virtual void Cut() = 0;  // Cancels the call from our side.
};

// What all streams of a server may use together.
struct StreamBudget {
  int64_t max_bytes = 64 << 20;  // Of messages that wait in queues.
  // Handlers that may wait for slow readers at once: each keeps a thread of the worker pool.
  int max_waiting = 2;
  int max_streams = 2000;

  std::atomic<int64_t> bytes{0};
  std::atomic<int> waiting{0};
};

class StreamCore {
 public:
  static constexpr size_t kQueueBound = 256;
  static constexpr std::chrono::seconds kStuck{10};
  static constexpr std::chrono::seconds kStuckAtShutdown{2};
  using Message = std::shared_ptr<const google::protobuf::Message>;

  explicit StreamCore(StreamDriver& driver, std::shared_ptr<StreamBudget> budget = nullptr);
  ~StreamCore();

  // False when the stream is over, or is ended by this because its reader is too slow.
  bool Push(Message message);
  // As Push, but waits up to `patience` for room: for a handler that sends a long list. When too
  // many handlers wait already, the reader is cut like one for whom patience has ended.
  bool PushWaiting(Message message, absl::Duration patience);
  // Ends the stream: after what is queued when OK, at once otherwise. Only the first end counts.
  void Close(absl::Status status);
  bool open() const;
  // `gone` is called once, from any thread, when the stream is over; at once when it is.
  void OnGone(std::function<void()> gone);

  // From the driver.
  void HandlerDone(absl::Status status);  // From here on the stream may be finished.
  void WriteDone(bool ok);
  void CallDone();  // gRPC is done with the call: there is nothing left to cut.
  // Cuts the stream when its write, or its end, has been outstanding for `patience`.
  void CutIfStuck(std::chrono::steady_clock::time_point now,
                  std::chrono::seconds patience = kStuck);

 private:
  enum class State { kOpen, kClosing, kFinished };
  bool PushLocked(Message message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseLocked(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropQueue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return state_ != State::kOpen || queue_.size() < kQueueBound;
  }
  std::vector<std::function<void()>> TakeGone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<StreamBudget> budget_;
  mutable absl::Mutex mutex_;
  StreamDriver* driver_ ABSL_GUARDED_BY(mutex_);  // Null once the end has been given to gRPC.
  StreamDriver* call_ ABSL_GUARDED_BY(mutex_);    // The same, null once gRPC is done with it.
  State state_ ABSL_GUARDED_BY(mutex_) = State::kOpen;
  bool handler_runs_ ABSL_GUARDED_BY(mutex_) = true;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
  Message writing_ ABSL_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point writing_since_ ABSL_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point ending_since_ ABSL_GUARDED_BY(mutex_);
  std::deque<Message> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> gone_ ABSL_GUARDED_BY(mutex_);
};

// The live streams of a server: to end them all at shutdown, and to find stuck ones.
class StreamSet {
 public:
  // `max_waiting`: see StreamBudget.
  explicit StreamSet(int max_waiting);
  ~StreamSet();  // Stops the watch; streams must have ended.

  // Not OK when the set has been ended or is full; the stream must then be refused with this.
  absl::Status Add(const std::shared_ptr<StreamCore>& stream);
  void EndAll(const absl::Status& status);
  const std::shared_ptr<StreamBudget>& budget() const { return budget_; }

 private:
  void Watch();
  void ForgetGone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<StreamBudget> budget_;
  absl::Mutex mutex_;
  std::list<std::weak_ptr<StreamCore>> streams_ ABSL_GUARDED_BY(mutex_);
  absl::Status ended_ ABSL_GUARDED_BY(mutex_);  // With what all were ended; OK: they were not.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread watch_ ABSL_GUARDED_BY(mutex_);  // Started by the first stream.
};

// The handler's end of a stream. Thread-safe. When the last holder lets go, the stream ends with
// OK.
template <class E>
class Stream {
 public:
  explicit Stream(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {}
  ~Stream() { core_->Close(absl::OkStatus()); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool Send(E event) { return core_->Push(std::make_shared<const E>(std::move(event))); }
  // One event for many streams is made once and shared.
  bool Send(std::shared_ptr<const E> event) { return core_->Push(std::move(event)); }
  bool SendWaiting(E event, absl::Duration patience) {
    return core_->PushWaiting(std::make_shared<const E>(std::move(event)), patience);
  }
  void Close(absl::Status status) { core_->Close(std::move(status)); }
  bool open() const { return core_->open(); }
  void OnGone(std::function<void()> gone) { core_->OnGone(std::move(gone)); }

 private:
  const std::shared_ptr<StreamCore> core_;
};

template <class E>
class StreamCall final : public grpc::ServerWriteReactor<E>, public CallBase, private StreamDriver {
 public:
  using Handler = std::function<absl::Status(CallBase&, std::shared_ptr<Stream<E>>)>;

  StreamCall(CallDesk& desk, grpc::CallbackServerContext& context,
             const google::protobuf::Message& request, Handler handler)
      : CallBase(desk, context, &request),
        handler_(std::move(handler)),
        core_(std::make_shared<StreamCore>(static_cast<StreamDriver&>(*this),
                                           desk.streams().budget())) {}

  void OnWriteDone(bool ok) override { Hold()->WriteDone(ok); }
  void OnCancel() override { Hold()->Close(absl::CancelledError("the reader went away")); }
  void OnDone() override {
    core_->CallDone();
    delete this;
  }

  void Refuse(Refusal why) override {
    const auto core = Hold();
    core->Close(absl::OkStatus());
    CallBase::Refuse(why);
  }

 private:
  // Keeps the core alive while it runs: it may finish the stream, after which `this` is gone.
  std::shared_ptr<StreamCore> Hold() const { return core_; }

  void Handle() override {
    const auto core = Hold();
    if (const absl::Status refused = desk().streams().Add(core); !refused.ok()) {
      core->Close(absl::OkStatus());
      Complete(refused);
      return;
    }
    // Held here until the outcome is known: letting go of a stream ends it with OK.
    const auto stream = std::make_shared<Stream<E>>(core);
    core->HandlerDone(Guarded<absl::Status>([&] { return handler_(*this, stream); }));
  }
  void Send(const grpc::Status& status) override { this->Finish(status); }

  // StreamDriver, called under the lock of the core. gRPC runs no reaction inside these calls.
  void Write(const google::protobuf::Message& message) override {
    this->StartWrite(static_cast<const E*>(&message));
  }
  void End(const absl::Status& status) override { Complete(status); }
  void Cut() override { server_context().TryCancel(); }

  Handler handler_;
  const std::shared_ptr<StreamCore> core_;
};

}  // namespace potok::rpc
