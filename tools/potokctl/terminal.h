// What potokctl shows: progress bars, tables, steps of a story. Plain lines when the output is no
// terminal.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::ctl {

// Width of UTF-8 text in terminal columns (Cyrillic and Latin letters are one each).
size_t Columns(absl::string_view text);
// Cut or filled with spaces to `columns`.
std::string Fit(absl::string_view text, size_t columns);

// At most `columns`: what is longer ends with "…".
std::string Shortened(absl::string_view text, size_t columns);

// A bar that redraws its line on a terminal and prints each tenth elsewhere. Not thread-safe.
class Progress {
 public:
  Progress(std::string what, int64_t total);
  // `note` is shown after the bar, such as "time left 0:40".
  void Show(int64_t done, absl::string_view note = "");
  void Done(absl::string_view note = "");

 private:
  const std::string what_;
  const int64_t total_;
  const bool terminal_;
  int64_t last_tenth_ = -1;
};

// A table with a header; numbers (columns listed in `right`) are aligned to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> header, std::vector<size_t> right = {});
  void Row(std::vector<std::string> cells);
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<size_t> right_;
};

// "1.4 ms", "2 h 05 min", "3 d 4 h".
std::string Short(absl::Duration duration);

// A bar of `columns` blocks for value / largest.
std::string Bar(double value, double largest, size_t columns);

void Heading(absl::string_view text);
void Say(absl::string_view text);

}  // namespace potok::ctl
