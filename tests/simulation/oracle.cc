#include "simulation/oracle.h"

#include <algorithm>
#include <numeric>

#include "simulation/world.h"

namespace potok::simulation {
namespace {

// A takeover takes what is left of a lease and a look; then everybody is served.
constexpr Micros kServedWithin = 7 * kSecond;
// An owner that ends gives its leases back, and all who would have them look twice a second.
constexpr Micros kInheritedWithin = kSecond;
// The turns of a relay, each of which may try Redis in vain.
constexpr Micros kSequencedWithin = 4 * kSecond;

std::string StreamName(log::Stream stream) {
  return absl::StrCat("stream ", stream.first, ":", stream.second);
}

}  // namespace

std::string Oracle::LeaseName(int family, int part) const {
  return absl::StrCat(family == 0 ? "relay" : absl::StrCat("consumer ", family), ":", part);
}

void Oracle::Gained(int family, const Process& process, const std::vector<log::Held>& gained) {
  const Micros now = world_.queue.now();
  const Micros ttl = absl::ToInt64Microseconds(world_.times.ttl);
  for (const log::Held& held : gained) {
    ++gains_;
    History& history = Of(family, held.part);
    // Changes hands at most once a ttl, unless its owner has ended and given it back.
    if (!history.stopped_since && time_broke_at_ < history.gained_at &&
        now - history.gained_at < ttl) {
      Violate("lease ", LeaseName(family, held.part), " was gained twice within ",
              (now - history.gained_at) / kMillisecond, " ms");
    }
    history.gained_at = now;
    history.stopped_since = false;
    history.given_back = false;
    history.stopped_at.reset();
    if (time_broke_at_ > now - 2 * ttl) continue;
    for (const auto& other : world_.processes) {
      if (other.get() == &process || !other->alive) continue;
      for (const auto& thread : other->threads) {
        for (const log::Held& still : thread->Holds(family)) {
          if (still.part == held.part) {
            Violate("lease ", LeaseName(family, held.part), " went to ", process.owner, " while ",
                    other->owner, " believes to hold it");
          }
        }
      }
    }
  }
}

// A gain whose answer was lost is asked for again; else nobody would work under the lease until it
// ends.
void Oracle::Renewed(int family, const Process& process, const std::vector<log::Held>& asked,
                     const log::LeasePicture& picture) {
  for (const auto& [part, seen] : picture.leases) {
    if (!seen.live || seen.owner != process.owner) continue;
    const History& history = Of(family, part);
    // A database that forgot what it had committed may show an owner of before; one whose clock
    // jumped may grant a late request for a lease that its sender has got by another meanwhile.
    const Micros ttl = absl::ToInt64Microseconds(world_.times.ttl);
    if (history.given_back || time_broke_at_ >= history.gained_at - ttl) continue;
    if (std::none_of(asked.begin(), asked.end(),
                     [part = part](const log::Held& held) { return held.part == part; })) {
      Violate("lease ", LeaseName(family, part), " is ", process.owner, "'s, who does not know it");
    }
  }
}

void Oracle::GivesBack(int family, const std::vector<log::Held>& leases) {
  for (const log::Held& held : leases) Of(family, held.part).given_back = true;
}

void Oracle::ReleasedByStop(int family, const std::vector<log::Held>& leases) {
  for (const log::Held& held : leases) {
    History& history = Of(family, held.part);
    history.stopped_since = true;
    if (world_.postgres.state().leases[family][held.part].token == held.token) {
      history.stopped_at = world_.queue.now();
    }
  }
}

void Oracle::DisturbedInOrder() { disturbed_at_ = std::max(disturbed_at_, world_.queue.now()); }

void Oracle::Sequenced(const Process& process, const std::vector<log::Held>& held,
                       const std::vector<ModelPostgres::Moved>& moved) {
  const ModelPostgres::State& state = world_.postgres.state();
  for (const ModelPostgres::Moved& next : moved) {
    const auto& [topic, part] = next.stream;
    const auto used = std::find_if(held.begin(), held.end(), [part = part](const log::Held& lease) {
      return lease.part == part;
    });
    if (state.leases[0][part].token != used->token) {
      Violate("positions of part ", part, " were given by ", process.owner,
              ", whose lease had gone to ", state.leases[0][part].owner);
    }
    const ModelPostgres::Head& head = state.heads[world_.shape.IndexOf(next.stream)];
    if (head.next_pos - 1 != static_cast<std::int64_t>(head.log.size())) {
      Violate(StreamName(next.stream), ": the head is at ", head.next_pos - 1, ", the log holds ",
              head.log.size());
    }
    const auto at = static_cast<size_t>(next.entry.pos - 1);
    if (at >= head.log.size() || head.log[at] != next.entry) {
      Violate(StreamName(next.stream), ": position ", next.entry.pos, " is not dense");
      return;
    }
    for (size_t before = at; before-- > 0;) {
      if (head.log[before].entity != next.entry.entity) continue;
      if (head.log[before].version >= next.entry.version) {
        Violate(StreamName(next.stream), ": event ", next.entry.entity, "/", next.entry.version,
                " comes after version ", head.log[before].version);
      }
      break;
    }
  }
  size_t events = state.outbox.size();
  for (const ModelPostgres::Head& head : state.heads) events += head.log.size();
  const int committed = std::accumulate(state.versions.begin(), state.versions.end(), 0);
  if (events != static_cast<size_t>(committed)) {
    Violate(committed, " events were committed, outbox and log hold ", events);
  }
}

void Oracle::Took(const Process& process, int group,
                  const std::vector<ModelPostgres::TakePick::Span>& spans) {
  const ModelPostgres::State& state = world_.postgres.state();
  for (const ModelPostgres::TakePick::Span& span : spans) {
    const int part = span.stream.second;
    const int stream = world_.shape.IndexOf(span.stream);
    if (state.leases[1 + group][part].token != span.token) {
      Violate("group ", group, " was moved in part ", part, " by ", process.owner,
              ", whose lease had gone to ", state.leases[1 + group][part].owner);
    }
    const ModelPostgres::Offset& offset = state.offsets[group][stream];
    if (offset.effects.size() != static_cast<size_t>(offset.pos)) {
      Violate("group ", group, ", ", StreamName(span.stream), ": the offset is ", offset.pos,
              ", the effects are ", offset.effects.size());
      return;
    }
    for (const Entry& entry : span.entries) {
      const auto at = static_cast<size_t>(entry.pos - 1);
      if (at >= offset.effects.size() || offset.effects[at] != entry ||
          state.heads[stream].log[at] != entry) {
        Violate("group ", group, ", ", StreamName(span.stream), ": the effect of position ",
                entry.pos, " is out of order");
        return;
      }
    }
  }
}

void Oracle::Parked(int group, log::Stream stream, const Entry& entry, bool for_its_failures,
                    bool poisoned) {
  ++parked_;
  // Deaths may put an innocent entry aside: somebody killed its process again and again. Failures
  // may not.
  if (for_its_failures && !poisoned) {
    Violate("group ", group, ", ", StreamName(stream), ": position ", entry.pos,
            " was put aside, and its handler had recovered");
  }
}

void Oracle::Raised(const Process& process, log::Stream stream, const std::string& token) {
  const ModelPostgres::Lease& lease = world_.postgres.state().leases[0][stream.second];
  if (lease.token != token) {
    Violate(StreamName(stream), ": ", process.owner,
            " raised the incarnation after its lease had gone to ", lease.owner);
  }
}

void Oracle::Trimmed(log::Stream stream, std::int64_t keep) {
  const int index = world_.shape.IndexOf(stream);
  const ModelPostgres::State& state = world_.postgres.state();
  // A failover takes offsets back below what was rightly trimmed.
  if (time_broke_at_ > world_.queue.now() - 10 * kSecond) return;
  for (size_t group = 0; group < state.offsets.size(); ++group) {
    if (state.offsets[group][index].pos < keep - 1) {
      Violate(StreamName(stream), " was trimmed to ", keep, " while group ", group, " is at ",
              state.offsets[group][index].pos);
    }
  }
}

void Oracle::Added(const std::string& owner, log::Stream stream, std::int64_t last,
                   std::int64_t pos) {
  const ModelPostgres::State& state = world_.postgres.state();
  if (state.leases[0][stream.second].owner != owner) return;
  if (time_broke_at_ > world_.queue.now() - 10 * kSecond) return;
  const int index = world_.shape.IndexOf(stream);
  std::int64_t needed_from = state.heads[index].next_pos;
  for (const auto& group : state.offsets) needed_from = std::min(needed_from, group[index].pos + 1);
  if (pos > std::max(last + 1, needed_from)) {
    Violate(StreamName(stream), ": ", owner, " added ", pos, " after ", last,
            ", and a group still needs what lies between");
  }
}

void Oracle::CheckService() {
  const Micros now = world_.queue.now();
  if (world_.slowness > 1) Disturbed(now);  // round trips of a second have no such bounds
  const bool quiet = world_.postgres_up && now - disturbed_at_ > kServedWithin;
  for (int family = 0; family < world_.shape.families(); ++family) {
    for (int part = 0; part < world_.shape.parts; ++part) CheckLease(family, part, quiet);
  }
  CheckOutbox(quiet);
}

void Oracle::CheckLease(int family, int part, bool quiet) {
  const Micros now = world_.queue.now();
  int owners = 0;
  bool somebody = false;
  for (const auto& process : world_.processes) {
    if (!process->running() || process->ending || !process->to_postgres.whole()) continue;
    somebody = true;
    for (const auto& thread : process->threads) {
      for (const log::Held& held : thread->Holds(family)) owners += held.part == part ? 1 : 0;
    }
  }
  History& history = Of(family, part);
  if (owners > 0 || !somebody) history.served_at = now;
  if (owners == 0) history.unserved_at = now;
  if (!somebody) history.stopped_at.reset();
  if (history.stopped_at && world_.postgres_up && now - broke_at_ > kServedWithin &&
      now - *history.stopped_at > kInheritedWithin) {
    Violate("lease ", LeaseName(family, part), " was given back by an owner that ended ",
            (now - *history.stopped_at) / kMillisecond, " ms ago, and nobody has taken it");
  }
  // A second: the short while between two owners.
  if (quiet && now - history.served_at > kSecond) {
    Violate("lease ", LeaseName(family, part), " has no owner ", kServedWithin / kSecond,
            " s after the last disturbance");
  }
}

// Redis may be what it will.
void Oracle::CheckOutbox(bool quiet) {
  if (!quiet) return;
  for (const ModelPostgres::OutboxRow& row : world_.postgres.state().outbox) {
    const Micros since =
        std::max({row.since, Of(0, row.stream.second).unserved_at, disturbed_at_ + kServedWithin});
    if (world_.queue.now() - since > kSequencedWithin) {
      Violate("event ", row.entity, "/", row.version, " waits in the outbox while all is well but ",
              "Redis");
    }
  }
}

void Oracle::CheckWhole() {
  const ModelPostgres::State& state = world_.postgres.state();
  for (int stream = 0; stream < world_.shape.streams(); ++stream) {
    const ModelPostgres::Head& head = state.heads[stream];
    for (int group = 0; group < world_.shape.groups; ++group) {
      const ModelPostgres::Offset& offset = state.offsets[group][stream];
      if (offset.pos != head.next_pos - 1) {
        Violate("group ", group, " stands at ", offset.pos, " of ", head.next_pos - 1, " in ",
                StreamName(world_.shape.StreamAt(stream)), " long after the last fault");
      } else if (offset.effects != head.log) {
        Violate("group ", group, ": effects and log of ", StreamName(world_.shape.StreamAt(stream)),
                " differ");
      }
    }
  }
  if (!state.outbox.empty()) Violate(state.outbox.size(), " events are still in the outbox");
}

void Oracle::CheckAtRest() {
  CheckWhole();
  const ModelPostgres::State& state = world_.postgres.state();
  const ModelRedis& redis = world_.redis[world_.primary];
  for (int stream = 0; stream < world_.shape.streams(); ++stream) {
    const ModelPostgres::Head& head = state.heads[stream];
    const log::Stream name = world_.shape.StreamAt(stream);
    const auto found = redis.data.find(ModelRedis::KeyOf(name, head.incarnation));
    const bool there = found != redis.data.end();
    // Everything is consumed, so a stream that lost entries need not have them back; but it must
    // not hold what does not exist.
    if (there && (!found->second.is_stream || found->second.last >= head.next_pos)) {
      Violate(StreamName(name), " ends at ", found->second.last, " in Redis and at ",
              head.next_pos - 1, " in the database");
    }
    for (const auto& [key, data] : redis.data) {
      if (std::get<1>(key) == name.first && std::get<2>(key) == name.second &&
          std::get<0>(key) < head.incarnation) {
        Violate(StreamName(name), ": the key of incarnation ", std::get<0>(key),
                " is still there beside that of ", head.incarnation);
      }
    }
  }
  CheckService();
}

}  // namespace potok::simulation
