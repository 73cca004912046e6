#include "notifier/store/inbox_store.h"

#include "notifier/sql.h"

namespace potok::notifier {
namespace {

InboxItem ReadItem(const pqxx::row& row) {
  InboxItem item;
  item.recipient = row["recipient"].as<std::string>();
  item.sequence = row["seq"].as<int64_t>();
  item.delivery_id = row["delivery_id"].as<std::string>();
  item.ticket_id = row["ticket_id"].as<std::string>();
  item.number = row["number"].as<std::string>();
  item.version = row["version"].as<int64_t>();
  item.kind = ParseKind(row["kind"].as<std::string>()).value_or(Kind::kConfirmation);
  item.title = row["title"].as<std::string>();
  item.text = row["text"].as<std::string>();
  item.at = pg::FromTimestamp(row["at"]);
  item.read_at = pg::FromNullableTimestamp(row["read_at"]);
  return item;
}

int64_t Unread(pg::Tx& tx, const std::string& employee) {
  return tx.Run(sql::kInboxUnread, employee)[0][0].as<int64_t>();
}

}  // namespace

absl::StatusOr<InboxPage> InboxStore::List(const std::string& employee, int64_t before,
                                           bool unread_only, int page_size,
                                           Deadline deadline) const {
  return pg::InTransaction(pool_, {.read_only = true, .snapshot = true, .deadline = deadline},
                           [&](pg::Tx& tx) -> absl::StatusOr<InboxPage> {
                             InboxPage page;
                             // One more than asked for tells whether there is a next page.
                             for (const auto& row : tx.Run(sql::kListInbox, employee, before,
                                                           unread_only, page_size + 1)) {
                               if (static_cast<int>(page.items.size()) == page_size) {
                                 page.more = true;
                                 break;
                               }
                               page.items.push_back(ReadItem(row));
                             }
                             page.unread = Unread(tx, employee);
                             return page;
                           });
}

absl::StatusOr<std::vector<InboxItem>> InboxStore::After(const std::string& employee, int64_t after,
                                                         int limit, Deadline deadline) const {
  return pg::InAutocommit(
      pool_, {.read_only = true, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<std::vector<InboxItem>> {
        std::vector<InboxItem> items;
        for (const auto& row : tx.Run(sql::kInboxAfter, employee, after, limit)) {
          items.push_back(ReadItem(row));
        }
        return items;
      });
}

absl::StatusOr<int64_t> InboxStore::LastSequence(const std::string& employee,
                                                 Deadline deadline) const {
  return pg::InAutocommit(pool_, {.read_only = true, .deadline = deadline},
                          [&](pg::Tx& tx) -> absl::StatusOr<int64_t> {
                            return tx.Run(sql::kInboxHead, employee)[0][0].as<int64_t>();
                          });
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> InboxStore::Moved(
    const std::vector<std::pair<std::string, int64_t>>& known) const {
  using Answer = std::vector<std::pair<std::string, int64_t>>;
  std::vector<std::string> employees;
  std::vector<int64_t> told;
  for (const auto& [employee, sequence] : known) {
    employees.push_back(employee);
    told.push_back(sequence);
  }
  return pg::InAutocommit(pool_, {.read_only = true}, [&](pg::Tx& tx) -> absl::StatusOr<Answer> {
    Answer moved;
    for (const auto& row : tx.Run(sql::kInboxMoved, pg::TextArray(employees), pg::IntArray(told))) {
      moved.emplace_back(row[0].as<std::string>(), row[1].as<int64_t>());
    }
    return moved;
  });
}

int64_t MarkInboxRead(pg::Tx& tx, const std::string& employee, int64_t sequence) {
  tx.Run(sql::kMarkRead, employee, sequence);
  return Unread(tx, employee);
}

}  // namespace potok::notifier
