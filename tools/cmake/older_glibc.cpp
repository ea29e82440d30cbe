// SPDX-License-Identifier: Apache-2.0
// The one function that libstdc++ takes from a glibc newer than 2.35 (Ubuntu 22.04). Defined here, programs that travel
// do not ask for it.
#include <cstdint>

#include <sys/random.h>

extern "C" __attribute__((visibility("hidden"))) uint32_t arc4random() {
  uint32_t value = 0;
  while (::getrandom(&value, sizeof(value), 0) != sizeof(value)) {
  } // interrupted by a signal, or too early after boot
  return value;
}
