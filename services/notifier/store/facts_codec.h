// The facts of a notice as the jsonb of their column, and back.
#pragma once

#include <string>

#include "nlohmann/json_fwd.hpp"

#include "notifier/domain/notice_facts.h"

namespace potok::notifier {

nlohmann::json ToJson(const NoticeFacts& facts);

// What cannot be read keeps its default: the text then says which variable is missing.
NoticeFacts FactsFromJson(const std::string& text);

}  // namespace potok::notifier
