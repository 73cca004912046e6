#include "fuzz/target.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/utf8.h"

namespace potok::fuzz {
namespace {

std::string& InputName() {
  static auto& name = *new std::string;
  return name;
}

void CheckText(absl::string_view text, const absl::Status& status) {
  FUZZ_CHECK(CountUtf8(text).has_value(), absl::StrCat("a text of ", status.ToString()));
}

}  // namespace

void NameInput(std::string name) { InputName() = std::move(name); }

void Broken(const char* file, int line, absl::string_view what, absl::string_view detail) {
  std::fprintf(stderr, "%s:%d: broken: %.*s\n  %s\n  input: %s\n", file, line,
               static_cast<int>(what.size()), what.data(), absl::CEscape(detail).c_str(),
               InputName().empty() ? "the one libFuzzer reports" : InputName().c_str());
  std::abort();
}

void CheckRefusal(const absl::Status& status, absl::StatusCode code) {
  FUZZ_CHECK(status.code() == code, status.ToString());
  CheckText(status.message(), status);
  const ErrorDetail detail = GetErrorDetail(status);
  FUZZ_CHECK(!detail.reason.empty(), status.ToString());
  CheckText(detail.ru, status);
  for (const auto& [key, value] : detail.metadata) {
    CheckText(key, status);
    CheckText(value, status);
  }
  for (const FieldViolation& field : detail.fields) {
    CheckText(field.field, status);
    CheckText(field.en, status);
    CheckText(field.ru, status);
    FUZZ_CHECK(!field.en.empty() && !field.ru.empty(), field.field);
  }
}

}  // namespace potok::fuzz
