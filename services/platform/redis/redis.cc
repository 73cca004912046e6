#include "platform/redis/redis.h"

#include <cerrno>
#include <chrono>
#include <hiredis/hiredis.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "base/error.h"
#include "base/status_macros.h"

namespace potok::redis {
namespace {

std::int64_t MonotonicNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

absl::Status Unavailable(absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("redis: ", why));
}

absl::string_view FirstWord(absl::string_view text) { return text.substr(0, text.find(' ')); }

// The server is there but is not the one to talk to: reconnecting may reach a better one.
bool MustReconnect(const Reply& reply) {
  if (!reply.IsError()) return false;
  const absl::string_view word = FirstWord(reply.text);
  return word == "READONLY" || word == "LOADING" || word == "MASTERDOWN" || word == "CLUSTERDOWN";
}

}  // namespace

Reply FromRaw(const redisReply& raw) {
  Reply reply;
  switch (raw.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Reply::Kind::kText;
      reply.text.assign(raw.str, raw.len);
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = Reply::Kind::kError;
      reply.text.assign(raw.str, raw.len);
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::kInteger;
      reply.integer = raw.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::kArray;
      reply.items.reserve(raw.elements);
      for (size_t i = 0; i < raw.elements; ++i) reply.items.push_back(FromRaw(*raw.element[i]));
      break;
    default: break;
  }
  return reply;
}

absl::Status ToStatus(const Reply& reply) {
  if (!reply.IsError()) return absl::OkStatus();
  const absl::string_view word = FirstWord(reply.text);
  if (MustReconnect(reply) || word == "TRYAGAIN") return Unavailable(reply.text);
  const std::string message = absl::StrCat("redis: ", reply.text);
  if (word == "OOM" || word == "MISCONF") return absl::ResourceExhaustedError(message);
  if (word == "NOAUTH" || word == "WRONGPASS" || word == "NOPERM") {
    return absl::PermissionDeniedError(message);
  }
  return absl::FailedPreconditionError(message);
}

Connection::Connection(Options options) : options_(std::move(options)) {}
Connection::~Connection() { Close(); }

void Connection::Close() {
  {
    const absl::MutexLock lock(&interrupting_);
    socket_ = -1;
  }
  if (context_ != nullptr) redisFree(context_);
  context_ = nullptr;
}

void Connection::Interrupt() {
  const absl::MutexLock lock(&interrupting_);
  interrupted_ = true;
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

absl::Status Connection::Broken() {
  const std::string why = context_ != nullptr && context_->err != 0 ? context_->errstr : "closed";
  Close();
  return Unavailable(why);
}

absl::Status Connection::Connect() {
  if (context_ != nullptr) return absl::OkStatus();
  if (MonotonicNanos() < retry_at_ns_) return Unavailable("still away");
  const timeval timeout = absl::ToTimeval(options_.connect_timeout);
  absl::string_view address = options_.address;
  if (absl::ConsumePrefix(&address, "unix:") || absl::StartsWith(address, "/")) {
    context_ = redisConnectUnixWithTimeout(std::string(address).c_str(), timeout);
  } else {
    const auto colon = address.rfind(':');
    int port = 6379;
    if (colon != absl::string_view::npos && !absl::SimpleAtoi(address.substr(colon + 1), &port)) {
      return absl::InvalidArgumentError(
          absl::StrCat("redis address '", address, "' is not host:port or unix:/path"));
    }
    context_ =
        redisConnectWithTimeout(std::string(address.substr(0, colon)).c_str(), port, timeout);
    if (context_ != nullptr && context_->err == 0) redisEnableKeepAlive(context_);
  }
  absl::Status status = absl::OkStatus();
  if (context_ == nullptr || context_->err != 0) {
    status = Broken();
  } else if (!Publish()) {
    status = Unavailable("interrupted");
  } else {
    timeout_ = absl::ZeroDuration();
    ++generation_;
    if (!options_.password.empty()) {
      std::vector<std::string> auth = {"AUTH"};
      if (!options_.user.empty()) auth.push_back(options_.user);
      auth.push_back(options_.password);
      status = Command(auth).status();
    } else {
      status = SetTimeout(options_.io_timeout);
    }
  }
  if (!status.ok()) {
    Close();
    retry_at_ns_ = MonotonicNanos() + absl::ToInt64Nanoseconds(options_.reconnect_pause);
  }
  return status;
}

// Lets Interrupt know the new socket; false when it has been called already.
bool Connection::Publish() {
  const absl::MutexLock lock(&interrupting_);
  socket_ = context_->fd;
  return !interrupted_;
}

absl::Status Connection::SetTimeout(absl::Duration timeout) {
  if (timeout == timeout_) return absl::OkStatus();
  if (redisSetTimeout(context_, absl::ToTimeval(timeout)) != REDIS_OK) return Broken();
  timeout_ = timeout;
  return absl::OkStatus();
}

absl::Status Connection::Append(const std::vector<std::string>& args) {
  std::vector<const char*> pointers;
  std::vector<size_t> lengths;
  pointers.reserve(args.size());
  lengths.reserve(args.size());
  for (const std::string& arg : args) {
    pointers.push_back(arg.data());
    lengths.push_back(arg.size());
  }
  if (redisAppendCommandArgv(context_, static_cast<int>(args.size()), pointers.data(),
                             lengths.data()) != REDIS_OK) {
    return Broken();
  }
  return absl::OkStatus();
}

absl::StatusOr<Reply> Connection::Read() {
  void* raw = nullptr;
  if (redisGetReply(context_, &raw) != REDIS_OK || raw == nullptr) return Broken();
  Reply reply = FromRaw(*static_cast<redisReply*>(raw));
  freeReplyObject(raw);
  return reply;
}

absl::StatusOr<Reply> Connection::Command(const std::vector<std::string>& args,
                                          absl::Duration extra) {
  POTOK_RETURN_IF_ERROR(Connect());
  POTOK_RETURN_IF_ERROR(SetTimeout(options_.io_timeout + extra));
  POTOK_RETURN_IF_ERROR(Append(args));
  POTOK_ASSIGN_OR_RETURN(Reply reply, Read());
  if (MustReconnect(reply)) Close();
  POTOK_RETURN_IF_ERROR(ToStatus(reply));
  return reply;
}

absl::StatusOr<std::vector<Reply>> Connection::Pipeline(
    const std::vector<std::vector<std::string>>& commands) {
  POTOK_RETURN_IF_ERROR(Connect());
  POTOK_RETURN_IF_ERROR(SetTimeout(options_.io_timeout));
  for (const auto& command : commands) POTOK_RETURN_IF_ERROR(Append(command));
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  bool reconnect = false;
  for (size_t i = 0; i < commands.size(); ++i) {
    POTOK_ASSIGN_OR_RETURN(Reply reply, Read());
    reconnect = reconnect || MustReconnect(reply);
    replies.push_back(std::move(reply));
  }
  if (reconnect) Close();
  return replies;
}

absl::StatusOr<std::optional<Reply>> Connection::Receive(absl::Duration timeout) {
  if (context_ == nullptr) return Unavailable("not subscribed");
  void* raw = nullptr;
  // What the last read brought along is in hiredis' buffer, where poll() does not see it.
  if (redisGetReplyFromReader(context_, &raw) != REDIS_OK) return Broken();
  if (raw == nullptr) {
    pollfd waiting{.fd = context_->fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout)));
    if (ready == 0 || (ready < 0 && errno == EINTR)) return std::optional<Reply>();
    if (ready < 0) return Broken();
    return Read();
  }
  Reply reply = FromRaw(*static_cast<redisReply*>(raw));
  freeReplyObject(raw);
  return reply;
}

}  // namespace potok::redis
