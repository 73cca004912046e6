// The rules of Google's API improvement proposals that Potok keeps, as a walk over descriptors.
// Their own linter cannot be had from the package registries, hence this.
#pragma once

#include <google/protobuf/descriptor.h>
#include <string>
#include <vector>

namespace potok::contract {

// A rule that one element may break.
struct Exception {
  const char* element;  // Full name of the element.
  const char* rule;     // Id of the rule, such as "0131".
  const char* reason;
};

// One broken rule: "potok.x.v1.Y.z: 0142: is a Timestamp but ...".
struct Fault {
  std::string element;
  std::string rule;
  std::string what;
};

// All faults of a file's services, messages and enums, in the order of the file.
std::vector<Fault> FaultsOf(const google::protobuf::FileDescriptor& file);

}  // namespace potok::contract
