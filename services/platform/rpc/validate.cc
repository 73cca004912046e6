#include "platform/rpc/validate.h"

#include <map>
#include <memory>
#include <optional>
#include <re2/re2.h>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "base/utf8.h"
#include "potok/api/v1/options.pb.h"

namespace potok::rpc {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::Duration;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::google::protobuf::Timestamp;
using ::potok::api::v1::FieldRules;

constexpr size_t kMaxViolations = 32;
constexpr char kRequestId[] = "request_id";
// The ranges that google/protobuf/timestamp.proto and duration.proto document.
constexpr int64_t kFirstSecond = -62135596800;  // 0001-01-01
constexpr int64_t kLastSecond = 253402300799;   // 9999-12-31T23:59:59
constexpr int64_t kMostSeconds = 315576000000;
constexpr int32_t kLastNano = 999999999;

struct MessagePlan;

struct FieldPlan {
  const FieldDescriptor* field = nullptr;
  FieldRules rules;
  std::unique_ptr<const RE2> pattern;
  const MessagePlan* child = nullptr;  // Of a message field; may lead back to the message itself.
};

struct MessagePlan {
  std::vector<FieldPlan> fields;
};

// Built on first use. A plan never moves or dies, so requests walk it without the lock.
class Plans {
 public:
  const MessagePlan& For(const Descriptor& type) {
    {
      const absl::ReaderMutexLock lock(&mutex_);
      const auto it = plans_.find(&type);
      if (it != plans_.end()) return it->second;
    }
    const absl::MutexLock lock(&mutex_);
    return Build(type);
  }

 private:
  const MessagePlan& Build(const Descriptor& type) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto [it, added] = plans_.try_emplace(&type);
    if (!added) return it->second;  // Known, or being built further up: a message may hold itself.
    MessagePlan& plan = it->second;
    for (int i = 0; i < type.field_count(); ++i) {
      FieldPlan field;
      field.field = type.field(i);
      field.rules = field.field->options().GetExtension(potok::api::v1::rules);
      if (!field.rules.pattern().empty()) {
        field.pattern = std::make_unique<const RE2>(field.rules.pattern(), RE2::Quiet);
      }
      if (field.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        field.child = &Build(*field.field->message_type());
      }
      plan.fields.push_back(std::move(field));
    }
    return plan;
  }

  absl::Mutex mutex_;
  std::map<const Descriptor*, MessagePlan> plans_ ABSL_GUARDED_BY(mutex_);
};

Plans& AllPlans() {
  static Plans& plans = *new Plans;
  return plans;
}

// Walks one request. A value is read by `index`, or as the singular value when index is -1.
class Walk {
 public:
  void Visit(const Message& message, const MessagePlan& plan, const std::string& prefix) {
    const Reflection& reflection = *message.GetReflection();
    if (const auto* time = google::protobuf::DynamicCastToGenerated<Timestamp>(&message)) {
      return CheckTime(*time, std::string(absl::StripSuffix(prefix, ".")));
    }
    if (const auto* duration = google::protobuf::DynamicCastToGenerated<Duration>(&message)) {
      return CheckTime(*duration, std::string(absl::StripSuffix(prefix, ".")));
    }
    for (const FieldPlan& field : plan.fields) {
      if (found_.size() >= kMaxViolations) return;
      const std::string path = absl::StrCat(prefix, field.field->name());
      if (field.field->is_repeated()) {
        VisitList(message, reflection, field, path);
        continue;
      }
      if (field.rules.required() && IsAbsent(message, reflection, *field.field)) {
        Add(path, "must be set", "обязательное поле, заполните его");
        continue;
      }
      if (field.field->has_presence() && !reflection.HasField(message, field.field)) continue;
      VisitValue(message, reflection, field, -1, path);
    }
  }

  std::vector<FieldViolation> Take() { return std::move(found_); }

 private:
  void Add(const std::string& path, std::string en, std::string ru) {
    if (found_.size() < kMaxViolations) found_.push_back({path, std::move(en), std::move(ru)});
  }

  static bool IsAbsent(const Message& message, const Reflection& reflection,
                       const FieldDescriptor& field) {
    // Without presence proto3 cannot tell an unset value from zero; HasField then means "not zero".
    if (!reflection.HasField(message, &field)) return true;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      std::string scratch;
      return reflection.GetStringReference(message, &field, &scratch).empty();
    }
    return field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM &&
           reflection.GetEnumValue(message, &field) == 0;
  }

  void VisitList(const Message& message, const Reflection& reflection, const FieldPlan& field,
                 const std::string& path) {
    const int size = reflection.FieldSize(message, field.field);
    if (field.rules.required() && size == 0) {
      Add(path, "must have at least one element", "нужен хотя бы один элемент");
    }
    const uint32_t max = field.rules.max_items();
    if (max > 0 && static_cast<uint32_t>(size) > max) {
      Add(path, absl::StrCat("at most ", max, " elements, has ", size, "; send fewer"),
          absl::StrCat("не больше ", max, " элементов, сейчас ", size, "; пришлите меньше"));
      return;
    }
    for (int i = 0; i < size && found_.size() < kMaxViolations; ++i) {
      if (field.field->is_map()) {
        VisitEntry(reflection.GetRepeatedMessage(message, field.field, i), field, path);
      } else {
        VisitValue(message, reflection, field, i, absl::StrCat(path, "[", i, "]"));
      }
    }
  }

  // The rules of a map are those of its values.
  void VisitEntry(const Message& entry, const FieldPlan& field, const std::string& path) {
    const Reflection& reflection = *entry.GetReflection();
    const FieldPlan& key = field.child->fields[0];
    const FieldPlan& value = field.child->fields[1];
    std::string name = "?";
    if (key.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      std::string scratch;
      name = reflection.GetStringReference(entry, key.field, &scratch);
      if (!CountUtf8(name)) {
        AddNotUtf8(absl::StrCat(path, " (a key)"));
        return;
      }
      if (name.find('\0') != std::string::npos) {
        AddNul(absl::StrCat(path, " (a key)"));
        return;
      }
      name = std::string(Utf8Prefix(name, 64));
    }
    const std::string at = absl::StrCat(path, "[", name, "]");
    VisitValue(entry, reflection, value, -1, at);
    if (value.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      std::string scratch;
      CheckText(reflection.GetStringReference(entry, value.field, &scratch), value, field, at);
    }
  }

  void VisitValue(const Message& message, const Reflection& reflection, const FieldPlan& field,
                  int index, const std::string& path) {
    const FieldDescriptor* f = field.field;
    const bool single = index < 0;
    switch (f->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string scratch;
        CheckText(single ? reflection.GetStringReference(message, f, &scratch)
                         : reflection.GetRepeatedStringReference(message, f, index, &scratch),
                  field, field, path);
        return;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        Visit(single ? reflection.GetMessage(message, f)
                     : reflection.GetRepeatedMessage(message, f, index),
              *field.child, absl::StrCat(path, "."));
        return;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int value = single ? reflection.GetEnumValue(message, f)
                                 : reflection.GetRepeatedEnumValue(message, f, index);
        if (f->enum_type()->FindValueByNumber(value) == nullptr) {
          Add(path, absl::StrCat("unknown value ", value, " of ", f->enum_type()->full_name()),
              absl::StrCat("неизвестное значение ", value, " типа ", f->enum_type()->full_name()));
        }
        return;
      }
      default:
        if (field.rules.has_gte() || field.rules.has_lte()) {
          CheckNumber(Number(message, reflection, *f, index), field.rules, path);
        }
    }
  }

  static double Number(const Message& message, const Reflection& reflection,
                       const FieldDescriptor& f, int i) {
    const bool single = i < 0;
    switch (f.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return single ? reflection.GetInt32(message, &f)
                      : reflection.GetRepeatedInt32(message, &f, i);
      case FieldDescriptor::CPPTYPE_UINT32:
        return single ? reflection.GetUInt32(message, &f)
                      : reflection.GetRepeatedUInt32(message, &f, i);
      case FieldDescriptor::CPPTYPE_INT64:
        return static_cast<double>(single ? reflection.GetInt64(message, &f)
                                          : reflection.GetRepeatedInt64(message, &f, i));
      case FieldDescriptor::CPPTYPE_UINT64:
        return static_cast<double>(single ? reflection.GetUInt64(message, &f)
                                          : reflection.GetRepeatedUInt64(message, &f, i));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return single ? reflection.GetFloat(message, &f)
                      : reflection.GetRepeatedFloat(message, &f, i);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return single ? reflection.GetDouble(message, &f)
                      : reflection.GetRepeatedDouble(message, &f, i);
      default: return 0;
    }
  }

  void CheckNumber(double value, const FieldRules& rules, const std::string& path) {
    // Written so that "not a number" fails both.
    if (rules.has_gte() && !(value >= rules.gte())) {
      Add(path, absl::StrCat("at least ", rules.gte(), ", is ", value),
          absl::StrCat("не меньше ", rules.gte(), ", сейчас ", value));
    }
    if (rules.has_lte() && !(value <= rules.lte())) {
      Add(path, absl::StrCat("at most ", rules.lte(), ", is ", value),
          absl::StrCat("не больше ", rules.lte(), ", сейчас ", value));
    }
  }

  void AddNotUtf8(const std::string& path) {
    Add(path, "is not valid UTF-8; send the text encoded in UTF-8",
        "текст не в кодировке UTF-8; пришлите его в UTF-8");
  }

  void AddNul(const std::string& path) {
    Add(path, "holds the character U+0000; remove it", "содержит знак U+0000; уберите его");
  }

  // Instants and durations as their protos document them. Beyond that no table, no other language
  // and no arithmetic of ours takes them.
  void CheckTime(const Timestamp& time, const std::string& path) {
    if (time.seconds() < kFirstSecond || time.seconds() > kLastSecond || time.nanos() < 0 ||
        time.nanos() > kLastNano) {
      Add(path, "must be an instant of the years 1 to 9999, nanos 0 to 999999999",
          "момент должен быть в годах с 1 по 9999, nanos от 0 до 999999999");
    }
  }
  void CheckTime(const Duration& duration, const std::string& path) {
    const bool one_sign = duration.seconds() == 0 || duration.nanos() == 0 ||
                          (duration.seconds() < 0) == (duration.nanos() < 0);
    if (duration.seconds() < -kMostSeconds || duration.seconds() > kMostSeconds ||
        duration.nanos() < -kLastNano || duration.nanos() > kLastNano || !one_sign) {
      Add(path, "must be a duration of at most 10000 years, seconds and nanos of one sign",
          "длительность не больше 10000 лет, seconds и nanos одного знака");
    }
  }

  // `value` says what kind of field holds the text, `ruled` whose rules apply (of a map: the
  // map's).
  void CheckText(const std::string& text, const FieldPlan& value, const FieldPlan& ruled,
                 const std::string& path) {
    const FieldRules& rules = ruled.rules;
    if (value.field->type() == FieldDescriptor::TYPE_BYTES) {
      if (rules.max_len() > 0 && text.size() > rules.max_len()) {
        Add(path, absl::StrCat("at most ", rules.max_len(), " bytes, has ", text.size()),
            absl::StrCat("не больше ", rules.max_len(), " байт, сейчас ", text.size()));
      }
      return;
    }
    if (text.empty()) return;
    const std::optional<size_t> length = CountUtf8(text);
    if (!length) {
      AddNotUtf8(path);
      return;
    }
    // Valid UTF-8, but no text column of Postgres can hold it, and it cuts C strings short.
    if (text.find('\0') != std::string::npos) {
      AddNul(path);
      return;
    }
    if (rules.max_len() > 0 && *length > rules.max_len()) {
      Add(path,
          absl::StrCat("at most ", rules.max_len(), " characters, has ", *length, "; shorten it"),
          absl::StrCat("не длиннее ", rules.max_len(), " знаков, сейчас ", *length, "; сократите"));
      return;  // A pattern over a text of megabytes is work for an attacker to ask for.
    }
    if (*length < rules.min_len()) {
      Add(path, absl::StrCat("at least ", rules.min_len(), " characters, has ", *length),
          absl::StrCat("не короче ", rules.min_len(), " знаков, сейчас ", *length));
    }
    if (rules.uuid() && !IsUuid(text)) {
      Add(path, "must be a UUID, such as 7f9c2ba4-e88f-427d-8f64-8b3a1f2c4d5e",
          "нужен UUID, например 7f9c2ba4-e88f-427d-8f64-8b3a1f2c4d5e");
    }
    if (ruled.pattern != nullptr && !RE2::FullMatch(text, *ruled.pattern)) {
      Add(path, absl::StrCat("must match ", rules.pattern()),
          absl::StrCat("должно подходить под образец ", rules.pattern()));
    }
  }

  std::vector<FieldViolation> found_;
};

// Fills `why` with the first fault in the rules of `type` or of anything below it.
void CheckRulesOf(const Descriptor& type, std::set<const Descriptor*>& seen, std::string& why) {
  if (!seen.insert(&type).second) return;
  for (int i = 0; i < type.field_count() && why.empty(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const FieldRules& rules = field.options().GetExtension(potok::api::v1::rules);
    const FieldDescriptor& value = field.is_map() ? *field.message_type()->map_value() : field;
    const bool text = value.type() == FieldDescriptor::TYPE_STRING;
    const bool number = value.cpp_type() <= FieldDescriptor::CPPTYPE_FLOAT;
    if (!rules.pattern().empty() && !RE2(rules.pattern(), RE2::Quiet).ok()) {
      why = absl::StrCat(field.full_name(), ": the pattern of its rules is no RE2 expression");
    } else if (!text && (!rules.pattern().empty() || rules.uuid() || rules.min_len() > 0)) {
      why = absl::StrCat(field.full_name(), ": pattern, uuid and min_len are rules of strings");
    } else if (!number && (rules.has_gte() || rules.has_lte())) {
      why = absl::StrCat(field.full_name(), ": gte and lte are rules of numbers");
    } else if (!field.is_repeated() && rules.max_items() > 0) {
      why = absl::StrCat(field.full_name(), ": max_items is a rule of lists");
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      CheckRulesOf(*field.message_type(), seen, why);
    }
  }
}

}  // namespace

std::vector<FieldViolation> FindViolations(const Message& request) {
  Walk walk;
  walk.Visit(request, AllPlans().For(*request.GetDescriptor()), "");
  return walk.Take();
}

absl::Status Validate(const Message& request, bool mutating) {
  std::vector<FieldViolation> found = FindViolations(request);
  if (mutating) {
    const FieldDescriptor* field = request.GetDescriptor()->FindFieldByName(kRequestId);
    const std::string id = request.GetReflection()->GetString(request, field);
    if (id.empty()) {
      ErrorDetail detail;
      detail.fields = {
          {kRequestId,
           "must be a fresh UUID; repeat the call with the same one after a lost answer",
           "нужен новый UUID; после потери ответа повторите вызов с тем же"}};
      detail.ru = "Нет request_id: без него повтор вызова сделал бы работу дважды";
      return MakeError(absl::StatusCode::kInvalidArgument, "REQUEST_ID_MISSING",
                       "request_id is missing: without it a repeated call would do the work twice",
                       std::move(detail));
    }
    bool reported = false;
    for (const FieldViolation& violation : found) reported |= violation.field == kRequestId;
    if (!IsUuid(id) && !reported) {
      found.push_back({kRequestId, "must be a UUID, such as 7f9c2ba4-e88f-427d-8f64-8b3a1f2c4d5e",
                       "нужен UUID, например 7f9c2ba4-e88f-427d-8f64-8b3a1f2c4d5e"});
    }
  }
  return BadFields(std::move(found));
}

absl::Status CheckRules(const Descriptor& request, bool mutating) {
  std::set<const Descriptor*> seen;
  std::string why;
  CheckRulesOf(request, seen, why);
  if (!why.empty()) return absl::FailedPreconditionError(why);
  if (mutating) {
    const FieldDescriptor* field = request.FindFieldByName(kRequestId);
    if (field == nullptr || field->type() != FieldDescriptor::TYPE_STRING || field->is_repeated()) {
      return absl::FailedPreconditionError(absl::StrCat(
          request.full_name(), " of a mutating method has no string field request_id"));
    }
  }
  return absl::OkStatus();
}

bool IsUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(text[i])) return false;
  }
  return true;
}

}  // namespace potok::rpc
