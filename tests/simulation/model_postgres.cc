#include "simulation/model_postgres.h"

#include <algorithm>
#include <map>

namespace potok::simulation {
namespace {

// The WAL writer flushes at least this often: three of its delays of 200 ms.
constexpr Micros kNotOnDisk = 600 * kMillisecond;
// ConsumerOptions::careful, so small that a schedule comes to its end.
constexpr std::int64_t kCareful = 3;

}  // namespace

log::LogEntry ToLog(log::Stream stream, const Entry& entry) {
  return {.topic = stream.first,
          .part = stream.second,
          .pos = entry.pos,
          .entity = absl::StrCat(entry.entity),
          .version = entry.version,
          .type = "",
          .at = {}};
}

ModelPostgres::ModelPostgres(const Shape& shape, const log::LeaseTimes& times, Flaw flaw)
    : shape_(shape), ttl_(absl::ToInt64Microseconds(times.ttl)), flaw_(flaw) {
  state_.heads.resize(shape.streams());
  state_.offsets.resize(shape.groups);
  for (auto& group : state_.offsets) group.resize(shape.streams());
  state_.leases.resize(shape.families());
  for (auto& family : state_.leases) family.resize(shape.parts);
  state_.members.resize(shape.families());
  state_.versions.resize(shape.entities);
}

// lease_register.sql, lease_renew.sql, lease_look.sql: one transaction, committed asynchronously.
ModelPostgres::Renewal ModelPostgres::Renew(int family, const std::string& owner,
                                            const std::vector<log::Held>& leases, Micros now,
                                            Micros real) {
  std::vector<Member>& members = state_.members[family];
  auto self = std::find_if(members.begin(), members.end(),
                           [&](const Member& member) { return member.owner == owner; });
  if (self == members.end()) self = members.insert(members.end(), {owner, 0});
  self->expires = now + ttl_;
  Renewal renewal;
  for (const log::Held& held : leases) {
    Lease& lease = state_.leases[family][held.part];
    if (lease.token != held.token && flaw_ != Flaw::kRenewIgnoresToken) continue;
    not_on_disk_.push_back({family, held.part, lease.token, lease.expires, real});
    lease.expires = now + ttl_;
    renewal.renewed.push_back(held);
  }
  renewal.picture = LookAtLeases(family, now);
  return renewal;
}

// lease_look.sql
log::LeasePicture ModelPostgres::LookAtLeases(int family, Micros now) const {
  log::LeasePicture picture;
  std::vector<int> all_parts;
  for (int part = 0; part < shape_.parts; ++part) {
    all_parts.push_back(part);
    const Lease& lease = state_.leases[family][part];
    if (lease.epoch == 0) continue;
    picture.leases[part] = {lease.owner, lease.expires > now,
                            absl::Microseconds(lease.expires - now)};
  }
  for (const Member& member : state_.members[family]) {
    if (member.expires > now) {
      picture.members.push_back(
          {member.owner, all_parts, absl::Microseconds(member.expires - now)});
    }
  }
  return picture;
}

// lease_gain.sql and the stamp of the family (stamp_heads.sql, stamp_offsets.sql): one transaction.
std::vector<log::Held> ModelPostgres::Gain(int family, const std::string& owner,
                                           const std::vector<log::Held>& wanted, Micros now) {
  std::vector<log::Held> gained;
  for (const log::Held& want : wanted) {
    Lease& lease = state_.leases[family][want.part];
    if (lease.expires > now && flaw_ != Flaw::kGainIgnoresExpiry) continue;
    gained.push_back(want);
    gained.back().unclean = !lease.owner.empty() && lease.owner != owner;
    lease = {owner, lease.epoch + 1, want.token, now + ttl_};
  }
  std::vector<log::Held> stamped = gained;
  if (flaw_ == Flaw::kGainForgetsStamp) {
    std::erase_if(
        stamped, [&](const log::Held& held) { return state_.leases[family][held.part].epoch > 1; });
  }
  if (family > 0) {
    StampOffsets(family - 1, stamped);
  } else {
    for (const log::Held& held : stamped) {
      for (int topic = 1; topic <= shape_.topics; ++topic) {
        state_.heads[shape_.IndexOf({topic, held.part})].token = held.token;
      }
    }
  }
  not_on_disk_.clear();
  return gained;
}

// stamp_offsets.sql
void ModelPostgres::StampOffsets(int group, const std::vector<log::Held>& gained) {
  const auto died_there = [](const Offset& offset, const log::Held& held) {
    return held.unclean && offset.attempt_open && offset.attempted == offset.pos + 1;
  };
  bool known = false;
  for (const log::Held& held : gained) {
    for (int topic = 1; topic <= shape_.topics; ++topic) {
      known = known || died_there(state_.offsets[group][shape_.IndexOf({topic, held.part})], held);
    }
  }
  for (const log::Held& held : gained) {
    for (int topic = 1; topic <= shape_.topics; ++topic) {
      Offset& offset = state_.offsets[group][shape_.IndexOf({topic, held.part})];
      if (died_there(offset, held)) ++offset.deaths;
      if (held.unclean && !known) {
        offset.blind = true;
      } else if (offset.careful_until <= offset.pos) {
        offset.blind = false;
      }
      if (held.unclean)
        offset.careful_until = std::max(offset.careful_until, offset.pos + kCareful);
      offset.attempt_open = false;
      offset.token = held.token;
    }
  }
}

// lease_release.sql
void ModelPostgres::Release(int family, const std::vector<log::Held>& leases, Micros now) {
  for (const log::Held& held : leases) {
    Lease& lease = state_.leases[family][held.part];
    if (lease.token != held.token) continue;
    lease.expires = now;
    lease.owner.clear();
  }
  not_on_disk_.clear();
}

// lease_leave.sql
void ModelPostgres::Leave(int family, const std::string& owner) {
  std::erase_if(state_.members[family],
                [&](const Member& member) { return member.owner == owner; });
}

// heads.sql
std::vector<std::pair<log::Stream, log::StreamHead>> ModelPostgres::Heads(
    const std::vector<log::Held>& held) const {
  std::vector<std::pair<log::Stream, log::StreamHead>> heads;
  for (const log::Held& lease : held) {
    for (int topic = 1; topic <= shape_.topics; ++topic) {
      const int stream = shape_.IndexOf({topic, lease.part});
      const Head& head = state_.heads[stream];
      std::int64_t least = head.next_pos - 1;
      for (const auto& group : state_.offsets) least = std::min(least, group[stream].pos);
      heads.push_back({{topic, lease.part}, {head.next_pos - 1, least, head.incarnation}});
    }
  }
  return heads;
}

// raise_incarnation.sql
std::optional<int> ModelPostgres::RaiseIncarnation(log::Stream stream, const std::string& token) {
  Head& head = state_.heads[shape_.IndexOf(stream)];
  if (head.token != token && flaw_ != Flaw::kRaiseIgnoresToken) return std::nullopt;
  not_on_disk_.clear();
  return ++head.incarnation;
}

// log_range.sql
std::vector<Entry> ModelPostgres::LogRange(log::Stream stream, std::int64_t after,
                                           int limit) const {
  const std::vector<Entry>& log = state_.heads[shape_.IndexOf(stream)].log;
  auto at = std::upper_bound(log.begin(), log.end(), after,
                             [](std::int64_t pos, const Entry& e) { return pos < e.pos; });
  return {at, at + std::min<std::int64_t>(limit, log.end() - at)};
}

// sequence.sql: what `pick` sees.
ModelPostgres::SequencePick ModelPostgres::PickOutbox(const std::vector<log::Held>& held,
                                                      int limit) const {
  SequencePick pick{.held = held, .rows = {}};
  for (const log::Held& lease : held) {
    std::vector<OutboxRow> rows;
    for (const OutboxRow& row : state_.outbox) {
      if (row.stream.second == lease.part) rows.push_back(row);
    }
    std::sort(rows.begin(), rows.end(),
              [](const OutboxRow& a, const OutboxRow& b) { return a.id < b.id; });
    if (static_cast<int>(rows.size()) > limit) rows.resize(limit);
    pick.rows.insert(pick.rows.end(), rows.begin(), rows.end());
  }
  return pick;
}

// sequence.sql: `head` waits for whoever holds the row and then compares the token it has become;
// `gone` leaves out rows that another transaction has deleted meanwhile.
std::optional<std::vector<ModelPostgres::Moved>> ModelPostgres::CommitSequence(
    const SequencePick& pick) {
  std::map<log::Stream, std::vector<OutboxRow>> picked;
  for (const OutboxRow& row : pick.rows) picked[row.stream].push_back(row);
  const auto find = [&](std::int64_t id) {
    return std::find_if(state_.outbox.begin(), state_.outbox.end(),
                        [&](const OutboxRow& row) { return row.id == id; });
  };
  for (auto it = picked.begin(); it != picked.end();) {
    const auto lease = std::find_if(pick.held.begin(), pick.held.end(), [&](const log::Held& held) {
      return held.part == it->first.second;
    });
    const Head& head = state_.heads[shape_.IndexOf(it->first)];
    if (head.token != lease->token && flaw_ != Flaw::kSequenceIgnoresToken) {
      it = picked.erase(it);
      continue;
    }
    for (const OutboxRow& row : it->second) {
      const bool gone = find(row.id) == state_.outbox.end();
      if (gone && flaw_ != Flaw::kSequenceIgnoresVanishedRows) return std::nullopt;
    }
    ++it;
  }
  std::vector<Moved> moved;
  for (const auto& [stream, rows] : picked) {
    Head& head = state_.heads[shape_.IndexOf(stream)];
    std::int64_t pos = head.next_pos;
    head.next_pos += static_cast<std::int64_t>(rows.size());
    for (const OutboxRow& row : rows) {
      const auto there = find(row.id);
      if (there == state_.outbox.end()) continue;
      state_.outbox.erase(there);
      const Entry entry{pos++, row.entity, row.version};
      head.log.push_back(entry);
      moved.push_back({stream, entry, head.incarnation});
    }
  }
  if (!picked.empty()) not_on_disk_.clear();
  return moved;
}

// take.sql: what `page` sees. Taken in turns, so that no stream starves.
ModelPostgres::TakePick ModelPostgres::PickLog(int group, const std::vector<Want>& wants,
                                               int limit) const {
  TakePick pick{.group = group, .spans = {}};
  for (const Want& want : wants) {
    const Offset& offset = state_.offsets[group][shape_.IndexOf(want.stream)];
    if (offset.token != want.token && flaw_ != Flaw::kTakeIgnoresToken) continue;
    pick.spans.push_back(
        {want.stream, want.token, offset.pos, LogRange(want.stream, offset.pos, limit)});
  }
  for (size_t turn = 0; limit > 0; ++turn) {
    bool more = false;
    for (TakePick::Span& span : pick.spans) {
      if (span.entries.size() <= turn) continue;
      if (limit == 0) {
        span.entries.resize(turn);
      } else {
        --limit;
        more = true;
      }
    }
    if (limit == 0) {
      for (TakePick::Span& span : pick.spans) {
        if (span.entries.size() > turn + 1) span.entries.resize(turn + 1);
      }
    }
    if (!more) break;
  }
  std::erase_if(pick.spans, [](const TakePick::Span& span) { return span.entries.empty(); });
  return pick;
}

bool ModelPostgres::Guarded(const TakePick& pick, const TakePick::Span& span) const {
  const Offset& offset = state_.offsets[pick.group][shape_.IndexOf(span.stream)];
  if (offset.token != span.token && flaw_ != Flaw::kTakeIgnoresToken) return false;
  if (offset.pos != span.before && flaw_ != Flaw::kTakeIgnoresPosition) return false;
  return span.entries.back().pos - span.before == static_cast<std::int64_t>(span.entries.size());
}

// take.sql: `moved`, then the handler (or park.sql) for what it returned, in one transaction.
std::vector<ModelPostgres::TakePick::Span> ModelPostgres::CommitTake(const TakePick& pick,
                                                                     bool park) {
  std::vector<TakePick::Span> moved;
  for (const TakePick::Span& span : pick.spans) {
    if (!Guarded(pick, span)) continue;
    Offset& offset = state_.offsets[pick.group][shape_.IndexOf(span.stream)];
    offset.pos = span.entries.back().pos;
    offset.effects.insert(offset.effects.end(), span.entries.begin(), span.entries.end());
    if (park) {
      offset.parked.insert(offset.parked.end(), span.entries.begin(), span.entries.end());
    }
    moved.push_back(span);
  }
  if (!moved.empty()) not_on_disk_.clear();
  return moved;
}

// places.sql
std::vector<log::StreamPlace> ModelPostgres::Places(int group,
                                                    const std::vector<log::Held>& held) const {
  std::vector<log::StreamPlace> places;
  for (const log::Held& lease : held) {
    for (int topic = 1; topic <= shape_.topics; ++topic) {
      const int stream = shape_.IndexOf({topic, lease.part});
      const Head& head = state_.heads[stream];
      const Offset& offset = state_.offsets[group][stream];
      places.push_back({.stream = {topic, lease.part},
                        .offset = offset.pos,
                        .head = head.next_pos - 1,
                        .incarnation = head.incarnation,
                        .careful_until = offset.careful_until,
                        .attempted = offset.attempted,
                        .deaths = offset.deaths,
                        .blind = offset.blind});
    }
  }
  return places;
}

bool ModelPostgres::NoteAttempt(int group, const Want& want, std::int64_t pos) {
  const int stream = shape_.IndexOf(want.stream);
  Offset& offset = state_.offsets[group][stream];
  if (offset.pos != pos || offset.token != want.token) return false;
  if (state_.heads[stream].next_pos - 1 <= pos) return false;
  if (offset.attempted != pos + 1) offset.deaths = 0;
  offset.attempted = pos + 1;
  offset.attempt_open = true;
  return true;
}

void ModelPostgres::UnnoteAttempt(int group, const Want& want, std::int64_t pos) {
  Offset& offset = state_.offsets[group][shape_.IndexOf(want.stream)];
  if (offset.pos == pos && offset.token == want.token) offset.attempt_open = false;
}

// settle_blind.sql
void ModelPostgres::SettleBlind(int group, const std::vector<log::Held>& held) {
  for (const log::Held& lease : held) {
    for (int topic = 1; topic <= shape_.topics; ++topic) {
      Offset& offset = state_.offsets[group][shape_.IndexOf({topic, lease.part})];
      if (offset.token == lease.token) offset.blind = false;
    }
  }
}

// The ledger's insert into ledger.outbox, under the lock of the entity's row.
void ModelPostgres::Append(std::int64_t id, log::Stream stream, int entity, Micros real) {
  state_.outbox.push_back({id, stream, entity, ++state_.versions[entity], real});
  not_on_disk_.clear();
}

void ModelPostgres::Crash(Micros real) {
  for (auto lost = not_on_disk_.rbegin(); lost != not_on_disk_.rend(); ++lost) {
    if (lost->real < real - kNotOnDisk) break;
    Lease& lease = state_.leases[lost->family][lost->part];
    if (lease.token == lost->token) lease.expires = lost->expires_before;
  }
  not_on_disk_.clear();
}

}  // namespace potok::simulation
