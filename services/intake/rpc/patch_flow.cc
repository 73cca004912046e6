#include "intake/rpc/patch_flow.h"

#include <algorithm>
#include <google/protobuf/util/field_mask_util.h>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/error.h"
#include "base/status_macros.h"

namespace potok::intake {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::Message;
using google::protobuf::util::FieldMaskUtil;

// Not the prefix: it is in the numbers of tickets people have been given.
constexpr const char* kMutable[] = {
    "display_name",  "description",       "knowledge_uri", "project", "form_fields",
    "filing_access", "distribution_mode", "sla_policy",    "options", "health_thresholds",
    "admins",        "manager",           "line_count"};

bool IsMutable(absl::string_view path) {
  const absl::string_view top = path.substr(0, path.find('.'));
  return std::any_of(std::begin(kMutable), std::end(kMutable),
                     [&](const char* each) { return top == each; });
}

// Half a rule about who may file is another rule, so this message is taken as one.
bool IsOneValue(const FieldDescriptor& field) { return field.name() == "filing_access"; }

void AddSetPaths(const Message& message, const std::string& parent, FieldMask& mask) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = absl::StrCat(parent, field->name());
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
        IsOneValue(*field)) {
      mask.add_paths(path);
    } else {
      AddSetPaths(message.GetReflection()->GetMessage(message, field), absl::StrCat(path, "."),
                  mask);
    }
  }
}

void Merge(const v1::Flow& changes, const FieldMask& mask, v1::Flow& to) {
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(changes, mask, options, &to);
}

absl::Status MaskInvalid(const std::string& path) {
  const std::string allowed = absl::StrJoin(kMutable, ", ");
  ErrorDetail detail;
  detail.metadata["path"] = path;
  detail.fields = {
      {"update_mask",
       absl::StrCat("\"", path, "\" is unknown or cannot be changed; may change: ", allowed),
       absl::StrCat("«", path, "» неизвестно или не меняется; можно менять: ", allowed)}};
  detail.ru = absl::StrCat("update_mask: «", path, "» неизвестно или не меняется");
  return MakeError(absl::StatusCode::kInvalidArgument, "FIELD_MASK_INVALID",
                   absl::StrCat("update_mask: \"", path, "\" is unknown or cannot be changed"),
                   std::move(detail));
}

}  // namespace

v1::Flow WithSetFields(v1::Flow base, const v1::Flow& changes) {
  FieldMask mask;
  AddSetPaths(changes, "", mask);
  FieldMask kept;
  for (const std::string& path : mask.paths()) {
    if (IsMutable(path)) kept.add_paths(path);
  }
  Merge(changes, kept, base);
  return base;
}

absl::StatusOr<v1::Flow> WithMaskedFields(v1::Flow base, const v1::Flow& changes,
                                          const FieldMask& mask) {
  FieldMask paths;
  for (const std::string& path : mask.paths()) {
    if (path == "*") {
      for (const char* each : kMutable) paths.add_paths(each);
    } else if (IsMutable(path) && FieldMaskUtil::IsValidPath<v1::Flow>(path)) {
      paths.add_paths(path);
    } else {
      return MaskInvalid(path);
    }
  }
  Merge(changes, paths, base);
  return base;
}

}  // namespace potok::intake
