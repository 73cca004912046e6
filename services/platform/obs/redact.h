// What must never be read in a log. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace potok::obs {

// True for names under which secrets travel: password, token, authorization, dsn and their kin.
bool IsSecretName(absl::string_view key);

// `text` with the credentials inside masked: "Bearer x", "password=x", "scheme://user:x@host".
std::string RedactText(absl::string_view text);

}  // namespace potok::obs
