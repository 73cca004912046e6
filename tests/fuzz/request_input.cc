#include "fuzz/request_input.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

#include "contract/proto_files.h"
#include "fuzz/target.h"

namespace potok::fuzz {
namespace {

using ::google::protobuf::DescriptorPool;
using ::google::protobuf::FileDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::MessageFactory;
using ::google::protobuf::MethodDescriptor;

// Mistakes in texts are the point here, not news.
class Silent final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
};

std::vector<const MethodDescriptor*> FindMethods() {
  std::vector<const MethodDescriptor*> methods;
  for (const char* name : contract::kProtoFiles) {
    const FileDescriptor* file = DescriptorPool::generated_pool()->FindFileByName(name);
    FUZZ_CHECK(file != nullptr, name);
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j));
      }
    }
  }
  std::sort(methods.begin(), methods.end(),
            [](const auto* a, const auto* b) { return a->full_name() < b->full_name(); });
  return methods;
}

std::optional<CallInput> ReadText(absl::string_view text) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('\n', 1));
  CallInput call;
  call.method = DescriptorPool::generated_pool()->FindMethodByName(parts.first);
  if (call.method == nullptr) return std::nullopt;
  const std::unique_ptr<Message> message = NewRequest(*call.method);
  Silent silent;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&silent);
  parser.SetRecursionLimit(100);
  if (!parser.ParseFromString(parts.second, message.get())) return std::nullopt;
  call.bytes = message->SerializePartialAsString();
  return call;
}

}  // namespace

const std::vector<const MethodDescriptor*>& Methods() {
  static const auto& methods = *new std::vector<const MethodDescriptor*>(FindMethods());
  return methods;
}

std::unique_ptr<Message> NewRequest(const MethodDescriptor& method) {
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
}

std::optional<CallInput> ReadCall(absl::string_view input) {
  if (absl::ConsumePrefix(&input, "text:")) return ReadText(input);
  if (input.empty()) return std::nullopt;
  const size_t index = static_cast<unsigned char>(input[0]) % Methods().size();
  return CallInput{Methods()[index], std::string(input.substr(1))};
}

std::string WriteCall(const CallInput& call) {
  const auto at = std::find(Methods().begin(), Methods().end(), call.method);
  return std::string(1, static_cast<char>(at - Methods().begin())) + call.bytes;
}

}  // namespace potok::fuzz
