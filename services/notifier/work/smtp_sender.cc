#include "notifier/work/smtp_sender.h"

#include <algorithm>
#include <cstring>
#include <curl/curl.h>
#include <utility>

#include "absl/base/call_once.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/utf8.h"

namespace potok::notifier {
namespace {

constexpr size_t kMostSaid = 300;
constexpr char kMessage[] = "message";  // Stands for the verb of what follows DATA.

void InitCurl() {
  static absl::once_flag once;
  // Never cleaned up: other threads may still be inside at exit.
  absl::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// What is to be sent and what was said, while one transfer runs.
struct Transfer {
  std::string message;
  size_t sent = 0;
  std::string command;  // Verb of the last command.
  int code = 0;         // Of the server's last final answer to it; 0 = none yet.
  std::string answer;
  bool over = false;
};

size_t ReadMessage(char* to, size_t size, size_t count, void* transfer_of) {
  auto& transfer = *static_cast<Transfer*>(transfer_of);
  const size_t length = std::min(size * count, transfer.message.size() - transfer.sent);
  std::memcpy(to, transfer.message.data() + transfer.sent, length);
  transfer.sent += length;
  return length;
}

// libcurl tells the last code but not what it answered; the conversation does. Only verbs and
// answers are kept: the lines of a login are secrets.
int Listen(CURL*, curl_infotype type, char* data, size_t size, void* transfer_of) {
  auto& transfer = *static_cast<Transfer*>(transfer_of);
  const absl::string_view line(data, size);
  if (transfer.over) return 0;
  if (type == CURLINFO_HEADER_OUT) {
    // Taking leave after a refusal: what was refused before is what counts.
    transfer.over = absl::StartsWithIgnoreCase(line, "QUIT");
    if (transfer.over) return 0;
    transfer.command = absl::AsciiStrToUpper(line.substr(0, line.find_first_of(" \r\n")));
    transfer.code = 0;
    transfer.answer.clear();
  } else if (type == CURLINFO_DATA_OUT) {
    transfer.command = kMessage;
    transfer.code = 0;
    transfer.answer.clear();
  } else if (type == CURLINFO_HEADER_IN && size >= 3) {
    int code = 0;
    if (absl::SimpleAtoi(line.substr(0, 3), &code)) {
      transfer.code = code;
      transfer.answer = std::string(absl::StripAsciiWhitespace(line));
    }
  }
  return 0;
}

// libcurl asks at least once a second while nothing moves. Not zero ends the transfer.
int GoOn(void* latest_of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& latest = *static_cast<std::atomic<std::chrono::steady_clock::time_point>*>(latest_of);
  return std::chrono::steady_clock::now() >= latest.load() ? 1 : 0;
}

}  // namespace

SendOutcome::Result MeaningOf(int code, const std::string& command) {
  if (code == 421) return SendOutcome::kPause;
  const bool of_message = command == "RCPT" || command == "DATA" || command == kMessage;
  // A size limit is told at MAIL already.
  if (code == 552 && command == "MAIL") return SendOutcome::kPermanent;
  if (!of_message || code < 400) return SendOutcome::kOutage;
  return code < 500 ? SendOutcome::kRetry : SendOutcome::kPermanent;
}

struct SmtpSender::Connection {
  Connection() {
    InitCurl();
    easy = curl_easy_init();
  }
  ~Connection() { curl_easy_cleanup(easy); }

  CURL* easy = nullptr;
  char error[CURL_ERROR_SIZE] = "";
};

SmtpSender::SmtpSender(SmtpOptions options)
    : options_(std::move(options)), connection_(std::make_unique<Connection>()) {}

SmtpSender::~SmtpSender() = default;

void SmtpSender::Hurry(absl::Duration left) {
  latest_ = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(left);
}

SendOutcome SmtpSender::Send(const Mail& mail) {
  absl::StatusOr<std::string> message = ComposeMail(mail);
  if (!message.ok()) return {SendOutcome::kPermanent, std::string(message.status().message())};
  Transfer transfer{.message = *std::move(message)};

  CURL* easy = connection_->easy;
  curl_easy_reset(easy);  // Forgets options, keeps the connection.
  connection_->error[0] = '\0';
  const std::string from = absl::StrCat("<", mail.from.address, ">");
  curl_slist* to = curl_slist_append(nullptr, absl::StrCat("<", mail.to.address, ">").c_str());
  curl_easy_setopt(easy, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_USE_SSL,
                   static_cast<long>(options_.allow_plaintext ? CURLUSESSL_TRY : CURLUSESSL_ALL));
  if (!options_.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, options_.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, options_.password.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, ReadMessage);
  curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                   static_cast<curl_off_t>(transfer.message.size()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(options_.timeout)));
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, GoOn);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &latest_);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, Listen);
  curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, connection_->error);
  const CURLcode result = curl_easy_perform(easy);
  curl_slist_free_all(to);

  if (result == CURLE_OK) return {SendOutcome::kSent, transfer.answer};
  std::string said = transfer.code >= 400            ? transfer.answer
                     : connection_->error[0] != '\0' ? std::string(connection_->error)
                                                     : std::string(curl_easy_strerror(result));
  if (!transfer.command.empty() && transfer.code >= 400) {
    said = absl::StrCat(said, " (answer to ", transfer.command, ")");
  }
  return {MeaningOf(transfer.code, transfer.command), std::string(Utf8Prefix(said, kMostSaid))};
}

}  // namespace potok::notifier
