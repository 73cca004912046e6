#include "platform/rpc/stream_writer.h"

#include <algorithm>

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

absl::Status TooManyStreams() {
  ErrorDetail detail;
  detail.retry_after = absl::Seconds(5);
  detail.ru = "Слишком много открытых потоков; повторите позже или у другого экземпляра";
  return MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "too many streams are open; try again later or at another replica",
                   std::move(detail));
}

void RunAll(const std::vector<std::function<void()>>& callbacks) {
  for (const auto& callback : callbacks) callback();
}

}  // namespace

StreamCore::StreamCore(StreamDriver& driver, std::shared_ptr<StreamBudget> budget)
    : budget_(budget != nullptr ? std::move(budget) : std::make_shared<StreamBudget>()),
      driver_(&driver),
      call_(&driver) {}

StreamCore::~StreamCore() {
  const absl::MutexLock lock(&mutex_);
  DropQueue();
}

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
    if (!HasRoom() && budget_->waiting.fetch_add(1) < budget_->max_waiting) {
      mutex_.AwaitWithTimeout(absl::Condition(this, &StreamCore::HasRoom), patience);
      budget_->waiting.fetch_sub(1);
    } else if (!HasRoom()) {
      budget_->waiting.fetch_sub(1);
    }
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
      DropQueue();  // Also of a stream that was ending well: nothing more will arrive.
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
  const auto bytes = static_cast<int64_t>(message->ByteSizeLong());
  const bool crowded = !queue_.empty() && budget_->bytes.load() + bytes > budget_->max_bytes;
  if (queue_.size() >= kQueueBound || crowded) {
    CloseLocked(TooSlow());
    return false;
  }
  budget_->bytes += bytes;
  queue_.push_back(std::move(message));
  return true;
}

void StreamCore::CloseLocked(absl::Status status) {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  if (!status.ok()) DropQueue();
  end_ = std::move(status);
}

void StreamCore::DropQueue() {
  for (const Message& message : queue_) {
    budget_->bytes -= static_cast<int64_t>(message->ByteSizeLong());
  }
  queue_.clear();
}

void StreamCore::Advance() {
  if (driver_ == nullptr || writing_ != nullptr) return;
  if (!queue_.empty()) {
    writing_ = std::move(queue_.front());
    queue_.pop_front();
    budget_->bytes -= static_cast<int64_t>(writing_->ByteSizeLong());
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

StreamSet::StreamSet(int max_waiting) : budget_(std::make_shared<StreamBudget>()) {
  budget_->max_waiting = std::max(1, max_waiting);
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

absl::Status StreamSet::Add(const std::shared_ptr<StreamCore>& stream) {
  const absl::MutexLock lock(&mutex_);
  if (!ended_.ok()) return ended_;
  if (static_cast<int>(streams_.size()) >= budget_->max_streams) ForgetGone();
  if (static_cast<int>(streams_.size()) >= budget_->max_streams) return TooManyStreams();
  streams_.push_back(stream);
  if (!watch_.joinable()) watch_ = std::thread([this] { Watch(); });
  return absl::OkStatus();
}

void StreamSet::ForgetGone() {
  streams_.remove_if([](const std::weak_ptr<StreamCore>& stream) { return stream.expired(); });
}

void StreamSet::EndAll(const absl::Status& status) {
  std::list<std::weak_ptr<StreamCore>> all;
  {
    const absl::MutexLock lock(&mutex_);
    if (ended_.ok()) ended_ = status;
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
      stream->CutIfStuck(now, ended_.ok() ? StreamCore::kStuck : StreamCore::kStuckAtShutdown);
      ++it;
    }
  }
}

}  // namespace potok::rpc
