#pragma once

namespace potok::pg {

// A named SQL text. Statements live one per .sql file and are embedded by potok_sql(); the name is
// the key of the prepared statement on each connection and the label of its latency metric, so it
// is unique over the whole suite. Both pointers must outlive the process (string literals).
struct Statement {
  const char* name;
  const char* text;
};

}  // namespace potok::pg
