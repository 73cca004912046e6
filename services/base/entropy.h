// Where randomness that must not repeat comes from.
#pragma once

#include <cstdint>
#include <random>

namespace potok {

// 64 bits from the kernel's generator. Named on purpose: the default std::random_device of
// libstdc++ asks the processor, and on some virtual machines that repeats within ten thousand
// draws. Thread-safe.
inline uint64_t KernelEntropy() {
  static thread_local std::random_device device("/dev/urandom");
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace potok
