#include "ledger/reference_idem.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <memory>
#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "ledger/sql.h"

namespace potok::ledger {
namespace {

const google::protobuf::FieldDescriptor* RequestIdField(const google::protobuf::Message& request) {
  return request.GetDescriptor()->FindFieldByName("request_id");
}

}  // namespace

std::string RequestHash(const google::protobuf::Message& request) {
  std::unique_ptr<google::protobuf::Message> content(request.New());
  content->CopyFrom(request);
  // A field of a newer client must not make a retry through an older server look like another call.
  content->DiscardUnknownFields();
  if (const auto* field = RequestIdField(request)) {
    content->GetReflection()->ClearField(content.get(), field);
  }
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream out(&sink);
    out.SetSerializationDeterministic(true);  // Otherwise the entries of a map come in any order.
    content->SerializeToCodedStream(&out);
  }
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

ReferenceCall ReferenceCallOf(const CallContext& call, const google::protobuf::Message& request) {
  ReferenceCall key;
  key.caller = call.caller.principal;
  key.method = call.method;
  if (const auto* field = RequestIdField(request)) {
    key.request_id = request.GetReflection()->GetString(request, field);
  }
  key.body_hash = RequestHash(request);
  return key;
}

absl::StatusOr<std::optional<std::string>> FindAnswer(pg::Tx& tx, const ReferenceCall& key) {
  if (key.request_id.empty()) return std::nullopt;
  // Two statements on purpose: the second one's view of the data begins after the wait of the
  // first.
  tx.Run(sql::kReferenceIdemLock, key.caller, key.method, key.request_id);
  const pqxx::result rows = tx.Run(sql::kReferenceIdemFind, key.caller, key.method, key.request_id);
  if (rows.empty()) return std::nullopt;
  if (rows[0]["body_hash"].as<std::string>() != key.body_hash) {
    ErrorDetail detail;
    detail.metadata["request_id"] = key.request_id;
    detail.ru =
        absl::StrCat("request_id ", key.request_id,
                     " уже использован с другим содержанием; для нового запроса возьмите новый");
    return MakeError(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                     absl::StrCat("request_id ", key.request_id,
                                  " was used with other content; take a new one for a new request"),
                     std::move(detail));
  }
  return pg::FromBytes(rows[0]["answer"]);
}

void StoreAnswer(pg::Tx& tx, const ReferenceCall& key, const std::string& answer) {
  if (key.request_id.empty()) return;
  tx.Run(sql::kReferenceIdemStore, key.caller, key.method, key.request_id, key.body_hash,
         pg::Bytes{answer});
}

}  // namespace potok::ledger
