// The reference ECHO: a bare gRPC callback server that takes the calls of IntakeService and answers
// each at once with the same bytes, without looking at the request. What a call costs here is what
// gRPC itself costs with messages of that size; nothing of Potok runs.
//
//   potok-echo --answer-bytes 480 --address-file FILE
//
// Prints its address to FILE when it serves; ends at SIGTERM.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <grpcpp/grpcpp.h>
#include <pthread.h>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"

#include "potok/intake/v1/intake.grpc.pb.h"

namespace {

using potok::intake::v1::IntakeService;

// Raw: neither side of the server parses or serialises.
using EchoBase = IntakeService::WithRawCallbackMethod_CreateTicket<
    IntakeService::WithRawCallbackMethod_GetTicket<IntakeService::Service>>;

class Echo final : public EchoBase {
 public:
  explicit Echo(const std::string& answer) : slice_(answer) {}

  grpc::ServerUnaryReactor* CreateTicket(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* /*request*/,
                                         grpc::ByteBuffer* answer) override {
    return Answer(context, answer);
  }
  grpc::ServerUnaryReactor* GetTicket(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* /*request*/,
                                      grpc::ByteBuffer* answer) override {
    return Answer(context, answer);
  }

 private:
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, grpc::ByteBuffer* answer) {
    *answer = grpc::ByteBuffer(&slice_, 1);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const grpc::Slice slice_;
};

// A ticket that takes `bytes` on the wire, or a few less: clients parse what they get.
std::string AnswerOf(size_t bytes) {
  potok::intake::v1::Ticket ticket;
  ticket.set_title("Echo");
  const size_t head = ticket.ByteSizeLong() + 3;
  if (bytes > head) ticket.set_description(std::string(bytes - head, 'x'));
  return ticket.SerializeAsString();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A bare gRPC server that answers CreateTicket and GetTicket of IntakeService"};
  size_t answer_bytes = 480;
  std::string address_file;
  app.add_option("--answer-bytes", answer_bytes, "size of an answer")->capture_default_str();
  app.add_option("--address-file", address_file, "gets the address")->required();
  CLI11_PARSE(app, argc, argv);

  // Before any thread is started, so that all of them leave the signal to the wait below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Echo echo(AnswerOf(answer_bytes));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&echo);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    std::fprintf(stderr, "cannot listen on 127.0.0.1\n");
    return 1;
  }
  std::ofstream(address_file) << "127.0.0.1:" << port << "\n";
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown();
  return 0;
}
