#include "platform/pg/session.h"

namespace potok::pg {

Session::Session(const std::string& connect_string, const PoolOptions& options)
    : connection_(connect_string), quiet_(connection_), options_(options) {
  // libpqxx 6.4.5 reconnects silently between transactions and loses session state on the way. The
  // call is deprecated because later versions dropped the reconnecting itself.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection_.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

void Session::Prepare(const Statement& statement) {
  // libpqxx sends the PREPARE with the first execution, so this costs nothing here.
  if (prepared_.insert(statement.name).second) {
    connection_.prepare(statement.name, statement.text);
  }
}

}  // namespace potok::pg
