#include "platform/log/wake.h"

#include <utility>

#include "absl/strings/str_join.h"

#include "base/backoff.h"
#include "base/status_macros.h"
#include "platform/log/pace.h"

namespace potok::log {
namespace {

// How long a stopping listener may still wait in a read; below the second in which a loop must end.
constexpr absl::Duration kListen = absl::Milliseconds(300);
// A Redis that is away is asked with growing pauses, and its absence is said now and then.
constexpr Backoff kRetry{.initial = absl::Milliseconds(100), .cap = absl::Seconds(2)};
constexpr absl::Duration kSayAgain = absl::Seconds(30);

}  // namespace

RemoteWake::RemoteWake(redis::Options redis, std::string channel, Hooks hooks)
    : redis_(std::move(redis)), channel_(std::move(channel)), hooks_(std::move(hooks)) {
  thread_ = std::thread([this] { Run(); });
}

RemoteWake::~RemoteWake() {
  bell_.Close();
  redis_.Interrupt();
  thread_.join();
}

void RemoteWake::Notify(absl::string_view word) {
  {
    absl::MutexLock lock(&mu_);
    if (words_.find(word) == words_.end()) words_.emplace(word);
  }
  bell_.Ring();
}

std::string RemoteWake::TakeWords() {
  absl::MutexLock lock(&mu_);
  std::string message = absl::StrJoin(words_, "\n");
  words_.clear();
  return message;
}

void RemoteWake::Run() {
  int failures = 0;
  absl::Duration not_before = -absl::InfiniteDuration(), say_at = -absl::InfiniteDuration();
  while (!bell_.closed()) {
    if (!bell_.WaitFor(absl::Seconds(1))) continue;
    std::string message = TakeWords();
    // Neither kept nor retried: by the time a retry succeeded, the listener's poll would long have
    // seen the row.
    if (Monotonic() < not_before) continue;
    const auto sent = redis_.Command({"PUBLISH", channel_, std::move(message)});
    if (sent.ok()) {
      failures = 0;
      say_at = -absl::InfiniteDuration();
      continue;
    }
    if (bell_.closed()) return;
    const absl::Duration now = Monotonic();
    not_before = now + kRetry.Wait(++failures, Uniform());
    if (now >= say_at) {
      hooks_.Error("wake", sent.status());
      say_at = now + kSayAgain;
    }
  }
}

WakeListener::WakeListener(redis::Options redis, std::string channel, Heard heard, Hooks hooks)
    : redis_(std::move(redis)),
      channel_(std::move(channel)),
      heard_(std::move(heard)),
      hooks_(std::move(hooks)) {
  thread_ = std::thread([this] { Run(); });
}

WakeListener::~WakeListener() {
  stop_.Close();
  redis_.Interrupt();
  thread_.join();
}

void WakeListener::Run() {
  const auto listen = [this]() -> absl::Status {
    if (!redis_.connected()) {
      POTOK_RETURN_IF_ERROR(redis_.Command({"SUBSCRIBE", channel_}).status());
      heard_("");  // whatever was published while we were away
    }
    POTOK_ASSIGN_OR_RETURN(const auto message, redis_.Receive(kListen));
    // ["message", channel, what was published], or the answer to SUBSCRIBE.
    if (message.has_value()) heard_(message->items.size() == 3 ? message->items[2].text : "");
    return absl::OkStatus();
  };
  int failures = 0;
  absl::Duration say_at = -absl::InfiniteDuration();
  while (!stop_.closed()) {
    const absl::Status status = listen();
    if (status.ok()) {
      failures = 0;
      say_at = -absl::InfiniteDuration();
      continue;
    }
    if (stop_.closed()) return;
    redis_.Close();
    if (const absl::Duration now = Monotonic(); now >= say_at) {
      hooks_.Error("wake", status);
      say_at = now + kSayAgain;
    }
    stop_.WaitFor(kRetry.Wait(++failures, Uniform()));
  }
}

}  // namespace potok::log
