// The folder in which a company keeps texts of its own in place of the built-in ones.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace potok::notifier {

// FOLDER/{ru,en}/RULE.mustache as "ru/RULE" -> text. NOT_FOUND when there is no such folder;
// INVALID_ARGUMENT for a file that is too long for a text. "" is an empty folder.
absl::StatusOr<std::map<std::string, std::string>> ReadTextFolder(const std::string& folder);

}  // namespace potok::notifier
