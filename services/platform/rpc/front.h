// What stands between the socket and every handler: context, authentication, authorisation,
// deadline, validation, the hand-over to the worker pool, rich errors, metrics, access log; in this
// order.
//
//   grpc::ServerUnaryReactor* GetTicket(grpc::CallbackServerContext* c, const GetTicketRequest* q,
//                                       Ticket* a) override {
//     return front_.Blocking(c, q, a, [this](const CallContext& call, const GetTicketRequest& q)
//                                         -> absl::StatusOr<Ticket> { ... may block ... });
//   }
//
// Handlers run only for callers who may call the method, with a request that keeps its rules, while
// somebody still waits. Thread-safe. Outlives the server.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/call_context.h"
#include "platform/rpc/auth.h"
#include "platform/rpc/call.h"
#include "platform/rpc/stream_writer.h"
#include "platform/rpc/worker_pool.h"

namespace potok::rpc {

struct FrontOptions {
  std::chrono::milliseconds default_deadline{30000};  // Of a client that set none.
  std::chrono::milliseconds max_deadline{120000};
  // Handlers of streams that may wait for slow readers at once; each keeps a thread of the pool.
  int waiting_streams = 2;
  int access_lines_per_second = 20;  // Of successful calls; failed and slow ones are always logged.
};

class Front : public CallDesk {
 public:
  // `authenticator` and `pool` outlive the Front.
  Front(const FrontOptions& options, const Authenticator& authenticator, Authorizer authorizer,
        WorkerPool& pool);
  ~Front() override;

  // `work`: (const CallContext&, const Q&) -> absl::StatusOr<A>; runs on the pool, its value
  // answers.
  template <class Q, class A, class F>
  grpc::ServerUnaryReactor* Blocking(grpc::CallbackServerContext* context, const Q* request,
                                     A* answer, F work) {
    return Start(new UnaryCall(*this, *context, *request,
                               [request, answer, work = std::move(work)](CallBase& call) mutable {
                                 absl::StatusOr<A> result = Guarded<absl::StatusOr<A>>(
                                     [&] { return work(call.context(), *request); });
                                 if (result.ok()) *answer = *std::move(result);
                                 call.Complete(result.status());
                               }));
  }

  // `work`: (const CallContext&, const Q&, Answer<A>); runs on the pool and may return before it
  // has answered. Context and request live until the answer is given, not longer.
  template <class Q, class A, class F>
  grpc::ServerUnaryReactor* Async(grpc::CallbackServerContext* context, const Q* request, A* answer,
                                  F work) {
    return Start(
        new UnaryCall(*this, *context, *request, RunAsync(request, answer, std::move(work))));
  }

  // As Async, but `at_once` comes first: (const CallContext&, const Q&, Answer<A>) -> bool. It runs
  // on gRPC's thread that read the call, which serves others too: it must not wait for anything,
  // and saves the waking of a thread. With false it has not answered and will not: the call goes to
  // the pool and `work`.
  template <class Q, class A, class G, class F>
  grpc::ServerUnaryReactor* Prompt(grpc::CallbackServerContext* context, const Q* request,
                                   A* answer, G at_once, F work) {
    auto* call =
        new UnaryCall(*this, *context, *request, RunAsync(request, answer, std::move(work)));
    call->TryFirst([request, answer, at_once = std::move(at_once)](CallBase& call) mutable {
      bool taken = true;
      (void)Guarded<absl::Status>([&] {
        Answer<A> given(call, *answer);
        taken = at_once(call.context(), *request, given);
        if (!taken) taken = !given.Withdraw();
        return absl::OkStatus();
      });
      return taken;
    });
    return Start(call);
  }

  // `work`: (const CallContext&, const Q&, std::shared_ptr<Stream<E>>) -> absl::Status; runs on the
  // pool. An error ends the stream with it; after OK the stream lives on while somebody holds it.
  // The deadline bounds `work`, not the stream.
  template <class Q, class E, class F>
  grpc::ServerWriteReactor<E>* Streaming(grpc::CallbackServerContext* context, const Q* request,
                                         F work) {
    auto* call = new StreamCall<E>(*this, *context, *request,
                                   [request, work = std::move(work)](
                                       CallBase& call, std::shared_ptr<Stream<E>> stream) mutable {
                                     return work(call.context(), *request, std::move(stream));
                                   });
    call->Begin();
    return call;
  }

  // Answers a request that could not be decoded, after the caller has been authenticated.
  grpc::ServerUnaryReactor* Undecodable(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer& bytes);

  // Ends all streams with UNAVAILABLE / SHUTTING_DOWN and refuses new ones. Legal twice.
  void EndStreams();

 private:
  template <class Q, class A, class F>
  static std::function<void(CallBase&)> RunAsync(const Q* request, A* answer, F work) {
    return [request, answer, work = std::move(work)](CallBase& call) mutable {
      // A handler that throws has dropped its Answer, which answers by itself.
      (void)Guarded<absl::Status>([&] {
        work(call.context(), *request, Answer<A>(call, *answer));
        return absl::OkStatus();
      });
    };
  }

  grpc::ServerUnaryReactor* Start(UnaryCall* call) {
    call->Begin();
    return call;
  }

  // CallDesk:
  absl::StatusOr<Admission> Admit(const Method& method,
                                  const grpc::CallbackServerContext& context) override;
  bool Queue(Work* work) override { return pool_.Submit(work); }
  StreamSet& streams() override { return streams_; }
  bool MayLogSuccess() override;

  const FrontOptions options_;
  const Authenticator& authenticator_;
  const Authorizer authorizer_;
  WorkerPool& pool_;
  StreamSet streams_;
  std::atomic<int64_t> log_second_{0};
  std::atomic<int> log_lines_{0};
};

}  // namespace potok::rpc
