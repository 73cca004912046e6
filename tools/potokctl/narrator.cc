#include "narrator.h"

#include <cstdio>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"

#include "story_clock.h"
#include "terminal.h"

namespace potok::ctl {
namespace {

constexpr size_t kNumberColumns = 12;
// Stamp, number and the spaces between them.
constexpr size_t kIndent = 14 + 2 + kNumberColumns;

std::string Head(absl::Time when, absl::string_view number) {
  return absl::StrCat(Stamp(when), "  ", Fit(number, kNumberColumns));
}

}  // namespace

Narrator::Narrator() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void Narrator::Print(const std::string& lines) {
  absl::MutexLock lock(&mu_);
  if (live_) std::fputs("\r\033[K", stdout);
  live_ = false;
  std::fputs(lines.c_str(), stdout);
  std::fflush(stdout);
}

void Narrator::Tell(absl::Time when, absl::string_view number, absl::string_view text,
                    const std::vector<std::string>& more) {
  const char* bold = terminal_ ? "\033[1m" : "";
  const char* plain = terminal_ ? "\033[0m" : "";
  std::string out = absl::StrCat(bold, Head(when, number), text, plain, "\n");
  for (const std::string& line : more) absl::StrAppend(&out, std::string(kIndent, ' '), line, "\n");
  Print(out);
}

void Narrator::Mention(absl::Time when, absl::string_view number, absl::string_view text) {
  const char* dim = terminal_ ? "\033[2m" : "";
  const char* plain = terminal_ ? "\033[0m" : "";
  Print(absl::StrCat(dim, Head(when, number), "· ", text, plain, "\n"));
}

void Narrator::Chapter(absl::string_view title) { Print(absl::StrCat("\n--- ", title, " ---\n")); }

void Narrator::Live(absl::string_view text) {
  if (!terminal_) return;
  absl::MutexLock lock(&mu_);
  live_ = true;
  std::printf("\r  %s\033[K", std::string(text).c_str());
  std::fflush(stdout);
}

Checks::Checks()
    : items_{
          {Shown::kPromise, "заявка получает номер, подтверждение и обещанный срок"},
          {Shown::kNeededToday,
           "«нужно сегодня» поднимает приоритет и сокращает срок, причина хранится"},
          {Shown::kPassedOver, "занятого до предела пропускают, и видно почему"},
          {Shown::kHalfTerm, "половина срока приносит напоминание исполнителю"},
          {Shown::kBreach, "об истёкшем сроке узнаёт руководитель и передаёт заявку другому"},
          {Shown::kPause, "вопрос останавливает часы, ответ пускает их дальше"},
          {Shown::kSentBack, "заявитель возвращает работу, её доделывают"},
          {Shown::kAccepted, "заявитель принимает работу"},
          {Shown::kRatedHigh, "оценка 5 с комментарием"},
          {Shown::kRatedLow, "оценка 2 с комментарием доходит до руководителя"},
          {Shown::kNight, "ночная заявка ждёт в очереди с причиной и утром находит исполнителя"},
          {Shown::kDeclined, "к отказавшемуся заявка не возвращается"},
          {Shown::kModes, "распределяют по очереди, наименее занятому, вручную; берут сами"},
          {Shown::kMail, "письма дошли"},
          {Shown::kBackground, "все остальные заявки поданы и в работе"},
      } {}

void Checks::Seen(Shown what, std::string detail) {
  absl::MutexLock lock(&mu_);
  for (Item& item : items_) {
    if (item.what != what) continue;
    item.seen = true;
    item.detail = std::move(detail);
  }
}

void Checks::Missed(std::string why) {
  absl::MutexLock lock(&mu_);
  missed_.push_back(std::move(why));
}

bool Checks::Print() const {
  absl::MutexLock lock(&mu_);
  bool all = missed_.empty();
  for (const Item& item : items_) {
    all = all && item.seen;
    Say(absl::StrCat("  ", item.seen ? "да  " : "НЕТ ", item.text,
                     item.detail.empty() ? "" : absl::StrCat(": ", item.detail)));
  }
  for (const std::string& why : missed_) Say(absl::StrCat("  НЕ УДАЛОСЬ ", why));
  return all;
}

}  // namespace potok::ctl
