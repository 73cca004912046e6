#include "desk/filter/lexer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/utf8.h"

namespace potok::desk {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool EndsWord(char c) {
  return IsSpace(c) || absl::string_view("()\"',=<>!:").find(c) != absl::string_view::npos;
}

class Lexer {
 public:
  explicit Lexer(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<FilterToken>> Run() && {
    for (absl::string_view rest = text_; !rest.empty();) {
      const size_t at = text_.size() - rest.size();
      const auto character = TakeCharacter(rest);
      if (!character.has_value() || *character == 0) {
        return FilterError(text_, at, "the text is not valid UTF-8", "текст не в кодировке UTF-8");
      }
    }
    while (true) {
      while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
      if (at_ == text_.size()) break;
      if (absl::Status status = Next(); !status.ok()) return status;
    }
    Add(FilterToken::Kind::kEnd, "", at_);
    return std::move(tokens_);
  }

 private:
  using Kind = FilterToken::Kind;

  FilterToken& Add(Kind kind, absl::string_view text, size_t at) {
    FilterToken token;
    token.kind = kind;
    token.text = std::string(text);
    token.at = at;
    tokens_.push_back(std::move(token));
    return tokens_.back();
  }

  absl::Status Next() {
    const char c = text_[at_];
    switch (c) {
      case '(': return Single(Kind::kOpen);
      case ')': return Single(Kind::kClose);
      case ',': return Single(Kind::kComma);
      case '"':
      case '\'': return Quoted(c);
      case '=':
      case ':': return Operator(1);
      case '<':
      case '>': return Operator(at_ + 1 < text_.size() && text_[at_ + 1] == '=' ? 2 : 1);
      case '!':
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '=') return Operator(2);
        return FilterError(text_, at_, "\"!\" stands only in !=; write NOT",
                           "«!» бывает только в !=; пишите NOT");
      default: break;
    }
    // A minus is a sign where a number is wanted, and NOT everywhere else.
    const bool sign = WantsValue() && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]);
    if (c == '-' && !sign) return Single(Kind::kMinus);
    return Word();
  }

  bool WantsValue() const {
    if (tokens_.empty()) return false;
    const FilterToken& last = tokens_.back();
    if (last.kind == Kind::kOperator || last.kind == Kind::kComma) return true;
    if (last.kind == Kind::kOpen) {
      // After `field = (` or `call(`, but not after a grouping parenthesis.
      return tokens_.size() >= 2 && (tokens_[tokens_.size() - 2].kind == Kind::kOperator ||
                                     tokens_[tokens_.size() - 2].opens_call);
    }
    return false;
  }

  absl::Status Single(Kind kind) {
    Add(kind, text_.substr(at_, 1), at_);
    ++at_;
    return absl::OkStatus();
  }

  absl::Status Operator(size_t length) {
    Add(Kind::kOperator, text_.substr(at_, length), at_);
    at_ += length;
    return absl::OkStatus();
  }

  absl::Status Quoted(char quote) {
    const size_t begin = at_++;
    std::string value;
    bool star_front = false;
    bool star_back = false;
    while (true) {
      if (at_ == text_.size()) {
        return FilterError(text_, begin, "the quote is never closed", "кавычка не закрыта");
      }
      char c = text_[at_++];
      if (c == quote) break;
      star_back = false;
      if (c == '\\') {
        if (at_ == text_.size()) continue;  // Reported as unclosed.
        c = text_[at_++];
        if (absl::string_view("\\\"'*").find(c) == absl::string_view::npos) {
          return FilterError(text_, at_ - 2, R"(after a backslash only \ " ' * may stand)",
                             R"(после обратной черты бывает только \ " ' *)");
        }
      } else if (c == '*') {
        if (at_ == begin + 2) {
          star_front = true;
          continue;
        }
        star_back = true;
      }
      value += c;
    }
    if (star_back) value.pop_back();
    FilterToken& token = Add(Kind::kString, value, begin);
    token.star_front = star_front;
    token.star_back = star_back;
    return absl::OkStatus();
  }

  absl::Status Word() {
    const size_t begin = at_;
    // A value that begins like a number may be a time: its colons belong to it.
    const bool number = WantsValue() && (IsDigit(text_[at_]) || text_[at_] == '-');
    while (at_ < text_.size() && (!EndsWord(text_[at_]) || (number && text_[at_] == ':'))) ++at_;
    absl::string_view word = text_.substr(begin, at_ - begin);
    const bool star_front = word.front() == '*';
    if (star_front) word.remove_prefix(1);
    const bool star_back = !word.empty() && word.back() == '*';
    if (star_back) word.remove_suffix(1);
    FilterToken& token = Add(Kind::kWord, word, begin);
    token.star_front = star_front;
    token.star_back = star_back;
    token.opens_call =
        at_ < text_.size() && text_[at_] == '(' && word != "AND" && word != "OR" && word != "NOT";
    return absl::OkStatus();
  }

  absl::string_view text_;
  size_t at_ = 0;
  std::vector<FilterToken> tokens_;
};

}  // namespace

absl::StatusOr<std::vector<FilterToken>> SplitFilter(absl::string_view text) {
  return Lexer(text).Run();
}

absl::Status FilterError(absl::string_view text, size_t at, absl::string_view en,
                         absl::string_view ru) {
  // People count characters, not bytes: Cyrillic has two bytes a letter.
  const absl::string_view before = text.substr(0, std::min(at, text.size()));
  const size_t position =
      1 + static_cast<size_t>(std::count_if(before.begin(), before.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      }));
  ErrorDetail detail;
  detail.metadata["position"] = absl::StrCat(position);
  const std::string english = absl::StrCat("at character ", position, ": ", en);
  const std::string russian = absl::StrCat("знак ", position, ": ", ru);
  detail.fields.push_back({"filter", english, russian});
  detail.ru = absl::StrCat("фильтр: ", russian);
  return MakeError(absl::StatusCode::kInvalidArgument, "FILTER_INVALID",
                   absl::StrCat("filter: ", english), std::move(detail));
}

std::string Shortened(absl::string_view text) {
  constexpr size_t kMaxCharacters = 40;  // Error details must fit in 4 KiB of trailers.
  absl::string_view rest = text;
  for (size_t i = 0; i < kMaxCharacters && TakeCharacter(rest).has_value(); ++i) {
  }
  const absl::string_view kept = text.substr(0, text.size() - rest.size());
  return rest.empty() ? std::string(kept) : absl::StrCat(kept, "...");
}

}  // namespace potok::desk
