// Every proto keeps the API rules, and every rule is seen to catch its fault.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/api/annotations.pb.h"
#include "google/api/resource.pb.h"

#include "contract/aip_rules.h"
#include "contract/proto_files.h"

namespace potok::contract {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using testing::IsEmpty;

constexpr Exception kExceptions[] = {
    {"potok.sla_timer.v1.SlaTimerService.GetTimerStats", "0131",
     "figures over all tickets: there is one of them, and a name for it would say nothing"},
    {"potok.notifier.v1.NotifierService.GetDeliveryStats", "0131",
     "figures over all deliveries: there is one of them, and a name for it would say nothing"},
    {"potok.admin.v1.AdminService.GetTransportStatus", "0131",
     "figures over the whole log: there is one of them, and a name for it would say nothing"},
};

std::vector<const FileDescriptor*> OurFiles() {
  std::vector<const FileDescriptor*> files;
  for (const char* name : kProtoFiles) {
    const FileDescriptor* file = DescriptorPool::generated_pool()->FindFileByName(name);
    EXPECT_NE(file, nullptr) << name << " is not compiled into potok_protos";
    if (file != nullptr) files.push_back(file);
  }
  return files;
}

TEST(Descriptors, KeepTheRules) {
  std::set<std::string> used;
  std::vector<std::string> faults;
  for (const FileDescriptor* file : OurFiles()) {
    for (const Fault& fault : FaultsOf(*file)) {
      bool excused = false;
      for (const Exception& exception : kExceptions) {
        if (fault.element == exception.element && fault.rule == exception.rule) {
          excused = true;
          used.insert(exception.element);
        }
      }
      if (!excused)
        faults.push_back(absl::StrCat(fault.element, ": ", fault.rule, ": ", fault.what));
    }
  }
  EXPECT_THAT(faults, IsEmpty());
  for (const Exception& exception : kExceptions) {
    EXPECT_EQ(used.count(exception.element), 1u)
        << exception.element << " needs no exception any more";
  }
}

TEST(Descriptors, ExceptionsStayFew) { EXPECT_LT(std::size(kExceptions), 5u); }

TEST(Descriptors, EveryReferenceHasItsResource) {
  std::set<std::string> resources;
  std::vector<std::pair<std::string, std::string>> references;
  std::vector<const google::protobuf::Descriptor*> todo;
  for (const FileDescriptor* file : OurFiles()) {
    for (int i = 0; i < file->message_type_count(); ++i) todo.push_back(file->message_type(i));
  }
  for (size_t at = 0; at < todo.size(); ++at) {
    const google::protobuf::Descriptor& message = *todo[at];
    for (int i = 0; i < message.nested_type_count(); ++i) todo.push_back(message.nested_type(i));
    if (message.options().HasExtension(google::api::resource)) {
      const std::string& type = message.options().GetExtension(google::api::resource).type();
      EXPECT_TRUE(resources.insert(type).second) << type << " is defined twice";
    }
    for (int i = 0; i < message.field_count(); ++i) {
      const auto& options = message.field(i)->options();
      if (!options.HasExtension(google::api::resource_reference)) continue;
      references.emplace_back(message.field(i)->full_name(),
                              options.GetExtension(google::api::resource_reference).type());
    }
  }
  for (const auto& [field, type] : references) {
    EXPECT_EQ(resources.count(type), 1u) << field << " refers to the unknown " << type;
  }
}

TEST(Descriptors, NoTwoMethodsShareAnHttpRoute) {
  std::set<std::string> routes;
  for (const FileDescriptor* file : OurFiles()) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const auto* method = file->service(i)->method(j);
        google::api::HttpRule http = method->options().GetExtension(google::api::http);
        http.clear_body();
        EXPECT_TRUE(routes.insert(http.ShortDebugString()).second) << method->full_name();
      }
    }
  }
}

// A small service without a fault, as a FileDescriptorProto; each case below plants one.
constexpr char kSound[] = R"text(
name: "planted.proto"
package: "potok.planted.v1"
syntax: "proto3"
dependency: "google/protobuf/timestamp.proto"
service {
  name: "ThingService"
  method {
    name: "GetThing" input_type: ".potok.planted.v1.GetThingRequest" output_type: ".potok.planted.v1.Thing"
    options {
      [google.api.http] { get: "/v1/{name=things/*}" }
      [potok.api.v1.auth] { permission: "tickets.read" }
    }
  }
  method {
    name: "PushThing" input_type: ".potok.planted.v1.PushThingRequest" output_type: ".potok.planted.v1.Thing"
    options {
      [google.api.http] { post: "/v1/{name=things/*}:push" body: "*" }
      [potok.api.v1.auth] { permission: "tickets.work" mutating: true }
    }
  }
  method {
    name: "ListThings" input_type: ".potok.planted.v1.ListThingsRequest" output_type: ".potok.planted.v1.ListThingsResponse"
    options {
      [google.api.http] { get: "/v1/things" }
      [potok.api.v1.auth] { permission: "flows.read" }
    }
  }
}
message_type {
  name: "Thing"
  options {
    [google.api.resource] { type: "potok/Thing" pattern: "things/{thing}" singular: "thing" plural: "things" }
  }
  field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL options { [google.api.field_behavior]: IDENTIFIER } }
  field { name: "create_time" number: 3 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL options { [google.api.field_behavior]: OUTPUT_ONLY } }
  field { name: "etag" number: 4 type: TYPE_STRING label: LABEL_OPTIONAL options { [google.api.field_behavior]: OUTPUT_ONLY } }
}
message_type {
  name: "GetThingRequest"
  field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL options { [google.api.field_behavior]: REQUIRED [google.api.resource_reference] { type: "potok/Thing" } [potok.api.v1.rules] { required: true max_len: 9 } } }
}
message_type {
  name: "PushThingRequest"
  field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL options { [google.api.field_behavior]: REQUIRED [google.api.resource_reference] { type: "potok/Thing" } [potok.api.v1.rules] { required: true max_len: 9 } } }
  field { name: "request_id" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL options { [google.api.field_behavior]: REQUIRED [potok.api.v1.rules] { required: true uuid: true } } }
  field { name: "etag" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL options { [google.api.field_behavior]: OPTIONAL [potok.api.v1.rules] { max_len: 64 } } }
}
message_type {
  name: "ListThingsRequest"
  field { name: "page_size" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL options { [google.api.field_behavior]: OPTIONAL } }
  field { name: "page_token" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL options { [google.api.field_behavior]: OPTIONAL [potok.api.v1.rules] { max_len: 99 } } }
}
message_type {
  name: "ListThingsResponse"
  field { name: "things" number: 1 type: TYPE_MESSAGE type_name: ".potok.planted.v1.Thing" label: LABEL_REPEATED }
  field { name: "next_page_token" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
}
enum_type {
  name: "Colour"
  value { name: "COLOUR_UNSPECIFIED" number: 0 }
  value { name: "COLOUR_RED" number: 1 }
}
)text";

struct Planted {
  const char* name;
  const char* from;
  const char* to;
  const char* rule;
};

class PlantedFault : public testing::TestWithParam<Planted> {};

// The rules broken by a proto given as text.
std::set<std::string> RulesBrokenBy(const std::string& text) {
  FileDescriptorProto proto;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto));
  DescriptorPool pool(DescriptorPool::generated_pool());
  const FileDescriptor* file = pool.BuildFile(proto);
  std::set<std::string> rules;
  if (file == nullptr) {
    ADD_FAILURE() << "the planted proto does not compile";
    return rules;
  }
  for (const Fault& fault : FaultsOf(*file)) rules.insert(fault.rule);
  return rules;
}

TEST(PlantedFaults, SoundProtoHasNone) { EXPECT_THAT(RulesBrokenBy(kSound), IsEmpty()); }

TEST_P(PlantedFault, IsSeen) {
  const std::string text = absl::StrReplaceAll(kSound, {{GetParam().from, GetParam().to}});
  ASSERT_NE(text, kSound) << "nothing was planted";
  EXPECT_THAT(RulesBrokenBy(text), testing::Contains(GetParam().rule));
}

INSTANTIATE_TEST_SUITE_P(
    Rules, PlantedFault,
    testing::Values(
        Planted{"NoPermission", R"([potok.api.v1.auth] { permission: "flows.read" })", "", "auth"},
        Planted{"UnknownPermission", "tickets.read", "tickets.reed", "auth"},
        Planted{"NoRequestId", R"("request_id")", R"("other_id")", "0155"},
        Planted{"RequestIdOfAnyForm", "uuid: true", "max_len: 9", "0155"},
        Planted{"NoEtag", R"("etag" number: 3)", R"("tag" number: 3)", "0154"},
        Planted{"ReadByPost", R"(get: "/v1/things")", R"(post: "/v1/things:list")", "0127"},
        Planted{"NoHttp", R"([google.api.http] { get: "/v1/things" })", "", "0127"},
        Planted{"PathWithoutVerb", ":push", "/push", "0136"},
        Planted{"GetOfSomethingElse", R"("GetThing")", R"("GetOther")", "0131"},
        Planted{"NoPages", R"("page_token")", R"("cursor")", "0158"},
        Planted{"AnswerIsNoList", "LABEL_REPEATED", "LABEL_OPTIONAL", "0132"},
        Planted{"TimeByOtherName", "create_time", "created_at", "0142"},
        Planted{"NumberOutOfOrder", R"("create_time" number: 3)", R"("create_time" number: 9)",
                "numbers"},
        Planted{"ZeroValue", "COLOUR_UNSPECIFIED", "COLOUR_NONE", "0126"},
        Planted{"ValueWithoutPrefix", "COLOUR_RED", "RED", "0126"},
        Planted{"ResourceWithoutPlural", R"(plural: "things")", "", "0123"},
        Planted{"NameIsNoIdentifier", "IDENTIFIER", "OUTPUT_ONLY", "0122"},
        Planted{"WritableEtag", "OUTPUT_ONLY", "OPTIONAL", "0148"},
        Planted{"NoBehaviour", "[google.api.field_behavior]: OPTIONAL", "", "0203"},
        Planted{"NoLimit", "[potok.api.v1.rules] { max_len: 99 }", "", "limits"},
        Planted{"PatternThatDoesNotCompile", "max_len: 99", R"(pattern: "[a-z")", "limits"},
        Planted{"StreamThatIsNoWatch", R"(name: "ListThings" )",
                R"(name: "ListThings" server_streaming: true )", "watch"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace potok::contract
