#include "terminal.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace potok::ctl {
namespace {

bool IsTerminal() { return isatty(STDOUT_FILENO) == 1; }

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

size_t Columns(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string Fit(absl::string_view text, size_t columns) {
  std::string out;
  size_t used = 0;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    while (end < text.size() && IsContinuation(text[end])) ++end;
    if (used == columns) break;
    absl::StrAppend(&out, text.substr(i, end - i));
    ++used;
    i = end;
  }
  return out.append(columns - used, ' ');
}

std::string Shortened(absl::string_view text, size_t columns) {
  if (Columns(text) <= columns) return std::string(text);
  return Fit(text, columns - 1) + "…";
}

Progress::Progress(std::string what, int64_t total)
    : what_(std::move(what)), total_(std::max<int64_t>(1, total)), terminal_(IsTerminal()) {}

void Progress::Show(int64_t done, absl::string_view note) {
  const int64_t tenth = done * 10 / total_;
  if (!terminal_) {
    if (tenth == last_tenth_) return;
    last_tenth_ = tenth;
    std::printf("  %s: %lld of %lld %s\n", what_.c_str(), static_cast<long long>(done),
                static_cast<long long>(total_), std::string(note).c_str());
  } else {
    std::printf("\r  %s [%s] %lld/%lld %s\033[K", what_.c_str(),
                Fit(Bar(static_cast<double>(done), static_cast<double>(total_), 30), 30).c_str(),
                static_cast<long long>(done), static_cast<long long>(total_),
                std::string(note).c_str());
  }
  std::fflush(stdout);
}

void Progress::Done(absl::string_view note) {
  Show(total_, note);
  if (terminal_) std::printf("\n");
  std::fflush(stdout);
}

Table::Table(std::vector<std::string> header, std::vector<size_t> right)
    : right_(std::move(right)) {
  rows_.push_back(std::move(header));
}

void Table::Row(std::vector<std::string> cells) {
  cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Columns(row[i]));
  }
  std::string out;
  for (size_t r = 0; r < rows_.size(); ++r) {
    std::string line = "  ";
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string& cell = rows_[r][i];
      const bool right = std::find(right_.begin(), right_.end(), i) != right_.end();
      const std::string fill(widths[i] - Columns(cell), ' ');
      absl::StrAppend(&line, right ? fill : "", cell, right ? "" : fill, "  ");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&out, line, "\n");
    if (r == 0) {
      size_t total = 2;
      for (const size_t width : widths) total += width + 2;
      absl::StrAppend(&out, "  ", std::string(total - 4, '-'), "\n");
    }
  }
  return out;
}

std::string Short(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return "-" + Short(-duration);
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 1e-3) return absl::StrFormat("%.0f us", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.1f ms", seconds * 1e3);
  if (seconds < 60) return absl::StrFormat("%.1f s", seconds);
  const int64_t minutes = absl::ToInt64Minutes(duration);
  if (minutes < 60) return absl::StrFormat("%d min", minutes);
  if (minutes < 48 * 60) return absl::StrFormat("%d h %02d min", minutes / 60, minutes % 60);
  return absl::StrFormat("%d d %d h", minutes / 1440, minutes / 60 % 24);
}

std::string Bar(double value, double largest, size_t columns) {
  const size_t filled =
      largest <= 0 ? 0 : std::min(columns, static_cast<size_t>(value / largest * columns + 0.5));
  std::string out;
  for (size_t i = 0; i < filled; ++i) out += "█";
  return out;
}

void Heading(absl::string_view text) { std::printf("\n== %s\n", std::string(text).c_str()); }

void Say(absl::string_view text) {
  std::printf("%s\n", std::string(text).c_str());
  std::fflush(stdout);
}

}  // namespace potok::ctl
