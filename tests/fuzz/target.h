// What a fuzz target is: a function that takes hostile bytes and checks promises about them.
//
// The same functions run twice: under libFuzzer, which invents inputs, and in a plain test, which
// repeats every input kept in corpus/ (seeds, and whatever once broke something).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace potok::fuzz {

// Each returns when all it promises holds, and aborts otherwise.
void FuzzFilter(absl::string_view input);   // The filter language and order_by.
void FuzzForm(absl::string_view input);     // Forms as stored, and what people answer.
void FuzzToken(absl::string_view input);    // Page tokens, credentials, trace headers, trailers.
void FuzzStream(absl::string_view input);   // What Redis says to the relay and the consumers.
void FuzzStored(absl::string_view input);   // JSON columns of the database.
void FuzzNotice(absl::string_view input);   // Templates, texts and mails made of people's words.
void FuzzImport(absl::string_view input);   // Recorded incident logs.
void FuzzRequest(absl::string_view input);  // Messages of every method, up to the database.

// Prints `what` and `detail`, and where the input came from if it is a kept one; aborts.
[[noreturn]] void Broken(const char* file, int line, absl::string_view what,
                         absl::string_view detail);
// Names the input that the next failure is about; "" for one that libFuzzer keeps itself.
void NameInput(std::string name);

// A refusal must be fit to be sent: an INVALID_ARGUMENT (or `code`) with a reason, all texts UTF-8.
void CheckRefusal(const absl::Status& status,
                  absl::StatusCode code = absl::StatusCode::kInvalidArgument);

}  // namespace potok::fuzz

#define FUZZ_CHECK(condition, detail)                                  \
  do {                                                                 \
    if (!(condition)) {                                                \
      ::potok::fuzz::Broken(__FILE__, __LINE__, #condition, (detail)); \
    }                                                                  \
  } while (false)
