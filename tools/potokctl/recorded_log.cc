#include "recorded_log.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "recorded_log_columns.h"
#include "recorded_log_csv.h"

namespace potok::ctl {
namespace {

using Kind = RecordedStep::Kind;

constexpr size_t kSampleRows = 200;

// Where a case is, whatever the log calls it.
enum class Phase { kNew, kActive, kWaiting, kResolved, kClosed, kCancelled };

std::optional<Phase> PhaseOf(absl::string_view state) {
  const std::string word = absl::AsciiStrToLower(absl::StripAsciiWhitespace(state));
  const auto any = [&](std::initializer_list<absl::string_view> starts) {
    return std::any_of(starts.begin(), starts.end(),
                       [&](absl::string_view s) { return absl::StartsWith(word, s); });
  };
  if (any({"awaiting", "waiting", "pending", "on hold", "onhold", "suspended", "ожид"}))
    return Phase::kWaiting;
  if (any({"active", "in progress", "in_progress", "in-progress", "work", "started", "reopen",
           "в работе"})) {
    return Phase::kActive;
  }
  if (any({"new", "open", "assigned", "queued", "submitted", "logged", "to do", "нов", "назнач"}))
    return Phase::kNew;
  if (any({"resolved", "done", "solved", "completed", "fixed", "решен", "решён"}))
    return Phase::kResolved;
  if (any({"closed", "закры"})) return Phase::kClosed;
  if (any({"cancel", "withdrawn", "rejected", "отмен"})) return Phase::kCancelled;
  return std::nullopt;
}

// The first digit of "2 - Medium" or "P2"; by word otherwise. 0 = unknown.
int Level(absl::string_view cell, int largest) {
  for (const char c : cell) {
    if (absl::ascii_isdigit(c)) {
      const int level = c - '0';
      return level >= 1 && level <= largest ? level : 0;
    }
  }
  const std::string word = absl::AsciiStrToLower(cell);
  if (absl::StrContains(word, "critical") || absl::StrContains(word, "urgent")) return 1;
  if (absl::StrContains(word, "high")) return largest == 4 ? 2 : 1;
  if (absl::StrContains(word, "medium") || absl::StrContains(word, "moderate") ||
      absl::StrContains(word, "normal")) {
    return largest == 4 ? 3 : 2;
  }
  return absl::StrContains(word, "low") ? largest : 0;
}

std::optional<bool> YesNo(absl::string_view cell) {
  for (const char* yes : {"true", "yes", "y", "1", "да"}) {
    if (absl::EqualsIgnoreCase(cell, yes)) return true;
  }
  for (const char* no : {"false", "no", "n", "0", "нет"}) {
    if (absl::EqualsIgnoreCase(cell, no)) return false;
  }
  return std::nullopt;
}

// One good row, reduced to what is used.
struct Entry {
  int64_t line = 0;
  absl::Time at;
  std::optional<absl::Time> opened, resolved, closed;
  std::string state;
  std::optional<Phase> phase;
  std::string caller, group, agent, contact, category, subcategory, title;
  int priority = 0, urgency = 0, impact = 0, reassignments = 0;
  std::optional<bool> made_sla;
};

class Reader {
 public:
  Reader(std::istream& in, const LogReading& reading) : rows_(in), reading_(reading) {}

  absl::StatusOr<RecordedLog> Read() {
    CsvRow header;
    if (!rows_.Next(&header))
      return absl::InvalidArgumentError("the file is empty: it needs a header with column names");
    header_ = header.cells;
    std::vector<CsvRow> first;
    std::vector<std::vector<std::string>> sample;
    CsvRow row;
    while (first.size() < kSampleRows && rows_.Next(&row)) {
      if (row.problem.empty()) sample.push_back(row.cells);
      first.push_back(std::move(row));
    }
    absl::StatusOr<LogColumns> columns = FindColumns(header_, sample, reading_.columns);
    if (!columns.ok()) return columns.status();
    columns_ = *std::move(columns);
    for (const LogFieldName& field : LogFields()) {
      const auto at = columns_.index.find(field.field);
      if (at != columns_.index.end()) log_.columns[std::string(field.name)] = header_[at->second];
    }
    for (const CsvRow& early : first) Take(early);
    while (rows_.Next(&row)) Take(row);
    for (auto& [id, entries] : entries_) log_.cases.push_back(Case(id, std::move(entries)));
    if (log_.cases.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "no request could be read: ", log_.bad_count, " of ", log_.rows, " rows are bad",
          log_.bad.empty() ? ""
                           : absl::StrCat("; the first, line ", log_.bad[0].line, ", column ",
                                          log_.bad[0].column, ": ", log_.bad[0].reason)));
    }
    std::stable_sort(
        log_.cases.begin(), log_.cases.end(),
        [](const RecordedCase& a, const RecordedCase& b) { return a.opened < b.opened; });
    return std::move(log_);
  }

 private:
  std::string Cell(const CsvRow& row, LogField field) const {
    const auto at = columns_.index.find(field);
    if (at == columns_.index.end()) return "";
    const std::string& cell = row.cells[at->second];
    return IsUnknown(cell) ? "" : std::string(absl::StripAsciiWhitespace(cell));
  }

  void Bad(const CsvRow& row, int column, std::string reason) {
    ++log_.bad_count;
    if (log_.bad.size() >= reading_.keep_bad) return;
    const bool named = column > 0 && static_cast<size_t>(column) <= header_.size();
    log_.bad.push_back({row.line, column, named ? header_[column - 1] : "", std::move(reason)});
  }
  void Bad(const CsvRow& row, LogField field, std::string reason) {
    Bad(row, columns_.index.at(field) + 1, std::move(reason));
  }

  // False when the cell holds something that is no time; the row is told as bad then.
  bool Time(const CsvRow& row, LogField field, std::optional<absl::Time>* time) {
    const std::string cell = Cell(row, field);
    if (cell.empty()) return true;
    *time = ParseLogTime(cell, reading_.zone, columns_.month_first);
    if (*time) return true;
    Bad(row, field, absl::StrCat("\"", cell.substr(0, 40), "\" is no date and time"));
    return false;
  }

  void Take(const CsvRow& row) {
    ++log_.rows;
    if (!row.problem.empty()) return Bad(row, row.column, row.problem);
    const auto [seen, is_new] = seen_.emplace(absl::StrJoin(row.cells, "\x1f"), row.line);
    if (!is_new) return Bad(row, 0, absl::StrCat("is the same as line ", seen->second));
    Entry entry;
    entry.line = row.line;
    const std::string id = Cell(row, LogField::kId);
    if (id.empty()) return Bad(row, LogField::kId, "the request has no number");
    std::optional<absl::Time> updated;
    if (!Time(row, LogField::kUpdated, &updated) || !Time(row, LogField::kOpened, &entry.opened) ||
        !Time(row, LogField::kResolved, &entry.resolved) ||
        !Time(row, LogField::kClosed, &entry.closed)) {
      return;
    }
    if (!updated && !entry.opened) {
      const bool has_updated = columns_.index.count(LogField::kUpdated) > 0;
      return Bad(row, has_updated ? LogField::kUpdated : LogField::kOpened, "the time is unknown");
    }
    entry.at = updated ? *updated : *entry.opened;
    if (columns_.index.count(LogField::kState) > 0) {
      entry.state = Cell(row, LogField::kState);
      entry.phase = PhaseOf(entry.state);
      if (!entry.phase) {
        return Bad(row, LogField::kState,
                   entry.state.empty() ? "the state is unknown"
                                       : absl::StrCat("\"", entry.state.substr(0, 40),
                                                      "\" is no state that is known"));
      }
    }
    entry.caller = Cell(row, LogField::kCaller);
    entry.group = Cell(row, LogField::kGroup);
    entry.agent = Cell(row, LogField::kAssignee);
    entry.contact = Cell(row, LogField::kContact);
    entry.category = Cell(row, LogField::kCategory);
    entry.subcategory = Cell(row, LogField::kSubcategory);
    entry.title = Cell(row, LogField::kTitle);
    entry.priority = Level(Cell(row, LogField::kPriority), 4);
    entry.urgency = Level(Cell(row, LogField::kUrgency), 3);
    entry.impact = Level(Cell(row, LogField::kImpact), 3);
    entry.made_sla = YesNo(Cell(row, LogField::kMadeSla));
    if (!absl::SimpleAtoi(Cell(row, LogField::kReassignments), &entry.reassignments))
      entry.reassignments = -1;
    entries_[id].push_back(std::move(entry));
  }

  RecordedCase Case(const std::string& id, std::vector<Entry> entries) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.at < b.at; });
    RecordedCase c;
    c.id = id;
    c.rows = static_cast<int>(entries.size());
    c.opened = entries.front().opened.value_or(entries.front().at);
    const auto first_known = [](std::string& to, const std::string& from) {
      if (to.empty()) to = from;
    };
    int counted = -1;
    std::string agent, group;
    Phase phase = Phase::kNew;
    for (const Entry& entry : entries) {
      first_known(c.caller, entry.caller);
      first_known(c.contact, entry.contact);
      first_known(c.category, entry.category);
      first_known(c.subcategory, entry.subcategory);
      first_known(c.title, entry.title);
      if (c.priority == 0) c.priority = entry.priority;
      if (entry.priority != 0 && entry.priority != c.priority) c.priority_changed = true;
      if (c.urgency == 0) c.urgency = entry.urgency;
      if (c.impact == 0) c.impact = entry.impact;
      if (entry.made_sla) c.made_sla = entry.made_sla;
      counted = std::max(counted, entry.reassignments);
      const absl::Time at = std::max(c.opened, entry.at);
      const bool new_group = !entry.group.empty() && !group.empty() && entry.group != group;
      c.group_changes += new_group;
      c.agent_changes +=
          !new_group && !entry.agent.empty() && !agent.empty() && entry.agent != agent;
      if (!entry.group.empty()) {
        c.group = group = entry.group;
        log_.groups.insert(group);
      }
      if (!entry.agent.empty() && (entry.agent != agent || new_group)) {
        if (!c.holds.empty()) c.holds.back().to = std::min(c.holds.back().to, at);
        c.holds.push_back({entry.agent, group, at, absl::InfiniteFuture()});
        agent = entry.agent;
      }
      const size_t before = c.steps.size();
      if (entry.phase) Move(c, phase, *entry.phase, at, entry.state);
      ++(c.steps.size() > before ? log_.changes : log_.touches);
    }
    c.reassignments = counted >= 0 ? counted : c.group_changes + c.agent_changes;
    if (entries.size() == 1) Snapshot(c, entries.front());
    if (const std::optional<absl::Time> resolved = c.Resolved(); resolved && !c.holds.empty()) {
      c.holds.back().to = std::max(c.holds.back().from, *resolved);
    }
    return c;
  }

  static void Add(RecordedCase& c, Kind kind, absl::Time at, const std::string& state) {
    c.steps.push_back({kind, at, state});
  }

  static void Move(RecordedCase& c, Phase& phase, Phase to, absl::Time at,
                   const std::string& state) {
    const bool ended = phase == Phase::kResolved || phase == Phase::kClosed;
    if (phase == to || phase == Phase::kCancelled) return;
    switch (to) {
      case Phase::kNew:
        // Back among the new ones is no step of its own: the work has to be begun again some time,
        // and that is one.
        if (ended) Add(c, Kind::kSendBack, at, state);
        if (phase == Phase::kWaiting) Add(c, Kind::kResume, at, state);
        break;
      case Phase::kActive:
        Add(c,
            ended                      ? Kind::kSendBack
            : phase == Phase::kWaiting ? Kind::kResume
                                       : Kind::kStart,
            at, state);
        break;
      case Phase::kWaiting:
        if (ended) Add(c, Kind::kSendBack, at, state);
        Add(c, Kind::kWait, at, state);
        break;
      case Phase::kResolved:
        if (phase != Phase::kClosed) Add(c, Kind::kResolve, at, state);
        break;
      case Phase::kClosed:
        if (!ended) Add(c, Kind::kResolve, at, state);
        Add(c, Kind::kClose, at, state);
        break;
      case Phase::kCancelled:
        if (!ended) Add(c, Kind::kCancel, at, state);
        break;
    }
    phase = to;
  }

  // A log with one row a request tells its life by the times in that row.
  static void Snapshot(RecordedCase& c, const Entry& entry) {
    if (!entry.resolved && !entry.closed) return;
    if (!c.steps.empty() && c.steps.back().kind == Kind::kCancel) return;
    c.steps.clear();
    const absl::Time resolved =
        std::max(c.opened, entry.resolved ? *entry.resolved : *entry.closed);
    Add(c, Kind::kResolve, resolved, "Resolved");
    if (entry.closed) Add(c, Kind::kClose, std::max(resolved, *entry.closed), "Closed");
  }

  CsvRows rows_;
  const LogReading& reading_;
  std::vector<std::string> header_;
  LogColumns columns_;
  RecordedLog log_;
  std::unordered_map<std::string, int64_t> seen_;
  std::map<std::string, std::vector<Entry>> entries_;
};

}  // namespace

std::optional<absl::Time> RecordedCase::Resolved() const {
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->kind == Kind::kResolve) return step->at;
  }
  return std::nullopt;
}

absl::StatusOr<RecordedLog> ReadRecordedLog(std::istream& in, const LogReading& reading) {
  return Reader(in, reading).Read();
}

}  // namespace potok::ctl
