// libFuzzer changes bytes; most bytes of a protobuf are lengths and tags, so most changes break the
// message and never get past decoding. Half of the time this one changes a field instead.
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "google/protobuf/message.h"

#include "fuzz/request_input.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace potok::fuzz {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

// Texts that get past the patterns of the fields, and some that should not.
constexpr const char* kTexts[] = {"",
                                  "employees/petrov",
                                  "employees/anna",
                                  "departments/hr",
                                  "flows/certificates",
                                  "flows/-",
                                  "flows/certificates/members/petrov",
                                  "flows/certificates/board",
                                  "flowTemplates/hr-certificates",
                                  "flowTemplates/it-support",
                                  "slaPolicies/standard",
                                  "calendars/moscow",
                                  "tickets/01930b1e-7c1a-7003-8a2b-0123456789ab",
                                  "tickets/01930b1e-7c1a-7003-8a2b-0123456789ab/clock",
                                  "deliveries/01930b1e-7c1a-7003-8a2b-0123456789ab",
                                  "employees/petrov/presence",
                                  "employees/petrov/absences/01930b1e-7c1a-7003-8a2b-0123456789ab",
                                  "7f9c2ba4-e88f-427d-8f64-8b3a1f2c4d5e",
                                  "\"7\"",
                                  "certificates",
                                  "standard",
                                  "moscow",
                                  "HR",
                                  "ru-production",
                                  "around-the-clock",
                                  "Europe/Moscow",
                                  "/etc/localtime",
                                  "localtime",
                                  "ru",
                                  "*",
                                  "display_name",
                                  "form_fields",
                                  "options.max_active",
                                  "targets",
                                  "escalation_steps",
                                  "state = QUEUED AND NOT assignee:*",
                                  "due_time, priority desc",
                                  "kind",
                                  "2-ndfl",
                                  "2026-01-01/2026-10-31",
                                  "petrov@example.org",
                                  "https://wiki.example.org/x",
                                  "[a-z]+",
                                  "Справка 2-НДФЛ",
                                  "\xff\xfe",
                                  "two\nlines",
                                  " "};

class Mutation {
 public:
  explicit Mutation(unsigned seed) : random_(seed) {}

  // Changes one field of the message or of one below it.
  void Change(Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    if (type.field_count() == 0) return;
    const FieldDescriptor* field = type.field(Below(type.field_count()));
    const Reflection& reflection = *message.GetReflection();
    if (Below(8) == 0) return reflection.ClearField(&message, field);
    if (field->is_repeated()) return ChangeList(message, reflection, field);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return Change(*reflection.MutableMessage(&message, field));
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetString(&message, field, Text(reflection.GetString(message, field)));
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection.SetEnumValue(&message, field, Enum(*field));
      case FieldDescriptor::CPPTYPE_BOOL: return reflection.SetBool(&message, field, Below(2) == 0);
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.SetInt32(&message, field, static_cast<int32_t>(Number()));
      case FieldDescriptor::CPPTYPE_INT64: return reflection.SetInt64(&message, field, Number());
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection.SetUInt32(&message, field, static_cast<uint32_t>(Number()));
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection.SetUInt64(&message, field, static_cast<uint64_t>(Number()));
      case FieldDescriptor::CPPTYPE_DOUBLE: return reflection.SetDouble(&message, field, Real());
      case FieldDescriptor::CPPTYPE_FLOAT:
        return reflection.SetFloat(&message, field, static_cast<float>(Real()));
      case FieldDescriptor::CPPTYPE_MESSAGE: return;
    }
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

 private:
  void ChangeList(Message& message, const Reflection& reflection, const FieldDescriptor* field) {
    const int size = reflection.FieldSize(message, field);
    if (size > 0 && Below(4) == 0) return reflection.RemoveLast(&message, field);
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Change(size > 0 && Below(2) == 0
                          ? *reflection.MutableRepeatedMessage(&message, field, Below(size))
                          : *reflection.AddMessage(&message, field));
      case FieldDescriptor::CPPTYPE_STRING: return reflection.AddString(&message, field, Text(""));
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection.AddEnumValue(&message, field, Enum(*field));
      default: return;
    }
  }

  std::string Text(const std::string& old) {
    if (Below(4) != 0 || old.empty()) return kTexts[Below(static_cast<int>(std::size(kTexts)))];
    std::string text = old;
    text.resize(text.size() + 16);
    text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), old.size(), text.size()));
    return text;
  }

  int Enum(const FieldDescriptor& field) {
    if (Below(16) == 0) return static_cast<int>(Number());
    return field.enum_type()->value(Below(field.enum_type()->value_count()))->number();
  }

  int64_t Number() {
    constexpr int64_t kNumbers[] = {0,
                                    1,
                                    2,
                                    3,
                                    7,
                                    12,
                                    60,
                                    100,
                                    1000,
                                    2026,
                                    -1,
                                    INT32_MAX,
                                    1440,
                                    100000,
                                    1774900000,
                                    INT64_MAX,
                                    INT64_MIN,
                                    INT32_MIN,
                                    9999,
                                    999999999,
                                    253402300799,
                                    253402300800,
                                    -62135596801};
    return Below(8) == 0 ? static_cast<int64_t>(random_())
                         : kNumbers[Below(static_cast<int>(std::size(kNumbers)))];
  }

  double Real() {
    constexpr double kReals[] = {0, 1, -1, 0.5, 1e9, -1e300, 1e-300};
    switch (Below(10)) {
      case 0: return std::numeric_limits<double>::infinity();
      case 1: return std::numeric_limits<double>::quiet_NaN();
      default: return kReals[Below(static_cast<int>(std::size(kReals)))];
    }
  }

  std::minstd_rand random_;
};

// The length of the changed input; 0 when it cannot be changed this way.
size_t ChangeField(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  auto call = ReadCall(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!call) return 0;
  Mutation mutation(seed);
  if (mutation.Below(32) == 0) {
    call->method = Methods()[mutation.Below(static_cast<int>(Methods().size()))];
  }
  const auto message = NewRequest(*call->method);
  if (!message->ParsePartialFromString(call->bytes)) return 0;
  for (int n = 1 + mutation.Below(4); n > 0; --n) mutation.Change(*message);
  call->bytes = message->SerializePartialAsString();
  const std::string changed = WriteCall(*call);
  if (changed.size() > max_size) return 0;
  std::memcpy(data, changed.data(), changed.size());
  return changed.size();
}

}  // namespace
}  // namespace potok::fuzz

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  if (seed % 2 == 0) {
    const size_t changed = potok::fuzz::ChangeField(data, size, max_size, seed / 2);
    if (changed > 0) return changed;
  }
  return LLVMFuzzerMutate(data, size, max_size);
}
