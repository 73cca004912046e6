#include "platform/rpc/stream_writer.h"

#include "base/error.h"

namespace potok::rpc {
namespace {

absl::Status TooSlow() {
  ErrorDetail detail;
  detail.retry_after = absl::Seconds(1);
  detail.ru = "Читатель потока слишком медленный; продолжите с последнего токена";
  return MakeError(absl::StatusCode::kResourceExhausted, "STREAM_TOO_SLOW",
                   "the reader of the stream is too slow; resume from the last token",
                   std::move(detail));
}

void RunAll(const std::vector<std::function<void()>>& callbacks) {
  for (const auto& callback : callbacks) callback();
}

}  // namespace

bool StreamCore::Push(Message message) {
  bool taken = false;
  std::vector<std::function<void()>> gone;
  {
    const absl::MutexLock lock(&mutex_);
    taken = PushLocked(std::move(message));
    Advance();
    gone = TakeGone();
  }
  RunAll(gone);
  return taken;
}

bool StreamCore::PushWaiting(Message message, absl::Duration patience) {
  {
    const absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(
                                +[](StreamCore* self) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                  return self->state_ != State::kOpen ||
                                         self->queue_.size() < kQueueBound;
                                },
                                this),
                            patience);
  }
  return Push(std::move(message));
}

void StreamCore::Close(absl::Status status) {
  std::vector<std::function<void()>> gone;
  {
    const absl::MutexLock lock(&mutex_);
    CloseLocked(std::move(status));
    Advance();
    gone = TakeGone();
  }
  RunAll(gone);
}

bool StreamCore::open() const {
  const absl::MutexLock lock(&mutex_);
  return state_ == State::kOpen;
}

void StreamCore::OnGone(std::function<void()> gone) {
  {
    const absl::MutexLock lock(&mutex_);
    if (state_ != State::kFinished) {
      gone_.push_back(std::move(gone));
      return;
    }
  }
  gone();
}

void StreamCore::HandlerDone(absl::Status status) {
  std::vector<std::function<void()>> gone;
  {
    const absl::MutexLock lock(&mutex_);
    handler_runs_ = false;
    if (!status.ok()) CloseLocked(std::move(status));
    Advance();
    gone = TakeGone();
  }
  RunAll(gone);
}

void StreamCore::WriteDone(bool ok) {
  std::vector<std::function<void()>> gone;
  {
    const absl::MutexLock lock(&mutex_);
    writing_.reset();
    if (!ok) {
      CloseLocked(absl::CancelledError("the reader went away"));
      queue_.clear();  // Also of a stream that was ending well: nothing more will arrive.
    }
    Advance();
    gone = TakeGone();
  }
  RunAll(gone);
}

void StreamCore::CallDone() {
  const absl::MutexLock lock(&mutex_);
  call_ = nullptr;
}

void StreamCore::CutIfStuck(std::chrono::steady_clock::time_point now,
                            std::chrono::seconds patience) {
  const absl::MutexLock lock(&mutex_);
  if (call_ == nullptr) return;
  const bool write_hangs = writing_ != nullptr && now - writing_since_ > patience;
  const bool end_hangs = state_ == State::kFinished && now - ending_since_ > patience;
  if (write_hangs || end_hangs) call_->Cut();
}

bool StreamCore::PushLocked(Message message) {
  if (state_ != State::kOpen) return false;
  if (queue_.size() >= kQueueBound) {
    CloseLocked(TooSlow());
    return false;
  }
  queue_.push_back(std::move(message));
  return true;
}

void StreamCore::CloseLocked(absl::Status status) {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  if (!status.ok()) queue_.clear();
  end_ = std::move(status);
}

void StreamCore::Advance() {
  if (driver_ == nullptr || writing_ != nullptr) return;
  if (!queue_.empty()) {
    writing_ = std::move(queue_.front());
    queue_.pop_front();
    writing_since_ = std::chrono::steady_clock::now();
    driver_->Write(*writing_);
    return;
  }
  if (state_ == State::kClosing && !handler_runs_) {
    state_ = State::kFinished;
    ending_since_ = std::chrono::steady_clock::now();
    StreamDriver* driver = driver_;
    driver_ = nullptr;
    driver->End(end_);
  }
}

std::vector<std::function<void()>> StreamCore::TakeGone() {
  std::vector<std::function<void()>> gone;
  if (state_ == State::kFinished) gone.swap(gone_);
  return gone;
}

StreamSet::~StreamSet() {
  std::thread watch;
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
    watch.swap(watch_);
  }
  if (watch.joinable()) watch.join();
}

bool StreamSet::Add(const std::shared_ptr<StreamCore>& stream) {
  const absl::MutexLock lock(&mutex_);
  if (ended_) return false;
  streams_.push_back(stream);
  if (!watch_.joinable()) watch_ = std::thread([this] { Watch(); });
  return true;
}

void StreamSet::EndAll(const absl::Status& status) {
  std::list<std::weak_ptr<StreamCore>> all;
  {
    const absl::MutexLock lock(&mutex_);
    ended_ = true;
    all = streams_;
  }
  for (const auto& weak : all) {
    if (const auto stream = weak.lock()) stream->Close(status);
  }
}

void StreamSet::Watch() {
  const absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Seconds(1))) {
    const auto now = std::chrono::steady_clock::now();
    for (auto it = streams_.begin(); it != streams_.end();) {
      const auto stream = it->lock();
      if (stream == nullptr) {
        it = streams_.erase(it);
        continue;
      }
      stream->CutIfStuck(now, ended_ ? StreamCore::kStuckAtShutdown : StreamCore::kStuck);
      ++it;
    }
  }
}

}  // namespace potok::rpc
