#pragma once

#include <vector>

#include "platform/pg/migrate.h"

namespace potok {

// All migrations this build knows, in the order of application. Generated at build time.
const std::vector<pg::Migration>& AllMigrations();

}  // namespace potok
