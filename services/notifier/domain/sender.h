// One way out of the house, as the delivery loop sees it.
#pragma once

#include <string>

#include "absl/time/time.h"

#include "notifier/domain/mail.h"

namespace potok::notifier {

struct SendOutcome {
  enum Result {
    kSent,
    kRetry,      // Not now; this message may be taken later.
    kPermanent,  // Never: nobody will take this message.
    kOutage,     // The provider cannot be used; nothing is known about the message.
    kPause,      // The provider asks for a rest.
  };
  Result result = kSent;
  std::string said;  // The provider's last words, one line; for people.
};

// Used by one thread, but for Hurry.
class Sender {
 public:
  virtual ~Sender() = default;
  // Blocks until the provider answered, at most longest().
  virtual SendOutcome Send(const Mail& mail) = 0;
  virtual absl::Duration longest() const = 0;
  // From any thread: the process is about to end. A Send that runs or begins later is given up when
  // it takes longer than `left` from now on; what became of the message is then unknown, and it
  // will be sent again under the same Message-ID.
  virtual void Hurry(absl::Duration left) = 0;
};

}  // namespace potok::notifier
