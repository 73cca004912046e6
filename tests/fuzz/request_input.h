// A call as an input of the fuzz target `request`: which method, and the bytes of its message.
//
// Two spellings: one byte that counts through Methods(), then the message as it is on the wire; or,
// for inputs that people read and keep, "text:potok.intake.v1.IntakeService.CreateTicket", a line
// end and the message in protobuf's text format.
#pragma once

#include <google/protobuf/descriptor.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace potok::fuzz {

// Every method of every service, by name.
const std::vector<const google::protobuf::MethodDescriptor*>& Methods();

struct CallInput {
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::string bytes;
};

// Nothing for an empty input and for a text that is no message of its method.
std::optional<CallInput> ReadCall(absl::string_view input);
// The spelling with one byte.
std::string WriteCall(const CallInput& call);

// An empty request of the method.
std::unique_ptr<google::protobuf::Message> NewRequest(
    const google::protobuf::MethodDescriptor& method);

}  // namespace potok::fuzz
