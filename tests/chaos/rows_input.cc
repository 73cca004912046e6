// Rows 29, 30, 33 and 34: what callers send that no caller should, under ordinary load.
#include <algorithm>
#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "chaos/row.h"
#include "platform/testing/loopback.h"

namespace potok::chaos {
namespace {

using intake::v1::CreateTicketRequest;
using intake::v1::IntakeService;
using intake::v1::Ticket;

constexpr char kCreate[] = "/potok.intake.v1.IntakeService/CreateTicket";

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

CreateTicketRequest Request(Choices& choices, const std::string& title) {
  CreateTicketRequest request;
  request.set_request_id(choices.Uuid());
  request.mutable_ticket()->set_flow("flows/express");
  request.mutable_ticket()->set_title(title);
  return request;
}

grpc::Status Create(IntakeService::Stub& stub, const CreateTicketRequest& request,
                    const std::string& authorization, absl::Duration deadline, Ticket* answer) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(deadline));
  if (!authorization.empty()) context.AddMetadata("authorization", authorization);
  return stub.CreateTicket(&context, request, answer);
}

void Remember(Scene& scene, const CreateTicketRequest& request, const grpc::Status& status,
              const Ticket& ticket, bool may_be_refused) {
  Filing filing;
  filing.request_id = request.request_id();
  filing.title = request.ticket().title();
  filing.code = status.error_code();
  filing.outcome = status.ok() ? Told::Outcome::kOk : Told::Outcome::kUnknown;
  if (!may_be_refused && !status.ok()) filing.outcome = Told::Outcome::kRefused;
  filing.why = status.error_message();
  filing.answered = filing.due = Monotonic();
  filing.ticket = ticket.uid();
  filing.number = ticket.number();
  scene.traffic.oracle().Add(filing);
}

// Row 29.
absl::Status SendHugeBodies(Scene& scene) {
  Service& intake = scene.plant.service("intake", scene.choices.Below(2));
  // As strangers come; a socket of the machine's own has no meter of frames behind it.
  const auto stub = IntakeService::NewStub(ChannelTo(intake.tcp_address()));
  Ticket answer;
  scene.Let(absl::Seconds(1));
  const int64_t at_first = intake.rss_kib();
  int64_t refused = 0, worst = 0;
  std::map<std::string, int64_t> worst_of;
  const auto send = [&](CreateTicketRequest request, const std::string& what) {
    const int64_t before = intake.rss_kib();
    const grpc::Status status =
        Create(*stub, request, "Bearer dev:asks-1:requester", absl::Seconds(20), &answer);
    const int64_t growth = intake.rss_kib() - before;
    worst = std::max(worst, growth);
    worst_of[what] = std::max(worst_of[what], growth);
    const bool clean = status.error_code() == grpc::INVALID_ARGUMENT ||
                       status.error_code() == grpc::RESOURCE_EXHAUSTED;
    scene.evidence.Expect(clean, absl::StrCat(what, " was answered with code ", status.error_code(),
                                              ": ", status.error_message()));
    refused += clean ? 1 : 0;
  };
  const absl::Duration end = Monotonic() + scene.length;
  do {
    for (const size_t bytes : {size_t{3900} << 10, size_t{4200} << 10, size_t{64} << 20}) {
      CreateTicketRequest request = Request(scene.choices, "Huge");
      request.mutable_ticket()->set_description(std::string(bytes, 'x'));
      send(request, absl::StrCat("a body of ", bytes >> 20, " MiB"));
    }
    CreateTicketRequest title = Request(scene.choices, std::string(1000000, 'y'));
    send(title, "a title of a million characters");
    CreateTicketRequest fields = Request(scene.choices, "Fields");
    auto& map = *fields.mutable_ticket()->mutable_fields()->mutable_fields();
    for (int i = 0; i < 10000; ++i) map[absl::StrCat("field-", i)].set_string_value("z");
    send(fields, "ten thousand fields");
  } while (Monotonic() < end);
  scene.evidence.Bite("bodies refused", refused);
  scene.evidence.Measure("growth of intake by one call", static_cast<double>(worst) / 1024, 32,
                         "MiB");
  for (const auto& [what, growth] : worst_of) {
    scene.evidence.Measure(absl::StrCat("of that, by ", what), static_cast<double>(growth) / 1024,
                           0, "MiB");
  }
  // Also of other people's calls meanwhile; what the allocator keeps is used again.
  scene.evidence.Measure("growth of intake in all",
                         static_cast<double>(intake.rss_kib() - at_first) / 1024, 64, "MiB");
  return absl::OkStatus();
}

std::string RandomBytes(Choices& choices, int length) {
  std::string bytes(static_cast<size_t>(length), '\0');
  for (char& c : bytes) c = static_cast<char>(choices.Bits());
  return bytes;
}

// A valid request with some bytes wrong, or one that nests without end, or no message at all.
std::string BadBytes(Choices& choices) {
  std::string bytes = Request(choices, "Broken").SerializeAsString();
  switch (choices.Below(6)) {
    case 0: return RandomBytes(choices, 1 + choices.Below(300));
    case 1:
      return bytes.substr(0, static_cast<size_t>(choices.Below(static_cast<int>(bytes.size()))));
    case 2: {  // Ten thousand levels of a message field.
      std::string nested;
      for (int i = 0; i < 10000; ++i) nested += "\x0a\x7f";
      return nested;
    }
    case 3: {  // Text that is no UTF-8.
      CreateTicketRequest request = Request(choices, "x");
      std::string wire = request.SerializeAsString();
      wire[wire.size() - 1] = static_cast<char>(0xff);
      return wire;
    }
    default:
      for (int i = 1 + choices.Below(8); i > 0; --i) {
        bytes[static_cast<size_t>(choices.Below(static_cast<int>(bytes.size())))] =
            static_cast<char>(choices.Bits());
      }
      // An id that was bent may be a good one: then a ticket nobody asked for would be right.
      return absl::StrCat(bytes,
                          "\x0a\x03"
                          "bad");
  }
}

grpc::Status SendBytes(grpc::GenericStub& stub, const std::string& method,
                       const std::string& bytes) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  context.AddMetadata("authorization", "Bearer dev:asks-1:requester+admin");
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer answer;
  absl::Mutex mu;
  bool done = false;
  grpc::Status status;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &answer,
                 [&](grpc::Status result) {
                   absl::MutexLock lock(&mu);
                   status = std::move(result);
                   done = true;
                 });
  absl::MutexLock lock(&mu);
  mu.Await(absl::Condition(&done));
  return status;
}

// Bytes that are no HTTP/2, on the port itself.
void SendNoise(const std::string& address, Choices& choices) {
  const int fd = testing::ConnectToLoopback(address);
  if (fd < 0) return;
  std::string bytes = choices.Chance(0.5) ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "";
  bytes += RandomBytes(choices, 1 + choices.Below(2000));
  (void)send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  close(fd);
}

// Row 30.
absl::Status SendBrokenMessages(Scene& scene) {
  static const char* const kMethods[] = {
      kCreate,
      "/potok.intake.v1.IntakeService/ListTickets",
      "/potok.intake.v1.FlowService/CreateFlow",
      "/potok.intake.v1.DirectoryService/BatchUpsertEmployees",
      "/potok.admin.v1.AdminService/ListDeadLetters",
  };
  Service& intake = scene.plant.service("intake", scene.choices.Below(2));
  const std::string tcp = intake.tcp_address();
  grpc::GenericStub stub(ChannelTo(intake.address()));
  int64_t sent = 0, refused = 0, noise = 0;
  const absl::Duration end = Monotonic() + scene.length;
  while (Monotonic() < end) {
    const grpc::Status status =
        SendBytes(stub, kMethods[scene.choices.Below(5)], BadBytes(scene.choices));
    ++sent;
    if (!status.ok()) ++refused;
    const bool clean =
        status.error_code() != grpc::UNKNOWN && status.error_code() != grpc::INTERNAL &&
        status.error_code() != grpc::UNIMPLEMENTED && status.error_code() != grpc::UNAVAILABLE;
    scene.evidence.Expect(clean, absl::StrCat("broken bytes were answered with code ",
                                              status.error_code(), ": ", status.error_message()));
    if (sent % 10 == 0) {
      SendNoise(tcp, scene.choices);
      ++noise;
    }
  }
  scene.evidence.Bite("broken messages refused", refused);
  scene.evidence.Bite("connections full of noise", noise);
  scene.evidence.Note(absl::StrCat(sent, " broken messages"));
  return absl::OkStatus();
}

// Row 33, as far as tokens exist: those of the development mode.
absl::Status SendBadTokens(Scene& scene) {
  static const char* const kTokens[] = {
      "",
      "Bearer",
      "Bearer ",
      "Bearer dev",
      "Bearer dev:",
      "Bearer dev::admin",
      "Bearer dev:asks-1:emperor",
      "Basic ZGV2OmFkbWlu",
      "bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
      "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiIsImV4cCI6MX0.c2ln",
      "Bearer dev:asks-1\n:admin",
  };
  int64_t refused = 0;
  std::vector<std::unique_ptr<IntakeService::Stub>> stubs;
  for (Service* intake : scene.plant.replicas("intake")) {
    stubs.push_back(IntakeService::NewStub(ChannelTo(intake->address())));
  }
  const absl::Duration end = Monotonic() + scene.length;
  while (Monotonic() < end) {
    const std::string token = kTokens[scene.choices.Below(static_cast<int>(std::size(kTokens)))];
    if (token.find('\n') != std::string::npos) continue;  // No client can send it.
    Ticket answer;
    const grpc::Status status =
        Create(*stubs[static_cast<size_t>(scene.choices.Below(static_cast<int>(stubs.size())))],
               Request(scene.choices, "By nobody"), token, absl::Seconds(5), &answer);
    const bool clean = status.error_code() == grpc::UNAUTHENTICATED ||
                       status.error_code() == grpc::PERMISSION_DENIED;
    scene.evidence.Expect(clean, absl::StrCat("\"", token, "\" was answered with code ",
                                              status.error_code(), ": ", status.error_message()));
    refused += clean ? 1 : 0;
    if (refused % 16 == 0) scene.Let(absl::Milliseconds(1));
  }
  scene.evidence.Bite("calls with bad tokens refused", refused);
  return absl::OkStatus();
}

// Row 34. Deadlines that nothing can keep, callers that hang up, twins, and the same id with other
// words.
absl::Status HurryAndRepeat(Scene& scene) {
  std::vector<std::unique_ptr<IntakeService::Stub>> stubs;
  for (Service* intake : scene.plant.replicas("intake")) {
    stubs.push_back(IntakeService::NewStub(ChannelTo(intake->address())));
  }
  const std::string token = "Bearer dev:asks-2:requester";
  std::atomic<int64_t> given_up{0}, twins{0}, reused{0};
  const absl::Duration end = Monotonic() + scene.length;
  int64_t round = 0;
  while (Monotonic() < end) {
    ++round;
    // Given up at some stage: what became of it, the same id tells.
    for (int i = 0; i < 20; ++i) {
      const CreateTicketRequest request =
          Request(scene.choices, absl::StrCat("Hurried ", round, " ", i));
      Ticket answer;
      const absl::Duration deadline =
          scene.choices.Between(absl::Microseconds(200), absl::Milliseconds(30));
      grpc::Status status =
          Create(*stubs[static_cast<size_t>(i) % stubs.size()], request, token, deadline, &answer);
      if (!status.ok()) {
        ++given_up;
        if (i % 2 == 0) {
          status = Create(*stubs[static_cast<size_t>(i + 1) % stubs.size()], request, token,
                          absl::Seconds(20), &answer);
        }
      }
      Remember(scene, request, status, answer, /*may_be_refused=*/true);
    }
    // Sixty-four at once, over both replicas.
    const CreateTicketRequest request = Request(scene.choices, absl::StrCat("Twins ", round));
    absl::Mutex mu;
    std::set<std::string> numbers;
    Ticket first;
    std::vector<std::thread> callers;
    for (int i = 0; i < 64; ++i) {
      callers.emplace_back([&, i] {
        Ticket answer;
        const grpc::Status status = Create(*stubs[static_cast<size_t>(i) % stubs.size()], request,
                                           token, absl::Seconds(20), &answer);
        absl::MutexLock lock(&mu);
        scene.evidence.Expect(status.ok(),
                              absl::StrCat("a twin was refused: code ", status.error_code(), ", ",
                                           status.error_message()));
        if (status.ok()) {
          numbers.insert(answer.number());
          first = answer;
          ++twins;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    scene.evidence.Expect(numbers.size() == 1, "twins were given several numbers");
    Remember(scene, request, grpc::Status::OK, first, false);
    CreateTicketRequest other = request;
    other.mutable_ticket()->set_title("Other words");
    Ticket answer;
    const grpc::Status status = Create(*stubs[0], other, token, absl::Seconds(20), &answer);
    scene.evidence.Expect(status.error_code() == grpc::ALREADY_EXISTS,
                          absl::StrCat("other words under a used id: code ", status.error_code()));
    ++reused;
  }
  scene.evidence.Bite("calls given up by their callers", given_up);
  scene.evidence.Bite("twins answered", twins);
  scene.evidence.Bite("ids used again with other words", reused);
  return absl::OkStatus();
}

}  // namespace

std::vector<Row> InputRows() {
  std::vector<Row> rows;
  rows.push_back(
      {.number = 29,
       .fault = "bodies of 3.9, 4.2 and 64 MB, a title of a million characters, 10 000 fields",
       .expects = "refused by limits; intake grows by less than 32 MB",
       .length = absl::Seconds(5),
       .in_short_suite = false,
       .fault_of = SendHugeBodies});
  rows.push_back({.number = 30,
                  .fault = "broken protobuf, deep nesting, bad UTF-8, noise on the port",
                  .expects = "clean statuses, no crash",
                  .length = absl::Seconds(8),
                  .in_short_suite = false,
                  .fault_of = SendBrokenMessages});
  rows.push_back({.number = 33,
                  .fault = "tokens that are missing, malformed or of another kind",
                  .expects = "refused, no effect",
                  .length = absl::Seconds(4),
                  .in_short_suite = false,
                  .fault_of = SendBadTokens});
  rows.push_back(
      {.number = 34,
       .fault = "deadlines of a millisecond, 64 twins at once, the same id with other words",
       .expects = "one ticket an id; other words always ALREADY_EXISTS",
       .length = absl::Seconds(8),
       .fault_of = HurryAndRepeat});
  return rows;
}

}  // namespace potok::chaos
