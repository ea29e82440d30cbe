// SPDX-License-Identifier: Apache-2.0
// The same hash by instructions that not every processor has. Nothing inline of other headers is used here: a copy of
// it that this file's options made could take the place of all others.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace llcuda::detail {

unsigned long long hashBytesAvx2(const void* data, size_t bytes) {
  return XXH3_64bits(data, bytes);
}

} // namespace llcuda::detail
