// SPDX-License-Identifier: Apache-2.0
// The one function that libstdc++ takes from a glibc newer than 2.34 (manylinux_2_34). Defined here, programs that
// travel do not ask for it.
#include <cstdint>

#include <sys/random.h>

extern "C" __attribute__((visibility("hidden"))) uint32_t arc4random() {
  uint32_t value = 0;
  while (::getrandom(&value, sizeof(value), 0) != sizeof(value)) {
  } // interrupted by a signal, or too early after boot
  return value;
}
