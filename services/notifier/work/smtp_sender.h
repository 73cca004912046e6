// Sends mail to an SMTP server over one connection that is kept between messages.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "absl/time/time.h"

#include "notifier/domain/sender.h"

namespace potok::notifier {

struct SmtpOptions {
  std::string url;  // "smtp://host:port" or "smtps://host:port"
  std::string user;
  std::string password;
  bool allow_plaintext = false;  // Otherwise nothing is said before TLS.
  absl::Duration timeout = absl::Seconds(15);
};

// What an answer of the server means for a message. `command` is the verb it answered, "" for the
// greeting; `code` 0 when no answer came. A refusal of anything but this message (greeting, TLS,
// login, the sender) is an outage: it says nothing about the message, and a wrong password must not
// bury a day of mail.
SendOutcome::Result MeaningOf(int code, const std::string& command);

// Of one thread.
class SmtpSender final : public Sender {
 public:
  explicit SmtpSender(SmtpOptions options);
  ~SmtpSender() override;

  SendOutcome Send(const Mail& mail) override;
  absl::Duration longest() const override { return options_.timeout; }
  void Hurry(absl::Duration left) override;

 private:
  struct Connection;  // Keeps libcurl out of every header.
  const SmtpOptions options_;
  const std::unique_ptr<Connection> connection_;
  // Of the steady clock; when a message must be given up.
  std::atomic<std::chrono::steady_clock::time_point> latest_{
      std::chrono::steady_clock::time_point::max()};
};

}  // namespace potok::notifier
