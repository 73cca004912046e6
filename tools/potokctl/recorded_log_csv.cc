#include "recorded_log_csv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/utf8.h"

namespace potok::ctl {
namespace {

// Nobody writes a description this long; a quote that was never closed reaches it soon.
constexpr size_t kLongestRow = 256 * 1024;

char GuessSeparator(const std::string& header) {
  char best = ',';
  for (const char candidate : {',', ';', '\t', '|'}) {
    if (std::count(header.begin(), header.end(), candidate) >
        std::count(header.begin(), header.end(), best)) {
      best = candidate;
    }
  }
  return best;
}

bool HasEnd(const std::string& line) {
  return !line.empty() && (line.back() == '\n' || line.back() == '\r');
}

// Up to and with the next LF, CRLF or CR: whatever ends a row for the parser ends a line here, so
// that a line never holds two rows. False at the end of the file.
bool ReadLine(std::istream& in, std::string* line) {
  constexpr int kEnd = std::istream::traits_type::eof();
  std::streambuf& bytes = *in.rdbuf();
  line->clear();
  for (int c = bytes.sbumpc(); c != kEnd; c = bytes.sbumpc()) {
    line->push_back(static_cast<char>(c));
    if (c == '\r' && bytes.sgetc() == '\n') line->push_back(static_cast<char>(bytes.sbumpc()));
    if (HasEnd(*line)) break;
  }
  return !line->empty();
}

// Whether a row keeps every rule on quotes. A lone quote inside a cell is forgiven in one line;
// over several lines it is the mark of a cell that was never closed and has swallowed the rows
// behind it.
bool KeepsQuoteRules(const std::string& row, char separator) {
  csv_parser parser;
  csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
  csv_set_delim(&parser, static_cast<unsigned char>(separator));
  const bool kept =
      csv_parse(&parser, row.data(), row.size(), nullptr, nullptr, nullptr) == row.size() &&
      csv_fini(&parser, nullptr, nullptr, nullptr) == 0;
  csv_free(&parser);
  return kept;
}

}  // namespace

CsvRows::CsvRows(std::istream& in) : in_(in) { csv_init(&parser_, CSV_APPEND_NULL); }

CsvRows::~CsvRows() { csv_free(&parser_); }

void CsvRows::OnCell(void* text, size_t size, void* self) {
  static_cast<CsvRows*>(self)->cells_.emplace_back(static_cast<const char*>(text), size);
}

void CsvRows::OnRow(int /*end*/, void* self) {
  auto& rows = *static_cast<CsvRows*>(self);
  CsvRow row;
  row.line = rows.open_.front().number;
  row.cells = std::exchange(rows.cells_, {});
  rows.ready_.push_back(std::move(row));
}

void CsvRows::Restart() {
  csv_free(&parser_);
  csv_init(&parser_, CSV_APPEND_NULL);
  csv_set_delim(&parser_, static_cast<unsigned char>(separator_));
  cells_.clear();
  open_.clear();
  open_bytes_ = 0;
}

bool CsvRows::TakeLine(Line* line) {
  if (!again_.empty()) {
    *line = std::move(again_.front());
    again_.pop_front();
    return true;
  }
  if (!ReadLine(in_, &line->text)) return false;
  if (!HasEnd(line->text)) line->text += '\n';
  line->number = ++lines_read_;
  if (line->number == 1) {
    line->text = std::string(absl::StripPrefix(line->text, "\xEF\xBB\xBF"));
    separator_ = GuessSeparator(line->text);
    csv_set_delim(&parser_, static_cast<unsigned char>(separator_));
  }
  return true;
}

void CsvRows::GiveUp(std::string problem, int column) {
  CsvRow row;
  row.line = open_.front().number;
  row.problem = std::move(problem);
  row.column = column;
  std::vector<Line> lines = std::move(open_);
  Restart();
  again_.insert(again_.begin(), std::make_move_iterator(lines.begin() + 1),
                std::make_move_iterator(lines.end()));
  ready_.push_back(std::move(row));
}

void CsvRows::Feed(const Line& line) {
  open_.push_back(line);
  open_bytes_ += line.text.size();
  csv_parse(&parser_, line.text.data(), line.text.size(), &CsvRows::OnCell, &CsvRows::OnRow, this);
  if (ready_.empty()) {
    // The line has ended and the row has not: a quote is open. An empty line opens nothing.
    if (cells_.empty() && absl::StripAsciiWhitespace(line.text).empty() && open_.size() == 1) {
      open_.clear();
      open_bytes_ = 0;
    } else if (open_bytes_ > kLongestRow) {
      GiveUp("a quote is opened here and never closed", static_cast<int>(cells_.size()) + 1);
    }
    return;
  }
  CsvRow& row = ready_.back();
  if (columns_ == 0) columns_ = row.cells.size();
  if (row.cells.size() != columns_) {
    // With an unclosed quote in the row, the rows behind it are inside of it: they deserve a second
    // reading.
    const int column = static_cast<int>(std::min(row.cells.size(), columns_));
    const std::string problem =
        absl::StrCat("has ", row.cells.size(), " columns where the header has ", columns_);
    ready_.pop_back();
    GiveUp(problem, column);
    return;
  }
  if (open_.size() > 1) {
    std::string whole;
    for (const Line& part : open_) absl::StrAppend(&whole, part.text);
    if (!KeepsQuoteRules(whole, separator_)) {
      ready_.pop_back();
      GiveUp("a quote is opened here and never closed", 0);
      return;
    }
  }
  for (size_t i = 0; i < row.cells.size() && row.problem.empty(); ++i) {
    if (!CountUtf8(row.cells[i])) {
      row.problem = "is not UTF-8 text";
      row.column = static_cast<int>(i) + 1;
    }
  }
  open_.clear();
  open_bytes_ = 0;
}

bool CsvRows::Next(CsvRow* row) {
  while (ready_.empty()) {
    Line line;
    if (TakeLine(&line)) {
      Feed(line);
    } else if (!open_.empty()) {
      GiveUp("a quote is opened here and never closed", static_cast<int>(cells_.size()) + 1);
    } else {
      return false;
    }
  }
  *row = std::move(ready_.front());
  ready_.pop_front();
  return true;
}

}  // namespace potok::ctl
