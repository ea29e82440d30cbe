// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace llcuda {
namespace detail {

unsigned long long hashBytesAvx2(const void* data, size_t bytes); // hash_avx2.cpp

} // namespace detail

uint64_t hashBytes(std::span<const std::byte> bytes) {
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  return wide ? detail::hashBytesAvx2(bytes.data(), bytes.size()) : XXH3_64bits(bytes.data(), bytes.size());
}

} // namespace llcuda
