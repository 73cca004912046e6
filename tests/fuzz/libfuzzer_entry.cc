// Makes a libFuzzer program of the target that POTOK_FUZZ_TARGET names.
#include <cstddef>
#include <cstdint>

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  potok::fuzz::POTOK_FUZZ_TARGET(
      absl::string_view(size == 0 ? "" : reinterpret_cast<const char*>(data), size));
  return 0;
}
