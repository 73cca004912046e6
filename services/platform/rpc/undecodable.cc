// Why a request could not be decoded. protobuf 3.21 only says "no": for a proto3 string that is not
// UTF-8 it names the field in a log line of its own, which the caller never sees. So the bytes are
// read once more, without the schema's strictness, looking for the string at fault.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/utf8.h"
#include "platform/rpc/validate.h"

namespace potok::rpc {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::UnknownField;
using ::google::protobuf::UnknownFieldSet;

constexpr int kMaxDepth = 100;  // As protobuf's own parser.

// Path of the first string that is not UTF-8; nothing when all are, or when the bytes are no
// message.
std::optional<std::string> FindBadText(const Descriptor& type, absl::string_view bytes,
                                       const std::string& prefix, int depth) {
  UnknownFieldSet fields;
  if (depth > kMaxDepth || !fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::nullopt;
  }
  std::map<int, int> seen;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& raw = fields.field(i);
    const FieldDescriptor* field = type.FindFieldByNumber(raw.number());
    if (field == nullptr || raw.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    std::string path = absl::StrCat(prefix, field->name());
    if (field->is_repeated()) absl::StrAppend(&path, "[", seen[raw.number()]++, "]");
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      if (!CountUtf8(raw.length_delimited())) return path;
    } else if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
      auto below =
          FindBadText(*field->message_type(), raw.length_delimited(), path + ".", depth + 1);
      if (below) return below;
    }
  }
  return std::nullopt;
}

}  // namespace

absl::Status ExplainUndecodable(const Descriptor& type, absl::string_view bytes) {
  ErrorDetail detail;
  const std::optional<std::string> path = FindBadText(type, bytes, "", 0);
  if (!path) {
    detail.ru = absl::StrCat("Запрос не читается как ", type.full_name());
    return MakeError(absl::StatusCode::kInvalidArgument, "REQUEST_MALFORMED",
                     absl::StrCat("the request cannot be decoded as ", type.full_name()),
                     std::move(detail));
  }
  detail.fields = {{*path, "is not valid UTF-8; send the text encoded in UTF-8",
                    "текст не в кодировке UTF-8; пришлите его в UTF-8"}};
  detail.metadata["field"] = *path;
  detail.ru = absl::StrCat(*path, ": текст не в кодировке UTF-8; пришлите его в UTF-8");
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_UTF8",
                   absl::StrCat(*path, ": is not valid UTF-8; send the text encoded in UTF-8"),
                   std::move(detail));
}

}  // namespace potok::rpc
