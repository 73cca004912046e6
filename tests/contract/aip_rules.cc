#include "contract/aip_rules.h"

#include <re2/re2.h>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/api/annotations.pb.h"
#include "google/api/field_behavior.pb.h"
#include "google/api/resource.pb.h"

#include "desk/access/permissions.h"
#include "potok/api/v1/options.pb.h"

namespace potok::contract {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

std::string SnakeCase(absl::string_view camel) {
  std::string snake;
  for (const char c : camel) {
    if (absl::ascii_isupper(c) && !snake.empty()) snake += '_';
    snake += absl::ascii_tolower(c);
  }
  return snake;
}

bool Behaves(const FieldDescriptor& field, google::api::FieldBehavior wanted) {
  for (int i = 0; i < field.options().ExtensionSize(google::api::field_behavior); ++i) {
    if (field.options().GetExtension(google::api::field_behavior, i) == wanted) return true;
  }
  return false;
}

bool IsMessage(const FieldDescriptor& field, absl::string_view full_name) {
  return field.type() == FieldDescriptor::TYPE_MESSAGE &&
         field.message_type()->full_name() == full_name;
}

bool IsOurs(const Descriptor& message) { return absl::StartsWith(message.full_name(), "potok."); }

bool IsResource(const Descriptor& message) {
  return message.options().HasExtension(google::api::resource);
}

// Type without its domain: "Ticket" of "potok/Ticket".
std::string ReferencedType(const FieldDescriptor& field) {
  return std::string(absl::StripPrefix(
      field.options().GetExtension(google::api::resource_reference).type(), "potok/"));
}

class Walk {
 public:
  explicit Walk(const FileDescriptor& file) : file_(file) {}

  std::vector<Fault> Run() {
    for (int i = 0; i < file_.service_count(); ++i) {
      for (int j = 0; j < file_.service(i)->method_count(); ++j) {
        CheckMethod(*file_.service(i)->method(j));
      }
    }
    for (int i = 0; i < file_.message_type_count(); ++i) CheckMessage(*file_.message_type(i));
    for (int i = 0; i < file_.enum_type_count(); ++i) CheckEnum(*file_.enum_type(i));
    return std::move(faults_);
  }

 private:
  void Add(const std::string& element, absl::string_view rule, std::string what) {
    faults_.push_back({element, std::string(rule), std::move(what)});
  }

  void CheckMethod(const MethodDescriptor& method) {
    CheckAuthorisation(method);
    CheckHttp(method);
    CheckStandardShape(method);
    std::set<const Descriptor*> seen;
    CheckLimits(*method.input_type(), seen);
    const bool is_watch = absl::StartsWith(method.name(), "Watch");
    if (method.server_streaming() != is_watch) {
      Add(method.full_name(), "watch", "exactly the methods called Watch... stream");
    }
  }

  void CheckAuthorisation(const MethodDescriptor& method) {
    const auto& auth = method.options().GetExtension(potok::api::v1::auth);
    if (auth.permission().empty()) {
      Add(method.full_name(), "auth", "has no permission: a server with it refuses to start");
    } else if (!desk::IsKnownPermission(auth.permission())) {
      Add(method.full_name(), "auth", absl::StrCat("no role grants \"", auth.permission(), "\""));
    }
    const Descriptor& request = *method.input_type();
    const FieldDescriptor* id = request.FindFieldByName("request_id");
    if (auth.mutating() != (id != nullptr)) {
      Add(method.full_name(), "0155", "request_id belongs to the mutating methods and to no other");
    } else if (id != nullptr) {
      const auto& rules = id->options().GetExtension(potok::api::v1::rules);
      if (id->type() != FieldDescriptor::TYPE_STRING || !rules.required() || !rules.uuid()) {
        Add(id->full_name(), "0155", "must be a required UUID");
      }
    }
    // A verb on something that can change under the caller offers the check that it has not.
    const FieldDescriptor* name = request.FindFieldByName("name");
    if (auth.mutating() && name != nullptr && HasEtag(ReferencedType(*name)) &&
        request.FindFieldByName("etag") == nullptr) {
      Add(method.full_name(), "0154", "changes a resource with an etag but takes none");
    }
  }

  bool HasEtag(const std::string& type) {
    // Tickets are of another package than the verbs of the router.
    for (const absl::string_view package :
         {absl::string_view(file_.package()), absl::string_view("potok.intake.v1")}) {
      const Descriptor* message =
          file_.pool()->FindMessageTypeByName(absl::StrCat(package, ".", type));
      if (message != nullptr) return message->FindFieldByName("etag") != nullptr;
    }
    return false;
  }

  void CheckHttp(const MethodDescriptor& method) {
    if (!method.options().HasExtension(google::api::http)) {
      Add(method.full_name(), "0127", "has no google.api.http option");
      return;
    }
    const google::api::HttpRule& http = method.options().GetExtension(google::api::http);
    const bool mutating = method.options().GetExtension(potok::api::v1::auth).mutating();
    const bool reads = http.pattern_case() == google::api::HttpRule::kGet;
    if (reads == mutating) {
      Add(method.full_name(), "0127", "GET belongs to the methods that change nothing");
    }
    const std::string& path =
        http.pattern_case() == google::api::HttpRule::kPost ? http.post() : http.get();
    const bool standard = absl::StartsWith(method.name(), "Create");
    if (http.pattern_case() == google::api::HttpRule::kPost && !standard &&
        !absl::StrContains(path, ":")) {
      Add(method.full_name(), "0136", "a custom method ends its path with \":verb\"");
    }
  }

  void CheckStandardShape(const MethodDescriptor& method) {
    const absl::string_view name = method.name();
    if (absl::StartsWith(name, "Get")) CheckGet(method, std::string(name.substr(3)));
    if (absl::StartsWith(name, "List")) CheckList(method);
    if (absl::StartsWith(name, "Create")) CheckCreate(method, std::string(name.substr(6)));
    if (absl::StartsWith(name, "Update")) CheckUpdate(method, std::string(name.substr(6)));
    if (absl::StartsWith(name, "Delete")) CheckDelete(method, std::string(name.substr(6)));
  }

  void CheckName(const MethodDescriptor& method, absl::string_view rule,
                 const std::string& resource) {
    const FieldDescriptor* name = method.input_type()->FindFieldByName("name");
    if (name == nullptr || ReferencedType(*name) != resource ||
        !Behaves(*name, google::api::REQUIRED)) {
      Add(method.full_name(), rule,
          absl::StrCat("needs a required `name` that refers to potok/", resource));
    }
  }

  void CheckGet(const MethodDescriptor& method, const std::string& resource) {
    CheckName(method, "0131", resource);
    if (method.output_type()->name() != resource) {
      Add(method.full_name(), "0131", absl::StrCat("must answer ", resource));
    }
  }

  void CheckList(const MethodDescriptor& method) {
    const Descriptor& request = *method.input_type();
    const Descriptor& response = *method.output_type();
    const FieldDescriptor* size = request.FindFieldByName("page_size");
    const FieldDescriptor* token = request.FindFieldByName("page_token");
    const FieldDescriptor* next = response.FindFieldByName("next_page_token");
    if (size == nullptr || size->type() != FieldDescriptor::TYPE_INT32 || token == nullptr ||
        token->type() != FieldDescriptor::TYPE_STRING || next == nullptr ||
        next->type() != FieldDescriptor::TYPE_STRING) {
      Add(method.full_name(), "0158", "needs page_size, page_token and next_page_token");
    }
    const FieldDescriptor* items = response.FindFieldByNumber(1);
    if (items == nullptr || !items->is_repeated() ||
        items->type() != FieldDescriptor::TYPE_MESSAGE) {
      Add(method.full_name(), "0132", "field 1 of the answer must be the list");
    }
    const FieldDescriptor* parent = request.FindFieldByName("parent");
    if (parent != nullptr && ReferencedType(*parent).empty()) {
      Add(parent->full_name(), "0132", "does not say which resource it refers to");
    }
  }

  void CheckCreate(const MethodDescriptor& method, const std::string& resource) {
    const FieldDescriptor* field = method.input_type()->FindFieldByName(SnakeCase(resource));
    if (field == nullptr || field->message_type() == nullptr ||
        field->message_type()->name() != resource) {
      Add(method.full_name(), "0133", absl::StrCat("needs a field `", SnakeCase(resource), "`"));
    }
    if (method.output_type()->name() != resource) {
      Add(method.full_name(), "0133", absl::StrCat("must answer ", resource));
    }
    if (method.options().GetExtension(google::api::http).body() != SnakeCase(resource)) {
      Add(method.full_name(), "0133", "the HTTP body must be the resource");
    }
  }

  void CheckUpdate(const MethodDescriptor& method, const std::string& resource) {
    const Descriptor& request = *method.input_type();
    const FieldDescriptor* field = request.FindFieldByName(SnakeCase(resource));
    const FieldDescriptor* mask = request.FindFieldByName("update_mask");
    if (field == nullptr || field->message_type() == nullptr ||
        field->message_type()->name() != resource || mask == nullptr ||
        !IsMessage(*mask, "google.protobuf.FieldMask") ||
        method.output_type()->name() != resource) {
      Add(method.full_name(), "0134",
          "needs the resource and `update_mask`, and answers the resource");
    }
  }

  void CheckDelete(const MethodDescriptor& method, const std::string& resource) {
    CheckName(method, "0135", resource);
    if (method.output_type()->full_name() != "google.protobuf.Empty") {
      Add(method.full_name(), "0135", "must answer google.protobuf.Empty");
    }
  }

  // Whatever a caller may send has a limit and says whether it is needed.
  void CheckLimits(const Descriptor& message, std::set<const Descriptor*>& seen) {
    if (!IsOurs(message) || !seen.insert(&message).second) return;
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      if (field.options().ExtensionSize(google::api::field_behavior) == 0) {
        Add(field.full_name(), "0203", "a field of a request needs a field_behavior");
      }
      if (Behaves(field, google::api::OUTPUT_ONLY)) continue;
      const auto& rules = field.options().GetExtension(potok::api::v1::rules);
      if (Behaves(field, google::api::REQUIRED) != rules.required() &&
          !Behaves(field, google::api::IDENTIFIER)) {
        Add(field.full_name(), "limits", "REQUIRED and rules.required disagree");
      }
      // An identifier in a body is either checked by the request that carries it, or ignored.
      if (field.type() == FieldDescriptor::TYPE_STRING &&
          !Behaves(field, google::api::IDENTIFIER) && rules.max_len() == 0 &&
          rules.pattern().empty() && !rules.uuid()) {
        Add(field.full_name(), "limits", "a string that callers send needs a limit");
      }
      if (!rules.pattern().empty() && !re2::RE2(rules.pattern(), re2::RE2::Quiet).ok()) {
        Add(field.full_name(), "limits", "the pattern does not compile");
      }
      if (field.is_repeated() && rules.max_items() == 0) {
        Add(field.full_name(), "limits", "a list that callers send needs a limit");
      }
      if (field.message_type() != nullptr) CheckLimits(*field.message_type(), seen);
    }
  }

  void CheckMessage(const Descriptor& message) {
    if (message.options().map_entry()) return;
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      const bool is_timestamp = IsMessage(field, "google.protobuf.Timestamp");
      if (is_timestamp != absl::EndsWith(field.name(), "_time")) {
        Add(field.full_name(), "0142", "exactly the Timestamps are called ..._time");
      }
      if (i > 0 && field.number() <= message.field(i - 1)->number()) {
        Add(field.full_name(), "numbers", "wire numbers ascend in the order of the file");
      }
    }
    if (IsResource(message)) CheckResource(message);
    for (int i = 0; i < message.nested_type_count(); ++i) CheckMessage(*message.nested_type(i));
    for (int i = 0; i < message.enum_type_count(); ++i) CheckEnum(*message.enum_type(i));
  }

  void CheckResource(const Descriptor& message) {
    const google::api::ResourceDescriptor& resource =
        message.options().GetExtension(google::api::resource);
    const FieldDescriptor* name = message.FindFieldByName("name");
    if (resource.type() != absl::StrCat("potok/", message.name()) || resource.pattern_size() == 0 ||
        resource.singular().empty() || resource.plural().empty()) {
      Add(message.full_name(), "0123", "needs type, pattern, singular and plural");
    }
    if (name == nullptr || name->number() != 1 || !Behaves(*name, google::api::IDENTIFIER)) {
      Add(message.full_name(), "0122", "field 1 of a resource is `name`, its IDENTIFIER");
    }
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      if (field.options().ExtensionSize(google::api::field_behavior) == 0) {
        Add(field.full_name(), "0203", "a field of a resource needs a field_behavior");
      }
      const bool given_by_server = field.name() == "etag" || field.name() == "uid" ||
                                   field.name() == "create_time" || field.name() == "update_time";
      if (given_by_server && !Behaves(field, google::api::OUTPUT_ONLY)) {
        Add(field.full_name(), "0148", "is OUTPUT_ONLY by convention");
      }
      if (field.name() == "state" && field.enum_type() != nullptr &&
          field.enum_type()->containing_type() != &message) {
        Add(field.full_name(), "0216", "the enum State is nested in its resource");
      }
    }
  }

  void CheckEnum(const EnumDescriptor& type) {
    std::string prefix = absl::AsciiStrToUpper(SnakeCase(type.name()));
    if (type.value(0)->number() != 0 || type.value(0)->name() != prefix + "_UNSPECIFIED") {
      Add(type.full_name(), "0126", absl::StrCat("value 0 must be ", prefix, "_UNSPECIFIED"));
    }
    for (int i = 0; i < type.value_count(); ++i) {
      if (!absl::StartsWith(type.value(i)->name(), prefix + "_")) {
        Add(type.value(i)->full_name(), "0126", absl::StrCat("must begin with ", prefix));
      }
    }
  }

  const FileDescriptor& file_;
  std::vector<Fault> faults_;
};

}  // namespace

std::vector<Fault> FaultsOf(const FileDescriptor& file) { return Walk(file).Run(); }

}  // namespace potok::contract
