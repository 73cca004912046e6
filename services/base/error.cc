#include "base/error.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace potok {
namespace {

constexpr char kPayloadUrl[] = "potok/error-detail";

// Length-prefixed strings: values may hold any byte, so no separator is safe.
class Writer {
 public:
  void Put(absl::string_view value) { absl::StrAppend(&out_, value.size(), ":", value); }
  void Put(size_t count) { Put(absl::StrCat(count)); }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(absl::string_view in) : in_(in) {}
  std::string Text() {
    size_t length = 0;
    const size_t colon = in_.find(':');
    if (colon == absl::string_view::npos || !absl::SimpleAtoi(in_.substr(0, colon), &length) ||
        in_.size() - colon - 1 < length) {
      in_ = {};
      return "";
    }
    std::string value(in_.substr(colon + 1, length));
    in_.remove_prefix(colon + 1 + length);
    return value;
  }
  size_t Count() {
    size_t count = 0;
    return absl::SimpleAtoi(Text(), &count) ? count : 0;
  }

 private:
  absl::string_view in_;
};

}  // namespace

absl::Status MakeError(absl::StatusCode code, std::string reason, std::string message_en,
                       ErrorDetail extra) {
  extra.reason = std::move(reason);
  Writer out;
  out.Put(extra.reason);
  out.Put(extra.metadata.size());
  for (const auto& [key, value] : extra.metadata) {
    out.Put(key);
    out.Put(value);
  }
  out.Put(extra.fields.size());
  for (const FieldViolation& field : extra.fields) {
    out.Put(field.field);
    out.Put(field.en);
    out.Put(field.ru);
  }
  out.Put(extra.preconditions.size());
  for (const PreconditionViolation& violation : extra.preconditions) {
    out.Put(violation.type);
    out.Put(violation.subject);
    out.Put(violation.description);
  }
  out.Put(extra.retry_after ? absl::StrCat(absl::ToInt64Microseconds(*extra.retry_after)) : "");
  out.Put(extra.ru);
  absl::Status status(code, message_en);
  status.SetPayload(kPayloadUrl, absl::Cord(out.Take()));
  return status;
}

ErrorDetail GetErrorDetail(const absl::Status& status) {
  ErrorDetail detail;
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload) return detail;
  const std::string bytes(*payload);
  Reader in(bytes);
  detail.reason = in.Text();
  for (size_t n = in.Count(); n > 0; --n) {
    std::string key = in.Text();
    detail.metadata[std::move(key)] = in.Text();
  }
  for (size_t n = in.Count(); n > 0; --n) {
    FieldViolation field;
    field.field = in.Text();
    field.en = in.Text();
    field.ru = in.Text();
    detail.fields.push_back(std::move(field));
  }
  for (size_t n = in.Count(); n > 0; --n) {
    PreconditionViolation violation;
    violation.type = in.Text();
    violation.subject = in.Text();
    violation.description = in.Text();
    detail.preconditions.push_back(std::move(violation));
  }
  if (int64_t micros = 0; absl::SimpleAtoi(in.Text(), &micros)) {
    detail.retry_after = absl::Microseconds(micros);
  }
  detail.ru = in.Text();
  return detail;
}

absl::Status BadField(std::string field, std::string en, std::string ru) {
  return BadFields({{std::move(field), std::move(en), std::move(ru)}});
}

absl::Status BadFields(std::vector<FieldViolation> fields) {
  if (fields.empty()) return absl::OkStatus();
  ErrorDetail detail;
  detail.metadata["field"] = fields.front().field;
  std::string message = absl::StrCat(fields.front().field, ": ", fields.front().en);
  detail.ru = absl::StrCat(fields.front().field, ": ", fields.front().ru);
  if (fields.size() > 1) {
    absl::StrAppend(&message, " (and ", fields.size() - 1, " more)");
    absl::StrAppend(&detail.ru, " (и ещё ", fields.size() - 1, ")");
  }
  detail.fields = std::move(fields);
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_FIELD", std::move(message),
                   std::move(detail));
}

}  // namespace potok
