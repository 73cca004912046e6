#include "platform/log/hand.h"

#include <utility>

namespace potok::log {
namespace {

pg::PoolOptions One(pg::PoolOptions like) {
  like.size = 1;
  return like;
}

}  // namespace

Hand::Hand(pg::PoolOptions like) : pool_(One(std::move(like))), thread_([this] { Run(); }) {}

Hand::~Hand() {
  {
    absl::MutexLock lock(&mu_);
    ending_ = true;
  }
  thread_.join();
}

void Hand::Do(Job job) {
  absl::MutexLock lock(&mu_);
  job_ = std::move(job);
}

bool Hand::idle() const {
  absl::MutexLock lock(&mu_);
  return !busy_ && job_ == nullptr;
}

void Hand::Run() {
  const auto called = [this] {
    mu_.AssertReaderHeld();
    return job_ != nullptr || ending_;
  };
  while (true) {
    Job job;
    {
      absl::MutexLock lock(&mu_);
      busy_ = false;
      mu_.Await(absl::Condition(&called));
      if (job_ == nullptr) return;
      job = std::exchange(job_, nullptr);
      busy_ = true;
    }
    job(pool_);
  }
}

}  // namespace potok::log
