// Everything a request meets before the database: decoding, the guard that explains what cannot be
// decoded, the validator, the conversion to the desk, and the error on its way out.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/stubs/logging.h"
#include "google/protobuf/timestamp.pb.h"
#include <google/rpc/status.pb.h>

#include "base/utf8.h"
#include "fuzz/request_conversion.h"
#include "fuzz/request_input.h"
#include "fuzz/target.h"
#include "platform/rpc/error_to_grpc.h"
#include "platform/rpc/validate.h"
#include "potok/api/v1/options.pb.h"

namespace potok::fuzz {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

// gRPC's clients refuse trailers over 8 KiB.
constexpr size_t kMaxTrailers = 8192 - 512;

// A refusal as it goes out: small enough for any client, and text that any client can decode.
void CheckAnswer(const absl::Status& status) {
  FUZZ_CHECK(!status.ok(), "");
  for (const char* locale : {"ru", "en"}) {
    const grpc::Status out = rpc::ToGrpc(status, locale, "a1b2");
    FUZZ_CHECK(CountUtf8(out.error_message()).has_value(), out.error_message());
    const size_t escaped = 3 * out.error_message().size() + 4 * out.error_details().size() / 3;
    FUZZ_CHECK(escaped <= kMaxTrailers, absl::StrCat(escaped, " ", status.ToString()));
    google::rpc::Status wire;
    FUZZ_CHECK(wire.ParseFromString(out.error_details()), status.ToString());
    FUZZ_CHECK(wire.details_size() >= 2, status.ToString());
    FUZZ_CHECK(rpc::FromGrpc(out).code() == status.code(), status.ToString());
  }
}

void CheckStorable(const Message& message);

void CheckStorableText(const std::string& text, const FieldDescriptor& field) {
  if (field.type() != FieldDescriptor::TYPE_STRING) return;
  FUZZ_CHECK(CountUtf8(text).has_value() && text.find('\0') == std::string::npos,
             absl::StrCat(field.full_name(), ": ", text));
}

// What passed the validator can be stored: no text that Postgres refuses, no instant or enum value
// that nobody knows.
void CheckStorable(const Message& message) {
  if (message.GetDescriptor() == google::protobuf::Timestamp::descriptor()) {
    google::protobuf::Timestamp time;
    time.CopyFrom(message);
    FUZZ_CHECK(time.seconds() >= -62135596800 && time.seconds() <= 253402300799 &&
                   time.nanos() >= 0 && time.nanos() <= 999999999,
               time.ShortDebugString());
  }
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          CheckStorableText(field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                                 : reflection.GetString(message, field),
                            *field);
          break;
        case FieldDescriptor::CPPTYPE_ENUM: {
          const int value = field->is_repeated()
                                ? reflection.GetRepeatedEnumValue(message, field, i)
                                : reflection.GetEnumValue(message, field);
          FUZZ_CHECK(field->enum_type()->FindValueByNumber(value) != nullptr, field->full_name());
          break;
        }
        case FieldDescriptor::CPPTYPE_MESSAGE:
          CheckStorable(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                             : reflection.GetMessage(message, field));
          break;
        default: break;
      }
    }
  }
}

}  // namespace

void FuzzRequest(absl::string_view input) {
  // protobuf tells stderr of each text that is not UTF-8: a million lines a minute here.
  static const bool quiet = google::protobuf::SetLogHandler(nullptr) != nullptr;
  (void)quiet;
  const auto call = ReadCall(input);
  if (!call) return;
  const auto message = NewRequest(*call->method);
  if (!message->ParseFromString(call->bytes)) {
    const absl::Status why = rpc::ExplainUndecodable(*call->method->input_type(), call->bytes);
    CheckRefusal(why);
    return CheckAnswer(why);
  }
  const auto& auth = call->method->options().GetExtension(potok::api::v1::auth);
  const absl::Status valid = rpc::Validate(*message, auth.mutating());
  if (!valid.ok()) {
    CheckRefusal(valid);
    return CheckAnswer(valid);
  }
  CheckStorable(*message);
  if (const absl::Status converted = Convert(*message); !converted.ok()) {
    FUZZ_CHECK(converted.code() != absl::StatusCode::kInternal &&
                   converted.code() != absl::StatusCode::kUnknown,
               converted.ToString());
    CheckRefusal(converted, converted.code());
    CheckAnswer(converted);
  }
}

}  // namespace potok::fuzz
