#include "platform/log/consumer_rows.h"

#include <algorithm>

#include "platform/log/sql.h"

namespace potok::log {
namespace {

std::vector<int> PartsOf(const std::vector<Held>& held) {
  std::vector<int> parts;
  for (const Held& each : held) parts.push_back(each.part);
  return parts;
}

std::vector<std::string> TokensOf(const std::vector<Held>& held) {
  std::vector<std::string> tokens;
  for (const Held& each : held) tokens.push_back(each.token);
  return tokens;
}

const std::string& TokenOf(Stream stream, const std::vector<Held>& held) {
  return std::find_if(held.begin(), held.end(),
                      [&](const Held& each) { return each.part == stream.second; })
      ->token;
}

}  // namespace

std::vector<DiedAt> StampOffsets(pg::Tx& tx, const std::string& group,
                                 const std::vector<int>& topics, const std::vector<Held>& gained,
                                 int careful) {
  std::vector<bool> unclean;
  for (const Held& each : gained) unclean.push_back(each.unclean);
  std::vector<DiedAt> died;
  for (const auto& row :
       tx.Run(sql::kStampOffsets, group, pg::IntArray(topics), pg::IntArray(PartsOf(gained)),
              pg::TextArray(TokensOf(gained)), pg::BoolArray(unclean), careful)) {
    if (!row["died_there"].as<bool>()) continue;
    died.push_back({{row["topic"].as<int>(), row["part"].as<int>()},
                    row["attempted"].as<std::int64_t>(),
                    row["deaths"].as<int>()});
  }
  return died;
}

std::vector<StreamPlace> ReadPlaces(pg::Tx& tx, const std::string& group,
                                    const std::vector<int>& topics, const std::vector<Held>& held) {
  std::vector<StreamPlace> places;
  for (const auto& row :
       tx.Run(sql::kPlaces, group, pg::IntArray(topics), pg::IntArray(PartsOf(held)))) {
    places.push_back({.stream = {row["topic"].as<int>(), row["part"].as<int>()},
                      .offset = row["pos"].as<std::int64_t>(),
                      .head = row["head"].as<std::int64_t>(),
                      .incarnation = row["incarnation"].as<int>(),
                      .careful_until = row["careful_until"].as<std::int64_t>(),
                      .attempted = row["attempted"].as<std::int64_t>(),
                      .deaths = row["deaths"].as<int>(),
                      .blind = row["blind"].as<bool>()});
  }
  return places;
}

std::vector<LogEntry> TakeEntries(pg::Tx& tx, const std::string& group,
                                  const std::vector<Stream>& streams, const std::vector<Held>& held,
                                  int limit) {
  std::vector<int> topics, parts;
  std::vector<std::string> tokens;
  for (const Stream& stream : streams) {
    topics.push_back(stream.first);
    parts.push_back(stream.second);
    tokens.push_back(TokenOf(stream, held));
  }
  const pqxx::result rows = tx.Run(sql::kTake, group, pg::IntArray(topics), pg::IntArray(parts),
                                   pg::TextArray(tokens), limit);
  std::vector<LogEntry> entries;
  entries.reserve(rows.size());
  for (const auto& row : rows) {
    entries.push_back({.topic = row[0].as<int>(),
                       .part = row[1].as<int>(),
                       .pos = row[2].as<std::int64_t>(),
                       .entity = row[3].as<std::string>(),
                       .version = row[4].as<std::int64_t>(),
                       .type = row[5].as<std::string>(),
                       .at = pg::FromTimestamp(row[6])});
  }
  return entries;
}

bool NoteAttempt(pg::Tx& tx, const std::string& group, const ConsumerAction& action,
                 const std::vector<Held>& held) {
  const Stream& stream = action.streams[0];
  return !tx.Run(sql::kNoteAttempt, group, stream.first, stream.second, action.offset,
                 TokenOf(stream, held))
              .empty();
}

void UnnoteAttempt(pg::Tx& tx, const std::string& group, const ConsumerAction& action,
                   const std::vector<Held>& held) {
  const Stream& stream = action.streams[0];
  tx.Run(sql::kUnnoteAttempt, group, stream.first, stream.second, action.offset,
         TokenOf(stream, held));
}

std::optional<LogEntry> ParkEntry(pg::Tx& tx, const std::string& group,
                                  const ConsumerAction& action, const std::vector<Held>& held) {
  // An earlier try of which we heard nothing may have been committed since we last looked: what
  // comes next then is another entry, which nobody has anything against.
  const Stream& stream = action.streams[0];
  if (tx.Run(sql::kStillAt, group, stream.first, stream.second, action.offset,
             TokenOf(stream, held))
          .empty()) {
    return std::nullopt;
  }
  const std::vector<LogEntry> entries = TakeEntries(tx, group, action.streams, held, 1);
  if (entries.empty()) return std::nullopt;
  const LogEntry& entry = entries[0];
  tx.Run(sql::kPark, group, entry.topic, entry.part, entry.pos, entry.entity, entry.version,
         entry.type, action.attempts, action.reason);
  if (action.settles_blind) {
    tx.Run(sql::kSettleBlind, group, pg::IntArray(PartsOf(held)), pg::TextArray(TokensOf(held)));
  }
  return entry;
}

}  // namespace potok::log
