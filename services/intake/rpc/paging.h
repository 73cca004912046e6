// What the small lists of the service (flows, templates, people) share about pages.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "platform/clock/clock.h"
#include "platform/rpc/page_token.h"

namespace potok::intake {

inline constexpr int kDefaultPageSize = 50;

// The steady flow of real time, counted from an instant of our own: a token's life is real time
// also where business time runs faster.
inline absl::Time TokenTime(const Clock& clock) {
  return absl::UnixEpoch() + clock.ToReal(clock.Now() - absl::UnixEpoch());
}

// How many rows, and after which key; `arguments` is everything else that shapes the list.
struct PageStart {
  int size = kDefaultPageSize;
  std::string after;  // Empty on the first page.
};

template <class Request>
absl::StatusOr<PageStart> StartOf(const Request& request, absl::string_view arguments,
                                  const rpc::PageTokens& tokens, const Clock& clock) {
  PageStart start;
  if (request.page_size() > 0) start.size = request.page_size();
  if (!request.page_token().empty()) {
    absl::StatusOr<std::string> after =
        tokens.Open(request.page_token(), arguments, TokenTime(clock));
    if (!after.ok()) return after.status();
    start.after = *std::move(after);
  }
  return start;
}

}  // namespace potok::intake
