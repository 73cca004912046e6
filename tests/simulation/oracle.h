// What must never happen, looked at after each step that could make it happen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "platform/log/lease_core.h"
#include "simulation/event_queue.h"
#include "simulation/flaw.h"
#include "simulation/model_postgres.h"
#include "simulation/model_redis.h"

namespace potok::simulation {

class World;
struct Process;

class Oracle {
 public:
  explicit Oracle(World& world) : world_(world) {}

  bool violated() const { return violation_.has_value(); }
  const std::optional<std::string>& violation() const { return violation_; }
  template <class... A>
  void Violate(const A&... parts) {
    if (!violation_) violation_ = absl::StrCat(parts...);
  }

  // A fault began or ended, or is felt until `when`.
  void Disturbed(Micros when) {
    disturbed_at_ = std::max(disturbed_at_, when);
    broke_at_ = std::max(broke_at_, when);
  }
  Micros disturbed_at() const { return disturbed_at_; }
  // A process is asked to end, and does.
  void DisturbedInOrder();
  // The database's clock jumped, or it forgot what it had committed: ownership may overlap for a
  // while, and only the tokens stand between the owners.
  void TimeBroke(Micros now) { time_broke_at_ = now; }

  // Statements, after they were committed.
  void Gained(int family, const Process& process, const std::vector<log::Held>& gained);
  // An owner that renews `asked` is shown `picture`.
  void Renewed(int family, const Process& process, const std::vector<log::Held>& asked,
               const log::LeasePicture& picture);
  void GivesBack(int family, const std::vector<log::Held>& leases);
  void ReleasedByStop(int family, const std::vector<log::Held>& leases);
  void Sequenced(const Process& process, const std::vector<log::Held>& held,
                 const std::vector<ModelPostgres::Moved>& moved);
  void Took(const Process& process, int group,
            const std::vector<ModelPostgres::TakePick::Span>& spans);
  // `poisoned`: the handler would fail again.
  void Parked(int group, log::Stream stream, const Entry& entry, bool for_its_failures,
              bool poisoned);
  void Raised(const Process& process, log::Stream stream, const std::string& token);
  void Trimmed(log::Stream stream, std::int64_t keep);
  // An XADD by a relay that has compared the stream, whose last entry was `last`.
  void Added(const std::string& owner, log::Stream stream, std::int64_t last, std::int64_t pos);

  // Each now and then: is every lease served that could be?
  void CheckService();
  // In the quiet: everything was consumed, once and in order, and Redis agrees with the database.
  void CheckAtRest();
  // How many gains there were, for the end: in the quiet there must be none.
  std::int64_t gains() const { return gains_; }
  std::int64_t parked() const { return parked_; }

 private:
  struct History {
    Micros gained_at = INT64_MIN / 2;
    bool stopped_since = true;  // given back by a process that ended
    Micros served_at = 0, unserved_at = 0;
    std::optional<Micros> stopped_at;  // when it was, if nobody has gained it since
    bool given_back = false;           // its owner has asked to give it back
  };

  History& Of(int family, int part) { return histories_[{family, part}]; }
  std::string LeaseName(int family, int part) const;
  void CheckLease(int family, int part, bool quiet);
  void CheckOutbox(bool quiet);
  void CheckWhole();

  World& world_;
  std::optional<std::string> violation_;
  Micros disturbed_at_ = 0;
  Micros broke_at_ = 0;  // the same, but for ends in order
  Micros time_broke_at_ = INT64_MIN / 2;
  std::map<std::pair<int, int>, History> histories_;
  std::int64_t gains_ = 0;
  std::int64_t parked_ = 0;
};

}  // namespace potok::simulation
