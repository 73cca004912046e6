#include "recorded_log_columns.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace potok::ctl {
namespace {

// Letters and digits in lower case: "sys_updated_at", "Sys Updated At" and "sysUpdatedAt" are one
// name. Bytes of other alphabets stay as they are.
std::string Plain(absl::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (absl::ascii_isalnum(c) || static_cast<unsigned char>(c) >= 0x80)
      plain += absl::ascii_tolower(c);
  }
  return plain;
}

int Number(absl::string_view digits) {
  int value = -1;
  return absl::SimpleAtoi(digits, &value) ? value : -1;
}

absl::string_view TakeDigits(absl::string_view& rest) {
  size_t n = 0;
  while (n < rest.size() && absl::ascii_isdigit(rest[n])) ++n;
  const absl::string_view digits = rest.substr(0, n);
  rest.remove_prefix(n);
  return digits;
}

bool Take(absl::string_view& rest, absl::string_view any_of) {
  if (rest.empty() || any_of.find(rest[0]) == absl::string_view::npos) return false;
  rest.remove_prefix(1);
  return true;
}

// "Z", "+03:00", "+0300" or "+03" as seconds east of UTC; nothing when it is none of them.
std::optional<int> Offset(absl::string_view text) {
  if (text == "Z" || text == "z" || text == "UTC") return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  absl::string_view hours = TakeDigits(text);
  absl::string_view minutes = "0";
  if (hours.size() == 4) {
    minutes = hours.substr(2);
    hours = hours.substr(0, 2);
  } else if (Take(text, ":")) {
    minutes = TakeDigits(text);
  }
  if (hours.size() != 2 || minutes.empty() || !text.empty() || Number(hours) > 14 ||
      Number(minutes) > 59) {
    return std::nullopt;
  }
  return sign * (Number(hours) * 3600 + Number(minutes) * 60);
}

// Share of the known cells of a column that are times.
bool HoldsTimes(const std::vector<std::vector<std::string>>& sample, size_t column) {
  int known = 0, times = 0;
  for (const auto& row : sample) {
    if (column >= row.size() || IsUnknown(row[column])) continue;
    ++known;
    times += ParseLogTime(row[column], absl::UTCTimeZone(), false).has_value() ||
             ParseLogTime(row[column], absl::UTCTimeZone(), true).has_value();
  }
  return known > 0 && times * 10 >= known * 9;
}

bool HoldsStates(const std::vector<std::vector<std::string>>& sample, size_t column) {
  static const std::set<std::string> kWords = {
      "new",       "open",     "active",   "assigned", "inprogress", "pending", "onhold", "closed",
      "cancelled", "resolved", "canceled", "reopened", "awaiting",   "done",    "waiting"};
  int known = 0, states = 0;
  for (const auto& row : sample) {
    if (column >= row.size() || IsUnknown(row[column])) continue;
    ++known;
    const std::string word = Plain(row[column]);
    states += kWords.count(word) > 0 || absl::StartsWith(word, "awaiting");
  }
  return known > 0 && states * 2 >= known;
}

bool SecondNumberIsADay(const std::vector<std::vector<std::string>>& sample) {
  for (const auto& row : sample) {
    for (absl::string_view cell : row) {
      const int first = Number(TakeDigits(cell));
      if (!Take(cell, "/.-")) continue;
      const int second = Number(TakeDigits(cell));
      if (!Take(cell, "/.-") || TakeDigits(cell).size() != 4) continue;
      if (first <= 12 && second > 12 && second <= 31) return true;
      if (first > 12) return false;
    }
  }
  return false;
}

}  // namespace

const std::vector<LogFieldName>& LogFields() {
  static const std::vector<LogFieldName> fields = {
      {LogField::kId, "id",
       "number id incident incidentid incidentnumber ticket ticketid ticketnumber case caseid key "
       "номер",
       "number of the request; rows with the same one are its history"},
      {LogField::kState, "state",
       "incidentstate state status ticketstate casestate статус состояние", "state after the row"},
      {LogField::kUpdated, "updated",
       "sysupdatedat updatedat updated modified modifiedat timestamp eventtime lastupdated изменен",
       "when the row was written"},
      {LogField::kOpened, "opened",
       "openedat opened created createdat createtime creationdate opentime reportedat создан",
       "when the request was filed"},
      {LogField::kCaller, "caller",
       "callerid caller requester requestedby reportedby reporter author customer заявитель",
       "who asks"},
      {LogField::kGroup, "group",
       "assignmentgroup group team queue supportgroup assignedgroup группа", "group that has it"},
      {LogField::kAssignee, "assignee",
       "assignedto assignee resolver owner agent assigned исполнитель", "who has it"},
      {LogField::kPriority, "priority", "priority приоритет", "1 (critical) to 4 (low)"},
      {LogField::kUrgency, "urgency", "urgency срочность", "1 (high) to 3 (low)"},
      {LogField::kImpact, "impact", "impact влияние", "1 (high) to 3 (low)"},
      {LogField::kContact, "contact", "contacttype contact channel source origin канал",
       "how it came in"},
      {LogField::kCategory, "category", "category категория", "what it is about"},
      {LogField::kSubcategory, "subcategory", "subcategory подкатегория",
       "what it is about, closer"},
      {LogField::kTitle, "title", "shortdescription title subject summary тема",
       "what it is about, in a line"},
      {LogField::kMadeSla, "made_sla", "madesla slamet slamade ontime insla",
       "whether the recorded term was kept"},
      {LogField::kReassignments, "reassignments", "reassignmentcount reassignments hops",
       "times it had changed hands"},
      {LogField::kResolved, "resolved", "resolvedat resolved resolutiontime resolutiondate решен",
       "when it was resolved"},
      {LogField::kClosed, "closed", "closedat closed closetime closedate закрыт",
       "when it was closed"},
  };
  return fields;
}

bool IsUnknown(absl::string_view cell) {
  cell = absl::StripAsciiWhitespace(cell);
  return cell.empty() || cell == "?" || cell == "-" || absl::EqualsIgnoreCase(cell, "null") ||
         absl::EqualsIgnoreCase(cell, "n/a") || absl::EqualsIgnoreCase(cell, "none");
}

std::optional<absl::Time> ParseLogTime(absl::string_view text, absl::TimeZone zone,
                                       bool month_first) {
  text = absl::StripAsciiWhitespace(text);
  const absl::string_view a = TakeDigits(text);
  if (a.empty() || !Take(text, "-./")) return std::nullopt;
  const absl::string_view b = TakeDigits(text);
  if (b.empty() || b.size() > 2 || !Take(text, "-./")) return std::nullopt;
  const absl::string_view c = TakeDigits(text);
  int year, month, day;
  if (a.size() == 4 && !c.empty() && c.size() <= 2) {
    year = Number(a), month = Number(b), day = Number(c);
  } else if (c.size() == 4 && a.size() <= 2) {
    year = Number(c), month = Number(month_first ? a : b), day = Number(month_first ? b : a);
  } else {
    return std::nullopt;
  }
  int hour = 0, minute = 0, second = 0;
  std::optional<int> offset;
  if (Take(text, "T ") || Take(text, ",")) {
    text = absl::StripLeadingAsciiWhitespace(text);
    hour = Number(TakeDigits(text));
    if (!Take(text, ":")) return std::nullopt;
    minute = Number(TakeDigits(text));
    if (Take(text, ":")) {
      second = Number(TakeDigits(text));
      if (Take(text, ".,")) TakeDigits(text);
    }
    text = absl::StripLeadingAsciiWhitespace(text);
    if (text.size() >= 2 && hour <= 12) {
      if (absl::EqualsIgnoreCase(text.substr(0, 2), "pm")) {
        hour = hour % 12 + 12;
        text.remove_prefix(2);
      } else if (absl::EqualsIgnoreCase(text.substr(0, 2), "am")) {
        hour %= 12;
        text.remove_prefix(2);
      }
    }
    text = absl::StripLeadingAsciiWhitespace(text);
    if (!text.empty()) {
      offset = Offset(text);
      if (!offset) return std::nullopt;
      text = "";
    }
  }
  if (!text.empty() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60) {
    return std::nullopt;
  }
  const absl::CivilDay civil(year, month, day);
  // A civil day normalises 31.02 to 02.03: what does not come back as it went in is no date.
  if (civil.year() != year || civil.month() != month || civil.day() != day) return std::nullopt;
  const absl::CivilSecond wall(year, month, day, hour, minute, second);
  return absl::FromCivil(wall, offset ? absl::FixedTimeZone(*offset) : zone);
}

absl::StatusOr<LogColumns> FindColumns(const std::vector<std::string>& header,
                                       const std::vector<std::vector<std::string>>& sample,
                                       const std::map<std::string, std::string>& given) {
  LogColumns found;
  std::set<int> taken;
  const auto take = [&](LogField field, size_t column) {
    found.index[field] = static_cast<int>(column);
    taken.insert(static_cast<int>(column));
  };
  for (const auto& [name, column] : given) {
    const auto field =
        std::find_if(LogFields().begin(), LogFields().end(),
                     [&name = name](const LogFieldName& f) { return f.name == name; });
    if (field == LogFields().end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--map ", name, "=", column, ": there is no field ", name, "; the fields are ",
          absl::StrJoin(LogFields(), ", ", [](std::string* out, const LogFieldName& f) {
            absl::StrAppend(out, f.name);
          })));
    }
    const auto at = std::find(header.begin(), header.end(), column);
    if (at == header.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--map ", name, "=", column, ": the file has no column ", column,
                       "; its columns are ", absl::StrJoin(header, ", ")));
    }
    take(field->field, at - header.begin());
  }
  for (const LogFieldName& field : LogFields()) {
    if (found.index.count(field.field) > 0) continue;
    // The aliases are in the order of how much they say: "number" before "id".
    for (const absl::string_view alias : absl::StrSplit(field.aliases, ' ')) {
      const auto at = std::find_if(header.begin(), header.end(),
                                   [&](const std::string& name) { return Plain(name) == alias; });
      if (at != header.end() && taken.count(static_cast<int>(at - header.begin())) == 0) {
        take(field.field, at - header.begin());
        break;
      }
    }
  }
  found.month_first = SecondNumberIsADay(sample);
  const auto by_content = [&](LogField field,
                              bool (*holds)(const std::vector<std::vector<std::string>>&, size_t)) {
    for (size_t i = 0; i < header.size() && found.index.count(field) == 0; ++i) {
      if (taken.count(static_cast<int>(i)) == 0 && holds(sample, i)) take(field, i);
    }
  };
  by_content(LogField::kState, HoldsStates);
  if (found.index.count(LogField::kUpdated) == 0) by_content(LogField::kOpened, HoldsTimes);
  if (found.index.count(LogField::kId) == 0 && taken.count(0) == 0 && !header.empty())
    take(LogField::kId, 0);

  const auto missing = [&](absl::string_view name, absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("no column with ", what, " was found; say which it is: --map ", name,
                     "=COLUMN. The columns are ", absl::StrJoin(header, ", ")));
  };
  if (found.index.count(LogField::kId) == 0) return missing("id", "the number of the request");
  if (found.index.count(LogField::kOpened) + found.index.count(LogField::kUpdated) == 0) {
    return missing("opened", "the time of filing");
  }
  if (found.index.count(LogField::kState) + found.index.count(LogField::kResolved) == 0) {
    return missing("state", "the state");
  }
  return found;
}

}  // namespace potok::ctl
