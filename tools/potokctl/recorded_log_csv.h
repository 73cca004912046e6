// Rows of a CSV file with their line numbers, read as a stream by libcsv.
#pragma once

#include <csv.h>
#include <deque>
#include <istream>
#include <string>
#include <vector>

namespace potok::ctl {

struct CsvRow {
  int64_t line = 0;  // 1-based line of the file on which the row begins.
  std::vector<std::string> cells;
  std::string problem;  // Why the row cannot be used; empty when it can.
  int column = 0;       // 1-based column of the problem; 0 = the row as a whole.
};

// Knows UTF-8 with or without a byte order mark; LF, CRLF and CR; quoted cells with line breaks and
// doubled quotes. A quote that is never closed costs one row, not the rest of the file. Not
// thread-safe.
class CsvRows {
 public:
  // The separator is guessed from the first line: ',', ';', tab or '|'.
  explicit CsvRows(std::istream& in);
  ~CsvRows();
  CsvRows(const CsvRows&) = delete;
  CsvRows& operator=(const CsvRows&) = delete;

  // False at the end of the file. The first row says how many cells each later one has to have.
  bool Next(CsvRow* row);

 private:
  struct Line {
    int64_t number;
    std::string text;  // With its end.
  };
  bool TakeLine(Line* line);
  void Feed(const Line& line);
  // Gives up the row that is open: reports its first line, and reads the others again as rows of
  // their own.
  void GiveUp(std::string problem, int column);
  void Restart();
  static void OnCell(void* text, size_t size, void* self);
  static void OnRow(int end, void* self);

  std::istream& in_;
  csv_parser parser_;
  char separator_ = 0;
  size_t columns_ = 0;
  int64_t lines_read_ = 0;
  std::deque<Line> again_;  // Lines to be read a second time.
  std::vector<Line> open_;  // Lines of the row that is not complete yet.
  size_t open_bytes_ = 0;
  std::vector<std::string> cells_;
  std::deque<CsvRow> ready_;
};

}  // namespace potok::ctl
