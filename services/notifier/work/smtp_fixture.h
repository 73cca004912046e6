// A mail server for tests that answers what the test wants, on a loopback port of its own.
#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"

#include "platform/testing/signal.h"

namespace potok::notifier {

struct ReceivedMail {
  std::string to;
  std::string content;

  // The value of a header, unfolded; "" when absent.
  std::string Header(const std::string& name) const {
    const std::string unfolded =
        absl::StrReplaceAll(content.substr(0, content.find("\r\n\r\n")), {{"\r\n ", " "}});
    for (absl::string_view line : absl::StrSplit(unfolded, "\r\n")) {
      if (absl::StartsWith(line, name + ": ")) return std::string(line.substr(name.size() + 2));
    }
    return "";
  }
  // Decodes the words of RFC 2047.
  std::string Subject() const {
    std::string subject;
    for (absl::string_view word : absl::StrSplit(Header("Subject"), ' ')) {
      std::string piece;
      if (absl::StartsWith(word, "=?UTF-8?B?") && absl::EndsWith(word, "?=") &&
          absl::Base64Unescape(word.substr(10, word.size() - 12), &piece)) {
        subject += piece;
      } else {
        absl::StrAppend(&subject, subject.empty() ? "" : " ", word);
      }
    }
    return subject;
  }
};

class FakeSmtp {
 public:
  // Answers a step of the conversation: "GREETING", a command line such as "RCPT TO:<a@b>", or
  // "MESSAGE".
  // "" = the usual answer, "DROP" = hang up, "SILENCE" = say nothing.
  using Script = std::function<std::string(const std::string& step)>;

  explicit FakeSmtp(Script script = {}, int port = 0) : script_(std::move(script)) { Listen(port); }
  ~FakeSmtp() { Close(); }

  std::string url() const { return absl::StrCat("smtp://127.0.0.1:", port_); }
  int port() const { return port_; }
  void SetScript(Script script) {
    absl::MutexLock lock(&mu_);
    script_ = std::move(script);
  }
  int connections() const { return connections_; }

  testing::Recorder<ReceivedMail> mails;
  testing::Recorder<std::string> steps;

  // Hangs up on everybody and refuses connections from now on.
  void Close() {
    if (closed_.exchange(true)) return;
    shutdown(listener_, SHUT_RDWR);
    {
      absl::MutexLock lock(&mu_);
      for (const int peer : peers_) shutdown(peer, SHUT_RDWR);
    }
    accepting_.join();
    close(listener_);
    for (std::thread& each : conversations_) each.join();
  }

 private:
  void Listen(int port) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 64) != 0) {
      std::abort();
    }
    socklen_t length = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] {
      while (!closed_) {
        const int peer = accept(listener_, nullptr, nullptr);
        if (peer < 0) continue;
        ++connections_;
        absl::MutexLock lock(&mu_);
        peers_.push_back(peer);
        conversations_.emplace_back([this, peer] { Converse(peer); });
      }
    });
  }

  std::string Answer(const std::string& step, const char* usual) {
    steps.Add(step);
    Script script;
    {
      absl::MutexLock lock(&mu_);
      script = script_;
    }
    const std::string answer = script ? script(step) : "";
    return answer.empty() ? usual : answer;
  }

  // False when the conversation is over.
  bool Say(int peer, const std::string& answer) {
    if (answer == "DROP") return false;
    if (answer == "SILENCE") return true;
    const std::string line = answer + "\r\n";
    return send(peer, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size());
  }

  void Converse(int peer) {
    std::string input, to;
    bool message = false;
    bool talking = Say(peer, Answer("GREETING", "220 fake"));
    while (talking) {
      char buffer[4096];
      const ssize_t got = recv(peer, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      input.append(buffer, static_cast<size_t>(got));
      while (talking) {
        const std::string end = message ? "\r\n.\r\n" : "\r\n";
        const size_t at = input.find(end);
        if (at == std::string::npos) break;
        const std::string item = input.substr(0, at);
        input.erase(0, at + end.size());
        if (message) {
          message = false;
          const std::string answer = Answer("MESSAGE", "250 kept");
          if (absl::StartsWith(answer, "250")) mails.Add({to, item});
          talking = Say(peer, answer);
          continue;
        }
        const char* usual = "250 fine";
        if (absl::StartsWith(item, "DATA")) usual = "354 go on";
        if (absl::StartsWith(item, "QUIT")) usual = "221 bye";
        if (absl::StartsWith(item, "RCPT")) {
          to = item.substr(item.find('<') + 1, item.find('>') - item.find('<') - 1);
        }
        const std::string answer = Answer(item, usual);
        message = absl::StartsWith(answer, "354");
        talking = Say(peer, answer) && !absl::StartsWith(item, "QUIT");
      }
    }
    absl::MutexLock lock(&mu_);
    peers_.erase(std::remove(peers_.begin(), peers_.end(), peer), peers_.end());
    close(peer);
  }

  mutable absl::Mutex mu_;
  Script script_ ABSL_GUARDED_BY(mu_);
  std::vector<int> peers_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> conversations_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> closed_{false};
  std::atomic<int> connections_{0};
  std::thread accepting_;
};

}  // namespace potok::notifier
