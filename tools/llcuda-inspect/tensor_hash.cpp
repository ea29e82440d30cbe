// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-inspect/tensor_hash.h"

#include <cstdio>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace llcuda::inspect {

std::string hashOf(std::span<const std::byte> bytes) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(bytes.data(), bytes.size())));
  return digits;
}

} // namespace llcuda::inspect
