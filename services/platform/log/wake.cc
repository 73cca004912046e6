#include "platform/log/wake.h"

#include <utility>

#include "base/status_macros.h"

namespace potok::log {
namespace {

// How long a stopping listener may still wait in a read; below the second in which a loop must end.
constexpr absl::Duration kListen = absl::Milliseconds(300);
constexpr absl::Duration kRetry = absl::Milliseconds(500);

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

void RemoteWake::Run() {
  while (!bell_.closed()) {
    if (!bell_.WaitFor(absl::Seconds(1))) continue;
    // Not retried: by the time a retry succeeded, the relay's poll would long have seen the row.
    if (const auto sent = redis_.Command({"PUBLISH", channel_, ""}); !sent.ok()) {
      hooks_.Error("wake", sent.status());
    }
  }
}

WakeListener::WakeListener(redis::Options redis, std::string channel, Doorbell& bell, Hooks hooks)
    : redis_(std::move(redis)),
      channel_(std::move(channel)),
      bell_(bell),
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
      bell_.Ring();  // whatever was published while we were away
    }
    POTOK_ASSIGN_OR_RETURN(const auto message, redis_.Receive(kListen));
    if (message.has_value()) bell_.Ring();
    return absl::OkStatus();
  };
  while (!stop_.closed()) {
    if (const absl::Status status = listen(); !status.ok() && !stop_.closed()) {
      redis_.Close();
      hooks_.Error("wake", status);
      stop_.WaitFor(kRetry);
    }
  }
}

}  // namespace potok::log
